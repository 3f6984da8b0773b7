//! What all pieces of a tape come to, put together in the order of the file.

use std::collections::BTreeMap;

use tape::ids::Named;
use tape::{Ids, Ticker};

use crate::adding::{Added, AddedTicker};
use crate::seconds::Seconds;

/// The sums of a whole tape.
#[derive(Debug, Default)]
pub struct Total {
    tickers: BTreeMap<Ticker, (Seconds, Ids)>,
    /// How many lines were read.
    pub lines: u64,
    /// How many rows.
    pub rows: u64,
    /// How many of them repeated an earlier one.
    pub repeats: u64,
    held: usize,
}

impl Total {
    /// Whether the trade is in it.
    pub fn knows(&self, ticker: &Ticker, id: Named<'_>) -> bool {
        self.tickers.get(ticker).is_some_and(|(_, ids)| ids.contains_named(id))
    }

    /// Whether some trade of a piece is in it already.
    pub fn repeats_in(&self, added: &Added) -> bool {
        added.tickers.iter().any(|part| {
            let own = self.tickers.get(&part.ticker);
            own.is_some_and(|(_, ids)| !ids.is_disjoint(&part.ids))
        })
    }

    /// Adds the next piece, none of whose trades is in it.
    pub fn absorb(&mut self, added: Added) {
        let Added { tickers, lines, rows, repeats } = added;
        for AddedTicker { ticker, seconds, ids } in tickers {
            let own = self.tickers.entry(ticker).or_default();
            self.held -= own.0.held();
            own.0.absorb(seconds);
            own.1.absorb(ids);
            self.held += own.0.held();
        }
        self.lines += lines;
        self.rows += rows;
        self.repeats += repeats;
    }

    /// How many sums of seconds are held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// How many tickers there are.
    pub fn tickers(&self) -> usize {
        self.tickers.len()
    }

    /// The seconds of each ticker, in alphabetical order.
    pub fn into_seconds(self) -> Vec<(Ticker, Seconds)> {
        self.tickers.into_iter().map(|(ticker, (seconds, _))| (ticker, seconds)).collect()
    }
}
