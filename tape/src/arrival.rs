//! What a trade heard on the socket is, given what is already held of it.

use crate::{EpochMs, Known, Standing, Trade};

/// What to do with one heard trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Not known yet and beyond the watermark: it counts until REST speaks.
    New,
    /// Not known, but claims a time already settled. It may be a phantom or a
    /// trade whose time was altered; it is kept aside and counts nowhere.
    Unplaced,
    /// Heard before: one more copy.
    Duplicate,
    /// REST confirmed it before the socket brought it, with the same values.
    LateCopy,
    /// REST confirmed it before the socket brought it, with other values.
    LateAltered,
}

impl Arrival {
    /// Judges a heard trade by what is held under its id and by how far its
    /// ticker is settled. Never is a confirmed trade replaced.
    pub fn of(heard: &Trade, known: Option<&Known>, settled_until: EpochMs) -> Self {
        let Some(known) = known else {
            let is_settled = heard.traded_at <= settled_until;
            return if is_settled { Self::Unplaced } else { Self::New };
        };
        match known.standing {
            Standing::Heard { .. } | Standing::Confirmed { was_heard: true } => Self::Duplicate,
            Standing::Confirmed { was_heard: false } if known.trade == *heard => Self::LateCopy,
            Standing::Confirmed { was_heard: false } => Self::LateAltered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::trade;

    const SETTLED: EpochMs = EpochMs::new(1_000);

    fn known(trade: Trade, standing: Standing) -> Known {
        Known { trade, standing }
    }

    #[test]
    fn an_unknown_trade_counts_only_beyond_the_watermark() {
        assert_eq!(Arrival::of(&trade("a", 1_001, "1"), None, SETTLED), Arrival::New);
        assert_eq!(Arrival::of(&trade("a", 1_000, "1"), None, SETTLED), Arrival::Unplaced);
    }

    #[test]
    fn a_second_copy_is_a_duplicate_whatever_it_says() {
        let heard =
            known(trade("a", 1_001, "1"), Standing::Heard { received_at: EpochMs::new(1_002), suspicion: None });
        let confirmed = known(trade("a", 900, "1"), Standing::Confirmed { was_heard: true });

        assert_eq!(Arrival::of(&trade("a", 1_001, "2"), Some(&heard), SETTLED), Arrival::Duplicate);
        assert_eq!(Arrival::of(&trade("a", 1_900, "1"), Some(&confirmed), SETTLED), Arrival::Duplicate);
    }

    #[test]
    fn a_copy_that_comes_after_rest_is_compared_with_it() {
        let confirmed = known(trade("a", 900, "1"), Standing::Confirmed { was_heard: false });

        assert_eq!(Arrival::of(&trade("a", 900, "1"), Some(&confirmed), SETTLED), Arrival::LateCopy);
        assert_eq!(Arrival::of(&trade("a", 1_900, "1"), Some(&confirmed), SETTLED), Arrival::LateAltered);
    }
}
