//! OKX's REST: newest first, `after` towards the past, errors in the body.

use serde_json::{Value, json};
use tape::Ticker;

use super::side;
use crate::dialect::desk::RestDesk;
use crate::dialect::digits::step;
use crate::dialect::manners::BeyondNewest;
use crate::dialect::question::{Answer, Question, Refused};
use crate::dialect::{Tongue, pair};
use crate::true_trade::TrueTrade;

const MOST_RECENT: usize = 500;
const MOST_HISTORY: usize = 100;
const USUAL: usize = 100;
const THREE_MONTHS_MS: i64 = 92 * 86_400_000;

/// Errors that can be asked for by name.
pub const ERRORS: [&str; 6] =
    ["too_many_requests", "busy", "unavailable", "system_error", "parameter_error", "unknown_instrument"];

/// The true answer.
pub fn answer(question: &Question, desk: &mut RestDesk<'_>) -> Option<Answer> {
    let answer = match question.path.as_str() {
        "/api/v5/public/time" => Ok(good(&format!("[{{\"ts\":\"{}\"}}]", desk.present()))),
        "/api/v5/public/instruments" => Ok(instruments(question, desk)),
        "/api/v5/market/trades" => recent(question, desk),
        "/api/v5/market/history-trades" => history(question, desk),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

fn recent(question: &Question, desk: &mut RestDesk<'_>) -> Result<Answer, Answer> {
    let ticker = ticker_of(question, desk)?;
    let limit = question.limit(USUAL, MOST_RECENT).ok_or_else(|| parameter("limit"))?;
    let visible = desk.visible(&ticker);
    Ok(page(visible.iter().flat_map(|visible| visible.newest()).take(limit)))
}

fn history(question: &Question, desk: &mut RestDesk<'_>) -> Result<Answer, Answer> {
    let ticker = ticker_of(question, desk)?;
    let limit = question.limit(USUAL, MOST_HISTORY).ok_or_else(|| parameter("limit"))?;
    let after = question.number("after").map_err(|_| parameter("after"))?;
    let before = question.number("before").map_err(|_| parameter("before"))?;
    let (quirks, oldest) = (desk.quirks, desk.present().ms() - THREE_MONTHS_MS);
    let visible = desk.visible(&ticker);
    let newest = || visible.iter().flat_map(|visible| visible.newest());
    let is_kept = |trade: &&TrueTrade| oldest <= trade.traded_at.ms();
    match question.text("type").unwrap_or("1") {
        "1" => {
            let highest = newest().next().and_then(|trade| trade.number());
            let is_beyond = after.is_some_and(|after| highest.is_none_or(|highest| highest + 1 < after));
            match quirks.beyond_newest {
                BeyondNewest::Refuse if is_beyond => return Err(parameter("after")),
                BeyondNewest::Empty if is_beyond => return Ok(page(std::iter::empty())),
                _ => {}
            }
            let older = visible.iter().flat_map(|visible| visible.before(after.unwrap_or(u64::MAX)));
            // `before` alone gives the latest page, not the one next to it.
            let newer =
                older.take_while(|trade| before.is_none_or(|before| trade.number().is_some_and(|id| before < id)));
            Ok(page(newer.filter(is_kept).take(limit)))
        }
        "2" if before.is_some() => {
            Err(error(400, "50039", "The before parameter is not available for timestamp pagination"))
        }
        "2" => {
            let after = after.and_then(|after| i64::try_from(after).ok()).unwrap_or(i64::MAX);
            Ok(page(newest().filter(|trade| trade.traded_at.ms() < after).filter(is_kept).take(limit)))
        }
        _ => Err(parameter("type")),
    }
}

fn page<'trades>(rows: impl Iterator<Item = &'trades TrueTrade>) -> Answer {
    let rows: Vec<String> = rows.map(row).collect();
    good(&format!("[{}]", rows.join(",")))
}

fn row(trade: &TrueTrade) -> String {
    format!(
        "{{\"instId\":\"{}\",\"side\":\"{}\",\"sz\":\"{}\",\"source\":\"0\",\"px\":\"{}\",\"tradeId\":\"{}\",\"ts\":\"{}\"}}",
        super::Okx.symbol(&trade.ticker),
        side(trade),
        trade.plain_quantity(),
        trade.plain_price(),
        trade.id,
        trade.traded_at,
    )
}

fn instruments(question: &Question, desk: &mut RestDesk<'_>) -> Answer {
    let kind = question.text("instType").unwrap_or_default();
    if !["SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"].contains(&kind) {
        return parameter("instType");
    }
    let wanted = question.text("instId");
    let mut list = Vec::new();
    for ticker in desk.tickers() {
        let symbol = super::Okx.symbol(&ticker);
        if kind != "SPOT" || wanted.is_some_and(|wanted| wanted != symbol) {
            continue;
        }
        let (base, quote) = pair::parts(&ticker);
        let (price_decimals, quantity_decimals) = desk.decimals(&ticker);
        list.push(json!({
            "alias": "", "auctionEndTime": "", "baseCcy": base, "category": "1", "ctMult": "", "ctType": "",
            "ctVal": "", "ctValCcy": "", "expTime": "", "instFamily": "", "instId": symbol, "instType": "SPOT",
            "lever": "1", "listTime": "1548133413000", "lotSz": step(quantity_decimals), "maxLmtSz": "9999999999",
            "maxMktSz": "1000000", "minSz": step(quantity_decimals), "optType": "", "quoteCcy": quote,
            "ruleType": "normal", "settleCcy": "", "state": "live", "stk": "", "tickSz": step(price_decimals),
            "uly": "",
        }));
    }
    good(&Value::from(list).to_string())
}

fn ticker_of(question: &Question, desk: &RestDesk<'_>) -> Result<Ticker, Answer> {
    let Some(symbol) = question.text("instId") else {
        return Err(error(400, "50014", "Parameter instId can not be empty"));
    };
    desk.ticker_spelt(symbol, |ticker| super::Okx.symbol(ticker)).ok_or_else(unknown)
}

fn good(data: &str) -> Answer {
    Answer::json(200, format!("{{\"code\":\"0\",\"msg\":\"\",\"data\":{data}}}"))
}

fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, format!("{{\"code\":\"{code}\",\"msg\":{},\"data\":[]}}", Value::from(message)))
}

fn parameter(name: &str) -> Answer {
    error(400, "51000", &format!("Parameter {name} error"))
}

fn unknown() -> Answer {
    error(200, "51001", "Instrument ID, Instrument ID code or Spread ID doesn't exist.")
}

/// How it refuses and fails.
pub fn refuse(refused: &Refused) -> Answer {
    let rate = || {
        let message = "Rate limit reached. Please refer to API documentation and throttle requests accordingly.";
        error(200, "50011", message)
    };
    match *refused {
        Refused::TooOften { .. } | Refused::Banned { .. } => rate(),
        Refused::Internal => error(500, "50026", "System error. Try again later."),
        Refused::Unavailable => error(503, "50001", "Service temporarily unavailable. Please try again later."),
        Refused::Named(name) => match name {
            "too_many_requests" => error(429, "50011", "Too Many Requests"),
            "busy" => error(429, "50013", "Systems are busy. Please try again later."),
            "unavailable" => error(503, "50001", "Service temporarily unavailable. Please try again later."),
            "system_error" => error(500, "50026", "System error. Try again later."),
            "parameter_error" => parameter("after"),
            "unknown_instrument" => unknown(),
            _ => rate(),
        },
    }
}
