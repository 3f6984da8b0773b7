//! One term of leadership: the socket, the reconcilers and the engine run
//! together until they are told to stop or one of them fails.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use market::{RestClient, RestSettings, Said, Socket, SocketSettings, SocketStats};
use store::{Leadership, Store};
use tape::Ticker;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::auditor::{Auditor, Pace};
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::engine::{Asked, Audited, Engine, SessionError, Settings};
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::reconciler::Reconciler;
use crate::retain;
use crate::tables::PostgresTables;

/// Heard trades are gathered for so long before they are written together.
const GATHER: Duration = Duration::from_millis(20);

/// REST answers written together at most.
const ANSWERS_TOGETHER: usize = 128;

/// Second readings taken in together at most.
const AUDITS_TOGETHER: usize = 16;

/// How often the leadership is made sure of.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// New tables are looked at by the planner after so many confirmed trades:
/// later, the look-ups of large pages have cost seconds; earlier there is
/// nothing to see.
const PLANNER_LOOKS_AFTER: u64 = 500;

/// How long the parts may take to stop.
const STOP_WITHIN: Duration = Duration::from_secs(3);

/// Leads until told to stop.
///
/// # Errors
/// Why the term ended early.
pub async fn lead(
    config: &Config,
    store: &Store,
    leadership: Leadership,
    metrics: &Arc<Metrics>,
    shutdown: &CancellationToken,
) -> Result<(), SessionError> {
    let over = shutdown.child_token();
    let clock = Clock::new(config.market_clock);
    let (follow, followed) = mpsc::unbounded_channel();
    let (said_to, said) = mpsc::channel(config.queue_limit);
    let (asked_to, asked) = mpsc::channel(ANSWERS_TOGETHER);
    let (audited_to, audited) = mpsc::channel(AUDITS_TOGETHER);
    let tables = PostgresTables::new(store.clone(), leadership);
    let engine = Engine::start(tables, config, clock.clone(), Arc::clone(metrics), follow).await?;

    let mut parts = JoinSet::new();
    let stats = Arc::clone(&metrics.socket);
    let connects_before = stats.connects();
    for socket in sockets(config, &tickers_followed(config, &engine), &said_to, &stats) {
        let hearing_over = over.clone();
        parts.spawn(async move {
            socket.listen(&hearing_over).await;
            "the socket"
        });
    }
    drop(said_to);
    let rest = Arc::new(rest(config)?);
    let pace = Pace::of_share(config.audit_share, config.rest_rate, rest.weight_of_a_reading(), config.audit_every);
    if let Some(pace) = pace.filter(|_| config.market.can_be_read_again()) {
        let auditor = auditor(config, store, Arc::clone(&rest), pace, audited_to, metrics);
        let auditing = auditor.run(over.clone());
        parts.spawn(async move {
            auditing.await;
            "the auditor"
        });
    }
    let reconciler = Reconciler {
        rest,
        store: store.clone(),
        venue: config.venue.clone(),
        patience: Settings::new(config).patience(),
        poll_every: config.poll_every,
        answers: asked_to,
        metrics: Arc::clone(metrics),
    };
    let reconciling = reconciler.run(followed, over.clone());
    parts.spawn(async move {
        reconciling.await;
        "the reconciler"
    });
    let retaining = retain::run(store.clone(), config.venue.clone(), config.retention_ms, clock.clone(), over.clone());
    parts.spawn(async move {
        retaining.await;
        "the retention"
    });

    let mut desk = Desk {
        engine,
        clock,
        store: store.clone(),
        confirmed_before: metrics.confirmed_trades(),
        has_statistics: false,
        stats,
        said,
        asked,
        audited,
        metrics: Arc::clone(metrics),
        batch_limit: config.batch_limit,
        connects_before,
        is_listening: false,
    };
    let ended = tokio::select! {
        ended = desk.work(&over) => ended,
        part = parts.join_next() => match part {
            _ if over.is_cancelled() => Ok(()),
            Some(Ok(name)) => Err(SessionError::Ended(name)),
            Some(Err(panic)) => {
                tracing::error!(%panic, "a part of the session panicked: {panic}");
                Err(SessionError::Ended("a part of the session"))
            }
            None => Err(SessionError::Ended("every part of the session")),
        },
    };
    over.cancel();
    drop(desk);
    let stopped = timeout(STOP_WITHIN, async { while parts.join_next().await.is_some() {} }).await;
    if stopped.is_err() {
        tracing::warn!("some parts of the session did not stop in time and are abandoned");
    }
    ended
}

