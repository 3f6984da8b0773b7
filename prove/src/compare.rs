//! Holds what the tables and the answers say against what really happened.
//! Nothing here asks anybody: it is given both sides and names every difference.

pub mod answers;
pub mod faults;
pub mod figures;
pub mod trades;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::sums::{Tape, Weighed};
use crate::tables::Standing;
use crate::truth::Truth;

/// The true trades of every ticker, as far as it is followed, ready to be added up.
#[derive(Debug)]
pub struct Market {
    tapes: BTreeMap<String, (Standing, Tape)>,
}

impl Market {
    /// The truth about the tickers that are followed.
    pub fn new(truth: &Truth, standings: &BTreeMap<String, Standing>) -> Self {
        let mut weighed: BTreeMap<String, Vec<Weighed>> = BTreeMap::new();
        for ((ticker, _), trade) in &truth.trades {
            let is_kept = standings.get(ticker).is_some_and(|standing| standing.tape_from < trade.ts);
            if is_kept {
                let (price, quantity) = (trade.price.clone(), trade.quantity.clone());
                weighed.entry(ticker.clone()).or_default().push(Weighed { at_ms: trade.ts, price, quantity });
            }
        }
        let mut tape = |ticker: &String| Tape::new(weighed.remove(ticker).unwrap_or_default());
        let tapes = standings.iter().map(|(ticker, standing)| (ticker.clone(), (*standing, tape(ticker))));
        Self { tapes: tapes.collect() }
    }

    /// A ticker's tape.
    pub fn tape(&self, ticker: &str) -> Option<&(Standing, Tape)> {
        self.tapes.get(ticker)
    }

    /// Every ticker's tape.
    pub fn tapes(&self) -> impl Iterator<Item = (&String, &(Standing, Tape))> {
        self.tapes.iter()
    }
}
