//! What the engine asks of the tables, apart from how they are kept: Postgres
//! in production, memory in the simulation. Both promise the same: a transaction
//! happens whole or not at all, one whose leader was deposed is refused, and a
//! watermark moves only from where its mover believes it to be.

mod postgres;

use std::collections::HashMap;
use std::future::Future;

use store::{
    Advance, AskedHoldings, BoundsKept, ChainStep, CountDelta, Figure, Incident, MarkSpan, Pieces, Refused,
    Restatement, StoreError, TickerState,
};
use tape::audit::Holdings;
use tape::bound::{Hour, Lesson, SaidBefore};
use tape::{
    Bucket, Confirmation, EpochMs, Fault, Finding, Head, Heard, HeldFinal, Interval, Known, Mark, Ticker, Trade,
    TradeId,
};

pub use postgres::PostgresTables;

/// The name of a trade within a venue.
pub type TradeName = (Ticker, TradeId);

/// What a call of the tables comes to.
pub trait Reply<T>: Future<Output = Result<T, StoreError>> + Send {}

impl<T, F: Future<Output = Result<T, StoreError>> + Send> Reply<T> for F {}

/// The tables of one venue, and the right to write them.
pub trait Tables: Send + Sync {
    /// A transaction under that right. Dropped without a commit, it leaves no trace.
    type Txn: TablesTxn;

    /// The venue led.
    fn venue(&self) -> &str;

    /// Whether the right still stands, as far as can be told at no cost.
    fn is_leading(&self) -> bool;

    /// Makes sure of the right.
    fn check(&self) -> impl Reply<()>;

    /// How far each ticker is confirmed.
    fn watermarks(&self) -> impl Reply<Vec<TickerState>>;

    /// The sums of each second with trades after an instant, per ticker.
    fn window_buckets(&self, after: &[(Ticker, EpochMs)]) -> impl Reply<HashMap<Ticker, Vec<Bucket>>>;

    /// The confirmed trades after an instant, per ticker, one by one.
    fn trades_unfinished(&self, after: &[(Ticker, EpochMs)]) -> impl Reply<HashMap<Ticker, Vec<Trade>>>;

    /// Where the chain of each ticker that has one ends.
    fn chain_heads(&self, interval: Interval) -> impl Reply<Vec<(Ticker, Head)>>;

    /// What is kept of how wrong provisional figures were, from an hour on.
    fn bounds_kept(&self, interval: Interval, from: Hour) -> impl Reply<BoundsKept>;

    /// Gives tickers that have no watermark yet one at an instant.
    fn ticker_ensure(&self, begins: &[(Ticker, EpochMs)]) -> impl Reply<()>;

    /// Begins a transaction that is on disk once committed.
    fn begin(&self) -> impl Reply<Self::Txn>;

    /// Begins a transaction that a crash of the server may undo: for what REST brings back.
    fn begin_relaxed(&self) -> impl Reply<Self::Txn>;
}

/// What is read and written in one transaction. Each method keeps the promise
/// of the method of [`store::WriteTxn`] that has its name.
pub trait TablesTxn: Send + Sync {
    /// What is held under these names, whoever vouches for it.
    fn trades_known(&self, names: &[TradeName]) -> impl Reply<Vec<Known>>;

    /// The heard and unconfirmed trades of some tickers, up to a time each.
    fn trades_heard_until(&self, reaches: &[(Ticker, EpochMs)]) -> impl Reply<Vec<Known>>;

    /// Adds heard trades; false, and none is, where anything is held under one of their names, or may be aside.
    fn trades_copy_heard(&self, heard: &[Heard]) -> impl Reply<bool>;

    /// Adds heard trades; names those that were new.
    fn trades_insert_heard(&self, heard: &[Heard]) -> impl Reply<Vec<TradeName>>;

    /// Keeps heard trades aside that claim a settled time; names those that were new.
    fn trades_insert_unplaced(&self, heard: &[Heard]) -> impl Reply<Vec<TradeName>>;

    /// Notes of confirmed trades that the socket brought them after all.
    fn trades_mark_heard(&self, heard: &[Heard]) -> impl Reply<u64>;

    /// Writes confirmed trades that nobody heard of; false, and none is, where
    /// anything is held under one of their names. Nothing may be kept aside under any.
    /// `meanwhile` is done while they are written, whatever comes of that.
    fn trades_copy_confirmed(&self, trades: &[&Trade], meanwhile: impl FnOnce() + Send) -> impl Reply<bool>;

