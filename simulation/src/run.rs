//! One run: the market trades, workers live and die, and in the end everything
//! is held against the truth.

use std::sync::{Arc, Mutex, Weak};

use worker::metrics::Metrics;

use crate::chance::Chance;
use crate::check::{Case, Compared, check};
use crate::executor::Executor;
use crate::feed::{Injected, Lies, Mind, Present, Rest, Truth};
use crate::memory::disk::TradeName;
use crate::memory::{Server, Trouble};
use crate::process::{Inbox, Process, Sockets, live};
use crate::scenario::{BEGINS_AT, Plan, Scenario};
use crate::time::Time;

/// How long after the last frame the last verdicts may take: the skew of clocks
/// that a verdict on a phantom waits for, and then some.
const VERDICTS_WITHIN_MS: i64 = 12_000;

/// How long after that the market may still be read, beside what each trade takes.
const CONVERGES_WITHIN_MS: i64 = 600_000;

/// What a page of a single trade may take.
const PER_TRADE_MS: i64 = 300;

/// Readings that follow one change of mind at most, before chance has a say
/// again: the auditor looks around it.
const READINGS_PER_CHANGE: i64 = 55;

/// What a reading takes beside the pace, when nothing goes wrong any more.
const PER_READING_MS: i64 = 100;

/// More steps than any honest run makes.
const STEPS_AT_MOST: u64 = 50_000_000;

/// The places of tasks that are no workers.
const FEED: usize = 0;

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was wrong; nothing, if all is well.
    pub complaints: Vec<String>,
    /// The same for every run of the same plan.
    pub digest: u64,
    /// Milliseconds of market.
    pub simulated_ms: i64,
    /// Trades made.
    pub trades: u64,
    /// Final marks held against the oracle.
    pub marks: u64,
    /// Settled trades about which the market changed its mind.
    pub changes: u64,
    /// Restatements held against the oracle.
    pub restatements: u64,
    /// Rows of REST that were no trades.
    pub refused_rows: u64,
    /// Commits.
    pub commits: u64,
    /// Processes killed.
    pub kills: u64,
    /// Faults done by the socket.
    pub injected: Injected,
}

/// Runs a plan.
pub fn run(plan: &Plan) -> Report {
    let mut run = Run::new(plan);
    let mut complaints = run.live();
    let mut guard = run.server.state();
    let state = &mut *guard;
    // Final figures are left to the ends of the chains, which bind each of them.
    state.disk.each_row(|table, row| {
        if table != "figures" {
            state.witness.mix(format!("{table} {row:?}").as_bytes());
        }
    });
    let mind = run.rest.mind();
    let case = Case {
        scenario: &run.scenario,
        truth: &mind.truth,
        told: &run.told,
        changes: &mind.changes,
        refused_rows: mind.refused_rows,
        lies: &run.lies,
        disk: &state.disk,
        witness: &state.witness,
    };
    let (found, Compared { marks, restatements }) = check(&case);
    complaints.extend(found);
    Report {
        complaints,
        digest: state.witness.digest(),
        simulated_ms: run.time.now() - BEGINS_AT,
        trades: run.told.trades.values().map(|trades| trades.len() as u64).sum(),
        marks,
        changes: mind.changes.len() as u64,
        restatements,
        refused_rows: mind.refused_rows,
        commits: state.witness.commits,
        kills: run.kills,
        injected: run.lies.injected.clone(),
    }
}

struct Run {
    scenario: Arc<Scenario>,
    time: Arc<Time>,
    server: Arc<Server>,
    rest: Arc<Rest>,
    /// What was truly traded, as it is told first.
    told: Truth,
    lies: Arc<Lies>,
    sockets: Sockets,
    executor: Executor,
    chance: Chance,
    /// After so many more steps of a worker it is killed.
    dooms: Vec<i64>,
    kills: u64,
    /// Moments to come at which a leader is deposed, and the server killed.
    depositions: Vec<i64>,
    server_crashes: Vec<i64>,
}

impl Run {
    fn new(plan: &Plan) -> Self {
        let scenario = Arc::new(Scenario::of(plan));
        let time = Time::starting_at(BEGINS_AT);
        let told = Truth::of(&scenario);
        let lies = Arc::new(Lies::of(&told, &scenario));
        let Scenario { store_fails: fails, store_is_late: is_late, pages_by_id, tells_seconds_only, .. } = *scenario;
        let trouble = Trouble { fails, is_late, until: scenario.calm_from() };
        let server = Server::new(Arc::clone(&time), plan.seed, trouble);
        let page_limit = scenario.config.page_limit;
        let mind = Mind::new(told.clone(), scenario.changes_of_mind.clone(), page_limit, plan.seed);
        let rest = Arc::new(Rest { mind: Mutex::new(mind), page_limit, pages_by_id, tells_seconds_only });
        let (depositions, server_crashes) = (scenario.depositions.clone(), scenario.server_crashes.clone());
        let mut run = Self {
            time,
            server,
            rest,
            told,
            lies,
            sockets: Sockets::default(),
            executor: Executor::default(),
            chance: Chance::of(plan.seed, "schedule"),
            dooms: vec![0; scenario.workers],
            kills: 0,
            depositions,
            server_crashes,
            scenario,
        };
        let feed = feed(Arc::clone(&run.time), Arc::clone(&run.lies), Arc::clone(&run.sockets));
        run.executor.put(FEED, Box::pin(feed));
        for worker in 0..run.scenario.workers {
            run.start(worker, 0);
        }
        run
    }

