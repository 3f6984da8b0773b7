//! What the api asks: the read side. Every answer is one statement, or
//! one snapshot, so that what it holds together was true together.
//!
//! It reads what is there and sums it exactly; how an answer looks, and whether
//! it is good enough, is decided by who asked.

mod bound;
mod figure;
mod gap;
mod mark;
mod quality;
mod receipt;
mod restated;
mod series;
mod standing;
mod taken;

pub use bound::Bound;
pub use figure::{Answered, Figure, Moment, Newest};
pub use gap::Gap;
pub use mark::AskedMark;
pub use quality::{Corrected, Counted, Damage, Drift, Restatement, Restatements, Scope};
pub use receipt::{Kept, Place, Receipt, Trades};
pub use restated::{Restated, Stretch, Version};
pub use series::Point;
pub use standing::{Known, Standing};
pub use taken::Taken;
