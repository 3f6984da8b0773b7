//! What OKX says on its socket: any number of trades of one instrument in a message.

use serde::Deserialize;
use serde_json::value::RawValue;
use tape::Rejection;

use crate::conversation::{Conversation, Notice, Symbols};
use crate::field::{self, Parts};
use crate::said::{Decoded, Refusal};

/// Instruments in one message: few, since one that is not known may spoil the message.
const INSTRUMENTS_TOGETHER: usize = 25;

#[derive(Deserialize)]
struct Frame<'json> {
    #[serde(borrow, default)]
    event: Option<&'json RawValue>,
    #[serde(borrow, default)]
    code: Option<&'json RawValue>,
    #[serde(borrow, default)]
    msg: Option<&'json RawValue>,
    #[serde(borrow, default)]
    arg: Option<&'json RawValue>,
    #[serde(borrow, default)]
    data: Option<&'json RawValue>,
}

#[derive(Deserialize)]
struct Argument<'json> {
    #[serde(borrow, default)]
    channel: Option<&'json RawValue>,
    #[serde(borrow, default, rename = "instId")]
    instrument: Option<&'json RawValue>,
}

#[derive(Deserialize)]
struct Entry<'json> {
    #[serde(borrow, default, rename = "instId")]
    instrument: Option<&'json RawValue>,
    #[serde(borrow, default, rename = "tradeId")]
    id: Option<&'json RawValue>,
    #[serde(borrow, default)]
    px: Option<&'json RawValue>,
    #[serde(borrow, default)]
    sz: Option<&'json RawValue>,
    #[serde(borrow, default)]
    ts: Option<&'json RawValue>,
    #[serde(borrow, default)]
    count: Option<&'json RawValue>,
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
            Ok(argument) => push(&argument, data, conversation, each),
            Err(refusal) => each(Err(refusal)),
        },
        (None, _) => each(Err(Refusal::of(Rejection::MissingField { field: "arg" }))),
        (_, None) => each(Err(Refusal::of(Rejection::MissingField { field: "data" }))),
    }
    Notice::None
}

fn notice(event: &RawValue, frame: &Frame<'_>) -> Notice {
    let code = frame.code.map_or("", |code| code.get().trim_matches('"'));
    match (event.get(), code) {
        (r#""notice""#, "64008") => Notice::Leave,
        (r#""error""#, "60011") => {
            let why = "error 60011: it wants a login before it tells single trades on the channel trades-all, \
                       so nothing is heard there; REST tells every trade all the same";
            Notice::Refused(why.to_owned())
        }
        (r#""error""#, _) => {
            let words = frame.msg.map(RawValue::get).unwrap_or_default();
            Notice::Refused(format!("error {code}: {words}"))
        }
        _ => Notice::None,
    }
}

fn push(argument: &Argument<'_>, data: &RawValue, conversation: &mut Conversation, each: &mut dyn FnMut(Decoded)) {
    let is_of_trades = |channel: &RawValue| [r#""trades-all""#, r#""trades""#].contains(&channel.get());
    if !argument.channel.is_some_and(is_of_trades) {
        return;
    }
    let entries = match field::array(data.get()) {
        Ok(entries) => entries,
        Err(not_an_array) => return each(Err(Refusal::of(Rejection::Malformed(not_an_array.0)))),
    };
    // The first push is the last trade made before we listened; REST has it.
    let is_of_the_past = argument.instrument.is_some_and(|instrument| {
        let symbol = instrument.get().trim_matches('"');
        conversation.symbols.ticker(symbol).is_ok() && conversation.greeted.insert(symbol.to_owned())
    });
    for entry in entries {
        let decoded = trade(entry.get(), &conversation.symbols);
        if decoded.is_err() || !is_of_the_past {
            each(decoded);
        }
    }
}

fn trade(json: &str, symbols: &Symbols) -> Decoded {
    let entry: Entry<'_> = field::object(json)?;
    let parts = Parts {
        ticker: field::symbol("instId", entry.instrument, symbols),
        traded_at: field::epoch_ms("ts", entry.ts),
        id: field::number_id("tradeId", entry.id),
        quantity: field::quantity("sz", entry.sz),
        price: field::price("px", entry.px),
    };
    let trade = parts.trade()?;
    match entry.count {
        None => Ok(trade),
        Some(count) if field::number_of(Some(count)) == Some(1) => Ok(trade),
        Some(count) => Err(Refusal {
            rejection: Rejection::Malformed(format!("{} trades in one, as count says", count.get())),
            ticker: Some(trade.ticker),
            traded_at: Some(trade.traded_at),
        }),
    }
}
