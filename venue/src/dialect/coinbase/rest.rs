//! Coinbase's REST: newest first, `after` exclusive and towards the past.

use serde_json::{Value, json};
use tape::Ticker;

use super::{maker_side, trimmed_time};
use crate::dialect::desk::RestDesk;
use crate::dialect::digits::{padded, step};
use crate::dialect::manners::BeyondNewest;
use crate::dialect::question::{Answer, Question, Refused};
use crate::dialect::stamp::rfc3339_of;
use crate::dialect::{Tongue, pair};
use crate::true_trade::TrueTrade;

const MOST_ROWS: usize = 1_000;

/// Errors that can be asked for by name.
pub const ERRORS: [&str; 4] = ["not_found", "bad_request", "forbidden", "gateway"];

/// The true answer.
pub fn answer(question: &Question, desk: &mut RestDesk<'_>) -> Option<Answer> {
    let path = question.path.trim_end_matches('/');
    let answer = match path {
        "/time" => {
            let (now, iso) = (desk.present(), rfc3339_of(desk.present()));
            let epoch = format!("{}.{:03}", now.ms().div_euclid(1_000), now.ms().rem_euclid(1_000));
            Answer::json(200, format!("{{\"iso\":\"{iso}\",\"epoch\":{epoch}}}"))
        }
        "/products" => {
            let products: Vec<Value> = desk.tickers().iter().map(|ticker| product(ticker, desk)).collect();
            Answer::json(200, Value::from(products))
        }
        "/currencies" => Answer::json(200, Value::from(currencies(desk))),
        _ => {
            let product_path = path.strip_prefix("/products/")?;
            let (id, is_about_trades) = match product_path.strip_suffix("/trades") {
                Some(id) => (id, true),
                None => (product_path, false),
            };
            match desk.ticker_spelt(id, |ticker| super::Coinbase.symbol(ticker)) {
                None => message(404, "NotFound"),
                Some(ticker) if is_about_trades => trades(question, &ticker, desk),
                Some(ticker) => Answer::json(200, product(&ticker, desk)),
            }
        }
    };
    Some(answer)
}

fn trades(question: &Question, ticker: &Ticker, desk: &mut RestDesk<'_>) -> Answer {
    let Some(limit) = question.limit(MOST_ROWS, MOST_ROWS) else { return message(400, "Invalid limit") };
    let (Ok(after), Ok(before)) = (question.number("after"), question.number("before")) else {
        return message(400, "Invalid pagination parameters");
    };
    let quirks = desk.quirks;
    let visible = desk.visible(ticker);
    let newest = visible.iter().flat_map(|visible| visible.newest()).next().and_then(|trade| trade.number());
    let is_beyond = after.is_some_and(|after| newest.is_none_or(|newest| newest + 1 < after));
    match quirks.beyond_newest {
        BeyondNewest::Refuse if is_beyond => return message(400, "Invalid after"),
        BeyondNewest::Empty if is_beyond => return Answer::json(200, "[]"),
        _ => {}
    }
    let older = visible.iter().flat_map(|visible| visible.before(after.unwrap_or(u64::MAX)));
    let is_newer = |trade: &&TrueTrade| before.is_none_or(|before| trade.number().is_some_and(|id| before < id));
    let rows: Vec<&TrueTrade> = older.take_while(is_newer).take(limit).collect();
    let ends = rows.first().zip(rows.last()).map(|(newest, oldest)| (newest.id.to_string(), oldest.id.to_string()));
    let texts: Vec<String> = rows.iter().map(|trade| row(trade, quirks.quoted_ids)).collect();
    let answer = Answer::json(200, format!("[{}]", texts.join(",")));
    match ends {
        Some((newest, oldest)) => answer.with("cb-before", newest).with("cb-after", oldest),
        None => answer,
    }
}

fn row(trade: &TrueTrade, is_quoted: bool) -> String {
    let quote = if is_quoted { "\"" } else { "" };
    format!(
        "{{\"trade_id\":{quote}{}{quote},\"side\":\"{}\",\"size\":\"{}\",\"price\":\"{}\",\"time\":\"{}\"}}",
        trade.id,
        maker_side(trade),
        padded(&trade.plain_quantity(), 8),
        padded(&trade.plain_price(), 8),
        trimmed_time(trade),
    )
}

fn product(ticker: &Ticker, desk: &RestDesk<'_>) -> Value {
    let (base, quote) = pair::parts(ticker);
    let (price_decimals, quantity_decimals) = desk.decimals(ticker);
    json!({
        "id": super::Coinbase.symbol(ticker),
        "base_currency": base,
        "quote_currency": quote,
        "quote_increment": step(price_decimals),
        "base_increment": step(quantity_decimals),
        "display_name": pair::joined(ticker, "/"),
        "min_market_funds": "1",
        "margin_enabled": false,
        "post_only": false,
        "limit_only": false,
        "cancel_only": false,
        "status": "online",
        "status_message": "",
        "trading_disabled": false,
        "fx_stablecoin": false,
        "max_slippage_percentage": "0.02000000",
        "auction_mode": false,
        "high_bid_limit_percentage": "",
    })
}

fn currencies(desk: &RestDesk<'_>) -> Vec<Value> {
    let tickers = desk.tickers();
    let mut codes: Vec<&str> = tickers.iter().map(pair::parts).flat_map(|(base, quote)| [base, quote]).collect();
    codes.sort_unstable();
    codes.dedup();
    let currency = |code: &&str| {
        json!({
            "id": code, "name": code, "min_size": "0.00000001", "status": "online", "message": "",
            "max_precision": "0.00000001", "convertible_to": [], "details": { "type": "crypto" },
            "default_network": "", "supported_networks": [], "display_name": code,
        })
    };
    codes.iter().map(currency).collect()
}

fn message(status: u16, text: &str) -> Answer {
    Answer::json(status, json!({ "message": text }))
}

/// How it refuses and fails.
pub fn refuse(refused: &Refused) -> Answer {
    match *refused {
        Refused::TooOften { .. } | Refused::Banned { .. } => message(429, "Public rate limit exceeded"),
        Refused::Internal => message(500, "Internal Server Error"),
        Refused::Unavailable => message(503, "Service Unavailable"),
        Refused::Named(name) => match name {
            "not_found" => message(404, "NotFound"),
            "bad_request" => message(400, "Bad Request"),
            "forbidden" => message(403, "Forbidden"),
            _ => Answer::html(502, "502 Bad Gateway"),
        },
    }
}
