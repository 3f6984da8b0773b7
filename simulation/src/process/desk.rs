//! Hands the engine its work in the order the worker's own desk does.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use market::Said;
use worker::clock::Clock;
use worker::engine::{Asked, Audited, Engine, SessionError};

use super::inbox::Inbox;
use super::life::Process;
use crate::memory::SimTables;
use crate::witness::Batch;

const GATHER_MS: i64 = 20;
const CHECK_EVERY_MS: i64 = 5_000;
const ANSWERS_TOGETHER: usize = 128;
const AUDITS_TOGETHER: usize = 16;

/// Where the engine gets its work from.
pub struct Desk {
    engine: Engine<SimTables>,
    clock: Clock,
    process: Arc<Process>,
    inbox: Arc<Inbox>,
    is_listening: bool,
}

enum Work {
    Mark,
    Check,
    Settle,
    Audit,
    Hear,
}

impl Desk {
    /// A desk of a term that begins.
    pub fn new(engine: Engine<SimTables>, clock: Clock, process: Arc<Process>, inbox: Arc<Inbox>) -> Self {
        Self { engine, clock, process, inbox, is_listening: false }
    }

    /// One thing after the other, for as long as all goes well.
    pub async fn work(&mut self) -> Result<(), SessionError> {
        let time = Arc::clone(&self.process.server.time);
        let mut gathered_at = time.now();
        let mut check_at = time.now() + CHECK_EVERY_MS;
        let mut mark_at = time.now();
        loop {
            let work = self.next(mark_at, check_at, gathered_at + GATHER_MS).await;
            if !self.engine.is_leading() {
                return Err(SessionError::LeadershipLost);
            }
            self.notice_listening();
            match work {
                Work::Mark => {
                    gathered_at = time.now();
                    self.hear().await?;
                    let own_now = time.now() + self.process.skew_ms();
                    mark_at = time.now() + 1_000 - own_now.rem_euclid(1_000);
                    if let Some(now) = self.clock.now() {
                        self.engine.mark(now).await?;
                    }
                }
                Work::Check => {
                    check_at = time.now() + CHECK_EVERY_MS;
                    self.engine.check_leadership().await?;
                }
                Work::Settle => {
                    let answers = self.answers();
                    self.engine.settle(answers).await?;
                    if gathered_at + GATHER_MS <= time.now() {
                        gathered_at = time.now();
                        self.hear().await?;
                    }
                }
                Work::Audit => {
                    let mut audited = self.audited();
                    while !audited.is_empty() {
                        self.engine.audit(&mut audited).await?;
                    }
                }
                Work::Hear => {
                    gathered_at = time.now();
                    self.hear().await?;
                }
            }
            self.look_at_bounds();
        }
    }

    /// Waits for the next thing to do; of several, the first in this order.
    async fn next(&self, mark_at: i64, check_at: i64, gather_at: i64) -> Work {
        let time = &self.process.server.time;
        let mut timers = [mark_at, check_at, gather_at].map(|at| Box::pin(time.until(at)));
        poll_fn(|context| {
            let [is_mark, is_check, is_gathered] =
                timers.each_mut().map(|timer| timer.as_mut().poll(context).is_ready());
            let mut waiting = self.inbox.waiting();
            waiting.wakes(context);
            let has_said = !waiting.said.is_empty() && is_gathered;
            match (is_mark, is_check, !waiting.asked.is_empty(), !waiting.audited.is_empty(), has_said) {
                (true, ..) => Poll::Ready(Work::Mark),
                (_, true, ..) => Poll::Ready(Work::Check),
                (_, _, true, ..) => Poll::Ready(Work::Settle),
                (.., true, _) => Poll::Ready(Work::Audit),
                (.., true) => Poll::Ready(Work::Hear),
                _ => Poll::Pending,
            }
        })
        .await
    }

    /// From the first connection of this term on, a trade that is not heard is missing.
    fn notice_listening(&mut self) {
        if !self.is_listening && self.inbox.connects_at <= self.process.server.time.now() {
            self.is_listening = true;
            let since = self.clock.wall();
            self.engine.set_listening_since(since);
            self.process.server.state().witness.listens(self.process.worker, since);
        }
    }

    async fn hear(&mut self) -> Result<(), SessionError> {
        let said: Vec<Said> = {
            let mut waiting = self.inbox.waiting();
            let together = waiting.said.len().min(self.process.scenario.config.batch_limit);
            waiting.said.drain(..together).collect()
        };
        if said.is_empty() {
            return Ok(());
        }
        let batch = Batch { now: self.clock.wall(), said: said.clone() };
        self.process.server.state().witness.is_hearing(self.process.worker, batch);
        let heard = self.engine.hear(said).await;
        self.process.server.state().witness.has_heard(self.process.worker);
        heard
    }

    fn answers(&self) -> Vec<Asked> {
        let mut waiting = self.inbox.waiting();
        let together = waiting.asked.len().min(ANSWERS_TOGETHER);
        waiting.asked.drain(..together).collect()
    }

    fn audited(&self) -> VecDeque<Audited> {
        let mut waiting = self.inbox.waiting();
        let together = waiting.audited.len().min(AUDITS_TOGETHER);
        waiting.audited.drain(..together).collect()
    }

    /// Memory depends on the window, whatever was heard.
    fn look_at_bounds(&self) {
        let config = &self.process.scenario.config;
        // A window, what may be ahead of our clock, the second being settled, and
        // how far the last mark lies back: windows move at marks, and a late store delays them.
        let behind_ms = self.clock.wall().ms_since(self.engine.live_at().at()).max(0);
        let most = (config.interval.ms() + config.allowed_skew_ms + behind_ms) / 1_000 + 2;
        let held = self.engine.held_seconds();
        let mut state = self.process.server.state();
        if most < i64::try_from(held).unwrap_or(i64::MAX) {
            state.witness.accuse(format!("a book holds {held} seconds, at most {most} are needed"));
        }
        if self.inbox.waiting().said.len() > config.queue_limit {
            state.witness.accuse("the queue is longer than its limit".to_owned());
        }
    }
}
