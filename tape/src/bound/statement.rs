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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::trade;
    use crate::{Mark, Unfinished, Watermark};

    const TERMS: Terms = Terms { coverage: Coverage::DEFAULT, min_marks: 100 };

    fn mark(second: i64) -> Mark {
        Mark::at_or_before(EpochMs::new(second * 1000))
    }

    /// Confirmed up to 7.5 s after second 100, and not spoken of since second 100.
    fn book() -> Book {
        let watermark = Watermark::Through(EpochMs::new(107_500));
        Book::rebuild(watermark, 300, mark(100), &[], Unfinished::default())
    }

    #[test]
    fn a_tail_reaches_from_the_watermark_to_the_mark_and_is_never_negative() {
        let said = |second: i64| book().provisional_at(mark(second)).expect("provisional");
        let statement = |said: &Said| Statement::of(said, &book(), &mut Evidence::default(), TERMS);

        assert_eq!(statement(&said(110)).tail_ms, 2_500);
        // Eight times the binary logarithm of 2,048, and nothing heard.
        assert_eq!(statement(&said(110)).class.number(), 88);
        let settled_since = Said { mark: mark(107), ..said(110) };
        assert_eq!(statement(&settled_since).tail_ms, 0);
    }

    #[test]
    fn an_empty_window_has_no_price_to_bound_and_one_with_trades_too_little_evidence_at_first() {
        let mut book = book();
        let empty = book.provisional_at(mark(110)).expect("provisional");
        let of_nothing = Statement::of(&empty, &book, &mut Evidence::default(), TERMS);
        assert_eq!(of_nothing.bound, Err(Unsaid::NoPrice));

        book.hear(&trade("a", 109_000, "10"), None);
        let heard = book.provisional_at(mark(110)).expect("provisional");
        let statement = Statement::of(&heard, &book, &mut Evidence::default(), TERMS);

        assert_eq!(statement.bound, Err(Unsaid::NotEnoughEvidence { marks: 0, needed: 100 }));
        assert_eq!(statement.class.number(), 94, "all of the volume is heard");
        assert_eq!((statement.coverage, statement.level.billionths()), (Coverage::DEFAULT, 10_000_000));
        assert_eq!(statement.day, Outcomes::default());
    }
}
