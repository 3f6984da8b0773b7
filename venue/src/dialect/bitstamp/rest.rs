//! Bitstamp's REST: everything of the last minute, hour or day, newest first.

use serde_json::{Value, json};
use tape::Ticker;

use super::kind;
use crate::dialect::desk::RestDesk;
use crate::dialect::digits::padded;
use crate::dialect::question::{Answer, Question, Refused};
use crate::dialect::{Tongue, pair};
use crate::true_trade::TrueTrade;

/// Errors that can be asked for by name.
pub const ERRORS: [&str; 4] = ["rate_limit_429", "unknown_pair", "unknown_pair_400", "gateway"];

/// The true answer.
pub fn answer(question: &Question, desk: &mut RestDesk<'_>) -> Option<Answer> {
    let path = question.path.trim_end_matches('/').strip_prefix("/api/v2/")?;
    Some(match path {
        "markets" => Answer::json(200, Value::from(listing(desk, market))),
        "trading-pairs-info" => Answer::json(200, Value::from(listing(desk, trading_pair))),
        _ => {
            let symbol = path.strip_prefix("transactions/")?;
            match desk.ticker_spelt(symbol, |ticker| super::Bitstamp.symbol(ticker)) {
                Some(ticker) => transactions(question, &ticker, desk),
                None => refuse(&Refused::Named("unknown_pair")),
            }
        }
    })
}

fn transactions(question: &Question, ticker: &Ticker, desk: &mut RestDesk<'_>) -> Answer {
    let span_ms = match question.text("time").unwrap_or("hour") {
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => 86_400_000,
        _ => return error(400, "400.001", "Invalid time interval."),
    };
    let after = desk.present().minus_ms(span_ms);
    let visible = desk.visible(ticker);
    let mut rows: Vec<&TrueTrade> =
        visible.iter().flat_map(|visible| visible.from_about(after)).filter(|trade| after < trade.traded_at).collect();
    rows.reverse();
    let rows: Vec<String> = rows.into_iter().map(row).collect();
    Answer::json(200, format!("[{}]", rows.join(",")))
}

fn row(trade: &TrueTrade) -> String {
    format!(
        "{{\"date\":\"{}\",\"tid\":\"{}\",\"price\":\"{}\",\"type\":\"{}\",\"amount\":\"{}\"}}",
        trade.traded_at.ms().div_euclid(1_000),
        trade.id,
        trade.plain_price(),
        kind(trade),
        padded(&trade.plain_quantity(), 8),
    )
}

fn listing(desk: &RestDesk<'_>, entry: impl Fn(&Ticker, (usize, usize)) -> Value) -> Vec<Value> {
    desk.tickers().iter().map(|ticker| entry(ticker, desk.decimals(ticker))).collect()
}

fn market(ticker: &Ticker, (price_decimals, quantity_decimals): (usize, usize)) -> Value {
    let (base, quote) = pair::parts(ticker);
    json!({
        "name": ticker.as_str(),
        "market_symbol": super::Bitstamp.symbol(ticker),
        "base_currency": base,
        "base_decimals": quantity_decimals,
        "counter_currency": quote,
        "counter_decimals": price_decimals,
        "minimum_order_value": "10",
        "trading": "Enabled",
        "instant_order_counter_decimals": 2,
        "instant_and_market_orders": "Enabled",
        "description": pair::joined(ticker, " / "),
        "market_type": "SPOT",
    })
}

fn trading_pair(ticker: &Ticker, (price_decimals, quantity_decimals): (usize, usize)) -> Value {
    json!({
        "name": ticker.as_str(),
        "url_symbol": super::Bitstamp.symbol(ticker),
        "base_decimals": quantity_decimals,
        "counter_decimals": price_decimals,
        "minimum_order": "10 USDT",
        "trading": "Enabled",
        "instant_order_counter_decimals": 2,
        "instant_and_market_orders": "Enabled",
        "description": pair::joined(ticker, " / "),
    })
}

fn error(status: u16, code: &str, reason: &str) -> Answer {
    Answer::json(status, json!({ "status": "error", "reason": reason, "code": code }))
}

/// How it refuses and fails.
pub fn refuse(refused: &Refused) -> Answer {
    const TOO_OFTEN: &str = "Request rate limit exceeded.";
    match *refused {
        Refused::TooOften { .. } | Refused::Banned { .. } => error(400, "400.002", TOO_OFTEN),
        Refused::Internal => error(500, "500.001", "Internal server error."),
        Refused::Unavailable => error(503, "503.001", "Service unavailable."),
        Refused::Named(name) => match name {
            "rate_limit_429" => error(429, "400.002", TOO_OFTEN),
            "unknown_pair" => error(404, "404.003", "Currency pair not found."),
            "unknown_pair_400" => error(400, "400.003", "Currency pair not found."),
            _ => Answer::html(502, "502 Bad Gateway"),
        },
    }
}
