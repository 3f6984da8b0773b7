//! One figure over all exchanges that trade a ticker: the quotient of the sums
//! of their sums, and what can be said of it where each part is known less well
//! or better.

mod hull;
mod mark;

pub use hull::Hull;
pub use mark::{common_final_mark, common_mark};

use crate::bound::{Coverage, Deviation, Unsaid};
use crate::{EpochMs, Sums, Vwap};

/// The figure of one exchange, as part of a consolidated one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// The exact sums.
    pub sums: Sums,
    /// Its own average; no trades have none.
    pub price: Option<Vwap>,
    /// How many of the trades are confirmed.
    pub confirmed_trades: u64,
    /// How many suspects are not counted.
    pub quarantined_trades: u64,
    /// Whether the whole window is confirmed.
    pub is_final: bool,
    /// Whether it was calculated at its mark and kept.
    pub is_kept: bool,
    /// How often the final figure was restated, as far as that is known.
    pub revision: Option<u32>,
    /// When it became final, where that is known.
    pub final_at: Option<EpochMs>,
    /// How wrong it was said to be while provisional, where something was said.
    pub bound: Option<PartBound>,
}

/// What was said of how wrong a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartBound {
    /// How far its final price lies from the provisional one at most, or why nobody knows.
    pub deviation: Result<Deviation, Unsaid>,
    /// How often that shall hold.
    pub coverage: Coverage,
    /// How much of its window is unconfirmed, in milliseconds.
    pub tail_ms: i64,
}

/// The figure of all exchanges together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consolidated {
    /// The exact sums of the exact sums.
    pub sums: Sums,
    /// Their quotient, rounded once; no trades have none.
    pub price: Option<Vwap>,
    /// How many of the trades are confirmed.
    pub confirmed_trades: u64,
    /// How many suspects are not counted.
    pub quarantined_trades: u64,
    /// Whether every exchange's window is confirmed.
    pub is_final: bool,
    /// Whether every part was kept.
    pub is_kept: bool,
    /// How often any part was restated, where that is known of all.
    pub revision: Option<u32>,
    /// When the last part became final, where that is known of all.
    pub final_at: Option<EpochMs>,
    /// How wrong it may be; none of a final figure, and where some part says nothing.
    pub bound: Option<Hull>,
}

/// The sums do not fit what can be counted: no trades come to so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sums of the exchanges are too large together")]
pub struct TooLarge;

impl Consolidated {
    /// Puts parts together: one for each exchange, none where it has no figure
    /// of that moment. Such a figure is never final.
    ///
    /// # Errors
    /// When the sums do not fit. Nothing wraps.
    pub fn of(parts: &[Option<Part>]) -> Result<Self, TooLarge> {
        let (mut sums, mut confirmed_trades, mut quarantined_trades) = (Sums::EMPTY, 0_u64, 0_u64);
        for part in parts.iter().flatten() {
            sums = sums.checked_plus(part.sums).ok_or(TooLarge)?;
            confirmed_trades = confirmed_trades.checked_add(part.confirmed_trades).ok_or(TooLarge)?;
            quarantined_trades = quarantined_trades.checked_add(part.quarantined_trades).ok_or(TooLarge)?;
        }
        if !sums.can_be_divided() {
            return Err(TooLarge);
        }
        let holds = |is: fn(&Part) -> bool| !parts.is_empty() && parts.iter().all(|part| part.as_ref().is_some_and(is));
        let price = sums.vwap();
        let is_final = holds(|part| part.is_final);
        Ok(Self {
            sums,
            price,
            confirmed_trades,
            quarantined_trades,
            is_final,
            is_kept: holds(|part| part.is_kept),
            revision: revision(parts),
            final_at: if is_final { final_at(parts) } else { None },
            bound: if is_final { None } else { Hull::around(price, parts) },
        })
    }
}

/// Every restatement of a part restates the whole.
fn revision(parts: &[Option<Part>]) -> Option<u32> {
    parts.iter().try_fold(0_u32, |sum, part| sum.checked_add(part.as_ref()?.revision?))
}

fn final_at(parts: &[Option<Part>]) -> Option<EpochMs> {
    let known: Option<Vec<EpochMs>> = parts.iter().map(|part| part.as_ref()?.final_at).collect();
    known?.into_iter().max()
}

#[cfg(test)]
mod tests;
