//! What Binance says on its socket, unwrapped (`/ws`) or wrapped in `stream` and `data` (`/stream`).

use tape::Rejection;

use crate::conversation::{Notice, Symbols};
use crate::field::{self, Parts};
use crate::plain::{self, Reader, fields};
use crate::raw::Raw;
use crate::said::{Decoded, Refusal};

/// The event that is a trade.
const TRADE: &str = r#""trade""#;

/// Symbols in one message; few enough for any frame limit.
const SYMBOLS_TOGETHER: usize = 100;

fields! {
    /// The fields of interest of all messages, told apart by what is there.
    struct Frame {
        e: "e",
        _: "E",
        s: "s",
        t: "t" as Numeral,
        p: "p" as Decimal,
        q: "q" as Decimal,
        traded_at: "T" as Whole,
        _: "m",
        _: "M",
        data: "data" as Objects,
        // Named so that neither is taken for the ones that differ by case only.
        code: "code",
        msg: "msg",
        error: "error",
    }
}

pub(super) fn subscription(symbols: &Symbols) -> Vec<String> {
    let message = |(number, chunk): (usize, &[String])| {
        let params: Vec<String> = chunk.iter().map(|symbol| format!("{}@trade", symbol.to_lowercase())).collect();
        serde_json::json!({ "method": "SUBSCRIBE", "params": params, "id": number + 1 }).to_string()
    };
    symbols.chunks(SYMBOLS_TOGETHER).enumerate().map(message).collect()
}

pub(super) fn decode(frame: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Notice {
    if plain_trade(frame, symbols, each).is_some() {
        return Notice::None;
    }
    let outer: Frame<'_> = match field::object(frame) {
        Ok(outer) => outer,
        Err(refusal) => {
            each(Err(refusal));
            return Notice::None;
        }
    };
    let inner = match outer.data.map(|data| field::object::<Frame<'_>>(data.get())) {
        None => outer,
        Some(Ok(inner)) => inner,
        Some(Err(refusal)) => {
            each(Err(refusal));
            return Notice::None;
        }
    };
    match inner.e.map(Raw::get) {
        Some(TRADE) => {
            each(trade(&inner, symbols));
            Notice::None
        }
        Some(r#""serverShutdown""#) => Notice::Leave,
        // Block trades are made apart from the order book, and other events are no trades.
        Some(_) => Notice::None,
        None if inner.code.is_some() || inner.error.is_some() => {
            Notice::Refused(inner.msg.or(inner.error).map(|words| words.get().to_owned()).unwrap_or_default())
        }
        None if inner.p.is_some() || inner.q.is_some() || inner.t.is_some() => {
            each(Err(Refusal::of(Rejection::MissingField { field: "e" })));
            Notice::None
        }
        // The answer to a subscription.
        None => Notice::None,
    }
}

/// Hears a trade of the usual form, wrapped or not.
fn plain_trade(json: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Option<()> {
    let (mut outer, mut wrapped) = (Frame::default(), None);
    plain::object_beside(json, &mut outer, |plain, name| match name {
        "data" => plain.object(&mut wrapped),
        _ => Some(Reader::Plain),
    })?;
    let inner = wrapped.as_ref().unwrap_or(&outer);
    inner.e.filter(|event| event.get() == TRADE)?;
    each(trade(inner, symbols));
    Some(())
}

fn trade(frame: &Frame<'_>, symbols: &Symbols) -> Decoded {
    Parts {
        ticker: field::symbol("s", frame.s.as_ref(), symbols),
        traded_at: field::epoch_ms("T", frame.traded_at.as_ref()),
        id: field::number_id("t", frame.t.as_ref()),
        quantity: field::quantity("q", frame.q.as_ref()),
        price: field::price("p", frame.p.as_ref()),
    }
    .trade()
}
