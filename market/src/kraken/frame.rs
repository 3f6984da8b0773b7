//! What Kraken says on its WebSocket v2: any number of trades in a message, numbers as JSON numbers.

use tape::Rejection;

use crate::conversation::{Notice, Symbols};
use crate::field::{self, Parts};
use crate::plain::{self, Reader, Rows, fields};
use crate::raw::Raw;
use crate::said::{Decoded, Refusal};

/// Symbols in one message; each is acknowledged by itself.
const SYMBOLS_TOGETHER: usize = 50;

fields! {
    struct Frame {
        channel: "channel",
        kind: "type",
        data: "data" as Objects,
        success: "success",
        error: "error",
        symbol: "symbol",
    }
}

fields! {
    struct Entry {
        symbol: "symbol",
        _: "side",
        price: "price" as Decimal,
        qty: "qty" as Decimal,
        _: "ord_type",
        trade_id: "trade_id" as Numeral,
        timestamp: "timestamp",
    }
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
    if plain_updates(json, symbols, each).is_some() {
        return Notice::None;
    }
    let frame: Frame<'_> = match field::object(json) {
        Ok(frame) => frame,
        Err(refusal) => {
            each(Err(refusal));
            return Notice::None;
        }
    };
    if frame.success.is_some_and(|success| success.get() == "false") {
        let words: Vec<&str> = [frame.error, frame.symbol].into_iter().flatten().map(Raw::get).collect();
        return Notice::Refused(words.join(": "));
    }
    if frame.channel.is_none_or(|channel| channel.get() != r#""trade""#) {
        // A heartbeat, a status, the answer to a ping or to a subscription.
        return Notice::None;
    }
    match frame.kind.map(Raw::get) {
        Some(r#""update""#) => updates(frame.data, symbols, each),
        // Made before we listened; REST has them.
        Some(r#""snapshot""#) => {}
        Some(_) => each(Err(Refusal::of(Rejection::Malformed("trades of an unknown type".to_owned())))),
        None => each(Err(Refusal::of(Rejection::MissingField { field: "type" }))),
    }
    Notice::None
}

/// Hears the trades of a message that is nothing else, and of the usual form.
fn plain_updates(json: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Option<()> {
    let (mut frame, mut entries) = (Frame::default(), Rows::default());
    plain::object_beside(json, &mut frame, |plain, name| match name {
        "data" => plain.rows(&mut entries),
        _ => Some(Reader::Plain),
    })?;
    let is = |field: Option<Raw<'_>>, value: &str| field.is_some_and(|field| field.get() == value);
    let is_of_updates = frame.success.is_none() && is(frame.channel, r#""trade""#) && is(frame.kind, r#""update""#);
    let entries = entries.if_any().filter(|_| is_of_updates)?;
    entries.for_each(|entry| each(trade(entry, symbols)));
    Some(())
}

fn updates(data: Option<Raw<'_>>, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) {
    let Some(data) = data else {
        return each(Err(Refusal::of(Rejection::MissingField { field: "data" })));
    };
    match field::array(data.get()) {
        Ok(entries) => entries
            .into_iter()
            .for_each(|entry| each(field::object(entry.get()).and_then(|entry| trade(&entry, symbols)))),
        Err(not_an_array) => each(Err(Refusal::of(Rejection::Malformed(not_an_array.0)))),
    }
}

fn trade(entry: &Entry<'_>, symbols: &Symbols) -> Decoded {
    Parts {
        ticker: field::symbol("symbol", entry.symbol.as_ref(), symbols),
        traded_at: field::rfc3339("timestamp", entry.timestamp.as_ref()),
        id: field::number_id("trade_id", entry.trade_id.as_ref()),
        quantity: field::quantity("qty", entry.qty.as_ref()),
        price: field::price("price", entry.price.as_ref()),
    }
    .trade()
}
