//! How wrong a consolidated figure may be, from what is said of its parts.
//!
//! However the volumes turn out, the final price of all lies between the lowest
//! and the highest final price of one: it is a mean of theirs. So where each
//! part stays within its own bound, the whole stays within the hull of those.
//! And it leaves the hull no more often than the parts leave their bounds, added
//! up: that needs no assumption on how their faults hang together.

use super::Part;
use crate::Vwap;
use crate::bound::{Coverage, Deviation, Unsaid};

/// The bound of a consolidated figure, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hull {
    /// Within what the final price will lie.
    pub within: Result<Range, Unsaid>,
    /// The longest unconfirmed tail of a part's window, in milliseconds.
    pub tail_ms: i64,
}

/// A range of prices, and how often it shall hold the final one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The lowest price.
    pub lowest: Vwap,
    /// The highest price.
    pub highest: Vwap,
    /// The smallest deviation from the provisional price that covers both.
    pub deviation: Deviation,
    /// One less what each part's bound may miss.
    pub coverage: Coverage,
}

impl Hull {
    /// The hull of the parts' bounds. None where nothing was said of a part that
    /// can still change: it has no figure, or was summed just now.
    pub(super) fn around(price: Option<Vwap>, parts: &[Option<Part>]) -> Option<Self> {
        let mut hull: Option<(Vwap, Vwap)> = None;
        let (mut tail_ms, mut may_miss, mut unsaid) = (0, 0, None);
        for part in parts {
            let part = part.as_ref()?;
            let reach = if part.is_final {
                Deviation::NONE
            } else {
                let bound = part.bound?;
                tail_ms = tail_ms.max(bound.tail_ms);
                may_miss += bound.coverage.miss();
                match bound.deviation {
                    Ok(deviation) => deviation,
                    Err(reason) => {
                        unsaid = unsaid.or(Some(reason));
                        continue;
                    }
                }
            };
            let Some(own) = part.price else {
                // What is final and empty weighs nothing, now and for ever; what
                // is not final may yet come to weigh something, at any price.
                unsaid = unsaid.or((!part.is_final).then_some(Unsaid::NoPrice));
                continue;
            };
            let (low, high) = reach.around(own);
            hull = Some(hull.map_or((low, high), |(lowest, highest)| (lowest.min(low), highest.max(high))));
        }
        let within = match (unsaid, price.zip(hull), Coverage::missing(may_miss)) {
            (Some(reason), ..) => Err(reason),
            (None, None, _) => Err(Unsaid::NoPrice),
            (None, Some(_), None) => Err(Unsaid::NoFiniteBound),
            (None, Some((price, (lowest, highest))), Some(coverage)) => {
                let reach = |edge| Deviation::between(price, Some(edge));
                let widest = reach(lowest).zip(reach(highest)).map(|(below, above)| below.max(above));
                let range = |deviation| Range { lowest, highest, deviation, coverage };
                widest.map(range).ok_or(Unsaid::NoFiniteBound)
            }
        };
        Some(Self { within, tail_ms })
    }
}
