//! The confirmed trades after the last settled mark, exact: what the digest of
//! the next second to be settled is taken over.
//!
//! Memory depends on the trades of a second and of a page, not on the window.

use std::collections::BTreeMap;

use crate::digest::TradesDigest;
use crate::{Digest, EpochMs, Mark, Price, Quantity, Trade, TradeId};

/// Confirmed trades whose second is not settled yet, in canonical order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unfinished {
    trades: BTreeMap<(EpochMs, TradeId), (Price, Quantity)>,
}

impl Unfinished {
    /// Adds a confirmed trade.
    pub fn add(&mut self, trade: &Trade) {
        self.trades.insert((trade.traded_at, trade.id.clone()), (trade.price, trade.quantity));
    }

    /// Takes out a trade that REST corrected. Returns whether it was there with
    /// these very values.
    #[must_use]
    pub fn remove(&mut self, trade: &Trade) -> bool {
        let was = self.trades.remove(&(trade.traded_at, trade.id.clone()));
        was == Some((trade.price, trade.quantity))
    }

    /// Lets go of the trades of the second that ends at a mark, and returns
    /// their digest. Marks are finished one after the other.
    pub fn finish(&mut self, mark: Mark) -> Digest {
        let mut digest = TradesDigest::default();
        while let Some(first) = self.trades.first_entry() {
            let (traded_at, id) = first.key();
            if mark.at() < *traded_at {
                break;
            }
            let (price, quantity) = *first.get();
            digest.add(*traded_at, id, price, quantity);
            first.remove();
        }
        digest.finish()
    }

    /// How many trades are held.
    pub fn held_trades(&self) -> usize {
        self.trades.len()
    }
}

impl<'a> FromIterator<&'a Trade> for Unfinished {
    fn from_iter<I: IntoIterator<Item = &'a Trade>>(trades: I) -> Self {
        let mut unfinished = Self::default();
        trades.into_iter().for_each(|trade| unfinished.add(trade));
        unfinished
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::trade;

    fn mark(ms: i64) -> Mark {
        Mark::at_or_before(EpochMs::new(ms))
    }

    #[test]
    fn each_second_has_the_digest_of_its_own_trades_and_its_closing_edge_belongs_to_it() {
        let trades = [trade("b", 1_000, "1"), trade("a", 1_000, "2"), trade("c", 1_001, "3"), trade("d", 3_000, "4")];
        let mut unfinished: Unfinished = trades.iter().collect();
        assert_eq!(unfinished.held_trades(), 4);

        let digests = [1_000, 2_000, 3_000].map(|ms| unfinished.finish(mark(ms)));

        let of = |trades: &[Trade]| TradesDigest::of(trades);
        assert_eq!(digests, [of(&trades[..2]), of(&trades[2..3]), of(&trades[3..])]);
        assert_eq!(unfinished.held_trades(), 0);
    }

    #[test]
    fn a_second_without_trades_has_the_digest_of_nothing() {
        assert_eq!(Unfinished::default().finish(mark(1_000)), Digest::of(b""));
    }

    #[test]
    fn a_corrected_trade_leaves_with_its_old_values_only() {
        let mut unfinished = Unfinished::default();
        unfinished.add(&trade("a", 500, "1"));

        assert!(!unfinished.clone().remove(&trade("a", 500, "2")));
        assert!(!unfinished.clone().remove(&trade("a", 501, "1")));
        assert!(unfinished.remove(&trade("a", 500, "1")));
        assert_eq!(unfinished, Unfinished::default());
    }
}
