//! What an answer says about the filter of heard trades.

use serde::Serialize;
use store::answers::Counted;
use store::{count_graded, count_suspected};
use tape::Suspicion;
use tape::grade::{Grades, TurnedOut};
use utoipa::ToSchema;

/// How good the filter was that keeps heard trades out of provisional figures
/// until REST has spoken. A trade counts in the minute it claimed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suspects)]
pub struct SuspectsAnswer {
    /// By what was held against them.
    kinds: Vec<SuspectAnswer>,
    /// The share of the decided suspects that were altered or phantoms, to six
    /// decimals; null before any was decided.
    #[schema(example = "0.998000")]
    precision: Option<String>,
    /// The share of altered and phantom trades that were suspected, to six
    /// decimals; null without any.
    #[schema(example = "0.412000")]
    recall: Option<String>,
    /// The same by what they turned out to be.
    recall_by_fault: Vec<RecallAnswer>,
}

/// The suspects of one kind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Suspect)]
struct SuspectAnswer {
    /// What was held against them: `future`, `price`, `quantity` or `contradicted`.
    #[schema(example = "price")]
    kind: String,
    /// How many were suspected.
    suspected: u64,
    /// How many of them REST gave other values, or did not have.
    justified: u64,
    /// How many of them REST confirmed as they were.
    unjustified: u64,
    /// Of how many REST has not spoken yet.
    open: u64,
}

/// How many false trades of one kind were suspected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Recall)]
struct RecallAnswer {
    /// What they turned out to be: `altered` or `phantom`.
    #[schema(example = "phantom")]
    kind: String,
    /// How many were suspected.
    caught: u64,
    /// How many were let pass.
    missed: u64,
    /// The share that was suspected, to six decimals; null without any.
    recall: Option<String>,
}

impl SuspectsAnswer {
    /// The answer from the counts of a span.
    pub fn new(counts: &[Counted]) -> Self {
        let count = |kind: String| counts.iter().find(|counted| counted.kind == kind).map_or(0, |it| it.trades);
        let grades = Grades::of(
            |suspicion| count(count_suspected(suspicion)),
            |suspicion, turned_out| count(count_graded(suspicion, turned_out)),
        );
        let falsehoods = [TurnedOut::Altered, TurnedOut::Phantom];
        let kinds = Suspicion::ALL.map(|kind| SuspectAnswer {
            kind: kind.as_str().to_owned(),
            suspected: grades.suspected(kind),
            justified: grades.justified(kind),
            unjustified: grades.unjustified(kind),
            open: grades.open(kind),
        });
        let recall_by_fault = falsehoods.map(|what| RecallAnswer {
            kind: what.as_str().to_owned(),
            caught: grades.caught(what),
            missed: grades.missed(what),
            recall: grades.recall(&[what]).map(|share| share.to_string()),
        });
        Self {
            kinds: kinds.into(),
            precision: grades.precision().map(|share| share.to_string()),
            recall: grades.recall(&falsehoods).map(|share| share.to_string()),
            recall_by_fault: recall_by_fault.into(),
        }
    }
}
