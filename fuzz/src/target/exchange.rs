//! What exchanges tell, each in its own words: a frame of its socket, or, behind
//! a line with an HTTP status, the body of an answer of its REST.
//!
//! Held against the same text as `serde_json` reads it, and against the practice
//! market's dialects, which were written apart from the adapters: what was
//! understood of a frame is understood again when the dialect says it.

use market::conversation::{Conversation, Notice, Symbols};
use market::reading::{NumberedRow, Reads};
use market::{Decoded, Market};
use serde_json::Value;
use tape::{EpochMs, Ticker, Trade};
use venue::TrueTrade;
use venue::dialect::Dialect;
use venue::dialect::said::Said;

use super::decimal;
use crate::oracle::detour::with_escaped_names;
use crate::oracle::json;

/// How an exchange calls a trade's id, price and quantity; where its rows are arrays, by place.
struct Names {
    exchange: &'static str,
    frame: [&'static str; 3],
    row: [&'static str; 3],
    places: Option<[usize; 3]>,
}

pub(super) fn binance(bytes: &[u8]) {
    let frame = ["t", "p", "q"];
    check(bytes, &Names { exchange: "binance", frame, row: ["id", "price", "qty"], places: None });
}

pub(super) fn bybit(bytes: &[u8]) {
    let frame = ["i", "p", "v"];
    check(bytes, &Names { exchange: "bybit", frame, row: ["execId", "price", "size"], places: None });
}

pub(super) fn coinbase(bytes: &[u8]) {
    let names = ["trade_id", "price", "size"];
    check(bytes, &Names { exchange: "coinbase", frame: names, row: names, places: None });
}

pub(super) fn kraken(bytes: &[u8]) {
    let names = ["trade_id", "price", "qty"];
    check(bytes, &Names { exchange: "kraken", frame: names, row: names, places: Some([6, 0, 1]) });
}

pub(super) fn okx(bytes: &[u8]) {
    let names = ["tradeId", "px", "sz"];
    check(bytes, &Names { exchange: "okx", frame: names, row: names, places: None });
}

pub(super) fn bitstamp(bytes: &[u8]) {
    let frame = ["id", "price_str", "amount_str"];
    check(bytes, &Names { exchange: "bitstamp", frame, row: ["tid", "price", "amount"], places: None });
}

const TICKERS: [&str; 2] = ["BTC/USDT", "ETH/USDT"];

fn tickers() -> Vec<Ticker> {
    TICKERS.iter().map(|name| Ticker::new(name).expect("a ticker")).collect()
}

fn check(bytes: &[u8], names: &Names) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let market: Market = names.exchange.parse().expect("an exchange");
    match text.split_once('\n').map(|(status, body)| (status.parse::<u16>(), body)) {
        Some((Ok(status), body)) if (100..600).contains(&status) => answer(market, status, body, names),
        _ => frame(market, text, names),
    }
}

fn frame(market: Market, text: &str, names: &Names) {
    let mut conversation = conversation(market);
    let (first, notice) = decode(market, text, &mut conversation);
    // Where the first word about each ticker is of the past, the second is heard.
    let (again, same) = decode(market, text, &mut conversation);
    assert_eq!(notice, same, "{text:?}");
    assert!(first.len() <= again.len(), "{text:?} says less the second time");
    assert_eq!(decode(market, text, &mut conversation), (again.clone(), same.clone()), "{text:?}");
    let (otherwise, notice) = decode(market, &with_escaped_names(text), &mut conversation);
    super::frame::alike(text, &again, &otherwise);
    let is_refused = |notice: &Notice| matches!(notice, Notice::Refused(_));
    assert!(notice == same || is_refused(&notice) && is_refused(&same), "{text:?} is understood in two ways");
    for trade in plain(&again, text) {
        is_said(text, trade, names.frame, None);
        says_the_same(market, trade);
    }
}

/// The trades among what was decoded; what was refused says why, and not at length.
fn plain<'d>(all: &'d [Decoded], text: &str) -> impl Iterator<Item = &'d Trade> {
    for refusal in all.iter().filter_map(|decoded| decoded.as_ref().err()) {
        assert!(refusal.rejection.to_string().len() < 1_000, "{text:?} is refused at length");
    }
    all.iter().filter_map(|decoded| decoded.as_ref().ok())
}

fn conversation(market: Market) -> Conversation {
    Conversation::about(Symbols::of(&tickers(), |ticker| market.adapter().symbol(ticker)))
}

fn decode(market: Market, text: &str, conversation: &mut Conversation) -> (Vec<Decoded>, Notice) {
    let mut all = Vec::new();
    let notice = market.adapter().decode(text, conversation, &mut |decoded| all.push(decoded));
    (all, notice)
}

