//! What all connections of one venue share: the market under its lock, REST's
//! mood under its own, and the token that stops everything.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tape::EpochMs;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock;
use crate::dialect::Dialect;
use crate::dialect::guard::Guard;
use crate::dialect::manners::Manners;
use crate::market::Market;
use crate::rest_mood::RestMood;

/// The longest the market sleeps, so that a clock set anew is noticed.
const LONGEST_SLEEP_MS: i64 = 1_000;

/// What all connections of one venue share.
#[derive(Debug)]
pub struct Shared {
    market: Mutex<Market>,
    rest: Mutex<RestMood>,
    guard: Mutex<Guard>,
    changed: Notify,
    leaving: watch::Sender<Option<EpochMs>>,
    /// Stops everything when cancelled.
    pub stop: CancellationToken,
    /// The conversations with listeners.
    pub conversations: TaskTracker,
    /// Which language is spoken.
    pub dialect: Dialect,
    /// How it is spoken.
    pub manners: Manners,
    /// How often listeners are pinged.
    pub ping_every: Duration,
    /// How many trades a page has at most.
    pub page_limit: usize,
    /// Whether `afterId` is understood.
    pub after_id: bool,
    /// Whether answers carry `X-Market-Time`.
    pub market_time: bool,
}

impl Shared {
    /// What the connections of a venue share.
    pub fn new(config: &crate::VenueConfig, market: Market) -> Self {
        Self {
            market: Mutex::new(market),
            rest: Mutex::new(RestMood::new(config.rest.clone(), config.seed)),
            guard: Mutex::new(Guard::new(config.dialect, config.manners.clone())),
            changed: Notify::new(),
            leaving: watch::Sender::new(None),
            stop: CancellationToken::new(),
            conversations: TaskTracker::new(),
            dialect: config.dialect,
            manners: config.manners.clone(),
            ping_every: config.ping_every,
            page_limit: config.rest.page_limit,
            after_id: config.rest.after_id,
            market_time: config.rest.market_time,
        }
    }

    /// The market, to ask or to change; never held across an await.
    pub fn market(&self) -> MutexGuard<'_, Market> {
        self.market.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// REST's mood.
    pub fn rest(&self) -> MutexGuard<'_, RestMood> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is heard.
    pub fn guard(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those connected now that their connections end at an instant.
    pub fn announce_the_end(&self, at: EpochMs) {
        self.leaving.send_replace(Some(at));
    }

    /// Where a connection learns of its end; what was said before is not its affair.
    pub fn ends_announced(&self) -> watch::Receiver<Option<EpochMs>> {
        let mut ends = self.leaving.subscribe();
        ends.mark_unchanged();
        ends
    }

    /// Says that something may be due earlier than it was.
    pub fn note_change(&self) {
        self.changed.notify_one();
    }

    /// Lets the market happen until the venue stops.
    pub async fn run_market(&self) {
        let mut is_over = false;
        loop {
            let next_at = {
                let now = clock::now();
                let mut market = self.market();
                market.advance(now);
                market.pour(now);
                let ends_now = market.remaining() == Some(0) && !is_over;
                if ends_now {
                    is_over = true;
                    tracing::info!("no trades to come: the market is silent from here on");
                }
                market.next_at(now)
            };
            tokio::select! {
                () = sleep_until(next_at) => {}
                () = self.changed.notified() => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Waits, unless the venue stops before.
    pub async fn pause(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

async fn sleep_until(next_at: Option<EpochMs>) {
    let ms = next_at.map_or(LONGEST_SLEEP_MS, |at| at.ms_since(clock::now()));
    let ms = ms.clamp(0, LONGEST_SLEEP_MS).unsigned_abs();
    tokio::time::sleep(Duration::from_millis(ms)).await;
}
