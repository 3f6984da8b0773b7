//! What is said beside a provisional figure about how wrong it may be.

use super::{Class, Coverage, Deviation, Evidence, Level, Outcomes, Terms, Unsaid};
use crate::book::Said;
use crate::{Book, EpochMs};

/// The bound of one provisional figure, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// How long the unconfirmed tail of the window is, in milliseconds.
    pub tail_ms: i64,
    /// What the figure is alike in to those whose errors are its evidence.
    pub class: Class,
    /// How far the final price will lie from this one, at most.
    pub bound: Result<Deviation, Unsaid>,
    /// How often that shall be true.
    pub coverage: Coverage,
    /// The level at which the evidence was read.
    pub level: Level,
    /// How often what was said over the last day held.
    pub day: Outcomes,
}

impl Statement {
    /// What can be said of a figure the book has just given, from the evidence there is by then.
    pub fn of(said: &Said, book: &Book, evidence: &mut Evidence, terms: Terms) -> Self {
        let tail_ms = tail_ms(said, book.watermark().settled_until());
        let class = Class::of(tail_ms, book.heard_sums().volume, said.sums.volume);
        let (bound, level) = evidence.bound(said.mark, class, terms);
        let bound = if said.sums.is_empty() { Err(Unsaid::NoPrice) } else { bound };
        Self { tail_ms, class, bound, coverage: terms.coverage, level, day: evidence.achieved() }
    }
}

/// No tail is longer than it matters: before its opening edge a window holds nothing.
fn tail_ms(said: &Said, settled_until: EpochMs) -> i64 {
    said.mark.at().ms_since(settled_until).max(0)
}
