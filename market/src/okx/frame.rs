//! What OKX says on its socket: any number of trades of one instrument in a message.

use tape::{Rejection, Trade};

use crate::conversation::{Conversation, Notice, Symbols};
use crate::field::{self, Parts};
use crate::plain::{self, Reader, Rows, fields};
use crate::raw::Raw;
use crate::said::{Decoded, Refusal};

/// Instruments in one message: few, since one that is not known may spoil the message.
const INSTRUMENTS_TOGETHER: usize = 25;

fields! {
    struct Frame {
        arg: "arg" as Objects,
        data: "data" as Objects,
        event: "event",
        code: "code",
        msg: "msg",
    }
}

fields! {
    struct Argument {
        channel: "channel",
        instrument: "instId",
    }
}

fields! {
    struct Entry {
        instrument: "instId",
        id: "tradeId" as Numeral,
        px: "px" as Decimal,
        sz: "sz" as Decimal,
        _: "side",
        _: "source",
        ts: "ts" as Whole,
        count: "count",
    }
}

pub(super) fn subscription(symbols: &Symbols) -> Vec<String> {
    let argument = |instrument: &String| serde_json::json!({ "channel": "trades-all", "instId": instrument });
    let message = |(number, chunk): (usize, &[String])| {
        let args: Vec<_> = chunk.iter().map(argument).collect();
        serde_json::json!({ "id": format!("s{number}"), "op": "subscribe", "args": args }).to_string()
    };
    symbols.chunks(INSTRUMENTS_TOGETHER).enumerate().map(message).collect()
}

pub(super) fn decode(json: &str, conversation: &mut Conversation, each: &mut dyn FnMut(Decoded)) -> Notice {
    if json == "pong" {
        return Notice::None;
    }
    if plain_push(json, conversation, each).is_some() {
        return Notice::None;
    }
    let frame: Frame<'_> = match field::object(json) {
        Ok(frame) => frame,
        Err(refusal) => {
            each(Err(refusal));
            return Notice::None;
        }
    };
    if let Some(event) = frame.event {
        return notice(event, &frame);
    }
    match (frame.arg, frame.data) {
        (Some(argument), Some(data)) => match field::object::<Argument<'_>>(argument.get()) {
            Ok(argument) if !is_of_trades(&argument) => {}
            Ok(argument) => match field::array(data.get()) {
                Ok(entries) => {
                    let is_of_the_past = is_of_the_past(&argument, conversation);
                    for entry in entries {
                        let decoded = field::object(entry.get()).and_then(|entry| trade(&entry, &conversation.symbols));
                        hear(decoded, is_of_the_past, each);
                    }
                }
                Err(not_an_array) => each(Err(Refusal::of(Rejection::Malformed(not_an_array.0)))),
            },
            Err(refusal) => each(Err(refusal)),
        },
        (None, _) => each(Err(Refusal::of(Rejection::MissingField { field: "arg" }))),
        (_, None) => each(Err(Refusal::of(Rejection::MissingField { field: "data" }))),
    }
    Notice::None
}

fn notice(event: Raw<'_>, frame: &Frame<'_>) -> Notice {
    let code = frame.code.map_or("", |code| code.get().trim_matches('"'));
    match (event.get(), code) {
        (r#""notice""#, "64008") => Notice::Leave,
        (r#""error""#, "60011") => {
            let why = "error 60011: it wants a login before it tells single trades on the channel trades-all, \
                       so nothing is heard there; REST tells every trade all the same";
            Notice::Refused(why.to_owned())
        }
        (r#""error""#, _) => {
            let words = frame.msg.map(Raw::get).unwrap_or_default();
            Notice::Refused(format!("error {code}: {words}"))
        }
        _ => Notice::None,
    }
}

/// Hears a push of trades that is nothing else, and of the usual form.
fn plain_push(json: &str, conversation: &mut Conversation, each: &mut dyn FnMut(Decoded)) -> Option<()> {
    let (mut frame, mut argument, mut entries) = (Frame::default(), None, Rows::default());
    plain::object_beside(json, &mut frame, |plain, name| match name {
        "arg" => plain.object(&mut argument),
        "data" => plain.rows(&mut entries),
        _ => Some(Reader::Plain),
    })?;
    let argument = argument.filter(|argument| frame.event.is_none() && is_of_trades(argument))?;
    let entries = entries.if_any()?;
    let is_of_the_past = is_of_the_past(&argument, conversation);
    entries.for_each(|entry| hear(trade(entry, &conversation.symbols), is_of_the_past, each));
    Some(())
}

fn is_of_trades(argument: &Argument<'_>) -> bool {
    argument.channel.is_some_and(|channel| [r#""trades-all""#, r#""trades""#].contains(&channel.get()))
}

/// The first push is the last trade made before we listened; REST has it.
fn is_of_the_past(argument: &Argument<'_>, conversation: &mut Conversation) -> bool {
    argument.instrument.is_some_and(|instrument| {
        let symbol = instrument.get().trim_matches('"');
        !conversation.greeted.contains(symbol)
            && conversation.symbols.ticker(symbol).is_ok()
            && conversation.greeted.insert(symbol.to_owned())
    })
}

fn hear(decoded: Decoded, is_of_the_past: bool, each: &mut dyn FnMut(Decoded)) {
    if decoded.is_err() || !is_of_the_past {
        each(decoded);
    }
}

fn trade(entry: &Entry<'_>, symbols: &Symbols) -> Decoded {
    let parts = Parts {
        ticker: field::symbol("instId", entry.instrument.as_ref(), symbols),
        traded_at: field::epoch_ms("ts", entry.ts.as_ref()),
        id: field::number_id("tradeId", entry.id.as_ref()),
        quantity: field::quantity("sz", entry.sz.as_ref()),
        price: field::price("px", entry.px.as_ref()),
    };
    match entry.count {
        Some(count) if field::number_of(Some(count)) != Some(1) => Err(of_several(parts.trade()?, count)),
        _ => parts.trade(),
    }
}

#[cold]
fn of_several(trade: Trade, count: Raw<'_>) -> Refusal {
    Refusal {
        rejection: Rejection::Malformed(format!("{} trades in one, as count says", count.get())),
        ticker: Some(trade.ticker),
        traded_at: Some(trade.traded_at),
    }
}
