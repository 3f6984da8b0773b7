//! What was done between two moments, and what a system that follows the market
//! faultlessly must therefore have found.

use std::collections::BTreeMap;

use crate::book::{Delivery, Entry};
use crate::ledger::Injected;

/// Counts of what was done and of what must be found.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Summary {
    /// How many true trades.
    pub trades: u64,
    /// How many faults were done, by kind.
    pub injected: BTreeMap<&'static str, u64>,
    /// What became of the true trades on the socket.
    pub delivery: BTreeMap<&'static str, u64>,
    /// What a faultless follower found.
    pub expected: Expected,
}

/// What a faultless follower found. Every trade is matched, altered or missing
/// (or still held back); late and duplicate ones are counted again as such.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Expected {
    /// Trades heard as they were, late or not.
    pub matched: u64,
    /// Trades heard with another value.
    pub altered: u64,
    /// Trades that reached no listener in an acceptable form.
    pub missing: u64,
    /// How many of the missing ones nobody could have heard: nobody was
    /// connected, or they are older than the socket.
    pub unheard: u64,
    /// Trades heard that never were.
    pub phantom: u64,
    /// Frames heard again.
    pub duplicate: u64,
    /// Trades heard 2 s after they were made, or later.
    pub late: u64,
    /// Frames refused, by the kind of their rejection.
    pub rejected: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Counts in a true trade.
    pub fn count_trade(&mut self, entry: &Entry) {
        self.trades += 1;
        *self.delivery.entry(entry.delivery.as_str()).or_default() += 1;
        match entry.delivery {
            Delivery::Heard => self.expected.matched += 1,
            Delivery::Altered => self.expected.altered += 1,
            Delivery::Held => {}
            Delivery::Past | Delivery::Unheard => {
                self.expected.missing += 1;
                self.expected.unheard += 1;
            }
            Delivery::RestOnly | Delivery::Rejected(_) | Delivery::Dropped | Delivery::Silenced => {
                self.expected.missing += 1;
            }
        }
        self.expected.duplicate += u64::from(entry.copies);
        self.expected.late += u64::from(entry.is_late);
    }

    /// Counts in a fault.
    pub fn count_fault(&mut self, fault: &Injected) {
        *self.injected.entry(fault.kind.as_str()).or_default() += 1;
        if fault.kind == crate::FaultKind::Phantom {
            self.expected.phantom += 1;
        }
        if let Some(rejection) = fault.rejection {
            *self.expected.rejected.entry(rejection.as_str()).or_default() += 1;
        }
    }
}
