//! The truth about one ticker: its trades in the venue's order, and what became
//! of each on the socket.

use std::collections::{BTreeMap, HashMap, VecDeque};

use tape::{EpochMs, RejectionKind, TradeId};

use crate::true_trade::TrueTrade;

/// What became of a true trade on the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Not sent, being older than the socket.
    Past,
    /// Not sent, being told to REST alone.
    RestOnly,
    /// Its frame is held back and not sent yet.
    Held,
    /// Sent as it was to at least one listener.
    Heard,
    /// Sent with another value.
    Altered,
    /// Sent in a form that must be refused.
    Rejected(RejectionKind),
    /// Never sent.
    Dropped,
    /// Swallowed by a silence.
    Silenced,
    /// Nobody was connected.
    Unheard,
}

impl Delivery {
    /// The delivery's name in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Past => "past",
            Self::RestOnly => "rest_only",
            Self::Held => "held",
            Self::Heard => "heard",
            Self::Altered => "altered",
            Self::Rejected(_) => "rejected",
            Self::Dropped => "dropped",
            Self::Silenced => "silenced",
            Self::Unheard => "unheard",
        }
    }
}

/// A true trade and what became of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The trade.
    pub trade: TrueTrade,
    /// What became of it on the socket.
    pub delivery: Delivery,
    /// Whether its frame came 2 s late or more.
    pub is_late: bool,
    /// How many times its frame was sent again.
    pub copies: u32,
}

impl Entry {
    /// A trade, and what has become of it so far.
    pub fn new(trade: TrueTrade, delivery: Delivery) -> Self {
        Self { trade, delivery, is_late: false, copies: 0 }
    }
}

/// The trades of one ticker, in time order; those of one millisecond in the
/// order in which the venue made them. The oldest are forgotten at a bound.
#[derive(Debug)]
pub struct Book {
    entries: VecDeque<Entry>,
    times: HashMap<TradeId, EpochMs>,
    /// The times by number, for markets whose ids are numbers in the order of making.
    by_number: Option<BTreeMap<u64, EpochMs>>,
    keep: usize,
    forgotten_until: Option<EpochMs>,
}

impl Book {
    /// No trades yet, and at most `keep` ever.
    pub fn new(keep: usize) -> Self {
        Self { entries: VecDeque::new(), times: HashMap::new(), by_number: None, keep, forgotten_until: None }
    }

    /// The same, for trades whose ids are numbers that rise as they are made.
    pub fn numbered(keep: usize) -> Self {
        Self { by_number: Some(BTreeMap::new()), ..Self::new(keep) }
    }

    /// Adds a trade; an id already present is left alone and reported as `false`.
    pub fn insert(&mut self, entry: Entry) -> bool {
        let trade = &entry.trade;
        if self.times.contains_key(&trade.id) {
            return false;
        }
        self.times.insert(trade.id.clone(), trade.traded_at);
        if let Some((numbers, number)) = self.by_number.as_mut().zip(trade.number()) {
            numbers.insert(number, trade.traded_at);
        }
        // Nearly every trade is the latest, and needs no search for its place.
        let is_latest = self.entries.back().is_none_or(|last| last.trade.traded_at <= entry.trade.traded_at);
        let at = if is_latest { self.entries.len() } else { self.end_of(entry.trade.traded_at) };
        self.entries.insert(at, entry);
        while self.keep < self.entries.len() {
            if let Some(oldest) = self.entries.pop_front() {
                self.times.remove(&oldest.trade.id);
                self.forget_number(&oldest.trade);
                self.forgotten_until = Some(oldest.trade.traded_at);
            }
        }
        true
    }

    /// Gives a known trade other values, as a venue does that repairs its
    /// history; `false` when there is no such trade.
    pub fn correct(&mut self, trade: TrueTrade) -> bool {
        let Some(at) = self.position(&trade.id) else {
            return false;
        };
        let Some(mut entry) = self.entries.remove(at) else {
            return false;
        };
        self.times.insert(trade.id.clone(), trade.traded_at);
        if let Some((numbers, number)) = self.by_number.as_mut().zip(trade.number()) {
            numbers.insert(number, trade.traded_at);
        }
        let at = self.end_of(trade.traded_at);
        entry.trade = trade;
        self.entries.insert(at, entry);
        true
    }

