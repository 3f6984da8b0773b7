//! Asks REST, one task per ticker under one shared budget: from the watermark
//! on, at once while there is more, else at the polling pace; ahead of the
//! watermark while the engine settles what was read before. It decides nothing
//! about what comes back; the engine does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use market::{Anchor, Backoff, Reader, RestClient};
use store::{Store, StoreError};
use tape::{EpochMs, Patience, Ticker, Watermark};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::ahead::Ahead;
use crate::engine::{Asked, Follow, Settled};
use crate::metrics::Metrics;
use crate::room::{Room, Taken};
use crate::run::chain;

/// Delays after failures in a row.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// How often it is looked whether the others have settled enough to ask.
const LOOK_FOR_ROOM_EVERY: Duration = Duration::from_millis(10);

/// What every ticker's task shares.
#[derive(Clone)]
pub struct Reconciler {
    /// The market's REST channel, under the rate all tickers share.
    pub rest: Arc<RestClient>,
    /// What is held: where reading by ids begins.
    pub store: Store,
    /// The name it is held under.
    pub venue: String,
    /// How far an answer is believed.
    pub patience: Patience,
    /// Pace of requests when there is nothing new.
    pub poll_every: Duration,
    /// Where answers go.
    pub answers: mpsc::Sender<Asked>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What all tickers hold of what they have read.
    pub room: Room,
}

impl Reconciler {
    /// Starts a task for each ticker to follow, until it is told to stop.
    pub async fn run(self, mut follow: mpsc::UnboundedReceiver<Follow>, shutdown: CancellationToken) {
        let mut tasks = JoinSet::new();
        loop {
            let next = tokio::select! {
                next = follow.recv() => next,
                () = shutdown.cancelled() => None,
            };
            let Some(Follow { ticker, watermark }) = next else { break };
            tasks.spawn(self.clone().reconcile(ticker, watermark, shutdown.clone()));
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn reconcile(self, ticker: Ticker, watermark: Watermark, shutdown: CancellationToken) {
        let Some(reader) = shutdown.run_until_cancelled(self.begin(&ticker, watermark.settled_until())).await else {
            return;
        };
        let backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
        let (ahead, held) = (Ahead::of(watermark), self.room.take_none());
        let mut reading = Reading { ahead, held, reader, backoff, pause: None };
        while let Some(pause) = shutdown.run_until_cancelled(self.round(&ticker, &mut reading)).await {
            let Ok(pause) = pause else { return };
            // No sleep is so short that it would not take a millisecond.
            if pause.is_zero() {
                continue;
            }
            if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    /// Who reads from a moment on, as soon as the tables say where that is: they
    /// may be away for a while without the session ending over it.
    async fn begin(&self, ticker: &Ticker, from: EpochMs) -> Reader {
        let mut backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
        loop {
            match anchored_reader(&self.rest, &self.store, &self.venue, ticker, from).await {
                Ok(reader) => return reader,
                Err(error) => tracing::warn!(%ticker, "{ticker} is not read yet: {}", chain(&error)),
            }
            sleep(backoff.delay()).await;
        }
    }

    /// Has what was read settled, and reads on meanwhile. Returns how long to
    /// wait before the next round.
    async fn round(&self, ticker: &Ticker, reading: &mut Reading) -> Result<Duration, SessionOver> {
        if reading.ahead.is_empty() {
            while !self.room.is_left() {
                sleep(LOOK_FOR_ROOM_EVERY).await;
            }
            self.read(ticker, reading).await;
        }
        let Some((asked, settled)) = reading.ahead.hand_over(ticker) else {
            return Ok(reading.pause.take().unwrap_or_default());
        };
        let settling = reading.held.hand_over();
        let is_settled = AtomicBool::new(false);
        let settle = async {
            self.answers.send(asked).await.map_err(|_| SessionOver)?;
            let settled = settled.await.map_err(|_| SessionOver)?;
            is_settled.store(true, Ordering::Relaxed);
            Ok(settled)
        };
        let read_on = async {
            // A page that is under way is waited for: its question has been paid for.
            let is_wanted = || self.room.is_left_ahead() && !is_settled.load(Ordering::Relaxed);
            while reading.ahead.leads_on() && reading.pause.is_none() && is_wanted() {
                self.read(ticker, reading).await;
            }
        };
        let (settled, ()) = tokio::join!(settle, read_on);
        let settled: Settled = settled?;
        drop(settling);
        reading.ahead.continue_at(settled.watermark);
        if !reading.ahead.is_empty() {
            return Ok(Duration::ZERO);
        }
        drop(reading.held.hand_over());
        let pause = if settled.has_more { Duration::ZERO } else { self.poll_every };
        Ok(reading.pause.take().unwrap_or(pause))
    }

    /// Reads one page, or notes how long to stay away.
    async fn read(&self, ticker: &Ticker, reading: &mut Reading) {
        match reading.reader.page(reading.ahead.position()).await {
            Ok(answer) => {
                self.metrics.rest_answers.inc();
                reading.backoff.reset();
                reading.held.add(answer.page.trades.len() + answer.rejected.len());
                reading.ahead.take_in(answer, self.patience);
            }
            Err(error) => {
                self.metrics.rest_failures.inc();
                tracing::warn!(%ticker, error = %chain(&error), "no page for {ticker}: {}", chain(&error));
                reading.pause = Some(error.retry_after().unwrap_or_else(|| reading.backoff.delay()));
            }
        }
    }
}

/// How far one ticker is read.
struct Reading {
    ahead: Ahead,
    /// The rows it holds.
    held: Taken,
    reader: Reader,
    backoff: Backoff,
    /// How long to stay away from the market, after it failed.
    pause: Option<Duration>,
}

/// The engine is gone; the next session asks again.
struct SessionOver;

/// Who reads on from a moment at which everything is confirmed: behind the last
/// trade such that all with lower ids are from before it too.
pub(crate) async fn anchored_reader(
    rest: &RestClient,
    store: &Store,
    venue: &str,
    ticker: &Ticker,
    from: EpochMs,
) -> Result<Reader, StoreError> {
    let Some(lag) = rest.market().anchor_lag() else { return Ok(rest.reader(ticker.clone(), None)) };
    let until = from.minus_ms(i64::try_from(lag.as_millis()).unwrap_or(i64::MAX));
    let held = store.trade_anchor(venue, ticker, until).await?;
    let anchor = held.and_then(|(id, traded_at)| Some(Anchor { id: id.as_str().parse().ok()?, traded_at }));
    Ok(rest.reader(ticker.clone(), anchor))
}