/// Where the engine gets its work from.
struct Desk {
    engine: Engine<PostgresTables>,
    clock: Clock,
    store: Store,
    confirmed_before: u64,
    has_statistics: bool,
    stats: Arc<SocketStats>,
    said: mpsc::Receiver<Said>,
    asked: mpsc::Receiver<Asked>,
    audited: mpsc::Receiver<Audited>,
    metrics: Arc<Metrics>,
    batch_limit: usize,
    connects_before: u64,
    is_listening: bool,
}

enum Work {
    Mark,
    Settle,
    Audit,
    Hear,
    Check,
}

impl Desk {
    /// One thing after the other; only the wait can be cancelled. A work that
    /// has begun is given its time: every statement has a deadline.
    async fn work(&mut self, over: &CancellationToken) -> Result<(), SessionError> {
        let mut batch = Vec::with_capacity(self.batch_limit.min(1024));
        let mut answers = Vec::with_capacity(ANSWERS_TOGETHER);
        let mut audits = Vec::with_capacity(AUDITS_TOGETHER);
        let mut gathered_at = Instant::now();
        let mut check_at = Instant::now() + CHECK_EVERY;
        let mut mark_at = Instant::now();
        let mut progress = Progress::default();
        loop {
            let work = tokio::select! {
                biased;
                () = over.cancelled() => return Ok(()),
                () = sleep_until(mark_at) => Work::Mark,
                () = sleep_until(check_at) => Work::Check,
                () = receive(&mut self.asked, &mut answers, ANSWERS_TOGETHER) => Work::Settle,
                () = receive(&mut self.audited, &mut audits, AUDITS_TOGETHER) => Work::Audit,
                () = gather(&mut self.said, &mut batch, self.batch_limit, gathered_at + GATHER) => Work::Hear,
            };
            if !self.engine.is_leading() {
                return Err(SessionError::LeadershipLost);
            }
            self.notice_listening();
            match work {
                Work::Mark => {
                    // What was heard before the mark is in the mark's figure.
                    gathered_at = Instant::now();
                    self.hear(&mut batch).await?;
                    mark_at = next_second();
                    if let Some(now) = self.clock.now() {
                        self.engine.mark(now).await?;
                        progress.update(now, self.engine.settled());
                        self.metrics.lag_ms.set(self.engine.lag_ms(now));
                    }
                }
                Work::Settle => {
                    self.engine.settle(std::mem::take(&mut answers)).await?;
                    self.let_planner_know().await?;
                    // A backfill always has answers waiting; the socket is heard in between.
                    if gathered_at + GATHER <= Instant::now() {
                        gathered_at = Instant::now();
                        self.hear(&mut batch).await?;
                    }
                }
                Work::Audit => self.engine.audit(std::mem::take(&mut audits)).await?,
                Work::Hear => {
                    gathered_at = Instant::now();
                    self.hear(&mut batch).await?;
                }
                Work::Check => {
                    check_at = Instant::now() + CHECK_EVERY;
                    self.engine.check_leadership().await?;
                }
            }
        }
    }

    /// Once per session, when trades have come in by the thousands.
    async fn let_planner_know(&mut self) -> Result<(), SessionError> {
        let has_grown = self.metrics.confirmed_trades() - self.confirmed_before > PLANNER_LOOKS_AFTER;
        if has_grown && !self.has_statistics {
            self.store.statistics_ensure().await?;
            self.has_statistics = true;
        }
        Ok(())
    }

