//! What is asked of the market: by REST, and by those who test against it.

use tape::{EpochMs, Ticker, TradeId};

use super::{Market, Present};
use crate::book::Entry;
use crate::exact::WindowTruth;
use crate::ledger::Injected;
use crate::summary::Summary;

/// One REST answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The trades, as JSON objects.
    pub rows: Vec<String>,
    /// Up to where the venue's answers are complete: no trade at or before it
    /// will ever appear that is not there now.
    pub complete_until: EpochMs,
    /// The market's present.
    pub present: EpochMs,
    /// Whether the present stands still.
    pub is_standing: bool,
}

/// What the market is like at the moment, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct State {
    /// The market's present, in epoch milliseconds.
    pub present: i64,
    /// Whether the present stands still.
    pub present_stands: bool,
    /// Tickers known.
    pub tickers: usize,
    /// True trades remembered.
    pub trades: usize,
    /// Trades still to come from a tape, where that is known.
    pub remaining: Option<usize>,
    /// Listeners connected.
    pub listeners: usize,
    /// Connections there ever were.
    pub listeners_joined: u64,
    /// Listeners sent away for not keeping up.
    pub listeners_too_slow: u64,
    /// Frames that somebody heard.
    pub frames: u64,
    /// Frames held back for later.
    pub held: usize,
    /// Faults remembered.
    pub faults: usize,
    /// Faults forgotten at the bound.
    pub faults_forgotten: u64,
    /// Silences so far.
    pub silences: u64,
    /// Cuts so far.
    pub cuts: u64,
    /// Changes of mind about the past so far.
    pub revisions: u64,
    /// Whether the socket is silent now.
    pub is_silent: bool,
}

impl Market {
    /// A page of a ticker's trades from `start` on; none for a ticker nobody knows.
    pub fn page(
        &mut self,
        ticker: &Ticker,
        start: EpochMs,
        after: Option<&TradeId>,
        limit: usize,
        now: EpochMs,
    ) -> Option<Page> {
        // Whatever is due by now happens first, so that nothing new can ever
        // appear at or before the instant promised below.
        self.advance(now);
        let present = self.present_at(now);
        let complete_until = present.minus_ms(self.habits.lag_ms + self.habits.disorder_ms);
        let book = self.books.get(ticker)?;
        let rows = book.page(start, after, complete_until, limit).map(|trade| trade.json()).collect();
        self.promised_until = self.promised_until.max(complete_until);
        let is_standing = matches!(self.present, Present::Standing(_));
        Some(Page { rows, complete_until, present, is_standing })
    }

    /// The tickers, with how many trades of each are remembered and from when to when.
    pub fn tickers(&self) -> impl Iterator<Item = (&Ticker, usize, Option<(EpochMs, EpochMs)>)> {
        self.books.iter().map(|(ticker, book)| (ticker, book.len(), book.span()))
    }

    /// Whether a ticker is known.
    pub fn knows(&self, ticker: &Ticker) -> bool {
        self.books.contains_key(ticker)
    }

    /// Up to where the truth about a ticker was forgotten at the bound.
    pub fn forgotten_until(&self, ticker: &Ticker) -> Option<EpochMs> {
        self.books.get(ticker).and_then(|book| book.forgotten_until())
    }

    /// The true trades of a ticker (of all without one) with `after < traded_at ≤ until`.
    pub fn entries<'a>(
        &'a self,
        ticker: Option<&'a Ticker>,
        after: EpochMs,
        until: EpochMs,
    ) -> impl Iterator<Item = &'a Entry> {
        let asked = self.books.iter().filter(move |(name, _)| ticker.is_none_or(|ticker| ticker == *name));
        asked.flat_map(move |(_, book)| book.between(after, until))
    }

    /// The faults done to a ticker (to all without one) with `after < at ≤ until`.
    pub fn injected<'a>(
        &'a self,
        ticker: Option<&'a Ticker>,
        after: EpochMs,
        until: EpochMs,
    ) -> impl Iterator<Item = &'a Injected> {
        self.ledger.between(ticker, after, until)
    }

    /// What was done with `after < at ≤ until` and what must be found of it.
    pub fn summary(&self, ticker: Option<&Ticker>, after: EpochMs, until: EpochMs) -> Summary {
        let mut summary = Summary::default();
        for entry in self.entries(ticker, after, until) {
            summary.count_trade(entry);
        }
        for fault in self.injected(ticker, after, until) {
            summary.count_fault(fault);
        }
        summary
    }

    /// What the window of `interval_ms` closing at `at` adds up to, exactly.
    pub fn window(&self, ticker: &Ticker, at: EpochMs, interval_ms: i64) -> Option<WindowTruth> {
        let book = self.books.get(ticker)?;
        let entries = book.between(at.minus_ms(interval_ms), at);
        Some(WindowTruth::of(entries.map(|entry| (entry.trade.price(), entry.trade.quantity()))))
    }

    /// How many trades are still to come, where that is known.
    pub fn remaining(&self) -> Option<usize> {
        self.source.remaining()
    }

    /// What the market is like now.
    pub fn state(&self, now: EpochMs) -> State {
        State {
            present: self.present_at(now).ms(),
            present_stands: matches!(self.present, Present::Standing(_)),
            tickers: self.books.len(),
            trades: self.books.values().map(|book| book.len()).sum(),
            remaining: self.source.remaining(),
            listeners: self.listeners.len(),
            listeners_joined: self.listeners.joined(),
            listeners_too_slow: self.listeners.too_slow(),
            frames: self.frames,
            held: self.held.len(),
            faults: self.ledger.len(),
            faults_forgotten: self.ledger.forgotten(),
            silences: self.silences,
            cuts: self.cuts,
            revisions: self.revisions,
            is_silent: self.is_silent(now),
        }
    }
}
