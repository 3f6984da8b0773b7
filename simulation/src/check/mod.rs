//! What must be true after every run, whatever happened in it.

mod changes;
mod figures;
mod ledger;
mod oracle;
mod trades;

use tape::Finding;

use crate::feed::{Lies, Truth};
use crate::memory::Disk;
use crate::scenario::Scenario;
use crate::witness::Witness;

/// Everything that is known when a run is over.
pub struct Case<'a> {
    /// What was drawn.
    pub scenario: &'a Scenario,
    /// What was truly traded, as it is told in the end.
    pub truth: &'a Truth,
    /// What was truly traded, as it was told first.
    pub told: &'a Truth,
    /// What the market changed its mind about, in order.
    pub changes: &'a [Finding],
    /// How many rows REST gave that are no trades.
    pub refused_rows: u64,
    /// What was said of it.
    pub lies: &'a Lies,
    /// The tables.
    pub disk: &'a Disk,
    /// What was seen on the way.
    pub witness: &'a Witness,
}

/// What one check found.
pub type Complaints = Vec<String>;

/// How much was compared.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// Final marks.
    pub marks: u64,
    /// Restatements.
    pub restatements: u64,
}

/// Holds the tables against the truth. Returns the complaints and how much was compared.
pub fn check(case: &Case<'_>) -> (Complaints, Compared) {
    let mut complaints = case.witness.violations.clone();
    trades::check(case, &mut complaints);
    let marks = figures::check(case, &mut complaints);
    ledger::check(case, &mut complaints);
    let restatements = changes::check(case, &mut complaints);
    (complaints, Compared { marks, restatements })
}
