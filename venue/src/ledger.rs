//! The list of every fault that was done to the socket, bounded, oldest forgotten first.

use std::collections::VecDeque;

use tape::{EpochMs, RejectionKind, Ticker, TradeId};

use crate::fault::FaultKind;

/// One fault that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injected {
    /// What was done.
    pub kind: FaultKind,
    /// The ticker of the trade it was done to.
    pub ticker: Ticker,
    /// The trade it was done to; for a phantom the id it was given.
    pub id: TradeId,
    /// The true time of that trade.
    pub at: EpochMs,
    /// The frame that was sent, where one was.
    pub sent: Option<String>,
    /// Under which kind a careful reader refuses that frame, if it must.
    pub rejection: Option<RejectionKind>,
}

impl Injected {
    /// The fault as one line of JSON.
    pub fn json(&self) -> String {
        self.to_json().to_string()
    }

    /// The fault as JSON.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "kind": self.kind.as_str(),
            "ticker": self.ticker.as_str(),
            "tradeid": self.id.as_str(),
            "ts": self.at.ms(),
            "sent": self.sent,
            "rejected_as": self.rejection.map(RejectionKind::as_str),
        })
    }
}

/// The faults done, in the order of doing.
#[derive(Debug)]
pub struct Ledger {
    faults: VecDeque<Injected>,
    keep: usize,
    forgotten: u64,
}

impl Ledger {
    /// Nothing yet, and at most `keep` ever.
    pub fn new(keep: usize) -> Self {
        Self { faults: VecDeque::new(), keep, forgotten: 0 }
    }

    /// Writes down a fault.
    pub fn add(&mut self, fault: Injected) {
        self.faults.push_back(fault);
        while self.keep < self.faults.len() {
            self.faults.pop_front();
            self.forgotten += 1;
        }
    }

    /// The faults of a ticker (of all without one) with `after < at ≤ until`.
    pub fn between(&self, ticker: Option<&Ticker>, after: EpochMs, until: EpochMs) -> impl Iterator<Item = &Injected> {
        self.faults.iter().filter(move |fault| {
            let is_asked = ticker.is_none_or(|ticker| *ticker == fault.ticker);
            is_asked && after < fault.at && fault.at <= until
        })
    }

    /// How many faults are held.
    pub fn len(&self) -> usize {
        self.faults.len()
    }

    /// Whether no fault is held.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// How many were forgotten at the bound.
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_is_asked_by_ticker_and_time_and_forgets_the_oldest() {
        let mut ledger = Ledger::new(2);
        for (ticker, at) in [("BTC", 1), ("ETH", 2), ("BTC", 3)] {
            ledger.add(Injected {
                kind: FaultKind::Drop,
                ticker: Ticker::new(ticker).expect("a ticker"),
                id: TradeId::new("1").expect("an id"),
                at: EpochMs::new(at),
                sent: None,
                rejection: None,
            });
        }

        let btc = Ticker::new("BTC").expect("a ticker");
        assert_eq!((ledger.len(), ledger.forgotten()), (2, 1));
        assert_eq!(ledger.between(Some(&btc), EpochMs::new(0), EpochMs::new(9)).count(), 1);
        assert_eq!(ledger.between(None, EpochMs::new(2), EpochMs::new(3)).count(), 1);
        assert!(ledger.between(None, EpochMs::new(0), EpochMs::new(9)).all(|fault| fault.json().contains("\"drop\"")));
    }
}
