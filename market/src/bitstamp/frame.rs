//! What Bitstamp says on its socket: one trade a message, its pair in the name of the channel.

use tape::{Rejection, Ticker};

use super::history::TIME_GRAIN_MS;
use crate::conversation::{Notice, Symbols};
use crate::field::{self, Parts};
use crate::plain::{self, Reader, fields};
use crate::raw::Raw;
use crate::said::{Decoded, Refusal, beginning};

/// What the name of a channel of trades begins with.
const TRADES: &str = "live_trades_";

/// The event that is a trade.
const TRADE: &str = r#""trade""#;

fields! {
    struct Frame {
        data: "data" as Objects,
        channel: "channel",
        event: "event",
    }
}

fields! {
    struct LiveTrade {
        id: "id" as Numeral,
        _: "timestamp",
        amount: "amount" as Decimal,
        // Numbers come twice; as text they have the digits of the exchange.
        amount_str: "amount_str" as Decimal,
        price: "price" as Decimal,
        price_str: "price_str" as Decimal,
        _: "type",
        microtimestamp: "microtimestamp",
        _: "buy_order_id",
        _: "sell_order_id",
    }
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
    if plain_trade(json, symbols, each).is_some() {
        return Notice::None;
    }
    let frame: Frame<'_> = match field::object(json) {
        Ok(frame) => frame,
        Err(refusal) => {
            each(Err(refusal));
            return Notice::None;
        }
    };
    match frame.event.map(Raw::get) {
        Some(TRADE) => each(match frame.data {
            Some(data) => field::object(data.get()).and_then(|live| trade(&frame, &live, symbols)),
            None => Err(Refusal::of(Rejection::MissingField { field: "data" })),
        }),
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

/// Hears a trade of the usual form.
fn plain_trade(json: &str, symbols: &Symbols, each: &mut dyn FnMut(Decoded)) -> Option<()> {
    let (mut frame, mut live) = (Frame::default(), None);
    plain::object_beside(json, &mut frame, |plain, name| match name {
        "data" => plain.object(&mut live),
        _ => Some(Reader::Plain),
    })?;
    frame.event.filter(|event| event.get() == TRADE)?;
    each(trade(&frame, live.as_ref()?, symbols));
    Some(())
}

fn trade(frame: &Frame<'_>, live: &LiveTrade<'_>, symbols: &Symbols) -> Decoded {
    Parts {
        ticker: ticker(frame.channel, symbols),
        // Its REST tells whole seconds: what is final is what that can repeat, and what the
        // socket says of the rest of a second must not move a trade into another window.
        traded_at: field::microseconds("microtimestamp", live.microtimestamp.as_ref())
            .map(|at| at.floor_to(TIME_GRAIN_MS)),
        id: field::number_id("id", live.id.as_ref()),
        quantity: field::quantity("amount", live.amount_str.as_ref().or(live.amount.as_ref())),
        price: field::price("price", live.price_str.as_ref().or(live.price.as_ref())),
    }
    .trade()
}

fn ticker(channel: Option<Raw<'_>>, symbols: &Symbols) -> Result<Ticker, Rejection> {
    let channel = channel.ok_or(Rejection::MissingField { field: "channel" })?.get();
    let symbol = channel.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')?.strip_prefix(TRADES));
    let wrong = || Rejection::WrongType { field: "channel", found: beginning(channel, 64).to_owned() };
    symbols.ticker(symbol.ok_or_else(wrong)?)
}
