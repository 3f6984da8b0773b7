//! The tables in memory, with the promises of the real ones: a transaction is
//! seen by nobody before its commit, leaves nothing without one, and is refused
//! to a deposed leader; a watermark moves only from where it is believed to be.
//!
//! To add an operation: write it beside the others of its tables (one file per
//! group: `trades`, `figures`, `ledger`, `watermarks`, `amending`,
//! `bounds`) as a method of
//! [`Txn`] that begins with `self.step(…)`, reads through [`View`] and writes to
//! [`Writes`]; name it in `tables.rs`, where the trait is implemented; a new
//! table also goes into [`Disk`], which lists them all in one macro.

mod amending;
mod bounds;
pub mod disk;
mod figures;
mod ledger;
mod server;
mod tables;
mod trades;
mod txn;
mod view;
mod watermarks;

pub use disk::{Disk, Writes};
pub use server::{Server, Trouble};
pub use tables::SimTables;
pub use txn::Txn;
pub use view::View;
