//! The span one average covers: open on the left, closed on the right.

use crate::{EpochMs, Interval};

/// The span `(opens_after, closes_at]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    opens_after: EpochMs,
    closes_at: EpochMs,
}

impl Window {
    /// The window of length `interval` that closes at `closes_at`.
    pub fn closing_at(closes_at: EpochMs, interval: Interval) -> Self {
        Self { opens_after: closes_at.minus_ms(interval.ms()), closes_at }
    }

    /// Whether a trade made at `traded_at` belongs to this window.
    ///
    /// ```
    /// use tape::{EpochMs, Interval, Window};
    /// let window = Window::closing_at(EpochMs::new(600_000), Interval::DEFAULT);
    /// assert!(window.contains(EpochMs::new(600_000)));
    /// assert!(!window.contains(EpochMs::new(300_000)));
    /// ```
    pub fn contains(self, traded_at: EpochMs) -> bool {
        self.opens_after < traded_at && traded_at <= self.closes_at
    }

    /// The instant after which trades belong to it.
    pub fn opens_after(self) -> EpochMs {
        self.opens_after
    }

    /// The last instant that belongs to it.
    pub fn closes_at(self) -> EpochMs {
        self.closes_at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_trade_on_the_closing_edge_belongs_to_the_window_and_one_on_the_opening_edge_does_not() {
        let window = Window::closing_at(EpochMs::new(1_000_000), Interval::DEFAULT);

        assert!(window.contains(EpochMs::new(1_000_000)));
        assert!(!window.contains(EpochMs::new(1_000_001)));
        assert!(!window.contains(EpochMs::new(700_000)));
        assert!(window.contains(EpochMs::new(700_001)));
    }

    proptest! {
        #[test]
        fn neighboring_windows_share_no_trade_and_leave_none_out(edge in 0i64..10_000_000, length in 1i64..1_000_000, at in 0i64..10_000_000) {
            let interval = Interval::from_ms(length).unwrap();
            let left = Window::closing_at(EpochMs::new(edge), interval);
            let right = Window::closing_at(EpochMs::new(edge + length), interval);
            let at = EpochMs::new(at);
            prop_assert!(!(left.contains(at) && right.contains(at)));
            let in_span = edge - length < at.ms() && at.ms() <= edge + length;
            prop_assert_eq!(in_span, left.contains(at) || right.contains(at));
        }
    }
}
