//! What Bybit says on its public spot socket: up to 1,024 trades in a message.

use crate::conversation::{Notice, Symbols};
use crate::field::{self, Parts};
use crate::plain::{self, Reader, Rows, fields};
use crate::raw::Raw;
use crate::said::{Decoded, Refusal};

/// Topics in one request at most.
const TOPICS_TOGETHER: usize = 10;

fields! {
    struct Frame {
        topic: "topic",
        _: "ts",
        _: "type",
        data: "data" as Objects,
        success: "success",
        ret_msg: "ret_msg",
    }
}

fields! {
    struct Entry {
        id: "i" as Numeral,
        traded_at: "T" as Whole,
        price: "p" as Decimal,
        size: "v" as Decimal,
        _: "S",
        _: "seq",
        symbol: "s",
        _: "BT",
        _: "RPI",
    }
}

pub(super) fn subscription(symbols: &Symbols) -> Vec<String> {
    let message = |(number, chunk): (usize, &[String])| {
        let topics: Vec<String> = chunk.iter().map(|symbol| format!("publicTrade.{symbol}")).collect();
        serde_json::json!({ "req_id": format!("s{number}"), "op": "subscribe", "args": topics }).to_string()
    };
    symbols.chunks(TOPICS_TOGETHER).enumerate().map(message).collect()
}

pub(super) fn decode(frame: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Notice {
    if plain_trades(frame, symbols, each).is_some() {
        return Notice::None;
    }
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
        Ok(entries) => entries
            .into_iter()
            .for_each(|entry| each(field::object(entry.get()).and_then(|entry| trade(&entry, symbols)))),
        Err(not_an_array) => each(Err(Refusal::of(tape::Rejection::Malformed(not_an_array.0)))),
    }
    Notice::None
}

/// Hears the trades of a message that is nothing else, and of the usual form.
fn plain_trades(json: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Option<()> {
    let (mut frame, mut entries) = (Frame::default(), Rows::default());
    plain::object_beside(json, &mut frame, |plain, name| match name {
        "data" => plain.rows(&mut entries),
        _ => Some(Reader::Plain),
    })?;
    let entries = entries.if_any().filter(|_| frame.success.is_none() && is_trades(frame.topic))?;
    entries.for_each(|entry| each(trade(entry, symbols)));
    Some(())
}

fn is_trades(topic: Option<Raw<'_>>) -> bool {
    topic.is_some_and(|topic| topic.get().starts_with(r#""publicTrade."#))
}

fn trade(entry: &Entry<'_>, symbols: &Symbols) -> Decoded {
    Parts {
        ticker: field::symbol("s", entry.symbol.as_ref(), symbols),
        traded_at: field::epoch_ms("T", entry.traded_at.as_ref()),
        id: field::number_id("i", entry.id.as_ref()),
        quantity: field::quantity("v", entry.size.as_ref()),
        price: field::price("p", entry.price.as_ref()),
    }
    .trade()
}
