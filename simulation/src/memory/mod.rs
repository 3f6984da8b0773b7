//! The tables in memory, with the promises of the real ones: a transaction is
//! seen by nobody before its commit, leaves nothing without one, and is refused
//! to a deposed leader; a watermark moves only from where it is believed to be.
//!
//! `tests/simulation/differential` holds them against Postgres: the same random
//! operations get the same answers from both, and leave the same rows in every
//! table.
//!
//! To add an operation: write it beside the others of its tables (one file per
//! group: `trades`, `figures`, `ledger`, `watermarks`, `amending`,
//! `bounds`) as a method of
//! [`Txn`] that begins with `self.step(…)`, reads through [`View`] and writes to
//! [`Writes`]; name it in `tables.rs`, where the trait is implemented; a new
//! table also goes into [`Disk`], which lists them all in one macro, and a new
//! CHECK into `checks`. The script of that test must learn the operation too: it
//! draws from what the traits name, and fails over what it cannot play; so it
//! does over a table or column of Postgres that `simulated_rows` does not tell.

mod amending;
mod bounds;
mod checks;
pub mod disk;
mod figures;
mod ledger;
mod reader;
mod server;
mod tables;
mod trades;
mod txn;
mod view;
mod watermarks;

pub use disk::{Disk, Writes};
pub use reader::Reader;
pub use server::{Server, Trouble};
pub use tables::{SimTables, VENUE};
pub use txn::Txn;
pub use view::View;
