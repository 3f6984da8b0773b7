//! Frames held back to be sent later, in the order in which they fall due.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::true_trade::TrueTrade;

/// Why a frame is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// To be overtaken.
    Overtaken,
    /// To be late.
    Late,
    /// To be sent once more.
    Again,
}

/// What is to be said of a true trade at `due_ms`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldFrame {
    /// When it falls due.
    pub due_ms: i64,
    sequence: u64,
    /// Why it is held back.
    pub why: Held,
    /// The trade, as it was when it was held back.
    pub trade: TrueTrade,
}

impl Ord for HeldFrame {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due_ms, self.sequence).cmp(&(other.due_ms, other.sequence))
    }
}

impl PartialOrd for HeldFrame {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Frames held back. They are at most five seconds' worth, so their number is
/// bounded by the pace of the market.
#[derive(Debug, Default)]
pub struct HeldFrames {
    frames: BinaryHeap<Reverse<HeldFrame>>,
    sequence: u64,
}

impl HeldFrames {
    /// Holds a frame back.
    pub fn hold(&mut self, due_ms: i64, why: Held, trade: TrueTrade) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.frames.push(Reverse(HeldFrame { due_ms, sequence, why, trade }));
    }

    /// The next frame, if it is due.
    pub fn due(&mut self, now_ms: i64) -> Option<HeldFrame> {
        let is_due = self.next_at().is_some_and(|due_ms| due_ms <= now_ms);
        if is_due { self.frames.pop().map(|Reverse(frame)| frame) } else { None }
    }

    /// When the next frame falls due.
    pub fn next_at(&self) -> Option<i64> {
        self.frames.peek().map(|Reverse(frame)| frame.due_ms)
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_fall_due_by_time_and_equal_ones_in_the_order_of_holding() {
        let mut held = HeldFrames::default();
        for (due_ms, id) in [(30, "c"), (20, "a"), (20, "b")] {
            held.hold(due_ms, Held::Late, TrueTrade::new("BTC", 1, "1", "1", id).expect("a trade"));
        }

        assert_eq!(held.due(19), None);
        let ids: Vec<_> = std::iter::from_fn(|| held.due(29)).map(|frame| frame.trade.id.to_string()).collect();
        assert_eq!(ids, ["a", "b"]);
        assert_eq!((held.next_at(), held.len()), (Some(30), 1));
    }
}
