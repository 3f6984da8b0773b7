//! What a trade is, and what follows from trades: exact window sums, the VWAP,
//! marks, the watermark and the verdicts of a reconciliation.
//!
//! Everything here is a pure function of its arguments. The crate knows no
//! clock, no I/O, no async, no serialization and no SQL; it is handed instants
//! and decides what they mean.

pub mod rejection;
pub mod units;

pub mod digits;
pub mod ids;
pub mod ticker;
pub mod trade;

pub mod time;

pub mod fixed;
pub mod sums;
pub mod tally;
pub mod window;

pub mod prefetch;
pub mod rolling;

pub mod digest;
pub mod evidence;
pub mod unfinished;

pub mod chain;

pub mod watermark;

pub mod arrival;
pub mod fault;
pub mod grade;
pub mod page;
pub mod reconcile;

pub mod band;
pub mod suspect;

pub mod amendment;
pub mod audit;
pub mod time_to_final;

pub mod book;
pub mod books;

pub use amendment::{Amendment, HeldFinal, Restated};

pub mod bound;

pub mod consolidated;

pub use arrival::Arrival;
pub use audit::{Finding, FindingKind};
pub use band::{Band, Extremes};
pub use book::{Book, Bucket, Settled};
pub use books::Books;
pub use chain::{Chain, Entry, Head};
pub use consolidated::{Consolidated, Part};
pub use digest::{Digest, TradesDigest};
pub use evidence::{Evidence, Gathering};
pub use fault::{Fault, FaultKind};
pub use fixed::{Fixed, Notional, Volume, Vwap};
pub use ids::Ids;
pub use page::{Page, Patience};
pub use reconcile::{Confirmation, Correction, Known, Outcome, Standing, Verdict, reconcile};
pub use rejection::{Rejection, RejectionKind};
pub use rolling::Rolling;
pub use sums::Sums;
pub use suspect::{Suspects, Suspicion};
pub use tally::Tally;
pub use ticker::Ticker;
pub use time::{EpochMs, Interval, Mark};
pub use time_to_final::{TimeToFinal, TimesToFinal};
pub use trade::{Heard, Trade, TradeId};
pub use unfinished::Unfinished;
pub use units::{Price, Quantity};
pub use watermark::Watermark;
pub use window::Window;
