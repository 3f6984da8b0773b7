//! What Coinbase Exchange says on its socket: one trade a message.

use tape::Rejection;

use crate::conversation::{Notice, Symbols};
use crate::field::{self, Parts};
use crate::plain::fields;
use crate::raw::Raw;
use crate::said::{Decoded, Refusal};

/// Products in one message: few, since one that is not known may spoil the message.
const PRODUCTS_TOGETHER: usize = 10;

fields! {
    struct Frame {
        kind: "type",
        trade_id: "trade_id" as Numeral,
        _: "maker_order_id",
        _: "taker_order_id",
        _: "side",
        size: "size" as Decimal,
        price: "price" as Decimal,
        product_id: "product_id",
        _: "sequence",
        time: "time",
        message: "message",
        reason: "reason",
    }
}

pub(super) fn subscription(symbols: &Symbols) -> Vec<String> {
    let message = |products: &[String]| {
        let channels = ["matches", "heartbeat"];
        serde_json::json!({ "type": "subscribe", "product_ids": products, "channels": channels }).to_string()
    };
    symbols.chunks(PRODUCTS_TOGETHER).map(message).collect()
}

pub(super) fn decode(json: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Notice {
    let mut frame = Frame::default();
    if let Err(refusal) = field::object_into(json, &mut frame) {
        each(Err(refusal));
        return Notice::None;
    }
    match frame.kind.map(Raw::get) {
        Some(r#""match""#) => each(trade(&frame, symbols)),
        Some(r#""error""#) => return refused(&frame),
        // `last_match` was made before we listened, and REST has it; `rfq_match` is made apart from the order book.
        Some(kind) if kind.starts_with('"') => {}
        Some(kind) => {
            let found = crate::said::beginning(kind, 64).to_owned();
            each(Err(Refusal::of(Rejection::WrongType { field: "type", found })));
        }
        None => each(Err(Refusal::of(Rejection::MissingField { field: "type" }))),
    }
    Notice::None
}

fn trade(frame: &Frame<'_>, symbols: &Symbols) -> Decoded {
    Parts {
        ticker: field::symbol("product_id", frame.product_id.as_ref(), symbols),
        traded_at: field::rfc3339("time", frame.time.as_ref()),
        id: field::number_id("trade_id", frame.trade_id.as_ref()),
        quantity: field::quantity("size", frame.size.as_ref()),
        price: field::price("price", frame.price.as_ref()),
    }
    .trade()
}

fn refused(frame: &Frame<'_>) -> Notice {
    let words: Vec<&str> = [frame.message, frame.reason].into_iter().flatten().map(Raw::get).collect();
    Notice::Refused(words.join(": "))
}