/// The dialect says this trade, and the adapter understands the same.
fn says_the_same(market: Market, trade: &Trade) {
    let Trade { ticker, traded_at, price, quantity, id, .. } = trade;
    let (price, quantity) = (price.to_string(), quantity.to_string());
    let dialect = Dialect::parse(market.as_str()).expect("a dialect");
    let said = TrueTrade::new(ticker.as_str(), traded_at.ms(), &price, &quantity, id.as_str());
    let said = said.map(Said::of).expect("what is a trade to one is one to the other");
    let frame = said.frame(dialect, 0, EpochMs::new(0));
    let mut conversation = conversation(market);
    decode(market, &frame, &mut conversation);
    assert_eq!(decode(market, &frame, &mut conversation).0, [Ok(trade.clone())], "{frame}");
}

fn answer(market: Market, status: u16, body: &str, names: &Names) {
    let adapter = market.adapter();
    assert_eq!(adapter.trouble(status, body), adapter.trouble(status, body), "{body:?}");
    let [ticker, _] = &tickers()[..] else { panic!("two") };
    let read = || match adapter.reads() {
        Reads::ById(by_id) => {
            let _ = by_id.sought(body);
            by_id.rows(body, ticker)
        }
        Reads::ByOverlap(by_overlap) => by_overlap.rows(body, ticker),
        Reads::ByTime(_) => panic!("no exchange is read by time"),
    };
    let rows = read();
    assert_eq!(rows, read(), "{body:?}");
    for NumberedRow { id, row } in rows.unwrap_or_default() {
        assert!(body.contains(row.text), "{body:?} does not hold its row {:?}", row.text);
        let decoded = [row.decoded];
        for trade in plain(&decoded, body) {
            assert_eq!(&trade.ticker, ticker, "{body:?}");
            assert_eq!(id.map(|id| id.to_string()).as_deref(), Some(trade.id.as_str()), "{body:?}");
            is_said(row.text, trade, names.row, names.places);
        }
    }
}

/// Holds a trade against the text as `serde_json` reads it: something in it has this id, and the
/// very price and quantity, digit by digit.
fn is_said(text: &str, trade: &Trade, names: [&str; 3], places: Option<[usize; 3]>) {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        let is_excused = text.contains("\\u") || text.contains("[[[[") || text.matches(['{', '[']).count() > 100;
        assert!(is_excused, "{text:?} is no JSON and became {trade:?}");
        return;
    };
    let mut found = Vec::new();
    collect(&value, names, places, &mut found);
    found.retain(|[id, ..]| json::text_of(id).as_deref() == Some(trade.id.as_str()));
    assert!(!found.is_empty(), "{text:?} does not hold {trade:?}");
    let is_it = |[_, price, quantity]: &[&Value; 3]| {
        let units = |value: &Value, power| decimal::expected(json::number_of(value).as_ref(), power).ok();
        let held = [trade.price.units(), trade.quantity.units()].map(Into::into);
        [units(price, 14), units(quantity, 16)] == held.map(Some)
    };
    assert!(found.iter().any(is_it), "{text:?} says something else than {trade:?}");
}

fn collect<'v>(value: &'v Value, names: [&str; 3], places: Option<[usize; 3]>, found: &mut Vec<[&'v Value; 3]>) {
    const NULL: &Value = &Value::Null;
    match value {
        Value::Object(object) => {
            // One exchange prints digits beside a number, and the number alone at times.
            let held = |name: &str| object.get(name).filter(|value| !value.is_null());
            found.push(names.map(|name| held(name).or_else(|| held(name.trim_end_matches("_str"))).unwrap_or(NULL)));
            object.values().for_each(|inner| collect(inner, names, places, found));
        }
        Value::Array(items) => {
            if let Some(places) = places {
                found.push(places.map(|place| items.get(place).unwrap_or(NULL)));
            }
            items.iter().for_each(|inner| collect(inner, names, places, found));
        }
        _ => {}
    }
}

pub(super) const WORDS: &[&str] = &[
    "200\n",
    "400\n",
    "404\n",
    "418\n",
    "429\n",
    "503\n",
    "null",
    "true",
    "false",
    "1e400",
    "1E-8",
    "2026-11-21T10:00:00.123456Z",
    "0001-01-01T00:00:00.000000Z",
    "1795255200123",
    "1795255200",
    "1795255200.1234567",
    "9223372036854775808",
    "\"data\":",
    "\"result\":",
    "\"error\":",
    "\"code\":",
    "\"msg\":",
    "\"type\":",
    "\"update\"",
    "\"snapshot\"",
    "\"event\":",
    "\"channel\":",
    "\"success\":false",
    "\"last\":",
    "\"list\":",
    "\"retCode\":",
    "pong",
    ",",
    "{",
    "}",
    "[",
    "]",
    "\"",
];
