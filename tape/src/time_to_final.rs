//! How long marks take to become final, measured over the latest of them.

use std::collections::VecDeque;

use crate::{EpochMs, Mark};

/// So many of the latest marks are remembered.
const MARKS_REMEMBERED: usize = 300;

/// How long it took the latest live marks of a ticker to become final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeToFinal {
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: i64,
    /// 99 of 100 took no longer, in milliseconds.
    pub p99_ms: i64,
    /// How many marks that rests on.
    pub marks: usize,
}

/// The latest times from a mark to its final figure, a bounded number of them.
#[derive(Debug, Clone, Default)]
pub struct TimesToFinal {
    latest: VecDeque<i64>,
}

impl TimesToFinal {
    /// Notes that a mark became final at an instant.
    pub fn note(&mut self, mark: Mark, final_at: EpochMs) {
        if self.latest.len() == MARKS_REMEMBERED {
            self.latest.pop_front();
        }
        self.latest.push_back(final_at.ms_since(mark.at()).max(0));
    }

    /// The percentiles by nearest rank; none before there is a mark.
    pub fn measured(&self) -> Option<TimeToFinal> {
        let mut sorted: Vec<i64> = self.latest.iter().copied().collect();
        sorted.sort_unstable();
        let at_rank = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(TimeToFinal { p50_ms: at_rank(50)?, p99_ms: at_rank(99)?, marks: sorted.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(of: impl IntoIterator<Item = i64>) -> TimesToFinal {
        let mut times = TimesToFinal::default();
        for ms in of {
            times.note(Mark::at_or_before(EpochMs::new(5_000)), EpochMs::new(5_000 + ms));
        }
        times
    }

    #[test]
    fn percentiles_are_times_that_occurred() {
        let measured = times(1..=200).measured();

        assert_eq!(measured, Some(TimeToFinal { p50_ms: 100, p99_ms: 198, marks: 200 }));
        assert_eq!(times([7]).measured(), Some(TimeToFinal { p50_ms: 7, p99_ms: 7, marks: 1 }));
        assert_eq!(times([9, 1]).measured(), Some(TimeToFinal { p50_ms: 1, p99_ms: 9, marks: 2 }));
    }

    #[test]
    fn without_a_mark_nothing_is_measured() {
        assert_eq!(times([]).measured(), None);
    }

    #[test]
    fn only_the_latest_are_remembered() {
        let long_ago = std::iter::repeat_n(1_000_000, 500);

        assert_eq!(
            times(long_ago.chain(1..=300)).measured(),
            Some(TimeToFinal { p50_ms: 150, p99_ms: 297, marks: 300 })
        );
    }
}
