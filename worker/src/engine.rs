//! The one place where a venue's trades, pages and marks are brought together.
//!
//! The engine owns every ticker's [`Book`] and does all writing of its venue,
//! one transaction at a time: so what stands in memory is what stands in the
//! tables, in the same order. Whatever fails ends the session; the next one
//! starts from the tables. It decides nothing itself: `tape` judges, `store`
//! writes.

mod auditing;
mod bounding;
mod chaining;
mod findings;
mod hearing;
mod marking;
mod settling;
mod suspecting;
mod timing;

use std::sync::Arc;

use store::{StoreError, TickerState};
use tape::bound::{Hour, Terms};
use tape::{Book, Books, EpochMs, Interval, Mark, Patience, Suspects, Ticker, Unfinished, Watermark};
use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::config::{BackfillFrom, Config};
use crate::metrics::Metrics;
use crate::tables::Tables;

pub use auditing::Audited;
pub(crate) use auditing::from_whole_second;
use bounding::Bounds;
use chaining::Chains;
use hearing::{Counts, Newness};
pub use settling::{Asked, Settled};
use timing::Timing;

/// The most marks settled in one transaction, per ticker: five and a half hours.
const MARKS_PER_TXN: i64 = 20_000;

/// The mark spoken of last, before a market that sets the clock has told its present.
const BEFORE_ALL: Mark = Mark::at_or_before(EpochMs::new(0));

