//! Binance's REST: ascending, `fromId` inclusive, weights by the minute.

use serde_json::{Value, json};
use tape::{EpochMs, Ticker};

use super::{BELOW, QUOTAS, id_in, time_in};
use crate::dialect::desk::RestDesk;
use crate::dialect::digits::{notional, padded, step};
use crate::dialect::question::{Answer, Question, Refused};
use crate::dialect::stamp::Taker;
use crate::dialect::{Tongue, pair};
use crate::true_trade::TrueTrade;

const USUAL_ROWS: usize = 500;
const MOST_ROWS: usize = 1_000;

/// Errors that can be asked for by name.
pub const ERRORS: [&str; 9] = [
    "weight",
    "banned",
    "firewall",
    "restricted",
    "invalid_symbol",
    "bad_combination",
    "missing_parameter",
    "backend_timeout",
    "overloaded",
];

/// What a path costs.
pub fn weight(path: &str) -> u64 {
    match path {
        "/api/v3/historicalTrades" | "/api/v3/trades" => 25,
        "/api/v3/aggTrades" => 4,
        "/api/v3/exchangeInfo" => 20,
        _ => 1,
    }
}

/// The true answer.
pub fn answer(question: &Question, desk: &mut RestDesk<'_>) -> Option<Answer> {
    let answer = match question.path.as_str() {
        "/api/v3/ping" => Ok(Answer::json(200, "{}")),
        "/api/v3/time" => {
            let scale = if is_micro(question) { 1_000 } else { 1 };
            Ok(Answer::json(200, format!("{{\"serverTime\":{}}}", desk.present().ms() * scale)))
        }
        "/api/v3/exchangeInfo" => exchange_info(question, desk),
        "/api/v3/trades" => newest(question, desk),
        "/api/v3/historicalTrades" => historical(question, desk),
        "/api/v3/aggTrades" => aggregates(question, desk),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn newest(question: &Question, desk: &mut RestDesk<'_>) -> Result<Answer, Answer> {
    let (ticker, limit) = (ticker_of(question, desk)?, limit_of(question)?);
    let rows = desk.visible(&ticker).map(|visible| visible.newest_ascending(limit)).unwrap_or_default();
    Ok(page(rows.iter().map(|trade| trade_row(trade, is_micro(question)))))
}

fn historical(question: &Question, desk: &mut RestDesk<'_>) -> Result<Answer, Answer> {
    let (ticker, limit) = (ticker_of(question, desk)?, limit_of(question)?);
    let Some(from) = whole(question, "fromId")? else { return newest(question, desk) };
    let visible = desk.visible(&ticker);
    let rows = visible.iter().flat_map(|visible| visible.from(from)).take(limit);
    Ok(page(rows.map(|trade| trade_row(trade, is_micro(question)))))
}

fn aggregates(question: &Question, desk: &mut RestDesk<'_>) -> Result<Answer, Answer> {
    let (ticker, limit) = (ticker_of(question, desk)?, limit_of(question)?);
    let from = whole(question, "fromId")?;
    let (start, end) = (instant(question, "startTime")?, instant(question, "endTime")?);
    if from.is_some() && (start.is_some() || end.is_some()) {
        return Err(error(400, -1128, "Combination of optional parameters invalid."));
    }
    let visible = desk.visible(&ticker);
    let mut rows: Vec<&TrueTrade> = match (from, start, end) {
        (None, None, None) => visible.map(|visible| visible.newest_ascending(limit)).unwrap_or_default(),
        _ => {
            let (start, end) = (start.unwrap_or(0), end.unwrap_or(i64::MAX));
            let is_asked = |trade: &&TrueTrade| (start..=end).contains(&trade.traded_at.ms());
            let rows = visible.map(|visible| match from {
                Some(from) => visible.from(from.saturating_add(BELOW)).filter(is_asked).take(limit).collect(),
                None => visible.from_about(EpochMs::new(start)).filter(is_asked).take(limit).collect(),
            });
            rows.unwrap_or_default()
        }
    };
    rows.truncate(limit);
    Ok(page(rows.into_iter().map(|trade| aggregate_row(trade, is_micro(question)))))
}

fn page(rows: impl Iterator<Item = String>) -> Answer {
    Answer::json(200, format!("[{}]", rows.collect::<Vec<_>>().join(",")))
}

fn trade_row(trade: &TrueTrade, is_micro: bool) -> String {
    let (price, quantity) = (padded(&trade.plain_price(), 8), padded(&trade.plain_quantity(), 8));
    format!(
        "{{\"id\":{},\"price\":\"{price}\",\"qty\":\"{quantity}\",\"quoteQty\":\"{}\",\"time\":{},\
         \"isBuyerMaker\":{},\"isBestMatch\":true}}",
        trade.id,
        notional(&price, &quantity),
        time_in(is_micro, trade),
        Taker::of(trade).say(false, true),
    )
}

fn aggregate_row(trade: &TrueTrade, is_micro: bool) -> String {
    format!(
        "{{\"a\":{},\"p\":\"{}\",\"q\":\"{}\",\"f\":{},\"l\":{},\"T\":{},\"m\":{},\"M\":true}}",
        id_in(true, trade),
        padded(&trade.plain_price(), 8),
        padded(&trade.plain_quantity(), 8),
        trade.id,
        trade.id,
        time_in(is_micro, trade),
        Taker::of(trade).say(false, true),
    )
}

fn exchange_info(question: &Question, desk: &mut RestDesk<'_>) -> Result<Answer, Answer> {
    let mut tickers = desk.tickers();
    if question.text("symbol").is_some() {
        tickers = vec![ticker_of(question, desk)?];
    } else if let Some(symbols) = question.text("symbols") {
        let symbols: Vec<String> = serde_json::from_str(symbols)
            .map_err(|_| error(400, -1100, "Illegal characters found in parameter 'symbols'."))?;
        tickers.retain(|ticker| symbols.contains(&super::Binance.symbol(ticker)));
        if tickers.len() < symbols.len() {
            return Err(invalid_symbol());
        }
    }
    let symbols: Vec<Value> = tickers.iter().map(|ticker| symbol_info(ticker, desk)).collect();
    Ok(Answer::json(
        200,
        json!({
            "timezone": "UTC",
            "serverTime": desk.present().ms(),
            "rateLimits": [
                { "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": QUOTAS[0].most },
                { "rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": QUOTAS[1].most },
            ],
            "exchangeFilters": [],
            "symbols": symbols,
        }),
    ))
}

fn symbol_info(ticker: &Ticker, desk: &RestDesk<'_>) -> Value {
    let (base, quote) = pair::parts(ticker);
    let (price_decimals, quantity_decimals) = desk.decimals(ticker);
    json!({
        "symbol": super::Binance.symbol(ticker),
        "status": "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "icebergAllowed": true,
        "ocoAllowed": true,
        "isSpotTradingAllowed": true,
        "isMarginTradingAllowed": false,
        "filters": [
            { "filterType": "PRICE_FILTER", "minPrice": step(price_decimals), "maxPrice": "100000000.00000000",
              "tickSize": step(price_decimals) },
            { "filterType": "LOT_SIZE", "minQty": step(quantity_decimals), "maxQty": "100000000.00000000",
              "stepSize": step(quantity_decimals) },
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_MAKER"],
    })
}

fn is_micro(question: &Question) -> bool {
    question.headers.get("x-mbx-time-unit").is_some_and(|unit| unit.eq_ignore_ascii_case("microsecond"))
}

fn ticker_of(question: &Question, desk: &RestDesk<'_>) -> Result<Ticker, Answer> {
    let Some(symbol) = question.text("symbol") else { return Err(missing_symbol()) };
    desk.ticker_spelt(symbol, |ticker| super::Binance.symbol(ticker)).ok_or_else(invalid_symbol)
}

fn limit_of(question: &Question) -> Result<usize, Answer> {
    let legal = "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.";
    question.limit(USUAL_ROWS, MOST_ROWS).ok_or_else(|| error(400, -1100, legal))
}

fn whole(question: &Question, name: &str) -> Result<Option<u64>, Answer> {
    question.number(name).map_err(|_| {
        let message = format!("Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.");
        error(400, -1100, &message)
    })
}

/// A time in milliseconds, or in microseconds by its size.
fn instant(question: &Question, name: &str) -> Result<Option<i64>, Answer> {
    const FIRST_MICROS: u64 = 100_000_000_000_000;
    let value = whole(question, name)?;
    let ms = value.map(|value| if value < FIRST_MICROS { value } else { value / 1_000 });
    Ok(ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)))
}

fn error(status: u16, code: i32, message: &str) -> Answer {
    Answer::json(status, json!({ "code": code, "msg": message }))
}

fn invalid_symbol() -> Answer {
    error(400, -1121, "Invalid symbol.")
}

fn missing_symbol() -> Answer {
    error(400, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.")
}

/// How it refuses and fails.
pub fn refuse(refused: &Refused, now: EpochMs) -> Answer {
    let too_often = |until: EpochMs| {
        let message = "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. \
                       Please use WebSocket Streams for live updates to avoid polling the API.";
        error(429, -1003, message).with("retry-after", seconds(now, until))
    };
    let banned = |until: EpochMs| {
        let message = format!(
            "Way too much request weight used; IP banned until {}. Please use WebSocket Streams for live updates \
             to avoid bans.",
            until.ms()
        );
        error(418, -1003, &message).with("retry-after", seconds(now, until))
    };
    match *refused {
        Refused::TooOften { until } => too_often(until),
        Refused::Banned { until } => banned(until),
        Refused::Internal => error(500, -1000, "An unknown error occurred while processing the request."),
        Refused::Unavailable => error(503, -1000, "Unknown error, please check your request or try again later."),
        Refused::Named(name) => match name {
            "weight" => too_often(now.plus_ms(1_000)),
            "banned" => banned(now.plus_ms(2_000)),
            "firewall" => Answer::html(403, "403 Forbidden"),
            "restricted" => error(
                451,
                0,
                "Service unavailable from a restricted location according to 'b. Eligibility' in \
                 https://www.binance.com/en/terms. Please contact customer service if you believe you received \
                 this message in error.",
            ),
            "invalid_symbol" => invalid_symbol(),
            "bad_combination" => error(400, -1128, "Combination of optional parameters invalid."),
            "missing_parameter" => missing_symbol(),
            "backend_timeout" => error(
                408,
                -1007,
                "Timeout waiting for response from backend server. Send status unknown; execution status unknown.",
            ),
            _ => error(
                503,
                -1008,
                "Server is currently overloaded with other requests. Please try again in a few minutes.",
            ),
        },
    }
}

fn seconds(now: EpochMs, until: EpochMs) -> i64 {
    (until.ms_since(now).max(0) + 999) / 1_000
}
