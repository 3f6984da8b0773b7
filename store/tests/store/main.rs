//! The store against a real Postgres: each promise, and what must never happen.

mod scene;

mod chain;
mod core;
mod leadership;
mod numeric;

mod audits;
mod confirmed;
mod trades;

mod watermarks;
mod windows;

mod bounds;
mod figures;
mod listening;
mod restatements;

mod ledger;

mod plans;
mod retention;
