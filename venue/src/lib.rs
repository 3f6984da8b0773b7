//! A practice market on your own machine: a socket that lies on purpose, a REST
//! channel that tells the truth, and the exact ledger of both.
//!
//! It knows trades only as text and time: it never averages with the arithmetic
//! of the system it tests, so that its answers can be held against that system.

pub mod true_trade;

pub mod dialect;

pub mod chance;
pub mod fault;
pub mod lie;

pub mod book;
pub mod exact;
pub mod ledger;
pub mod ledger_file;
pub mod summary;

pub mod generator;
pub mod making;
mod minute;
pub mod profile;
mod ration;
pub mod source;
pub mod tape_file;

pub mod held;
pub mod listeners;
pub mod market;
pub mod revision;

pub mod clock;
pub mod config;
pub mod http;
mod opening;
pub mod rest_mood;
pub mod running;
mod shared;

pub use book::Delivery;
pub use config::{MarketKind, RestConfig, Speed, VenueConfig};
pub use dialect::Dialect;
pub use dialect::manners::Manners;
pub use exact::WindowTruth;
pub use fault::{FaultKind, FaultRates};
pub use ledger::Injected;
pub use rest_mood::{RestCounts, RestMode};
pub use revision::{Change, Revised, Revision, RevisionError};
pub use running::{Running, StartError, Venue};
pub use summary::Summary;
pub use true_trade::TrueTrade;
