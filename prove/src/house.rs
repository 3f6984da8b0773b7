//! All the programs of a run: how each is told of the others, and how each is
//! struck and raised again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use crate::clock::now_ms;
use crate::http::Http;
use crate::orphans::Orphans;
use crate::postgres::Postgres;
use crate::process::{Process, Program};
use crate::schedule::{Actor, Blow, WORKERS};

/// The tickers the workers are told of; the rest of the market they discover.
const TICKERS_TOLD: &str = "BTC,ETH,SOL,XMR";

/// The length of the window, in milliseconds.
pub const INTERVAL_MS: i64 = 10_000;

/// A trade heard so long after it was made is late, in milliseconds.
pub const LATE_AFTER_MS: i64 = 1_500;

/// How far clocks may be apart, in milliseconds.
pub const SKEW_MS: i64 = 2_000;

/// How long anything may take to answer after it was started.
const UP_WITHIN: Duration = Duration::from_secs(120);

/// Where everybody is.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// The database.
    pub database: String,
    /// The market, as `http://…`.
    pub venue: String,
    /// The workers' own ports, as `http://…`.
    pub workers: Vec<String>,
    /// The api, as `http://…`.
    pub api: String,
}

/// What was done to whom, and from when until when it was away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deed {
    /// To whom.
    pub actor: Actor,
    /// What.
    pub blow: Blow,
    /// Since when it was not itself.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
}

/// All programs of a run.
#[derive(Debug)]
pub struct House {
    /// Where everybody is.
    pub addresses: Addresses,
    processes: BTreeMap<Actor, Mutex<Process>>,
    postgres: Mutex<Postgres>,
    orphans: Orphans,
}

impl House {
    /// Starts everything, and returns when all of it works together.
    pub async fn build(folder: &Path, programs: &Path, seed: u64, length: Duration) -> anyhow::Result<Self> {
        let postgres = Postgres::launch(folder).await?;
        let loopback = || format!("http://127.0.0.1:{}", testkit::free_port());
        let addresses = Addresses {
            database: postgres.url(),
            venue: loopback(),
            workers: (0..WORKERS).map(|_| loopback()).collect(),
            api: loopback(),
        };
        let plan = Plan { folder, programs, addresses: &addresses };
        let actors = Actor::ALL.into_iter().filter(|actor| *actor != Actor::Postgres);
        let processes = actors.map(|actor| (actor, Mutex::new(Process::new(plan.program(actor, seed, length)))));
        let (processes, orphans) = (processes.collect(), Orphans::guard(&folder.join("processes"))?);
        let house = Self { addresses, processes, postgres: Mutex::new(postgres), orphans };
        for actor in house.processes.keys() {
            house.start(*actor).await?;
        }
        house.wait_until_all_work().await?;
        Ok(house)
    }

    /// Strikes a process and raises it again.
    ///
    /// # Errors
    /// What it did not do as it should have.
    pub async fn strike(&self, actor: Actor, blow: Blow, lasts: Duration) -> anyhow::Result<Deed> {
        if actor == Actor::Postgres {
            return self.strike_postgres(blow, lasts).await;
        }
        let mut process = self.processes[&actor].lock().await;
        let from_ms = now_ms();
        if let Some(status) = process.ended()? {
            anyhow::bail!("{} ended by itself: {status}", actor.name());
        }
        match blow {
            Blow::Kill => {
                process.kill()?;
                sleep(lasts).await;
            }
            Blow::Pause => {
                process.pause()?;
                sleep(lasts).await;
                process.resume()?;
            }
            Blow::Restart => process.end().await?,
        }
        drop(process);
        self.start(actor).await?;
        Ok(Deed { actor, blow, from_ms, to_ms: now_ms() })
    }

    async fn strike_postgres(&self, blow: Blow, lasts: Duration) -> anyhow::Result<Deed> {
        let postgres = self.postgres.lock().await;
        let from_ms = now_ms();
        match blow {
            Blow::Kill => {
                postgres.stop("immediate").await?;
                sleep(lasts).await;
                postgres.start().await?;
            }
            Blow::Pause => {
                postgres.pause()?;
                sleep(lasts).await;
                postgres.resume()?;
            }
            Blow::Restart => {
                postgres.stop("fast").await?;
                postgres.start().await?;
            }
        }
        Ok(Deed { actor: Actor::Postgres, blow, from_ms, to_ms: now_ms() })
    }

    /// Whoever ended without being told to, and how.
    pub async fn fallen(&self) -> Vec<String> {
        let mut fallen = Vec::new();
        for (actor, process) in &self.processes {
            // Who is being struck right now is looked at next time.
            let Ok(mut process) = process.try_lock() else { continue };
            match process.ended() {
                Ok(None) => continue,
                Ok(Some(status)) => fallen.push(format!("{} ended by itself: {status}", actor.name())),
                Err(error) => fallen.push(format!("{} could not be looked after: {error}", actor.name())),
            }
            drop(process);
            // Whatever can still be learned from the run is.
            fallen.extend(self.start(*actor).await.err().map(|error| error.to_string()));
        }
        fallen
    }

    /// Ends everything; with a folder, the data of the database is kept there.
    pub async fn close(self, keep_in: Option<&Path>) -> anyhow::Result<()> {
        for process in self.processes.values() {
            process.lock().await.kill()?;
        }
        self.orphans.note(&[])?;
        match keep_in {
            Some(folder) => self.postgres.into_inner().keep_data(folder).await,
            None => Ok(()),
        }
    }

