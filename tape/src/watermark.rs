//! How far a ticker is confirmed. The watermark comes from REST alone and only
//! moves forward.

use std::cmp::Ordering;

use crate::{EpochMs, TradeId};

/// Everything at or before it is confirmed.
///
/// Time alone cannot say where reading stopped, since hundreds of trades share
/// one millisecond; so a watermark either lies *within* a millisecond, after a
/// named trade in the venue's own order, or has passed one *through*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Watermark {
    /// Confirmed up to and including this trade; more may follow at the same millisecond.
    Within {
        /// The millisecond reading stopped in.
        at: EpochMs,
        /// The last trade read, in the venue's order.
        last: TradeId,
    },
    /// Everything at or before this millisecond is confirmed.
    Through(EpochMs),
}

impl Watermark {
    /// The last millisecond of which everything is confirmed. A mark at or
    /// before it is settled.
    pub fn settled_until(&self) -> EpochMs {
        match self {
            Self::Within { at, .. } => at.minus_ms(1),
            Self::Through(at) => *at,
        }
    }

    /// The first millisecond that may hold something unread: where to ask next, inclusive.
    pub fn ask_from(&self) -> EpochMs {
        match self {
            Self::Within { at, .. } => *at,
            Self::Through(at) => at.plus_ms(1),
        }
    }

    /// The trade to resume after, when reading stopped within a millisecond.
    pub fn ask_after(&self) -> Option<&TradeId> {
        match self {
            Self::Within { last, .. } => Some(last),
            Self::Through(_) => None,
        }
    }

    /// Whether going from here to `next` is a step forward. Two positions
    /// within one millisecond are ordered by the venue alone, so a step there
    /// counts as forward.
    pub fn is_before(&self, next: &Self) -> bool {
        match self.settled_until().cmp(&next.settled_until()) {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => match (self, next) {
                (Self::Through(_), Self::Within { .. }) => true,
                (Self::Within { last: here, .. }, Self::Within { last: there, .. }) => here != there,
                (_, Self::Through(_)) => false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(at: i64, id: &str) -> Watermark {
        Watermark::Within { at: EpochMs::new(at), last: TradeId::new(id).expect("id") }
    }

    fn through(at: i64) -> Watermark {
        Watermark::Through(EpochMs::new(at))
    }

    #[test]
    fn a_millisecond_read_in_part_is_not_settled() {
        assert_eq!(within(1_000, "a").settled_until().ms(), 999);
        assert_eq!(through(1_000).settled_until().ms(), 1_000);
    }

    #[test]
    fn reading_resumes_inside_the_millisecond_or_right_after_it() {
        assert_eq!(within(1_000, "a").ask_from().ms(), 1_000);
        assert_eq!(through(1_000).ask_from().ms(), 1_001);
        assert_eq!(within(1_000, "a").ask_after().map(TradeId::as_str), Some("a"));
        assert_eq!(through(1_000).ask_after(), None);
    }

    #[test]
    fn the_order_is_through_then_within_the_next_then_through_it() {
        assert!(through(999).is_before(&within(1_000, "a")));
        assert!(within(1_000, "a").is_before(&within(1_000, "b")));
        assert!(within(1_000, "b").is_before(&through(1_000)));
        assert!(through(1_000).is_before(&within(1_001, "c")));
    }

    #[test]
    fn nothing_is_before_itself_or_before_its_past() {
        assert!(!within(1_000, "a").is_before(&within(1_000, "a")));
        assert!(!through(5).is_before(&through(5)));
        assert!(!through(1_000).is_before(&within(1_000, "a")));
        assert!(!within(1_000, "a").is_before(&through(999)));
        assert!(!within(1_000, "a").is_before(&through(500)));
    }
}
