//! Postgres: the pool, the migrations and every statement, each in a `.sql`
//! file of its own that says the promise it keeps.
//!
//! It reads and writes what it is told to. What a trade means, when something
//! is final and who may say so is decided elsewhere; here it is made durable,
//! all of it or nothing.

pub mod config;
pub mod error;
pub mod numeric;

mod columns;
mod copying;
mod row;
mod session;

mod migrate;
mod partitions;
mod pool;

pub mod leadership;
pub mod news;
pub mod txn;

pub mod audits;
pub mod confirmed;
pub mod trades;

pub mod watermarks;
pub mod windows;

pub mod bounds;
pub mod chain;
pub mod figures;
pub mod listening;

pub mod faults;
pub mod incidents;
pub mod rejections;
pub mod suspects;

pub mod retention;
mod statistics;

pub mod answers;

pub use audits::AskedHoldings;

pub use bounds::{BoundEvidence, BoundOutcomes, BoundsKept};
pub use chain::ChainStep;
pub use config::StoreConfig;
pub use error::StoreError;
pub use faults::{COUNT_AUDITED, COUNT_MATCHED, COUNT_UNHEARD, CountDelta};
pub use figures::{Appended, Chained, Figure, MarkSpan, Pieces, Restatement};
pub use incidents::Incident;
pub use leadership::Leadership;
pub use listening::Listening;
pub use migrate::{migrate, schema_fingerprint};
pub use news::{FIGURES_CHANNEL, Hint};
pub use numeric::Numeric;
pub use pool::Store;
pub use rejections::{Channel, REJECTIONS_KEPT, Refused};
pub use retention::Retention;
pub use suspects::{count_graded, count_suspected};
pub use txn::WriteTxn;
pub use watermarks::{Advance, TickerState};
