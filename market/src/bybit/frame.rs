//! What Bybit says on its public spot socket: up to 1,024 trades in a message.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::conversation::{Notice, Symbols};
use crate::field::{self, Parts};
use crate::said::{Decoded, Refusal};

/// Topics in one request at most.
const TOPICS_TOGETHER: usize = 10;

#[derive(Deserialize)]
struct Frame<'json> {
    #[serde(borrow, default)]
    topic: Option<&'json RawValue>,
    #[serde(borrow, default)]
    data: Option<&'json RawValue>,
    #[serde(borrow, default)]
    success: Option<&'json RawValue>,
    #[serde(borrow, default)]
    ret_msg: Option<&'json RawValue>,
}

#[derive(Deserialize)]
struct Entry<'json> {
    #[serde(borrow, default, rename = "T")]
    traded_at: Option<&'json RawValue>,
    #[serde(borrow, default, rename = "s")]
    symbol: Option<&'json RawValue>,
    #[serde(borrow, default, rename = "v")]
    size: Option<&'json RawValue>,
    #[serde(borrow, default, rename = "p")]
    price: Option<&'json RawValue>,
    #[serde(borrow, default, rename = "i")]
    id: Option<&'json RawValue>,
}

pub(super) fn subscription(symbols: &Symbols) -> Vec<String> {
    let message = |(number, chunk): (usize, &[String])| {
        let topics: Vec<String> = chunk.iter().map(|symbol| format!("publicTrade.{symbol}")).collect();
        serde_json::json!({ "req_id": format!("s{number}"), "op": "subscribe", "args": topics }).to_string()
    };
    symbols.chunks(TOPICS_TOGETHER).enumerate().map(message).collect()
}

pub(super) fn decode(frame: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Notice {
    let frame: Frame<'_> = match field::object(frame) {
        Ok(frame) => frame,
        Err(refusal) => {
            each(Err(refusal));
            return Notice::None;
        }
    };
    if frame.success.is_some_and(|success| success.get() == "false") {
        return Notice::Refused(frame.ret_msg.map(|words| words.get().to_owned()).unwrap_or_default());
    }
    let Some(data) = frame.data.filter(|_| is_trades(frame.topic)) else { return Notice::None };
    match field::array(data.get()) {
        Ok(entries) => entries.into_iter().for_each(|entry| each(trade(entry.get(), symbols))),
        Err(not_an_array) => each(Err(Refusal::of(tape::Rejection::Malformed(not_an_array.0)))),
    }
    Notice::None
}

fn is_trades(topic: Option<&RawValue>) -> bool {
    topic.is_some_and(|topic| topic.get().starts_with(r#""publicTrade."#))
}

fn trade(json: &str, symbols: &Symbols) -> Decoded {
    let entry: Entry<'_> = field::object(json)?;
    Parts {
        ticker: field::symbol("s", entry.symbol, symbols),
        traded_at: field::epoch_ms("T", entry.traded_at),
        id: field::number_id("i", entry.id),
        quantity: field::quantity("v", entry.size),
        price: field::price("p", entry.price),
    }
    .trade()
}
