//! A recorded tape to the exact figure of every ticker at every mark, without a
//! database: with the sums, the windows and the one rounding of [`tape`].
//!
//! A reader cuts the file into pieces of whole lines; every core adds up pieces,
//! second by second; the pieces are put together in the order of the file; then
//! every core moves windows over the seconds of tickers, and the marks are
//! written ticker by ticker. So memory depends on the seconds with trades, not
//! on the trades; only their ids are kept, a bit or two each where they are
//! numbers.

pub mod error;
pub mod header;
pub mod row;

mod ends;

mod places;

mod plain;

pub mod pieces;
pub mod seconds;

pub mod adding;
pub mod total;

pub mod marks;

mod run;

pub use error::ReplayError;
pub use run::{Limits, Replay, Summary};
