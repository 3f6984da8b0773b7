//! Which marks a page of a series holds: every whole multiple of the step, so
//! that pages and callers agree on them wherever they begin.

use tape::EpochMs;

/// Marks at every multiple of a step, from one instant to another, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// The first instant that may be a mark.
    pub from: EpochMs,
    /// The last instant that may be one.
    pub to: EpochMs,
    /// How far apart they are: whole seconds.
    pub step_ms: i64,
}

/// Part of a grid, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridPage {
    /// The marks.
    pub marks: Vec<EpochMs>,
    /// The first mark after them, when there is one.
    pub next: Option<EpochMs>,
}

impl Grid {
    /// The first multiple of the step at or after an instant.
    pub fn at_or_after(&self, instant: EpochMs) -> EpochMs {
        EpochMs::new(-(-instant.ms()).div_euclid(self.step_ms) * self.step_ms)
    }

    /// Whether an instant is one of the marks.
    pub fn contains(&self, instant: EpochMs) -> bool {
        self.from <= instant && instant <= self.to && instant.ms() % self.step_ms == 0
    }

    /// At most `limit` marks.
    pub fn page(&self, limit: usize) -> GridPage {
        let mut marks = Vec::new();
        let mut mark = self.at_or_after(self.from);
        while mark <= self.to && marks.len() < limit {
            marks.push(mark);
            mark = mark.plus_ms(self.step_ms);
        }
        GridPage { marks, next: Some(mark).filter(|mark| *mark <= self.to) }
    }

    /// The same grid within narrower ends.
    pub fn within(self, from: EpochMs, to: EpochMs) -> Self {
        Self { from: self.from.max(from), to: self.to.min(to), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(from: i64, to: i64, step_ms: i64) -> Grid {
        Grid { from: EpochMs::new(from), to: EpochMs::new(to), step_ms }
    }

    fn page(grid: Grid, limit: usize) -> (Vec<i64>, Option<i64>) {
        let page = grid.page(limit);
        (page.marks.iter().map(|mark| mark.ms()).collect(), page.next.map(EpochMs::ms))
    }

    #[test]
    fn the_marks_are_multiples_of_the_step_and_both_ends_count() {
        assert_eq!(page(grid(1_000, 3_000, 1_000), 9), (vec![1_000, 2_000, 3_000], None));
        assert_eq!(page(grid(1_001, 2_999, 1_000), 9), (vec![2_000], None));
        assert_eq!(page(grid(61_000, 190_000, 60_000), 9), (vec![120_000, 180_000], None));
        assert_eq!(page(grid(1_001, 1_999, 1_000), 9), (vec![], None));
    }

    #[test]
    fn the_next_page_begins_where_this_one_ends() {
        assert_eq!(page(grid(1_000, 4_000, 1_000), 2), (vec![1_000, 2_000], Some(3_000)));
        assert_eq!(page(grid(3_000, 4_000, 1_000), 2), (vec![3_000, 4_000], None));
    }

    #[test]
    fn a_page_at_the_end_of_time_ends() {
        let last = EpochMs::MAX.ms();
        assert!(page(grid(last - 1_000, last, 1_000), 1_000).0.len() <= 1_000);
    }
}