    /// Writes the true values of trades.
    fn trades_confirm(&self, confirmations: &[Confirmation]) -> impl Reply<()>;

    /// Gives confirmed trades the values REST gives them now.
    fn trades_correct(&self, corrections: &[Trade]) -> impl Reply<u64>;

    /// Takes out heard trades that are not confirmed.
    fn trades_remove_heard(&self, names: &[TradeName]) -> impl Reply<()>;

    /// Moves heard trades aside.
    fn trades_unplace(&self, unplaced: &[Known]) -> impl Reply<()>;

    /// Writes faults of the socket.
    fn faults_insert(&self, faults: &[Fault], found_at: EpochMs) -> impl Reply<()>;

    /// Takes back that trades are missing; names those that had been called so.
    fn missing_withdraw(&self, names: &[TradeName]) -> impl Reply<Vec<TradeName>>;

    /// Adds to the counts per minute and kind.
    fn counts_add(&self, deltas: &[CountDelta]) -> impl Reply<()>;

    /// Keeps refused frames and rows.
    fn rejections_insert(&self, refused: &[Refused]) -> impl Reply<()>;

    /// Keeps spans of the tape that are known to be incomplete; counts those that were new.
    fn incidents_insert(&self, incidents: &[Incident], found_at: EpochMs) -> impl Reply<u64>;

    /// What is said of marks that are provisional still, where a price is.
    fn bounds_said(&self, interval: Interval, marks: &[(Ticker, Mark)]) -> impl Reply<Vec<(Ticker, Mark, SaidBefore)>>;

    /// Keeps what final figures taught of how wrong provisional ones were.
    fn bounds_learn(&self, interval: Interval, lessons: &[(Ticker, Lesson)]) -> impl Reply<()>;

    /// Writes the final figures of a span as they are made; false, and none is, where something was said of it.
    /// `meanwhile` is done while they are written, or not at all; perhaps though none is.
    fn figures_copy_final(
        &self,
        span: &MarkSpan,
        pieces: &mut dyn Pieces,
        final_at: EpochMs,
        meanwhile: impl FnOnce() + Send,
    ) -> impl Reply<bool>;

    /// Writes final figures; counts those that are final already with other values.
    fn figures_insert_final(&self, figures: &[Figure], final_at: EpochMs) -> impl Reply<u64>;

    /// Moves the ends of chains, each only from where it is believed to be.
    fn chain_advance(&self, steps: &[ChainStep]) -> impl Reply<()>;

    /// Writes provisional figures; final ones stay as they are.
    fn figures_insert_provisional(&self, figures: &[Figure], calculated_at: EpochMs) -> impl Reply<()>;

    /// Makes figures the latest of their tickers, if they are newer.
    fn latest_upsert(&self, figures: &[Figure], is_final: bool, calculated_at: EpochMs) -> impl Reply<u64>;

    /// What is held of a ticker, while the beginning of its tape is kept where it is.
    fn holdings_hold(&self, asked: AskedHoldings<'_>) -> impl Reply<Option<Holdings>>;

    /// The confirmed trades of a ticker after an instant and up to another, in no order.
    fn trades_confirmed(&self, ticker: &Ticker, after: EpochMs, until: EpochMs) -> impl Reply<Vec<Trade>>;

    /// The final figures of a ticker at the marks from one to another, in their order.
    fn finals_held(&self, ticker: &Ticker, interval: Interval, first: Mark, last: Mark) -> impl Reply<Vec<HeldFinal>>;

    /// Takes out confirmed trades that REST does not have any more; counts them.
    fn trades_withdraw(&self, names: &[TradeName]) -> impl Reply<u64>;

    /// Changes final figures, each with an entry that says why; counts those that changed.
    fn figures_restate(&self, restatements: &[Restatement], restated_at: EpochMs) -> impl Reply<u64>;

    /// Adds changes of mind of the exchange to their ledger.
    fn corrections_insert(&self, findings: &[Finding], restated: u64, found_at: EpochMs) -> impl Reply<()>;

    /// Moves watermarks, each only from where it is believed to be.
    fn watermarks_advance(&self, advances: &[Advance], checked_at: EpochMs) -> impl Reply<()>;

    /// Makes everything written so far true, at once.
    fn commit(self) -> impl Reply<()>;
}
