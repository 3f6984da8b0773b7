//! A window that moves from mark to mark, with running sums.
//!
//! Trades are folded into buckets of one second, `(k − 1 s, k]`; a step to the
//! next mark adds the buckets that enter and takes out those that leave. So a
//! mark costs the same however many trades its window holds, and memory
//! depends on the seconds with trades, not on the number of trades.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::mem::offset_of;

use crate::prefetch::{prefetch, prefetch_from};
use crate::{EpochMs, Mark, Sums};

/// So many of the newest seconds are looked at one by one before the others are searched.
const LOOKED_BACK: usize = 8;

/// The running sums of a window of whole seconds.
///
/// The newest second stands in the window itself: nearly every trade belongs to
/// it, and the others are far from the processor when windows are long or many.
// Of a trade beyond the closing edge only the sums, last of all, know nothing.
#[derive(Debug, Clone)]
#[repr(C)]
pub struct Rolling {
    seconds: i64,
    closes_at: Mark,
    /// How many seconds, the newest, lie beyond the closing edge.
    beyond: usize,
    /// The newest second with trades.
    newest: Option<(Mark, Sums)>,
    /// The non-empty seconds before it and after the opening edge, oldest first.
    /// None where there is no newest one.
    older: VecDeque<(Mark, Sums)>,
    /// The sums of the seconds at or before the closing edge.
    sums: Sums,
}

impl Rolling {
    /// An empty window of so many seconds, at least one, closing at a mark.
    pub fn new(seconds: i64, closes_at: Mark) -> Self {
        let older = VecDeque::new();
        Self { seconds: seconds.max(1), closes_at, beyond: 0, newest: None, older, sums: Sums::EMPTY }
    }

    /// The mark at which the window closes.
    pub fn closes_at(&self) -> Mark {
        self.closes_at
    }

    /// The exact sums of the trades in the window.
    pub fn sums(&self) -> Sums {
        self.sums
    }

    /// Prefetches what adding to the newest second needs, beyond the closing edge.
    #[inline(always)]
    pub(crate) fn prefetch_newest(&self) {
        prefetch_from(&self.seconds, offset_of!(Self, older));
        prefetch(&self.older);
    }

