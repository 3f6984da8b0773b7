//! Under which names the filter of heard trades is counted.

use tape::Suspicion;
use tape::grade::TurnedOut;

/// The kind under which trades are counted when they are first suspected.
pub fn count_suspected(suspicion: Suspicion) -> String {
    format!("suspected_{}", suspicion.as_str())
}

/// The kind under which trades are counted when REST has told what they were:
/// `suspected_price_phantom`, or `unsuspected_phantom`.
pub fn count_graded(suspicion: Option<Suspicion>, turned_out: TurnedOut) -> String {
    let suspected = suspicion.map_or_else(|| "unsuspected".to_owned(), count_suspected);
    format!("{suspected}_{}", turned_out.as_str())
}
