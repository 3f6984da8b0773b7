//! The whole pipeline of decisions, run from a seed in memory and in simulated
//! time: the production engine between a market whose socket lies and whose REST
//! changes its mind, and a store that fails, is late, crashes, and is reached by
//! two workers at once.
//!
//! One thread, one seed, no clock: the same seed makes the same run.

pub mod chance;
pub mod executor;
pub mod time;

pub mod scenario;

pub mod feed;
pub mod memory;
pub mod process;

pub mod check;
pub mod witness;

pub mod minimize;
pub mod run;

pub use minimize::minimized;
pub use run::{Report, run};
pub use scenario::{Part, Plan};