    /// Takes a trade out of the truth; `false` when there is no such trade.
    pub fn retract(&mut self, id: &TradeId) -> bool {
        let removed = self.position(id).and_then(|at| self.entries.remove(at));
        self.times.remove(id);
        if let Some(removed) = &removed {
            self.forget_number(&removed.trade);
        }
        removed.is_some()
    }

    fn forget_number(&mut self, trade: &TrueTrade) {
        if let Some((numbers, number)) = self.by_number.as_mut().zip(trade.number()) {
            numbers.remove(&number);
        }
    }

    /// The trades of numbers from `from` on and below `below`, in the order of numbers,
    /// from either end.
    pub fn numbered_between(&self, from: u64, below: u64) -> impl DoubleEndedIterator<Item = &TrueTrade> {
        let numbers = self.by_number.iter().flat_map(move |numbers| numbers.range(from..below.max(from)));
        numbers.filter_map(|(number, at)| self.of_number(*number, *at))
    }

    /// The number that no trade known at `until` reaches: the least of those made later.
    pub fn numbers_known_at(&self, until: EpochMs) -> u64 {
        let later = self.entries.range(self.end_of(until)..);
        later.filter_map(|entry| entry.trade.number()).min().unwrap_or(u64::MAX)
    }

    /// A number that every trade made after an instant exceeds: that of one made well before.
    pub fn number_before(&self, at: EpochMs) -> u64 {
        const WELL_BEFORE_MS: i64 = 1_000;
        let end = self.end_of(at.minus_ms(WELL_BEFORE_MS));
        end.checked_sub(1).and_then(|last| self.entries.get(last)).and_then(|entry| entry.trade.number()).unwrap_or(0)
    }

    fn of_number(&self, number: u64, at: EpochMs) -> Option<&TrueTrade> {
        let same_time = self.entries.range(self.start_of(at)..);
        let same_time = same_time.map(|entry| &entry.trade).take_while(|trade| trade.traded_at == at);
        same_time.into_iter().find(|trade| trade.number() == Some(number))
    }

    /// Whether there is a trade of this id.
    pub fn contains(&self, id: &TradeId) -> bool {
        self.times.contains_key(id)
    }

    /// The entry of an id.
    pub fn entry_mut(&mut self, id: &TradeId) -> Option<&mut Entry> {
        let at = self.position(id)?;
        self.entries.get_mut(at)
    }

    /// The trades from `start` on, at most `limit`, none after `until`. Those up
    /// to and including `after` are left out; an `after` nobody knows is ignored.
    pub fn page(
        &self,
        start: EpochMs,
        after: Option<&TradeId>,
        until: EpochMs,
        limit: usize,
    ) -> impl Iterator<Item = &TrueTrade> {
        let after = after.and_then(|id| self.position(id)).map_or(0, |at| at + 1);
        let from = self.start_of(start).max(after);
        let to = self.end_of(until).max(from);
        self.entries.range(from..to).take(limit).map(|entry| &entry.trade)
    }

    /// The entries with `after < traded_at ≤ until`.
    pub fn between(&self, after: EpochMs, until: EpochMs) -> impl Iterator<Item = &Entry> {
        let from = self.end_of(after);
        let to = self.end_of(until).max(from);
        self.entries.range(from..to)
    }

    /// The time of the latest trade forgotten at the bound; what lies at or
    /// before it is not the whole truth any more.
    pub fn forgotten_until(&self) -> Option<EpochMs> {
        self.forgotten_until
    }

    /// How many trades are held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no trade is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The first and the last time held.
    pub fn span(&self) -> Option<(EpochMs, EpochMs)> {
        Some((self.entries.front()?.trade.traded_at, self.entries.back()?.trade.traded_at))
    }

    fn position(&self, id: &TradeId) -> Option<usize> {
        let at = *self.times.get(id)?;
        let from = self.start_of(at);
        let same_time = self.entries.range(from..).take_while(|entry| entry.trade.traded_at == at);
        same_time.enumerate().find(|(_, entry)| entry.trade.id == *id).map(|(offset, _)| from + offset)
    }