    /// Starts a process, unless it runs.
    pub async fn start(&self, actor: Actor) -> anyhow::Result<()> {
        if actor == Actor::Postgres {
            return self.postgres.lock().await.start().await;
        }
        self.processes[&actor].lock().await.start()?;
        let mut ids = Vec::new();
        for process in self.processes.values() {
            // One that is locked is being struck, and its id noted when it is raised.
            ids.extend(process.try_lock().ok().and_then(|process| process.id()));
        }
        self.orphans.note(&ids)
    }

    /// Until the market is heard, the tables are there and the api answers from them.
    async fn wait_until_all_work(&self) -> anyhow::Result<()> {
        let http = Http::new(Duration::from_secs(2))?;
        let began_at = Instant::now();
        let working = async {
            loop {
                let tickers = http.get(&format!("{}/tickers", self.addresses.api), &[]).await;
                if tickers.is_ok_and(|answer| answer.status == 200 && answer.body.contains("\"ts\":1")) {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        let fallen = async {
            loop {
                sleep(Duration::from_millis(500)).await;
                let fallen = self.fallen().await;
                if !fallen.is_empty() {
                    return fallen.join("; ");
                }
            }
        };
        tokio::select! {
            working = timeout(UP_WITHIN, working) => {
                working.with_context(|| format!("not everything worked within {} s", began_at.elapsed().as_secs()))?;
                let fallen = self.fallen().await;
                anyhow::ensure!(fallen.is_empty(), "{}", fallen.join("; "));
                Ok(())
            }
            fallen = fallen => anyhow::bail!("{fallen}"),
        }
    }
}

/// How everybody is told of everybody else.
struct Plan<'a> {
    folder: &'a Path,
    programs: &'a Path,
    addresses: &'a Addresses,
}

impl Plan<'_> {
    fn program(&self, actor: Actor, seed: u64, length: Duration) -> Program {
        let (executable, arguments, variables) = match actor {
            Actor::Venue => ("venue", self.venue_arguments(seed, length), Vec::new()),
            Actor::Worker(number) => ("worker", Vec::new(), self.worker_variables(number)),
            Actor::Api => ("api", Vec::new(), self.api_variables()),
            Actor::Postgres => unreachable!("the database is no program of ours"),
        };
        let owned = |pairs: Vec<(&str, String)>| {
            pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>()
        };
        Program {
            name: actor.name(),
            path: self.programs.join(executable),
            arguments,
            variables: owned(variables),
            folder: self.folder.to_owned(),
            log: log_of(self.folder, actor),
        }
    }

    /// A market with every fault at once, small pages and a REST channel of moods.
    fn venue_arguments(&self, seed: u64, length: Duration) -> Vec<String> {
        let ledger = self.folder.join("ledger").display().to_string();
        // Its past must reach back to before the run, however late it is started again.
        let history = format!("{}s", length.as_secs() + 600);
        let (port, seed) = (port_of(&self.addresses.venue), seed.to_string());
        let told = [
            ["--port", &port],
            ["--seed", &seed],
            ["--ledger", &ledger],
            ["--history", &history],
            ["--rate", "30"],
            ["--faults", "0.04"],
            ["--silence-for", "1s"],
            ["--page-limit", "20"],
            ["--rest-latency", "15ms"],
            ["--rest-fail", "0.02"],
            ["--rest-hang", "0.005"],
        ];
        told.into_iter().flatten().map(str::to_owned).collect()
    }

    fn worker_variables(&self, number: usize) -> Vec<(&'static str, String)> {
        let address = &self.addresses.workers[number - 1];
        let venue = &self.addresses.venue;
        vec![
            ("PG_STRING", self.addresses.database.clone()),
            ("MARKET_WS_URL", format!("{}/stream", venue.replace("http", "ws"))),
            ("MARKET_REST_URL", format!("{venue}/trades")),
            ("TICKERS", TICKERS_TOLD.to_owned()),
            ("INTERVAL", INTERVAL_MS.to_string()),
            ("BACKFILL_FROM", "-20s".to_owned()),
            ("SETTLE_DELAY", "1s".to_owned()),
            ("ALLOWED_SKEW", format!("{SKEW_MS}ms")),
            ("LATE_AFTER", format!("{LATE_AFTER_MS}ms")),
            ("POLL_EVERY", "500ms".to_owned()),
            ("REST_TIMEOUT", "2s".to_owned()),
            ("PAGE_LIMIT", "20".to_owned()),
            ("WORKER_PORT", port_of(address)),
            ("NO_COLOR", "1".to_owned()),
        ]
    }

    fn api_variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("PG_STRING", self.addresses.database.clone()),
            ("INTERVAL", INTERVAL_MS.to_string()),
            ("PORT", port_of(&self.addresses.api)),
            ("HTTP_WORKERS", "1".to_owned()),
            ("DB_POOL", "4".to_owned()),
            ("NO_COLOR", "1".to_owned()),
        ]
    }
}

/// What a process says is found here.
pub fn log_of(folder: &Path, actor: Actor) -> PathBuf {
    folder.join(format!("{}.log", actor.name()))
}

fn port_of(url: &str) -> String {
    url.rsplit(':').next().unwrap_or_default().to_owned()
}
