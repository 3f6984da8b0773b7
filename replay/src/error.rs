//! Why a file could not be replayed.

use std::path::PathBuf;

use tape::{EpochMs, Ticker};

use crate::row::BadRow;

/// Why a file could not be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The file cannot be read, or its compressed data breaks off.
    #[error("could not read {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The header lacks a column.
    #[error("{}:1: no column named {column}; a tape needs ticker, ts, quantity, price and tradeid", path.display())]
    NoColumn {
        /// Which file.
        path: PathBuf,
        /// Which column.
        column: &'static str,
    },
    /// A line is no row of a tape.
    #[error("{}:{line}: {source}", path.display())]
    BadRow {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong with it.
        source: BadRow,
    },
    /// There is no row.
    #[error("{}: the tape has no trades", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// There is a trade of the seventies, and its time is hardly in milliseconds.
    #[error(
        "{}: {ticker} begins at {ts}, which is in {}; ts must be epoch milliseconds, and this looks like seconds",
        path.display(), 1970 + ts.ms() / 31_556_952_000
    )]
    TooEarly {
        /// Which file.
        path: PathBuf,
        /// Whose trade.
        ticker: Ticker,
        /// The first second mark at or after it.
        ts: EpochMs,
    },
    /// It would take more memory than is allowed.
    #[error("{}:{line}: more than {limit} {what}; cut the tape into parts", path.display())]
    TooLarge {
        /// Which file.
        path: PathBuf,
        /// Up to which line it was read.
        line: u64,
        /// How many are allowed.
        limit: usize,
        /// Of what.
        what: &'static str,
    },
    /// The marks could not be written.
    #[error("could not write the marks")]
    Unwritable(#[source] std::io::Error),
}
