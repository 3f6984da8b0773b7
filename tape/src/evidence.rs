//! What a receipt says of the trades of a window: exact sums, digest, the first
//! and the last of them, and the digest of every second.

use crate::digest::TradesDigest;
use crate::{Digest, Mark, Sums, Trade};

/// The trades of one second, clipped to the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Second {
    /// The second `(mark − 1 s, mark]`.
    pub mark: Mark,
    /// How many trades.
    pub trades: u64,
    /// Their digest.
    pub digest: Digest,
}

/// What is to be said of the trades of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Their exact sums.
    pub sums: Sums,
    /// Their digest.
    pub digest: Digest,
    /// The first in canonical order.
    pub first: Option<Trade>,
    /// The last in canonical order.
    pub last: Option<Trade>,
    /// The seconds that hold a trade, oldest first.
    pub seconds: Vec<Second>,
}

impl Evidence {
    /// The digest of the second that ends at a mark.
    pub fn second_digest(&self, mark: Mark) -> Digest {
        let found = self.seconds.binary_search_by_key(&mark, |second| second.mark);
        found.map_or_else(|_| Digest::of(b""), |index| self.seconds[index].digest)
    }
}

/// Gathers evidence from trades that come one by one, in canonical order.
/// Its memory depends on the seconds with trades.
#[derive(Debug, Clone, Default)]
pub struct Gathering {
    sums: Sums,
    digest: TradesDigest,
    first: Option<Trade>,
    last: Option<Trade>,
    seconds: Vec<Second>,
    open: Option<(Mark, TradesDigest)>,
}

impl Gathering {
    /// Adds the next trade. The caller sees to the order.
    pub fn add(&mut self, trade: Trade) {
        let Trade { id, traded_at, price, quantity, .. } = &trade;
        self.sums = self.sums.plus(Sums::of(*price, *quantity));
        self.digest.add(*traded_at, id, *price, *quantity);
        let mark = Mark::at_or_after(*traded_at);
        let is_next_second = self.open.as_ref().is_none_or(|(open, _)| *open != mark);
        if is_next_second {
            self.close_second();
        }
        let (_, second) = self.open.get_or_insert_with(|| (mark, TradesDigest::default()));
        second.add(*traded_at, id, *price, *quantity);
        self.first.get_or_insert_with(|| trade.clone());
        self.last = Some(trade);
    }

    /// How many trades were added.
    pub fn trades(&self) -> u64 {
        self.sums.trades
    }

    /// The last trade added.
    pub fn last(&self) -> Option<&Trade> {
        self.last.as_ref()
    }

    /// What it comes to.
    pub fn finish(mut self) -> Evidence {
        self.close_second();
        let Self { sums, digest, first, last, seconds, .. } = self;
        Evidence { sums, digest: digest.finish(), first, last, seconds }
    }

    fn close_second(&mut self) {
        if let Some((mark, digest)) = self.open.take() {
            self.seconds.push(Second { mark, trades: digest.trades(), digest: digest.finish() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EpochMs;
    use crate::reconcile::tests::trade;

    fn mark(ms: i64) -> Mark {
        Mark::at_or_before(EpochMs::new(ms))
    }

    #[test]
    fn the_whole_and_each_second_have_the_digest_of_their_trades() {
        let trades = [trade("a", 900, "1"), trade("b", 1_000, "2"), trade("c", 1_001, "3"), trade("d", 5_000, "4")];
        let mut gathering = Gathering::default();
        assert_eq!((gathering.trades(), gathering.last()), (0, None));
        trades.iter().cloned().for_each(|trade| gathering.add(trade));
        assert_eq!((gathering.trades(), gathering.last()), (4, Some(&trades[3])));

        let evidence = gathering.finish();

        assert_eq!(evidence.digest, TradesDigest::of(&trades));
        assert_eq!((evidence.first.as_ref(), evidence.last.as_ref()), (Some(&trades[0]), Some(&trades[3])));
        assert_eq!((evidence.sums.trades, evidence.sums.notional.to_string().as_str()), (4, "10"));
        let seconds: Vec<_> = evidence.seconds.iter().map(|second| (second.mark, second.trades)).collect();
        assert_eq!(seconds, [(mark(1_000), 2), (mark(2_000), 1), (mark(5_000), 1)]);
        assert_eq!(evidence.second_digest(mark(1_000)), TradesDigest::of(&trades[..2]));
        assert_eq!(evidence.second_digest(mark(2_000)), TradesDigest::of(&trades[2..3]));
        assert_eq!(evidence.second_digest(mark(3_000)), Digest::of(b""));
    }

    #[test]
    fn no_trades_are_evidence_of_nothing() {
        let nothing = Gathering::default().finish();

        assert_eq!((nothing.sums, nothing.digest), (Sums::EMPTY, Digest::of(b"")));
        assert!(nothing.first.is_none() && nothing.seconds.is_empty());
    }
}
