//! What an answer says about how wrong its provisional figure may be.

use serde::Serialize;
use store::answers::Figure;
use tape::bound::{Outcomes, Unsaid};
use tape::consolidated::Hull;
use utoipa::ToSchema;

/// How far the final price will lie from this provisional one, at most, as far
/// as the feed's past faults tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Bound)]
pub struct BoundAnswer {
    /// The share of such bounds that shall hold.
    #[schema(example = "0.99")]
    coverage: Option<String>,
    /// The bound in basis points of this price. Null when there is none: see `reason`.
    /// Of a consolidated figure the prices below lie within it, and may be closer.
    #[schema(example = "1.25")]
    bps: Option<String>,
    /// The lowest final price within the bound.
    price_low: Option<String>,
    /// The highest final price within the bound.
    price_high: Option<String>,
    /// The share of the bounds said over the last day that did hold, to six
    /// decimals, rounded down. Null before the first of them was put to the test.
    achieved: Option<String>,
    /// How many bounds that counts. Nobody counts those of consolidated figures: each part has its own.
    over_marks: u64,
    /// How much of the window is not confirmed, in milliseconds: only this tail is uncertain.
    tail_ms: i64,
    /// The share at which the evidence was read: `1 − coverage`, steered by what
    /// was missed. Below zero the largest error of the last day is multiplied.
    level: Option<String>,
    /// Why there is no bound: `not_enough_evidence`, `no_finite_bound` or `no_price`.
    #[schema(example = "not_enough_evidence")]
    reason: Option<String>,
    /// How many final marks of the last day are evidence for a figure like this
    /// one, when those are too few.
    marks: Option<u64>,
    /// How many are needed.
    marks_needed: Option<u64>,
}

impl BoundAnswer {
    /// What is said of a figure; none of a final one, which is exact.
    pub fn of(figure: &Figure) -> Option<Self> {
        let bound = figure.bound.filter(|_| !figure.is_final)?;
        let range = bound.deviation.zip(figure.price).map(|(deviation, price)| deviation.around(price));
        let evidence = match bound.unsaid {
            Some(Unsaid::NotEnoughEvidence { marks, needed }) if needed > 0 => Some((marks, needed)),
            _ => None,
        };
        Some(Self {
            coverage: bound.coverage.map(|coverage| coverage.to_string()),
            bps: bound.deviation.map(|deviation| deviation.to_string()),
            price_low: range.map(|(low, _)| low.to_string()),
            price_high: range.map(|(_, high)| high.to_string()),
            achieved: achieved(bound.day),
            over_marks: bound.day.said(),
            tail_ms: bound.tail_ms,
            level: bound.level.map(|level| level.to_string()),
            reason: bound.unsaid.map(|unsaid| unsaid.as_str().to_owned()),
            marks: evidence.map(|(marks, _)| marks),
            marks_needed: evidence.map(|(_, needed)| needed),
        })
    }
}

impl BoundAnswer {
    /// What the bounds of its parts say of a consolidated figure.
    pub fn of_hull(hull: &Hull) -> Self {
        let (range, unsaid) = (hull.within.ok(), hull.within.err());
        let evidence = match unsaid {
            Some(Unsaid::NotEnoughEvidence { marks, needed }) if needed > 0 => Some((marks, needed)),
            _ => None,
        };
        Self {
            coverage: range.map(|range| range.coverage.to_string()),
            bps: range.map(|range| range.deviation.to_string()),
            price_low: range.map(|range| range.lowest.to_string()),
            price_high: range.map(|range| range.highest.to_string()),
            achieved: None,
            over_marks: 0,
            tail_ms: hull.tail_ms,
            level: None,
            reason: unsaid.map(|unsaid| unsaid.as_str().to_owned()),
            marks: evidence.map(|(marks, _)| marks),
            marks_needed: evidence.map(|(_, needed)| needed),
        }
    }
}

/// The share of bounds that held.
pub fn achieved(outcomes: Outcomes) -> Option<String> {
    outcomes.achieved().map(|share| share.to_string())
}
