//! What is said of a trade, before anybody decided in which words: the values,
//! true or not, and what is wrong with the frame, if anything is.

use tape::EpochMs;

use super::row::{Role, Row};
use super::{Channel, Dialect};
use crate::true_trade::TrueTrade;

/// A statement about a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The trade as it is told.
    pub trade: TrueTrade,
    /// What is wrong with the frame.
    pub flaw: Option<Flaw>,
}

/// What is wrong with a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A field holds this JSON instead.
    Raw(Role, String),
    /// A field holds this number, in the form in which it holds numbers.
    Digits(Role, String),
    /// A field is missing.
    Without(Role),
    /// The frame ends after so many bytes, and before its end.
    CutAt(usize),
    /// Another text stands in its place.
    Instead(String),
    /// It stands there twice.
    Twice,
}

impl Said {
    /// A statement whose form is as it should be.
    pub fn of(trade: TrueTrade) -> Self {
        Self { trade, flaw: None }
    }

    /// The frame on a channel.
    pub fn frame(&self, dialect: Dialect, channel: Channel, now: EpochMs) -> String {
        let mut row = dialect.row(channel, &self.trade, now);
        match &self.flaw {
            None | Some(Flaw::CutAt(_) | Flaw::Instead(_) | Flaw::Twice) => {}
            Some(Flaw::Raw(role, raw)) => row.put(*role, raw),
            Some(Flaw::Digits(role, digits)) => row.put_digits(*role, digits),
            Some(Flaw::Without(role)) => row.leave_out(*role),
        }
        let mut frame = message(dialect, channel, &self.trade, &[row], now);
        match &self.flaw {
            Some(Flaw::CutAt(bytes)) => {
                // Without its last byte no object is whole.
                let mut end = (*bytes).min(frame.len().saturating_sub(1));
                while !frame.is_char_boundary(end) {
                    end -= 1;
                }
                frame.truncate(end);
            }
            Some(Flaw::Instead(text)) => frame = text.clone(),
            Some(Flaw::Twice) => frame = frame.repeat(2),
            None | Some(Flaw::Raw(..) | Flaw::Digits(..) | Flaw::Without(_)) => {}
        }
        frame
    }
}

/// The frame that tells of several trades of one ticker.
pub fn frame_of_many(dialect: Dialect, channel: Channel, trades: &[TrueTrade], now: EpochMs) -> String {
    let rows: Vec<Row> = trades.iter().map(|trade| dialect.row(channel, trade, now)).collect();
    trades.first().map(|first| message(dialect, channel, first, &rows, now)).unwrap_or_default()
}

fn message(dialect: Dialect, channel: Channel, trade: &TrueTrade, rows: &[Row], now: EpochMs) -> String {
    let rows: Vec<String> = rows.iter().map(Row::json).collect();
    dialect.envelope(channel, &trade.ticker, &rows.join(","), now)
}
