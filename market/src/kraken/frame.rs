//! What Kraken says on its WebSocket v2: any number of trades in a message, numbers as JSON numbers.

use serde::Deserialize;
use serde_json::value::RawValue;
use tape::Rejection;

use crate::conversation::{Notice, Symbols};
use crate::field::{self, Parts};
use crate::said::{Decoded, Refusal};

/// Symbols in one message; each is acknowledged by itself.
const SYMBOLS_TOGETHER: usize = 50;

#[derive(Deserialize)]
struct Frame<'json> {
    #[serde(borrow, default)]
    channel: Option<&'json RawValue>,
    #[serde(borrow, default, rename = "type")]
    kind: Option<&'json RawValue>,
    #[serde(borrow, default)]
    data: Option<&'json RawValue>,
    #[serde(borrow, default)]
    success: Option<&'json RawValue>,
    #[serde(borrow, default)]
    error: Option<&'json RawValue>,
    #[serde(borrow, default)]
    symbol: Option<&'json RawValue>,
}

#[derive(Deserialize)]
struct Entry<'json> {
    #[serde(borrow, default)]
    symbol: Option<&'json RawValue>,
    #[serde(borrow, default)]
    price: Option<&'json RawValue>,
    #[serde(borrow, default)]
    qty: Option<&'json RawValue>,
    #[serde(borrow, default)]
    trade_id: Option<&'json RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'json RawValue>,
}

/// Whether a snapshot comes unasked has changed over the years: so it is always said.
pub(super) fn subscription(symbols: &Symbols) -> Vec<String> {
    let message = |(number, chunk): (usize, &[String])| {
        let params = serde_json::json!({ "channel": "trade", "symbol": chunk, "snapshot": false });
        serde_json::json!({ "method": "subscribe", "params": params, "req_id": number + 1 }).to_string()
    };
    symbols.chunks(SYMBOLS_TOGETHER).enumerate().map(message).collect()
}

pub(super) fn decode(json: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Notice {
    let frame: Frame<'_> = match field::object(json) {
        Ok(frame) => frame,
        Err(refusal) => {
            each(Err(refusal));
            return Notice::None;
        }
    };
    if frame.success.is_some_and(|success| success.get() == "false") {
        let words: Vec<&str> = [frame.error, frame.symbol].into_iter().flatten().map(RawValue::get).collect();
        return Notice::Refused(words.join(": "));
    }
    if frame.channel.is_none_or(|channel| channel.get() != r#""trade""#) {
        // A heartbeat, a status, the answer to a ping or to a subscription.
        return Notice::None;
    }
    match frame.kind.map(RawValue::get) {
        Some(r#""update""#) => updates(frame.data, symbols, each),
        // Made before we listened; REST has them.
        Some(r#""snapshot""#) => {}
        Some(_) => each(Err(Refusal::of(Rejection::Malformed("trades of an unknown type".to_owned())))),
        None => each(Err(Refusal::of(Rejection::MissingField { field: "type" }))),
    }
    Notice::None
}

fn updates(data: Option<&RawValue>, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) {
    let Some(data) = data else {
        return each(Err(Refusal::of(Rejection::MissingField { field: "data" })));
    };
    match field::array(data.get()) {
        Ok(entries) => entries.into_iter().for_each(|entry| each(trade(entry.get(), symbols))),
        Err(not_an_array) => each(Err(Refusal::of(Rejection::Malformed(not_an_array.0)))),
    }
}

fn trade(json: &str, symbols: &Symbols) -> Decoded {
    let entry: Entry<'_> = field::object(json)?;
    Parts {
        ticker: field::symbol("symbol", entry.symbol, symbols),
        traded_at: field::rfc3339("timestamp", entry.timestamp),
        id: field::number_id("trade_id", entry.trade_id),
        quantity: field::quantity("qty", entry.qty),
        price: field::price("price", entry.price),
    }
    .trade()
}
