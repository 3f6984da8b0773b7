//! Runs seeds by the thousands, or one again.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::Context as _;
use clap::Parser;
use simulation::{Part, Plan, Report, minimized, run};

/// Deterministic simulation of the worker.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Runs one seed alone, twice, and says what came of it.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    replay: Option<u64>,
    /// What to leave out of the replay, separated by commas.
    #[arg(long, value_delimiter = ',', requires = "replay")]
    without: Vec<Part>,
    /// Tickers at most, in the replay.
    #[arg(long, requires = "replay")]
    tickers: Option<usize>,
    /// Seconds of market, in the replay.
    #[arg(long, requires = "replay", value_parser = clap::value_parser!(i64).range(1..=86_400))]
    seconds: Option<i64>,
}

/// What all runs come to.
#[derive(Default)]
struct Total {
    runs: u64,
    failed: u64,
    market_ms: i64,
    trades: u64,
    marks: u64,
    changes: u64,
    restatements: u64,
    commits: u64,
    kills: u64,
    faults: u64,
}

impl Total {
    fn add(&mut self, report: &Report) {
        self.runs += 1;
        self.failed += u64::from(!report.complaints.is_empty());
        self.market_ms += report.simulated_ms;
        self.trades += report.trades;
        self.marks += report.marks;
        self.changes += report.changes;
        self.restatements += report.restatements;
        self.commits += report.commits;
        self.kills += report.kills;
        self.faults += report.injected.values().sum::<u64>();
    }
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.replay {
        let without = arguments.without.into_iter().collect();
        let plan = Plan { seed, without, tickers: arguments.tickers, seconds: arguments.seconds };
        return Ok(replay(&plan));
    }
    let total = run_all(arguments.from, arguments.seeds)?;
    let Total { runs, failed, market_ms, trades, marks, changes, restatements, commits, kills, faults } = total;
    let hours = market_ms / 3_600_000;
    println!(
        "{runs} seeds, {hours} hours of market: {trades} trades, {faults} faults of the socket, {commits} commits, \
         {kills} workers killed, {changes} settled trades changed, {restatements} restatements and {marks} final \
         marks held against the oracle; {failed} seeds failed"
    );
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn replay(plan: &Plan) -> ExitCode {
    let (report, again) = (run(plan), run(plan));
    println!("{report:#?}");
    if report != again {
        println!("the same plan made another run the second time: digests {} and {}", report.digest, again.digest);
    }
    if report.complaints.is_empty() && report == again { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs seeds on as many threads as there are processors; each run is on one.
fn run_all(from: u64, seeds: u64) -> anyhow::Result<Total> {
    let next = Arc::new(AtomicU64::new(from));
    let total = Arc::new(Mutex::new(Total::default()));
    let until = from.checked_add(seeds).context("there are no seeds beyond 2^64")?;
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if until <= seed {
                        return;
                    }
                    let plan = Plan::of(seed);
                    let report = run(&plan);
                    if let Some(complaint) = report.complaints.first() {
                        println!("seed {seed} failed: {complaint}\n  replay: {}", minimized(&plan).command());
                    }
                    total.lock().expect("no run panics while holding it").add(&report);
                }
            });
        }
    });
    let mut total = total.lock().expect("all threads are done");
    Ok(std::mem::take(&mut *total))
}
