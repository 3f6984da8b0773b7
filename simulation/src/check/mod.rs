//! What must be true after every run, whatever happened in it.

mod figures;
mod ledger;
mod oracle;
mod trades;

use crate::feed::{Lies, Truth};
use crate::memory::Disk;
use crate::scenario::Scenario;
use crate::witness::Witness;

/// Everything that is known when a run is over.
pub struct Case<'a> {
    /// What was drawn.
    pub scenario: &'a Scenario,
    /// What was truly traded.
    pub truth: &'a Truth,
    /// What was said of it.
    pub lies: &'a Lies,
    /// The tables.
    pub disk: &'a Disk,
    /// What was seen on the way.
    pub witness: &'a Witness,
}

/// What one check found.
pub type Complaints = Vec<String>;

/// Holds the tables against the truth. Returns the complaints and how many
/// final marks were compared.
pub fn check(case: &Case<'_>) -> (Complaints, u64) {
    let mut complaints = case.witness.violations.clone();
    trades::check(case, &mut complaints);
    let marks = figures::check(case, &mut complaints);
    ledger::check(case, &mut complaints);
    (complaints, marks)
}