    /// Starts a worker's process, after a while.
    fn start(&mut self, worker: usize, after_ms: i64) {
        let process = Arc::new(Process {
            worker,
            scenario: Arc::clone(&self.scenario),
            server: Arc::clone(&self.server),
            rest: Arc::clone(&self.rest),
            sockets: Arc::clone(&self.sockets),
            metrics: Arc::new(Metrics::default()),
            chance: Mutex::new(Chance::of(self.chance.bits(), "process")),
        });
        self.dooms[worker] = self.doom();
        let time = Arc::clone(&self.time);
        let life = async move {
            time.sleep(after_ms).await;
            live(process).await;
        };
        self.executor.put(worker + 1, Box::pin(life));
    }

    /// After how many steps a process is killed: often at once, so that starts are hit too.
    fn doom(&mut self) -> i64 {
        let crashes = self.scenario.crashes;
        if crashes == 0 {
            return i64::MAX;
        }
        let is_soon = self.chance.per_mille(250);
        let usual = 80 * self.scenario.seconds / crashes;
        if is_soon { self.chance.between(1, 120) } else { self.chance.between(1, 2 * usual) }
    }

    /// Lets everything happen until all is settled. Returns what was wrong with that.
    fn live(&mut self) -> Vec<String> {
        let last_at = self.lies.last_at().max(self.scenario.calm_from());
        let settled_by = last_at + VERDICTS_WITHIN_MS;
        let trades: usize = self.told.trades.values().map(Vec::len).sum();
        let changes = i64::try_from(self.scenario.changes_of_mind.len()).unwrap_or(0);
        let audit_every_ms = i64::try_from(self.scenario.config.audit_every.as_millis()).unwrap_or(0);
        let auditing = changes * READINGS_PER_CHANGE * (audit_every_ms + PER_READING_MS);
        let patience = CONVERGES_WITHIN_MS + i64::try_from(trades).unwrap_or(0) * PER_TRADE_MS + auditing;
        let mut steps = 0;
        loop {
            steps += 1;
            match self.executor.step(&mut self.chance) {
                Some(task) => self.strike(task),
                None => {
                    if self.is_settled(settled_by) {
                        return Vec::new();
                    }
                    if settled_by + patience < self.time.now() || STEPS_AT_MOST < steps || !self.time.advance() {
                        return vec![self.stuck()];
                    }
                    self.let_fate_act();
                    if self.time.now() < settled_by {
                        self.let_minds_change();
                    }
                }
            }
        }
    }

    /// Kills a worker whose time has come.
    fn strike(&mut self, task: usize) {
        if task == FEED || self.scenario.calm_from() <= self.time.now() {
            return;
        }
        let worker = task - 1;
        self.dooms[worker] -= 1;
        if self.dooms[worker] > 0 {
            return;
        }
        self.executor.kill(task);
        self.server.state().witness.forgets(worker);
        self.kills += 1;
        let after_ms = self.chance.between(0, 8_000);
        self.start(worker, after_ms);
    }

    fn let_fate_act(&mut self) {
        let now = self.time.now();
        let take_due = |moments: &mut Vec<i64>| {
            let before = moments.len();
            moments.retain(|at| now < *at);
            moments.len() < before
        };
        if take_due(&mut self.depositions) {
            self.server.depose();
        }
        if take_due(&mut self.server_crashes) {
            self.server.crash();
        }
    }

    /// The market changes its mind about what nobody doubts any more.
    fn let_minds_change(&self) {
        let (now, state) = (self.time.now(), self.server.state());
        let is_awaited = |name: &TradeName| {
            let sockets = self.sockets.lock().expect("nothing panics while holding it");
            let has = |socket: &Weak<Inbox>| socket.upgrade().is_some_and(|inbox| inbox.has(&name.0, &name.1));
            let mut coming = self.lies.frames.iter().filter(|frame| now <= frame.at);
            state.witness.is_writing(name) || sockets.iter().any(has) || coming.any(|it| it.of.as_ref() == Some(name))
        };
        self.rest.mind().act(&Present { now, disk: &state.disk, is_awaited: &is_awaited });
    }

    fn is_settled(&self, by: i64) -> bool {
        let state = self.server.state();
        let all_are = state.disk.tickers.values().all(|row| by <= row.watermark.settled_until().ms());
        by <= self.time.now() && all_are && self.rest.mind().not_followed(&state.disk).is_empty()
    }

    fn stuck(&self) -> String {
        let state = self.server.state();
        let at: Vec<_> =
            state.disk.tickers.iter().map(|(ticker, row)| format!("{ticker} {:?}", row.watermark)).collect();
        let open = self.rest.mind().not_followed(&state.disk);
        let open: Vec<_> = open.into_iter().map(|(ticker, at)| format!("{ticker} at {at}")).collect();
        let (now, at, open) = (self.time.now(), at.join(", "), open.join(", "));
        format!("not everything was settled by {now}: {at}; not corrected: {open}")
    }
}

/// Sends every frame, when its time has come, to whoever is connected.
async fn feed(time: Arc<Time>, lies: Arc<Lies>, sockets: Sockets) {
    for frame in &lies.frames {
        time.until(frame.at).await;
        if lies.is_cut(frame.at) {
            continue;
        }
        let mut sockets = sockets.lock().expect("nothing panics while holding it");
        sockets.retain(|socket| socket.strong_count() > 0);
        for inbox in sockets.iter().filter_map(std::sync::Weak::upgrade) {
            if inbox.connects_at <= frame.at {
                inbox.hear(&frame.text, frame.at);
            }
        }
    }
}