    /// Where the trades at or after an instant begin.
    fn start_of(&self, at: EpochMs) -> usize {
        self.entries.partition_point(|entry| entry.trade.traded_at < at)
    }

    /// Where the trades at or before an instant end.
    fn end_of(&self, at: EpochMs) -> usize {
        self.entries.partition_point(|entry| entry.trade.traded_at <= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: EpochMs = EpochMs::MAX;

    fn trade(id: &str, ts: i64) -> TrueTrade {
        TrueTrade::new("BTC", ts, "1", "1", id).expect("a trade")
    }

    fn book(trades: &[(&str, i64)]) -> Book {
        let mut book = Book::new(100);
        for (id, ts) in trades {
            assert!(book.insert(Entry::new(trade(id, *ts), Delivery::Heard)));
        }
        book
    }

    fn ids<'a>(trades: impl Iterator<Item = &'a TrueTrade>) -> String {
        trades.map(|trade| trade.id.as_str()).collect()
    }

    fn id(text: &str) -> TradeId {
        TradeId::new(text).expect("an id")
    }

    #[test]
    fn a_page_is_in_time_order_and_within_a_millisecond_in_the_order_of_making() {
        let book = book(&[("z", 5), ("b", 7), ("a", 7), ("c", 7), ("y", 6)]);

        assert_eq!(ids(book.page(EpochMs::new(0), None, END, 10)), "zybac");
        assert_eq!(ids(book.page(EpochMs::new(6), None, END, 2)), "yb");
        assert_eq!(ids(book.page(EpochMs::new(0), None, EpochMs::new(6), 10)), "zy");
    }

    #[test]
    fn a_page_goes_on_after_an_id_and_ignores_one_it_does_not_know() {
        let book = book(&[("a", 5), ("b", 7), ("c", 7), ("d", 8)]);

        assert_eq!(ids(book.page(EpochMs::new(7), Some(&id("b")), END, 10)), "cd");
        assert_eq!(ids(book.page(EpochMs::new(7), Some(&id("a")), END, 10)), "bcd");
        assert_eq!(ids(book.page(EpochMs::new(7), Some(&id("x")), END, 10)), "bcd");
        assert_eq!(ids(book.page(EpochMs::new(7), Some(&id("d")), END, 10)), "");
    }

    #[test]
    fn a_span_is_open_on_the_left_and_closed_on_the_right() {
        let book = book(&[("a", 5), ("b", 6), ("c", 7)]);

        let inside = book.between(EpochMs::new(5), EpochMs::new(7)).map(|entry| &entry.trade);
        assert_eq!(ids(inside), "bc");
        assert_eq!(book.between(EpochMs::new(7), EpochMs::new(5)).count(), 0);
    }

    #[test]
    fn the_oldest_are_forgotten_at_the_bound_and_an_id_counts_once() {
        let mut book = Book::new(2);
        for (id, ts) in [("a", 1), ("b", 2), ("c", 3)] {
            assert!(book.insert(Entry::new(trade(id, ts), Delivery::Heard)));
        }

        assert!(!book.insert(Entry::new(trade("c", 9), Delivery::Heard)));
        assert_eq!(ids(book.page(EpochMs::new(0), None, END, 10)), "bc");
        assert!(!book.contains(&id("a")));
        assert_eq!(book.forgotten_until(), Some(EpochMs::new(1)));
    }

    #[test]
    fn a_repaired_trade_moves_to_its_new_time_and_a_retracted_one_is_gone() {
        let mut book = book(&[("a", 5), ("b", 6), ("c", 7)]);

        assert!(book.correct(trade("a", 7)));
        assert_eq!(ids(book.page(EpochMs::new(0), None, END, 10)), "bca");
        assert!(book.retract(&id("c")) && !book.retract(&id("c")));
        assert_eq!(ids(book.page(EpochMs::new(0), None, END, 10)), "ba");
        assert!(!book.correct(trade("x", 7)));
    }
}