/// Why a session ends before it is told to.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store refused or could not be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Memory and tables disagree.
    #[error(transparent)]
    Inconsistent(#[from] tape::book::Inconsistent),
    /// REST cannot be asked at all.
    #[error(transparent)]
    Rest(#[from] market::rest::ClientError),
    /// The figures in the tables are not those the restatement was made for.
    #[error("the figures of {ticker} changed while they were being restated")]
    NotRestated {
        /// The ticker.
        ticker: Ticker,
    },
    /// A part of the session ended by itself.
    #[error("{0} ended unexpectedly")]
    Ended(&'static str),
    /// The leader's own connection is gone.
    #[error("the connection that holds the leadership is lost")]
    LeadershipLost,
}

impl SessionError {
    /// Whether a new session may do better.
    pub fn is_transient(&self) -> bool {
        match self {
            // Somebody else leads, or moved the watermark: the tables tell.
            Self::Store(StoreError::Deposed { .. } | StoreError::Conflict { .. }) => true,
            Self::Store(error) => error.is_transient(),
            Self::Inconsistent(_) | Self::NotRestated { .. } | Self::LeadershipLost => true,
            Self::Rest(_) | Self::Ended(_) => false,
        }
    }
}

/// What the engine is told, of all that is configured.
#[derive(Debug, Clone)]
pub struct Settings {
    interval: Interval,
    seconds: i64,
    patience: Patience,
    late_after_ms: i64,
    retention_ms: Option<i64>,
    backfill_from: BackfillFrom,
    max_tickers: usize,
    suspects: Suspects,
    bound_terms: Terms,
}

impl Settings {
    /// Takes what the engine needs.
    pub fn new(config: &Config) -> Self {
        Self {
            interval: config.interval,
            seconds: config.interval.ms() / 1000,
            patience: Patience {
                settle_delay_ms: config.settle_delay_ms,
                allowed_skew_ms: config.allowed_skew_ms,
                longest_step_ms: MARKS_PER_TXN * 1000,
                listening_since: None,
            },
            // A time told in whole seconds may be that much earlier than the trade.
            late_after_ms: config.late_after_ms + config.market.time_grain_ms() - 1,
            retention_ms: config.retention_ms,
            backfill_from: config.backfill_from,
            max_tickers: config.max_tickers,
            suspects: config.suspects,
            bound_terms: config.bound_terms,
        }
    }

    /// How far an answer of REST is believed.
    pub fn patience(&self) -> Patience {
        self.patience
    }
}

/// A ticker to reconcile from now on, and from where.
#[derive(Debug)]
pub struct Follow {
    /// The ticker.
    pub ticker: Ticker,
    /// How far it is confirmed.
    pub watermark: Watermark,
}

/// All books of one venue and the right to write for it.
pub struct Engine<T> {
    tables: T,
    settings: Settings,
    clock: Clock,
    metrics: Arc<Metrics>,
    books: Books,
    chains: Chains,
    timing: Timing,
    newness: Newness,
    /// Trades read again, counted and not written yet.
    audited: Counts,
    bounds: Bounds,
    follow: mpsc::UnboundedSender<Follow>,
    /// The last mark spoken of.
    live_at: Mark,
}

impl<T: Tables> Engine<T> {
    /// Rebuilds every book from the tables and follows the configured tickers.
    ///
    /// # Errors
    /// Whatever the store says.
    pub async fn start(
        tables: T,
        config: &Config,
        clock: Clock,
        metrics: Arc<Metrics>,
        follow: mpsc::UnboundedSender<Follow>,
    ) -> Result<Self, SessionError> {
        let settings = Settings::new(config);
        let live_at = clock.now().map_or(BEFORE_ALL, Mark::at_or_before);
        let books = Books::default();
        let chains = Chains::new(tables.venue(), settings.interval, tables.chain_heads(settings.interval).await?);
        let (timing, newness, audited) = (Timing::default(), Newness::default(), Counts::default());
        let from = Hour::of(live_at).earliest_counted();
        let kept = tables.bounds_kept(settings.interval, from).await?;
        let bounds = Bounds::new(settings.interval, settings.bound_terms, kept);
        let mut engine =
            Self { tables, settings, clock, metrics, books, chains, timing, newness, audited, bounds, follow, live_at };
        engine.follow_new(&config.tickers).await?;
        engine.load().await?;
        Ok(engine)
    }

    /// Since when the socket has been heard without a gap of our own making.
    pub fn set_listening_since(&mut self, since: EpochMs) {
        self.settings.patience.listening_since = Some(since);
    }

    /// How far an answer of REST is believed.
    pub fn patience(&self) -> Patience {
        self.settings.patience
    }

    /// Whether the leadership still stands, as far as can be told at no cost.
    pub fn is_leading(&self) -> bool {
        self.tables.is_leading()
    }

    /// The last mark spoken of.
    pub fn live_at(&self) -> Mark {
        self.live_at
    }

    /// How far each ticker is settled.
    pub fn settled(&self) -> impl Iterator<Item = (&Ticker, EpochMs)> {
        self.books.iter().map(|(ticker, book)| (ticker, book.watermark().settled_until()))
    }

    /// How far the slowest ticker is settled behind an instant, in milliseconds.
    pub fn lag_ms(&self, now: EpochMs) -> i64 {
        self.settled().map(|(_, until)| now.ms_since(until)).max().unwrap_or(0)
    }

    /// Whether any ticker is settled up to the present, or will be a settle delay
    /// later, but for less than a window. While none is, all are being caught up
    /// with, and no figure of the present says anything confirmed.
    pub fn follows_the_present(&self) -> bool {
        let Settings { interval, patience, .. } = &self.settings;
        let nearly_ms = interval.ms() + patience.settle_delay_ms;
        let now = self.clock.now();
        now.is_some_and(|now| self.settled().any(|(_, until)| now.ms_since(until) < nearly_ms))
    }

    /// How many seconds with trades the fullest window holds: what memory depends on.
    pub fn held_seconds(&self) -> usize {
        self.books.iter().map(|(_, book)| book.held_seconds()).max().unwrap_or(0)
    }

    /// Makes sure of the leadership.
    ///
    /// # Errors
    /// When it is lost or cannot be made sure of.
    pub async fn check_leadership(&self) -> Result<(), SessionError> {
        self.tables.check().await.map_err(SessionError::from)
    }

    async fn load(&mut self) -> Result<(), SessionError> {
        let states = self.tables.watermarks().await?;
        let reach = states
            .iter()
            .map(|state| Book::reaches_back_to(&state.watermark, self.settings.seconds, self.live_at))
            .collect::<Vec<_>>();
        let wanted: Vec<(Ticker, EpochMs)> = states.iter().map(|state| state.ticker.clone()).zip(reach).collect();
        let buckets = self.tables.window_buckets(&wanted).await?;
        let unsettled_after = |state: &TickerState| Book::last_settled_mark(&state.watermark).at();
        let unsettled: Vec<(Ticker, EpochMs)> =
            states.iter().map(|state| (state.ticker.clone(), unsettled_after(state))).collect();
        let trades = self.tables.trades_unfinished(&unsettled).await?;
        for state in states {
            let own = buckets.get(&state.ticker).map_or(&[][..], Vec::as_slice);
            let unfinished: Unfinished = trades.get(&state.ticker).into_iter().flatten().collect();
            let (watermark, seconds) = (state.watermark.clone(), self.settings.seconds);
            let book = Book::rebuild(watermark, seconds, self.live_at, own, unfinished);
            self.timing.begin(&state.ticker, self.live_at);
            self.books.insert(state.ticker.clone(), book);
            // The receiver lives as long as the session; when it is gone, so are we.
            let _ = self.follow.send(Follow { ticker: state.ticker, watermark: state.watermark });
        }
        self.metrics.tickers.set(i64::try_from(self.books.len()).unwrap_or(i64::MAX));
        Ok(())
    }

    /// Gives tickers a watermark if they have none yet. Returns without doing
    /// anything for those that would be too many.
    async fn follow_new(&mut self, tickers: &[Ticker]) -> Result<(), SessionError> {
        let room = self.settings.max_tickers.saturating_sub(self.books.len());
        if tickers.len() > room {
            let max = self.settings.max_tickers;
            tracing::warn!(refused = tickers.len() - room, max, "more tickers than MAX_TICKERS={max}: not followed");
        }
        let from = self.tape_begins();
        let new: Vec<(Ticker, EpochMs)> = tickers.iter().take(room).map(|ticker| (ticker.clone(), from)).collect();
        if !new.is_empty() {
            self.tables.ticker_ensure(&new).await?;
        }
        Ok(())
    }

    /// Follows tickers the socket mentioned for the first time.
    async fn discover(&mut self, tickers: &[Ticker]) -> Result<(), SessionError> {
        self.follow_new(tickers).await?;
        let states = self.tables.watermarks().await?;
        for state in states.into_iter().filter(|state| tickers.contains(&state.ticker)) {
            tracing::info!(ticker = %state.ticker, "following {}, mentioned by the socket", state.ticker);
            let (watermark, seconds) = (state.watermark.clone(), self.settings.seconds);
            let book = Book::rebuild(watermark, seconds, self.live_at, &[], Unfinished::default());
            self.timing.begin(&state.ticker, self.live_at);
            self.books.insert(state.ticker.clone(), book);
            let _ = self.follow.send(Follow { ticker: state.ticker, watermark: state.watermark });
        }
        self.metrics.tickers.set(i64::try_from(self.books.len()).unwrap_or(i64::MAX));
        Ok(())
    }

    /// The moment after which trades of a new ticker are kept.
    fn tape_begins(&self) -> EpochMs {
        let now = self.clock.now().unwrap_or_else(|| self.clock.wall());
        match self.settings.backfill_from {
            // What was heard within this second is still to be confirmed.
            BackfillFrom::Now => now.minus_ms(1_000),
            BackfillFrom::Back(back_ms) => now.minus_ms(back_ms),
            BackfillFrom::At(from) => from.minus_ms(1),
        }
    }
}