    /// From the first connection of this session on, a trade that is not heard is missing.
    fn notice_listening(&mut self) {
        if !self.is_listening && self.stats.connects() > self.connects_before {
            self.is_listening = true;
            self.engine.set_listening_since(clock::wall());
        }
    }

    /// Writes what is gathered and whatever else waits, up to the limit of a batch.
    async fn hear(&mut self, batch: &mut Vec<Said>) -> Result<(), SessionError> {
        while batch.len() < self.batch_limit {
            let Ok(said) = self.said.try_recv() else { break };
            batch.push(said);
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.engine.hear(std::mem::take(batch)).await
    }
}

/// When our clock begins its next second.
fn next_second() -> Instant {
    let into_second_ms = clock::wall().ms().rem_euclid(1000).unsigned_abs();
    Instant::now() + Duration::from_millis(1000 - into_second_ms)
}

/// Waits for something to come; for ever when nothing can come any more: the
/// end of the sender is noticed elsewhere.
async fn receive<T>(from: &mut mpsc::Receiver<T>, into: &mut Vec<T>, limit: usize) {
    if from.recv_many(into, limit).await == 0 {
        std::future::pending::<()>().await;
    }
}

/// [`receive`], not before an instant: so that what comes in between is written together.
async fn gather<T>(from: &mut mpsc::Receiver<T>, into: &mut Vec<T>, limit: usize, not_before: Instant) {
    sleep_until(not_before).await;
    receive(from, into, limit).await;
}

/// Those configured, and those of the tables: what is reconciled is heard too, or
/// all of it would seem to be missing from the socket.
fn tickers_followed(config: &Config, engine: &Engine<PostgresTables>) -> Vec<Ticker> {
    let of_tables = engine.settled().map(|(ticker, _)| ticker);
    config.tickers.iter().chain(of_tables).cloned().collect::<BTreeSet<Ticker>>().into_iter().collect()
}

/// As many connections as the market wants for so many tickers.
fn sockets(config: &Config, tickers: &[Ticker], said: &mpsc::Sender<Said>, stats: &Arc<SocketStats>) -> Vec<Socket> {
    let terms = config.market.adapter().socket_terms();
    let settings = SocketSettings {
        silence_timeout: config.silence_timeout,
        lives_for: terms.lives_for,
        ..SocketSettings::new(config.market_ws_url.clone())
    };
    let socket = |tickers: &[Ticker]| Socket {
        market: config.market,
        settings: settings.clone(),
        // Who needs to be told hears of nothing else, so the list never changes.
        tickers: watch::channel(tickers.to_vec()).1,
        said: said.clone(),
        stats: Arc::clone(stats),
        clock: Arc::new(clock::wall),
    };
    if !terms.needs_tickers {
        return vec![socket(tickers)];
    }
    tickers.chunks(terms.tickers_per_connection).map(socket).collect()
}

fn auditor(
    config: &Config,
    store: &Store,
    rest: Arc<RestClient>,
    pace: Pace,
    audited: mpsc::Sender<Audited>,
    metrics: &Arc<Metrics>,
) -> Auditor {
    Auditor {
        rest,
        store: store.clone(),
        venue: config.venue.clone(),
        patience: Settings::new(config).patience(),
        window_ms: config.interval.ms(),
        pace,
        audited,
        metrics: Arc::clone(metrics),
    }
}

/// The market's REST endpoint, as it is configured.
pub(crate) fn rest(config: &Config) -> Result<RestClient, SessionError> {
    let settings = RestSettings {
        page_limit: config.page_limit,
        total_timeout: config.rest_timeout,
        allowed_skew: Duration::from_millis(config.allowed_skew_ms.unsigned_abs()),
        ..RestSettings::new(config.market).at_rate(config.market, config.rest_rate)
    };
    let clock = Arc::new(clock::wall);
    Ok(RestClient::new(config.market, config.market_rest_url.clone(), settings, clock)?)
}
