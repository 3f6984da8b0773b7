//! The ids of what was read, in their order: how far they are confirmed tells
//! where to read on.

use std::collections::VecDeque;

use tape::EpochMs;

use crate::reading::Anchor;

/// Trades read and not all confirmed yet, by rising id.
#[derive(Debug, Default, Clone)]
pub(super) struct Trail {
    anchor: Option<Anchor>,
    read: VecDeque<Anchor>,
    /// The highest id that was ever read.
    told: Option<u64>,
    /// What is from before this is none of ours.
    begins_after: Option<EpochMs>,
}

impl Trail {
    /// Begins after a trade, as far as one is known.
    pub fn from(anchor: Option<Anchor>) -> Self {
        Self { anchor, ..Self::default() }
    }

    /// Begins after a trade that was looked for, with what was made after a moment.
    pub fn begin(&mut self, anchor: Anchor, after: EpochMs) -> Anchor {
        self.begins_after = Some(after);
        *self.anchor.insert(anchor)
    }

    /// Whether a trade was made since the tape begins, as far as that is known.
    pub fn is_ours(&self, traded_at: EpochMs) -> bool {
        self.begins_after.is_none_or(|after| after < traded_at)
    }

    /// The trade up to which all are confirmed.
    pub fn anchor(&self) -> Option<Anchor> {
        self.anchor
    }

    /// Everything at or before this is confirmed: goes on to the last trade
    /// before the first that is later. Times may fall while ids rise.
    pub fn settled(&mut self, until: EpochMs) {
        while let Some(next) = self.read.front().copied().filter(|next| next.traded_at <= until) {
            self.anchor = Some(next);
            self.read.pop_front();
        }
    }

    /// What was read now, after the anchor; what was read before is forgotten.
    pub fn read(&mut self, trades: impl IntoIterator<Item = Anchor>) {
        self.read = trades.into_iter().collect();
        self.told = self.told.max(self.read.back().map(|last| last.id));
    }

    /// The highest id that was ever read.
    pub fn told(&self) -> Option<u64> {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(id: u64, ms: i64) -> Anchor {
        Anchor { id, traded_at: EpochMs::new(ms) }
    }

    #[test]
    fn it_goes_on_to_the_last_id_before_the_first_that_is_later() {
        let mut trail = Trail::from(Some(at(4, 900)));
        trail.read([at(5, 1_000), at(6, 1_300), at(7, 1_100), at(8, 1_400)]);

        trail.settled(EpochMs::new(1_200));
        assert_eq!(trail.anchor(), Some(at(5, 1_000)), "6 is later, so 7 is read again");
        trail.settled(EpochMs::new(1_300));
        assert_eq!(trail.anchor(), Some(at(7, 1_100)));
        trail.settled(EpochMs::new(999));
        assert_eq!(trail.anchor(), Some(at(7, 1_100)));
    }

    #[test]
    fn what_was_told_only_rises() {
        let mut trail = Trail::default();
        assert_eq!(trail.told(), None);

        trail.read([at(6, 1_000), at(7, 1_000)]);
        assert_eq!(trail.told(), Some(7));
        trail.read([at(5, 1_000)]);
        assert_eq!(trail.told(), Some(7));
        trail.read([]);
        assert_eq!(trail.told(), Some(7));
    }
}