    /// Prefetches the window itself.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        prefetch_from(&self.seconds, size_of::<Self>());
    }

    /// Prefetches what adding to the second after the newest needs besides, if
    /// that is the one of this trade.
    #[inline(always)]
    pub(crate) fn prefetch_next(&self, traded_at: EpochMs) {
        if self.newest.is_some_and(|(second, _)| second.at() < traded_at) {
            self.older.back().into_iter().for_each(prefetch_second);
        }
    }

    /// Prefetches what a step to the next mark needs besides: the second that
    /// leaves, and the one that enters.
    #[inline(always)]
    pub(crate) fn prefetch_step(&self) {
        let entering = (self.older.len() + 1).checked_sub(self.beyond).and_then(|place| self.older.get(place));
        self.older.front().into_iter().chain(entering).for_each(prefetch_second);
    }

    /// Adds a trade, or the sums of several made in one second. What lies before
    /// the window is left out: no later mark can hold it.
    pub fn add(&mut self, traded_at: EpochMs, sums: Sums) {
        let mark = Mark::at_or_after(traded_at);
        if sums.is_empty() || !self.may_still_hold(mark) {
            return;
        }
        let is_beyond = self.closes_at < mark;
        if self.add_to_second(mark, sums) {
            self.beyond += usize::from(is_beyond);
        }
        if !is_beyond {
            self.sums = self.sums.plus(sums);
        }
    }

    /// Adds to one of the seconds. Returns whether it had no trades before.
    fn add_to_second(&mut self, mark: Mark, sums: Sums) -> bool {
        match &mut self.newest {
            Some((second, own)) if *second == mark => {
                *own = own.plus(sums);
                return false;
            }
            Some((second, _)) if mark < *second => {}
            newest => {
                let before = newest.replace((mark, sums));
                self.older.extend(before);
                return true;
            }
        }
        match self.find_older(mark) {
            Ok(index) => {
                self.older[index].1 = self.older[index].1.plus(sums);
                false
            }
            Err(index) => {
                self.older.insert(index, (mark, sums));
                true
            }
        }
    }

    /// Takes out what was added before. Returns whether it could have been there;
    /// if not, nothing changes and the window must be rebuilt.
    #[must_use]
    pub fn remove(&mut self, traded_at: EpochMs, sums: Sums) -> bool {
        let mark = Mark::at_or_after(traded_at);
        if sums.is_empty() || !self.may_still_hold(mark) {
            return true;
        }
        let is_newest = self.newest.is_some_and(|(second, _)| second == mark);
        let older = if is_newest { None } else { self.find_older(mark).ok() };
        let own = match older {
            Some(index) => Some(&mut self.older[index].1),
            None if is_newest => self.newest.as_mut().map(|(_, own)| own),
            None => None,
        };
        let Some(own) = own else { return false };
        let Some(rest) = own.minus(sums) else {
            return false;
        };
        *own = rest;
        let is_beyond = self.closes_at < mark;
        if rest.is_empty() {
            match older {
                Some(index) => drop(self.older.remove(index)),
                None => self.newest = self.older.pop_back(),
            }
            self.beyond -= usize::from(is_beyond);
        }
        if !is_beyond {
            self.sums = self.sums.minus(sums).expect("the window's sums hold each of its seconds");
        }
        true
    }

    /// Moves the closing edge to a mark, never back, and returns the sums there.
    pub fn advance_to(&mut self, mark: Mark) -> Sums {
        if mark <= self.closes_at {
            return self.sums;
        }
        // The newest of those beyond the edge is the newest of all.
        let (has_beyond, older_beyond) = (self.beyond > 0, self.beyond.saturating_sub(1));
        let newest_beyond = self.newest.iter().filter(|_| has_beyond);
        for (second, sums) in self.older.range(self.older.len() - older_beyond..).chain(newest_beyond) {
            if *second > mark {
                break;
            }
            self.beyond -= 1;
            self.sums = self.sums.plus(*sums);
        }
        self.closes_at = mark;
        while let Some((second, sums)) = self.older.front().copied().or(self.newest) {
            if self.may_still_hold(second) {
                break;
            }
            if self.older.pop_front().is_none() {
                self.newest = None;
            }
            self.sums = self.sums.minus(sums).expect("the window's sums hold each of its seconds");
        }
        self.sums
    }

    /// How many seconds with trades are held.
    pub fn held_seconds(&self) -> usize {
        self.older.len() + usize::from(self.newest.is_some())
    }

    fn may_still_hold(&self, second: Mark) -> bool {
        self.closes_at.minus_seconds(self.seconds) < second
    }

    fn find_older(&self, mark: Mark) -> Result<usize, usize> {
        // What is late mostly belongs to one of the last few.
        let recent = self.older.len().saturating_sub(LOOKED_BACK);
        for index in (recent..self.older.len()).rev() {
            match self.older[index].0.cmp(&mark) {
                Ordering::Equal => return Ok(index),
                Ordering::Less => return Err(index + 1),
                Ordering::Greater => {}
            }
        }
        self.older.binary_search_by_key(&mark, |second| second.0)
    }
}

