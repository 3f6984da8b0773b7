//! What the engine does next: one thing after the other, the second mark before
//! all else.

mod gathering;
mod waiting;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use market::{Said, SocketStats};
use store::Store;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::gathering::{Gathering, TICK};
use self::waiting::Waiting;
use crate::clock::{self, Clock};
use crate::engine::{Asked, Audited, Engine, SessionError};
use crate::metrics::Metrics;
use crate::progress::Progress;
use crate::tables::PostgresTables;

pub use self::waiting::ANSWERS_TOGETHER;

/// Second readings taken in together at most.
pub const AUDITS_TOGETHER: usize = 16;

/// How often the leadership is made sure of.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// New tables are looked at by the planner after so many confirmed trades:
/// later, the look-ups of large pages have cost seconds; earlier there is
/// nothing to see.
const PLANNER_LOOKS_AFTER: u64 = 500;

/// Where the engine gets its work from.
pub struct Desk {
    engine: Engine<PostgresTables>,
    clock: Clock,
    store: Store,
    inbox: Inbox,
    metrics: Arc<Metrics>,
    batch_limit: usize,
    confirmed_before: u64,
    has_statistics: bool,
    is_listening: bool,
}

/// What comes in.
pub struct Inbox {
    /// From the socket.
    pub said: mpsc::Receiver<Said>,
    /// From the reconcilers.
    pub asked: mpsc::Receiver<Asked>,
    /// From the auditor.
    pub audited: mpsc::Receiver<Audited>,
    /// What happened on the socket.
    pub stats: Arc<SocketStats>,
    /// How often it had connected before this term.
    pub connects_before: u64,
}

enum Work {
    Mark,
    Settle,
    Audit,
    Hear,
    Check,
}

impl Desk {
    /// A desk for one term.
    pub fn new(
        engine: Engine<PostgresTables>,
        clock: Clock,
        store: Store,
        inbox: Inbox,
        metrics: Arc<Metrics>,
        batch_limit: usize,
    ) -> Self {
        let (confirmed_before, has_statistics, is_listening) = (metrics.confirmed_trades(), false, false);
        Self { engine, clock, store, inbox, metrics, batch_limit, confirmed_before, has_statistics, is_listening }
    }

