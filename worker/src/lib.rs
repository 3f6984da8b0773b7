//! The worker decides *when* things happen: it hears, asks, settles, marks and
//! lets go. What follows from a trade is `tape`'s to say, how it is kept
//! `store`'s, how a market speaks `market`'s. No SQL, no arithmetic, no page of
//! an answer here.

pub mod clock;
pub mod config;
pub mod metrics;
pub mod telemetry;

pub mod tables;

pub mod ahead;
pub mod auditor;
pub mod engine;
pub mod reconciler;
pub mod retain;
pub mod room;

pub mod desk;
pub mod progress;
pub mod session;

pub mod replay;
pub mod verify;

pub mod http;
pub mod run;

pub use config::Config;
pub use run::run;
