//! The generic market protocol. Its two channels have handlers of their own
//! (`http/stream.rs`, `http/trades.rs`); here is only how it tells of a trade.

use tape::{EpochMs, Ticker};

use super::row::{Role, Row};
use super::{Channel, Tongue};
use crate::true_trade::{TrueTrade, json_string};

/// The generic market protocol.
#[derive(Debug)]
pub struct Generic;

impl Tongue for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn symbol(&self, ticker: &Ticker) -> String {
        ticker.as_str().to_owned()
    }

    fn row(&self, _: Channel, trade: &TrueTrade, _: EpochMs) -> Row {
        row(trade)
    }

    fn envelope(&self, _: Channel, _: &Ticker, rows: &str, _: EpochMs) -> String {
        rows.to_owned()
    }
}

/// The object in which both channels report a trade.
pub fn row(trade: &TrueTrade) -> Row {
    Row::default()
        .raw(Role::Ticker, "ticker", json_string(trade.ticker.as_str()))
        .raw(Role::Time, "ts", trade.traded_at)
        .raw(Role::Quantity, "quantity", trade.quantity())
        .raw(Role::Price, "price", trade.price())
        .raw(Role::Id, "tradeid", json_string(trade.id.as_str()))
}
