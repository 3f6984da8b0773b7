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
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::auditor::{Auditor, Pace};
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::desk::{ANSWERS_TOGETHER, AUDITS_TOGETHER, Desk, Inbox};
use crate::engine::{Audited, Engine, SessionError, Settings};
use crate::metrics::Metrics;
use crate::reconciler::Reconciler;
use crate::retain;
use crate::room::Room;
use crate::tables::PostgresTables;

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
        room: Room::default(),
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

    let inbox = Inbox { said, asked, audited, stats, connects_before };
    let mut desk = Desk::new(engine, clock, store.clone(), inbox, Arc::clone(metrics), config.batch_limit);
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