/// Prefetches a second and its sums.
#[inline(always)]
fn prefetch_second((second, sums): &(Mark, Sums)) {
    prefetch(second);
    prefetch(&sums.notional);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Interval, Price, Quantity, Window};

    fn sums(units: u64) -> Sums {
        Sums::of(
            Price::parse(&format!("{units}.5")).expect("price"),
            Quantity::parse(&format!("{units}e-3")).expect("quantity"),
        )
    }

    fn mark(second: i64) -> Mark {
        Mark::at_or_after(EpochMs::new(second * 1000))
    }

    /// One plain scan: the sums of the trades a window contains.
    fn scan(trades: &[(i64, u64)], closes_at: Mark, seconds: i64) -> Sums {
        let window = Window::closing_at(closes_at.at(), Interval::from_ms(seconds * 1000).expect("interval"));
        trades.iter().filter(|trade| window.contains(EpochMs::new(trade.0))).map(|trade| sums(trade.1)).sum()
    }

    #[test]
    fn a_trade_leaves_when_the_opening_edge_reaches_it() {
        let mut rolling = Rolling::new(5, mark(10));
        rolling.add(EpochMs::new(10_000), sums(1));

        assert_eq!(rolling.sums().trades, 1);
        assert_eq!(rolling.advance_to(mark(14)).trades, 1);
        assert_eq!(rolling.advance_to(mark(15)), Sums::EMPTY);
    }

    #[test]
    fn a_trade_beyond_the_closing_edge_waits_for_its_mark() {
        let mut rolling = Rolling::new(5, mark(10));
        rolling.add(EpochMs::new(10_001), sums(1));

        assert_eq!(rolling.sums(), Sums::EMPTY);
        assert_eq!(rolling.advance_to(mark(11)).trades, 1);
    }

    #[test]
    fn a_trade_too_old_for_any_later_mark_is_left_out() {
        let mut rolling = Rolling::new(5, mark(10));
        rolling.add(EpochMs::new(5_000), sums(1));
        assert_eq!(rolling.sums(), Sums::EMPTY);

        rolling.add(EpochMs::new(5_001), sums(1));
        assert_eq!(rolling.sums().trades, 1);
    }

    #[test]
    fn taking_out_what_was_never_there_changes_nothing_and_says_so() {
        let mut rolling = Rolling::new(5, mark(10));
        rolling.add(EpochMs::new(9_000), sums(1));

        assert!(!rolling.remove(EpochMs::new(8_000), sums(1)));
        assert!(!rolling.remove(EpochMs::new(9_000), sums(2)));
        assert_eq!(rolling.sums(), sums(1));
    }

    #[test]
    fn no_trades_take_no_room_and_can_be_taken_out_of_any_second() {
        let mut rolling = Rolling::new(5, mark(10));

        rolling.add(EpochMs::new(9_000), Sums::EMPTY);

        assert_eq!(rolling.held_seconds(), 0);
        assert!(rolling.remove(EpochMs::new(9_000), Sums::EMPTY));
        assert!(rolling.remove(EpochMs::new(5_000), sums(1)), "what no window can hold any more needs no rebuilding");
    }

    #[test]
    fn a_jump_past_every_trade_leaves_nothing_held() {
        let mut rolling = Rolling::new(5, mark(10));
        for second in 6..=30 {
            rolling.add(EpochMs::new(second * 1000), sums(1));
        }
        assert_eq!(rolling.held_seconds(), 25);

        assert_eq!(rolling.advance_to(mark(1_000)), Sums::EMPTY);
        assert_eq!(rolling.held_seconds(), 0);
    }

    proptest! {
        #[test]
        fn running_sums_equal_a_plain_scan_at_every_mark_whatever_arrives_late_or_is_corrected(
            steps in prop::collection::vec((0i64..40_000, 1u64..1000, 0i64..3, any::<bool>()), 1..80),
            seconds in 1i64..12,
        ) {
            let mut rolling = Rolling::new(seconds, mark(0));
            let mut trades: Vec<(i64, u64)> = Vec::new();
            for (traded_at, units, advance, take_one_out) in steps {
                rolling.add(EpochMs::new(traded_at), sums(units));
                trades.push((traded_at, units));
                if take_one_out {
                    let (traded_at, units) = trades.remove(usize::try_from(units).unwrap() % trades.len());
                    prop_assert!(rolling.remove(EpochMs::new(traded_at), sums(units)));
                }
                let closes_at = rolling.closes_at().minus_seconds(-advance);
                prop_assert_eq!(rolling.advance_to(closes_at), scan(&trades, closes_at, seconds));
            }
        }
    }
}
