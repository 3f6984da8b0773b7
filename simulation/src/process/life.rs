//! The life of a process: campaign, lead, begin anew.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use tape::EpochMs;
use tokio::sync::mpsc;
use worker::clock::Clock;
use worker::config::MarketClock;
use worker::engine::{Engine, Follow, SessionError};
use worker::metrics::Metrics;

use super::auditor::audit;
use super::desk::Desk;
use super::inbox::{Inbox, Sockets};
use super::reconciler::reconcile;
use crate::chance::Chance;
use crate::feed::Rest;
use crate::memory::{Server, SimTables};
use crate::scenario::{Part, Scenario};

/// What a process stands on; it stays when the process is killed.
pub struct Process {
    /// Which worker.
    pub worker: usize,
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The database.
    pub server: Arc<Server>,
    /// The true channel.
    pub rest: Arc<Rest>,
    /// The sessions that listen.
    pub sockets: Sockets,
    /// Its counters.
    pub metrics: Arc<Metrics>,
    /// Chance of what is its own.
    pub chance: Mutex<Chance>,
}

/// What REST is like for one question.
pub struct Mood {
    /// How long the question travels.
    pub asking_ms: i64,
    /// How long the answer does.
    pub answering_ms: i64,
    /// Whether no page comes.
    pub fails: bool,
    /// Whether the next page is asked for before this one is settled.
    pub reads_on: bool,
    /// How many rows of the page are no trades.
    pub refused_rows: usize,
}

impl Process {
    /// Draws what becomes of a question.
    pub fn rest_mood(&self) -> Mood {
        let mut chance = self.chance();
        let (asking_ms, answering_ms) = (chance.between(1, 40), chance.between(1, 40));
        let (fails, is_slow) = (chance.per_mille(30), chance.per_mille(30));
        let slow_ms = chance.between(100, 9_000);
        let reads_on = chance.per_mille(700);
        let (has_refused, refused_rows) = (chance.per_mille(30), *chance.pick(&[1, 2, 3]));
        let tells_nonsense = has_refused && !self.scenario.plan.without.contains(&Part::RefusedRows);
        let refused_rows = if tells_nonsense { refused_rows } else { 0 };
        let has_trouble = !self.scenario.plan.without.contains(&Part::RestTrouble);
        if !has_trouble || self.scenario.calm_from() <= self.server.time.now() {
            return Mood { asking_ms, answering_ms, fails: false, reads_on, refused_rows };
        }
        Mood { asking_ms, answering_ms: if is_slow { slow_ms } else { answering_ms }, fails, reads_on, refused_rows }
    }

    /// Chance of what is its own.
    ///
    /// # Panics
    /// When something panicked while holding it.
    pub fn chance(&self) -> MutexGuard<'_, Chance> {
        self.chance.lock().expect("nothing panics while holding it")
    }

    /// The worker's own clock.
    pub fn skew_ms(&self) -> i64 {
        self.scenario.skews_ms[self.worker]
    }
}

/// Lives until killed.
pub async fn live(process: Arc<Process>) {
    let time = Arc::clone(&process.server.time);
    loop {
        let Ok(Some(tables)) = SimTables::lead(&process.server, process.worker).await else {
            time.sleep(1_000).await;
            continue;
        };
        process.server.state().witness.forgets(process.worker);
        let ended = lead(&process, tables).await;
        if let Err(error) = ended
            && !error.is_transient()
        {
            let what = format!("worker {} cannot go on: {error:?}", process.worker);
            process.server.state().witness.accuse(what);
            return;
        }
        time.sleep(200).await;
    }
}

/// One term.
async fn lead(process: &Arc<Process>, tables: SimTables) -> Result<(), SessionError> {
    let config = &process.scenario.config;
    let (time, skew_ms) = (Arc::clone(&process.server.time), process.skew_ms());
    let clock = {
        let time = Arc::clone(&time);
        Clock::reading(MarketClock::Wall, move || EpochMs::new(time.now() + skew_ms))
    };
    let (follow, mut followed) = mpsc::unbounded_channel();
    let metrics = Arc::clone(&process.metrics);
    let engine = Engine::start(tables, config, clock.clone(), metrics, follow).await?;

    let connects_at = time.now() + process.rest_mood().asking_ms * 5;
    let inbox = Inbox::new(config.queue_limit, connects_at, skew_ms);
    process.sockets.lock().expect("nothing panics while holding it").push(Arc::downgrade(&inbox));

    let mut desk = Desk::new(engine, clock, Arc::clone(process), Arc::clone(&inbox));
    let mut working = pin!(desk.work());
    let auditing: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(audit(Arc::clone(process), Arc::clone(&inbox)));
    let mut asking = vec![auditing];
    poll_fn(move |context| {
        while let Poll::Ready(Some(Follow { ticker, watermark })) = followed.poll_recv(context) {
            let (process, inbox) = (Arc::clone(process), Arc::clone(&inbox));
            asking.push(Box::pin(reconcile(process, inbox, ticker, watermark)));
        }
        asking.retain_mut(|task| task.as_mut().poll(context).is_pending());
        working.as_mut().poll(context)
    })
    .await
}
