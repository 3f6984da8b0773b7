//! One run: the market trades, workers live and die, and in the end everything
//! is held against the truth.

use std::sync::{Arc, Mutex};

use worker::metrics::Metrics;

use crate::chance::Chance;
use crate::check::{Case, check};
use crate::executor::Executor;
use crate::feed::{Injected, Lies, Rest, Truth};
use crate::memory::{Server, Trouble};
use crate::process::{Process, Sockets, live};
use crate::scenario::{BEGINS_AT, Plan, Scenario};
use crate::time::Time;

/// How long after the last frame the last verdicts may take: the skew of clocks
/// that a verdict on a phantom waits for, and then some.
const VERDICTS_WITHIN_MS: i64 = 12_000;

/// How long after that the market may still be read, beside what each trade takes.
const CONVERGES_WITHIN_MS: i64 = 600_000;

/// What a page of a single trade may take.
const PER_TRADE_MS: i64 = 300;

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
    let (truth, lies) = (&run.rest.truth, &*run.lies);
    let case = Case { scenario: &run.scenario, truth, lies, disk: &state.disk, witness: &state.witness };
    let (found, marks) = check(&case);
    complaints.extend(found);
    Report {
        complaints,
        digest: state.witness.digest(),
        simulated_ms: run.time.now() - BEGINS_AT,
        trades: truth.trades.values().map(|trades| trades.len() as u64).sum(),
        marks,
        commits: state.witness.commits,
        kills: run.kills,
        injected: lies.injected.clone(),
    }
}

struct Run {
    scenario: Arc<Scenario>,
    time: Arc<Time>,
    server: Arc<Server>,
    rest: Arc<Rest>,
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
        let truth = Truth::of(&scenario);
        let lies = Arc::new(Lies::of(&truth, &scenario));
        let Scenario { store_fails: fails, store_is_late: is_late, pages_by_id, tells_seconds_only, .. } = *scenario;
        let trouble = Trouble { fails, is_late, until: scenario.calm_from() };
        let server = Server::new(Arc::clone(&time), plan.seed, trouble);
        let page_limit = scenario.config.page_limit;
        let rest = Arc::new(Rest { truth, page_limit, pages_by_id, tells_seconds_only });
        let (depositions, server_crashes) = (scenario.depositions.clone(), scenario.server_crashes.clone());
        let mut run = Self {
            time,
            server,
            rest,
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
        let trades: usize = self.rest.truth.trades.values().map(Vec::len).sum();
        let patience = CONVERGES_WITHIN_MS + i64::try_from(trades).unwrap_or(0) * PER_TRADE_MS;
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

    fn is_settled(&self, by: i64) -> bool {
        let state = self.server.state();
        let all_are = state.disk.tickers.values().all(|row| by <= row.watermark.settled_until().ms());
        by <= self.time.now() && all_are
    }

    fn stuck(&self) -> String {
        let state = self.server.state();
        let at: Vec<_> =
            state.disk.tickers.iter().map(|(ticker, row)| format!("{ticker} {:?}", row.watermark)).collect();
        format!("not everything was settled by {}: {}", self.time.now(), at.join(", "))
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
