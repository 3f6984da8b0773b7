//! What Bitstamp says on its socket: one trade a message, its pair in the name of the channel.

use serde::Deserialize;
use serde_json::value::RawValue;
use tape::{Rejection, Ticker};

use super::history::TIME_GRAIN_MS;
use crate::conversation::{Notice, Symbols};
use crate::field::{self, Parts};
use crate::said::{Decoded, Refusal, beginning};

/// What the name of a channel of trades begins with.
const TRADES: &str = "live_trades_";

#[derive(Deserialize)]
struct Frame<'json> {
    #[serde(borrow, default)]
    event: Option<&'json RawValue>,
    #[serde(borrow, default)]
    channel: Option<&'json RawValue>,
    #[serde(borrow, default)]
    data: Option<&'json RawValue>,
}

#[derive(Deserialize)]
struct LiveTrade<'json> {
    #[serde(borrow, default)]
    id: Option<&'json RawValue>,
    // Numbers come twice; as text they have the digits of the exchange.
    #[serde(borrow, default)]
    amount_str: Option<&'json RawValue>,
    #[serde(borrow, default)]
    amount: Option<&'json RawValue>,
    #[serde(borrow, default)]
    price_str: Option<&'json RawValue>,
    #[serde(borrow, default)]
    price: Option<&'json RawValue>,
    #[serde(borrow, default)]
    microtimestamp: Option<&'json RawValue>,
}

/// One message for each channel.
pub(super) fn subscription(symbols: &Symbols) -> Vec<String> {
    let message = |symbol: &str| {
        let channel = serde_json::json!({ "channel": format!("{TRADES}{symbol}") });
        serde_json::json!({ "event": "bts:subscribe", "data": channel }).to_string()
    };
    symbols.iter().map(message).collect()
}

pub(super) fn decode(json: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Notice {
    let frame: Frame<'_> = match field::object(json) {
        Ok(frame) => frame,
        Err(refusal) => {
            each(Err(refusal));
            return Notice::None;
        }
    };
    match frame.event.map(RawValue::get) {
        Some(r#""trade""#) => each(trade(&frame, symbols)),
        Some(r#""bts:request_reconnect""#) => return Notice::Leave,
        Some(r#""bts:error""#) => {
            return Notice::Refused(frame.data.map(|data| data.get().to_owned()).unwrap_or_default());
        }
        Some(event) if event.starts_with('"') => {}
        Some(event) => {
            let found = beginning(event, 64).to_owned();
            each(Err(Refusal::of(Rejection::WrongType { field: "event", found })));
        }
        None => each(Err(Refusal::of(Rejection::MissingField { field: "event" }))),
    }
    Notice::None
}

fn trade(frame: &Frame<'_>, symbols: &Symbols) -> Decoded {
    let data = frame.data.ok_or_else(|| Refusal::of(Rejection::MissingField { field: "data" }))?;
    let live: LiveTrade<'_> = field::object(data.get())?;
    Parts {
        ticker: ticker(frame.channel, symbols),
        // Its REST tells whole seconds: what is final is what that can repeat, and what the
        // socket says of the rest of a second must not move a trade into another window.
        traded_at: field::microseconds("microtimestamp", live.microtimestamp).map(|at| at.floor_to(TIME_GRAIN_MS)),
        id: field::number_id("id", live.id),
        quantity: field::quantity("amount", live.amount_str.or(live.amount)),
        price: field::price("price", live.price_str.or(live.price)),
    }
    .trade()
}

fn ticker(channel: Option<&RawValue>, symbols: &Symbols) -> Result<Ticker, Rejection> {
    let channel = channel.ok_or(Rejection::MissingField { field: "channel" })?.get();
    let symbol = channel.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')?.strip_prefix(TRADES));
    let wrong = || Rejection::WrongType { field: "channel", found: beginning(channel, 64).to_owned() };
    symbols.ticker(symbol.ok_or_else(wrong)?)
}