    /// One thing after the other, until `over`, which is looked at in between. Dropped half-way,
    /// as by a session of which another part has ended, it leaves no trace of the transaction
    /// at hand, and what was heard and not written comes back by REST.
    ///
    /// # Errors
    /// Why the term is over, unless it was ended.
    pub async fn work(&mut self, over: &CancellationToken) -> Result<(), SessionError> {
        let mut batch = Vec::with_capacity(self.batch_limit.min(1024));
        let mut gathering = Gathering::new(Instant::now());
        let mut waiting = Waiting::new(self.engine.patience());
        let mut audits = VecDeque::new();
        let mut check_at = Instant::now() + CHECK_EVERY;
        let mut mark_at = Instant::now();
        let mut progress = Progress::default();
        loop {
            let work = tokio::select! {
                biased;
                () = over.cancelled() => return Ok(()),
                () = sleep_until(mark_at) => Work::Mark,
                () = sleep_until(check_at) => Work::Check,
                () = settlement(&mut self.inbox.asked, &mut waiting, mark_at, || self.engine.follows_the_present()) => {
                    Work::Settle
                }
                () = audited(&mut self.inbox.audited, &mut audits) => Work::Audit,
                () = gather(&mut self.inbox.said, &mut batch, self.batch_limit, &gathering, mark_at) => Work::Hear,
            };
            if !self.engine.is_leading() {
                return Err(SessionError::LeadershipLost);
            }
            self.notice_listening();
            match work {
                Work::Mark => {
                    // What was heard before the mark is in the mark's figure.
                    self.hear(&mut batch, &mut gathering).await?;
                    mark_at = next_second();
                    if let Some(now) = self.clock.now() {
                        self.engine.mark(now).await?;
                        progress.update(now, self.engine.settled());
                        self.metrics.lag_ms.set(self.engine.lag_ms(now));
                    }
                    // Where marks take longer than a second, something else is done after each.
                    mark_at = mark_at.max(Instant::now() + TICK);
                }
                Work::Settle => {
                    let ((answers, pieces), began) = (waiting.take(), Instant::now());
                    self.engine.settle(answers).await?;
                    waiting.learn(pieces, began.elapsed());
                    self.let_planner_know().await?;
                    self.hear_in_between(&mut batch, &mut gathering, mark_at).await?;
                }
                Work::Audit => {
                    self.engine.audit(&mut audits).await?;
                    self.hear_in_between(&mut batch, &mut gathering, mark_at).await?;
                }
                Work::Hear => {
                    self.hear(&mut batch, &mut gathering).await?;
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
        if !self.is_listening && self.inbox.stats.connects() > self.inbox.connects_before {
            self.is_listening = true;
            self.engine.set_listening_since(clock::wall());
        }
    }

    /// [`Self::hear`] where that is due: a backfill always has answers waiting, and a market that
    /// changes its mind findings.
    async fn hear_in_between(
        &mut self,
        batch: &mut Vec<Said>,
        gathering: &mut Gathering,
        mark_at: Instant,
    ) -> Result<(), SessionError> {
        let now = Instant::now();
        if now < gathering.due(now, mark_at) {
            return Ok(());
        }
        self.hear(batch, gathering).await
    }

    /// Writes what is gathered and whatever else waits, up to the limit of a batch.
    async fn hear(&mut self, batch: &mut Vec<Said>, gathering: &mut Gathering) -> Result<(), SessionError> {
        gathering.begin_writing(Instant::now());
        while batch.len() < self.batch_limit {
            let Ok(said) = self.inbox.said.try_recv() else { break };
            batch.push(said);
        }
        if batch.is_empty() {
            return Ok(());
        }
        self.engine.hear(std::mem::take(batch)).await?;
        gathering.finish_writing(Instant::now());
        Ok(())
    }
}

/// When our clock begins its next second.
fn next_second() -> Instant {
    let into_second_ms = clock::wall().ms().rem_euclid(1000).unsigned_abs();
    Instant::now() + Duration::from_millis(1000 - into_second_ms)
}

/// Waits for answers to settle, and for the mark where it comes before them.
async fn settlement(
    from: &mut mpsc::Receiver<Asked>,
    waiting: &mut Waiting,
    mark_at: Instant,
    follows_the_present: impl Fn() -> bool,
) {
    if waiting.is_empty() {
        let mut first = Vec::new();
        receive(from, &mut first, ANSWERS_TOGETHER).await;
        waiting.extend(first);
    }
    while let Some(next) = (0 < waiting.room()).then(|| from.try_recv().ok()).flatten() {
        waiting.extend([next]);
    }
    if waiting.is_held_back(Instant::now(), mark_at, follows_the_present) {
        sleep_until(mark_at).await;
    }
}

/// Waits for second readings, unless some are left.
async fn audited(from: &mut mpsc::Receiver<Audited>, waiting: &mut VecDeque<Audited>) {
    if waiting.is_empty() {
        let mut first = Vec::new();
        receive(from, &mut first, AUDITS_TOGETHER).await;
        waiting.extend(first);
    }
}

/// Waits for something to come; for ever when nothing can come any more: the
/// end of the sender is noticed elsewhere.
async fn receive<T>(from: &mut mpsc::Receiver<T>, into: &mut Vec<T>, limit: usize) {
    if from.recv_many(into, limit).await == 0 {
        std::future::pending::<()>().await;
    }
}

/// Waits for something to be heard, unless some is left, and until it is written.
async fn gather(
    from: &mut mpsc::Receiver<Said>,
    into: &mut Vec<Said>,
    limit: usize,
    gathering: &Gathering,
    mark_at: Instant,
) {
    if into.is_empty() {
        receive(from, into, limit).await;
    }
    let now = Instant::now();
    let due = gathering.due(now, mark_at);
    // A timer takes a millisecond at least.
    if now < due {
        sleep_until(due).await;
    }
}
