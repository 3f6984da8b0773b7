//! Bybit's REST: newest first, sixty rows at most, and no way back.

use serde_json::{Value, json};
use tape::EpochMs;

use super::sequence;
use crate::dialect::desk::RestDesk;
use crate::dialect::digits::step;
use crate::dialect::question::{Answer, Question, Refused};
use crate::dialect::stamp::Taker;
use crate::dialect::{Tongue, pair};
use crate::true_trade::TrueTrade;

const MOST_ROWS: usize = 60;

/// Errors that can be asked for by name.
pub const ERRORS: [&str; 7] = [
    "too_many_visits",
    "access_too_frequent",
    "system_protection",
    "system_protection_in_body",
    "parameter_error",
    "invalid_symbol",
    "server_error",
];

/// The true answer.
pub fn answer(question: &Question, desk: &mut RestDesk<'_>) -> Option<Answer> {
    let now = desk.present();
    let has_body = question.headers.get("content-length").is_some_and(|length| length != "0");
    if has_body {
        return Some(Answer::html(403, "403 Forbidden"));
    }
    let answer = match question.path.as_str() {
        "/v5/market/time" => {
            let result = json!({ "timeSecond": (now.ms() / 1_000).to_string(), "timeNano": format!("{now}000000") });
            Ok(good(&result.to_string(), now))
        }
        "/v5/market/instruments-info" => Ok(instruments(question, desk)),
        "/v5/market/recent-trade" => recent(question, desk),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn recent(question: &Question, desk: &mut RestDesk<'_>) -> Result<Answer, Answer> {
    let now = desk.present();
    let refused = |message: &str| bad(200, 10_001, message, now);
    match question.text("category") {
        Some("spot") => {}
        Some("linear" | "inverse" | "option") => return Err(refused("only spot is traded here")),
        _ => return Err(refused("Illegal category")),
    }
    let limit = match question.number("limit") {
        Ok(None) => MOST_ROWS,
        Ok(Some(limit @ 1..)) => usize::try_from(limit).unwrap_or(MOST_ROWS).min(MOST_ROWS),
        _ => return Err(refused("params error: limit invalid")),
    };
    let symbol = question.text("symbol").unwrap_or_default();
    let ticker = desk.ticker_spelt(symbol, |ticker| super::Bybit.symbol(ticker));
    let ticker = ticker.ok_or_else(|| refused("Not supported symbols"))?;
    let visible = desk.visible(&ticker);
    let rows: Vec<String> = visible.iter().flat_map(|visible| visible.newest()).take(limit).map(row).collect();
    Ok(good(&format!("{{\"category\":\"spot\",\"list\":[{}]}}", rows.join(",")), now))
}

fn row(trade: &TrueTrade) -> String {
    format!(
        "{{\"execId\":\"{}\",\"symbol\":\"{}\",\"price\":\"{}\",\"size\":\"{}\",\"side\":\"{}\",\"time\":\"{}\",\
         \"isBlockTrade\":false,\"isRPITrade\":false,\"seq\":\"{}\"}}",
        trade.id,
        super::Bybit.symbol(&trade.ticker),
        trade.plain_price(),
        trade.plain_quantity(),
        Taker::of(trade).say("Buy", "Sell"),
        trade.traded_at,
        sequence(trade),
    )
}

fn instruments(question: &Question, desk: &mut RestDesk<'_>) -> Answer {
    let category = question.text("category").unwrap_or("spot");
    let wanted = question.text("symbol");
    let mut list = Vec::new();
    for ticker in desk.tickers() {
        let symbol = super::Bybit.symbol(&ticker);
        if category != "spot" || wanted.is_some_and(|wanted| wanted != symbol) {
            continue;
        }
        let (base, quote) = pair::parts(&ticker);
        let (price_decimals, quantity_decimals) = desk.decimals(&ticker);
        list.push(json!({
            "symbol": symbol,
            "baseCoin": base,
            "quoteCoin": quote,
            "innovation": "0",
            "status": "Trading",
            "marginTrading": "none",
            "stTag": "0",
            "lotSizeFilter": {
                "basePrecision": step(quantity_decimals),
                "quotePrecision": "0.00000001",
                "minOrderQty": step(quantity_decimals),
                "maxOrderQty": "100000000",
                "minOrderAmt": "1",
                "maxOrderAmt": "100000000",
            },
            "priceFilter": { "tickSize": step(price_decimals) },
        }));
    }
    let now = desk.present();
    good(&json!({ "category": category, "list": list, "nextPageCursor": "" }).to_string(), now)
}

fn good(result: &str, now: EpochMs) -> Answer {
    let body = format!("{{\"retCode\":0,\"retMsg\":\"OK\",\"result\":{result},\"retExtInfo\":{{}},\"time\":{now}}}");
    Answer::json(200, body)
}

fn bad(status: u16, code: u32, message: &str, now: EpochMs) -> Answer {
    let message = Value::from(message);
    let body =
        format!("{{\"retCode\":{code},\"retMsg\":{message},\"result\":{{}},\"retExtInfo\":{{}},\"time\":{now}}}");
    Answer::json(status, body)
}

/// How it refuses and fails.
pub fn refuse(refused: &Refused, now: EpochMs) -> Answer {
    let too_many_visits = |until: EpochMs| {
        bad(200, 10_006, "Too many visits!", now)
            .with("x-bapi-limit", 600)
            .with("x-bapi-limit-status", 0)
            .with("x-bapi-limit-reset-timestamp", until)
    };
    let access_too_frequent = || Answer::html(403, "403, access too frequent");
    match *refused {
        Refused::TooOften { until } => too_many_visits(until),
        Refused::Banned { .. } => access_too_frequent(),
        Refused::Internal => bad(500, 10_016, "Server error.", now),
        Refused::Unavailable => Answer::html(503, "503 Service Temporarily Unavailable"),
        Refused::Named(name) => match name {
            "too_many_visits" => too_many_visits(now.plus_ms(1_000)),
            "access_too_frequent" => access_too_frequent(),
            "system_protection" => bad(429, 10_429, "System level frequency protection", now),
            "system_protection_in_body" => bad(200, 10_429, "System level frequency protection", now),
            "parameter_error" => bad(200, 10_001, "params error", now),
            "invalid_symbol" => bad(200, 10_029, "The requested symbol is invalid.", now),
            _ => bad(200, 10_016, "Server error.", now),
        },
    }
}
