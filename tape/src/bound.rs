//! How wrong a provisional figure may be: a bound on how far its final price
//! will lie from it, at a stated coverage, read from what this feed's faults
//! have done to provisional figures before.
//!
//! Only the tail after the watermark is uncertain, so what was said with alike
//! tails is evidence for each other ([`Class`]). The bound is the order
//! statistic of their errors that conformal prediction asks for, read at a
//! level that is steered by what was missed ([`Level`]), so that the stated
//! share is kept also when the feed's faults change to ones never seen.

mod class;
mod deviation;
mod histogram;
mod level;

mod evidence;
mod statement;

pub use class::Class;
pub use deviation::Deviation;
pub use evidence::{Evidence, HOURS_KEPT, Hour, Lesson, Outcomes, SaidBefore, Terms, Unsaid};
pub use histogram::{ErrorBin, Histogram};
pub use level::{BROKEN_BEYOND_STATED, Coverage, Level};
pub use statement::Statement;
