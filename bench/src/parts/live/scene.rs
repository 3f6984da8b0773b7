//! One live market and all who follow it.

use std::fmt;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::histogram::Buckets;
use super::watch::served_after_ms;
use crate::Bench;
use crate::filled::Filled;
use crate::servers::Server;

/// How long until every ticker is served.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// How long everyone gets used to it before anything is measured.
const WARM_UP: Duration = Duration::from_secs(5);

/// Under which name a market is kept.
#[derive(Debug, Clone, Copy)]
pub enum Exchange {
    /// That of the practice market.
    Generic,
    /// One that nothing else is kept under, last in every index, with tickers of its own.
    Later(u32),
}

/// A market of some size.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Of several exchanges that are kept in one database, which.
    pub exchange: Exchange,
    /// How many tickers.
    pub tickers: usize,
    /// Trades a second over all of them.
    pub rate: f64,
    /// For how long it is measured.
    pub lasting: Duration,
    /// Of how many tickers every figure is watched.
    pub watched: usize,
}

/// What was seen.
#[derive(Debug, Clone)]
pub struct Lived {
    /// From each second mark to its served figure, in ms.
    pub served_after_ms: Vec<f64>,
    /// From a second mark to its committed figures, in s.
    pub mark_p99_s: f64,
    /// From a frame to its committed row, in s.
    pub heard_p99_s: f64,
    /// The same, on average.
    pub heard_mean_s: f64,
    /// From a second mark to its committed figures, on average, in s.
    pub mark_mean_s: f64,
    /// Trades committed a second.
    pub heard_per_s: f64,
    /// Trades dropped at the bound of the queue.
    pub dropped: u64,
}

/// All that runs, in the order in which it is ended.
pub struct House {
    api: Server,
    /// Which is watched.
    pub worker: Server,
    _market: Server,
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Generic => f.write_str("generic"),
            Self::Later(which) => write!(f, "much_later{which:03}"),
        }
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tickers, {:.0} trades a second", self.tickers, self.rate)
    }
}

impl Scene {
    fn names(&self) -> Vec<String> {
        let prefix = match self.exchange {
            Exchange::Generic => "T".to_owned(),
            Exchange::Later(which) => format!("L{which}T"),
        };
        (0..self.tickers).map(|index| format!("{prefix}{index}")).collect()
    }

    /// Starts everything on a database, with more environment for the worker,
    /// and waits until figures are served.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn build(&self, bench: &Bench, url: &str, more: &[(&str, &str)]) -> anyhow::Result<House> {
        let (market, own, api) = (testkit::free_port(), testkit::free_port(), testkit::free_port());
        let names = self.names();
        let mut command = Command::new(bench.programs.join("venue"));
        command.args(["--port", &market.to_string(), "--rate", &self.rate.to_string(), "--history", "2s"]);
        command.args(["--tickers", &names.join(","), "--quiet", &names[self.tickers - 1], "--keep", "20000"]);
        let venue = Server::at(&mut command, market, "/", "practice market").context("the market")?;
        let mut command = Command::new(bench.programs.join("worker"));
        command.env_clear().envs([
            ("PG_STRING", url.to_owned()),
            ("EXCHANGE", self.exchange.to_string()),
            ("TICKERS", names.join(",")),
            ("MAX_TICKERS", (self.tickers + 1).to_string()),
            ("REST_RATE", "5000".to_owned()),
            ("WORKER_PORT", own.to_string()),
            ("LOG", "warn".to_owned()),
            ("MARKET_WS_URL", format!("ws://127.0.0.1:{market}/stream")),
            ("MARKET_REST_URL", format!("http://127.0.0.1:{market}/trades")),
        ]);
        command.envs(more.iter().copied());
        let worker = Server::at(&mut command, own, "/health", "\"status\":\"ok\"").context("the worker")?;
        let mut command = Command::new(bench.programs.join("api"));
        command.env_clear().envs([("PG_STRING", url.to_owned()), ("PORT", api.to_string())]);
        command.envs([("HTTP_WORKERS", "1"), ("LOG", "warn")]);
        let api = Server::at(&mut command, api, "/health/livez", "").context("the api")?;
        let house = House { api, worker, _market: venue };
        let began = Instant::now();
        for name in names.iter().rev().take(3).chain(names.iter().take(3)) {
            while !house.api.get(&format!("/latest?ticker={name}")).unwrap_or_default().contains("\"ts\":") {
                ensure!(began.elapsed() < READY_WITHIN, "{name} is not served");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(house)
    }

    /// Lets it live for a while on a database of its own, and watches.
    ///
    /// # Errors
    /// When something fails, or an answer is wrong.
    pub async fn live(&self, bench: &Bench) -> anyhow::Result<Lived> {
        let filled = Filled::as_shipped().await?;
        let house = self.build(bench, &filled.url, &[]).await?;
        tokio::time::sleep(WARM_UP).await;
        self.watch(&house).await
    }

    /// Watches for as long as it is measured.
    ///
    /// # Errors
    /// When something fails, or an answer is wrong.
    pub async fn watch(&self, house: &House) -> anyhow::Result<Lived> {
        let before = house.worker.get("/metrics")?;
        let names = self.names();
        let watched: Vec<String> = names.iter().step_by((self.tickers / self.watched).max(1)).cloned().collect();
        let (address, lasting) = (house.api.address, self.lasting);
        let served_after_ms =
            tokio::task::spawn_blocking(move || served_after_ms(address, &watched, lasting)).await??;
        let after = house.worker.get("/metrics")?;
        let p99 = |name| Buckets::read(&after, name).percentile_since(&Buckets::read(&before, name), 99);
        let mean = |name| mean_since(&before, &after, name);
        let grown = |name| counter(&after, name).saturating_sub(counter(&before, name));
        Ok(Lived {
            served_after_ms,
            mark_p99_s: p99("truetape_mark_delay_seconds"),
            heard_p99_s: p99("truetape_heard_delay_seconds"),
            heard_mean_s: mean("truetape_heard_delay_seconds"),
            mark_mean_s: mean("truetape_mark_delay_seconds"),
            heard_per_s: grown("truetape_heard_trades_total") as f64 / self.lasting.as_secs_f64(),
            dropped: grown("truetape_socket_dropped_total"),
        })
    }
}

/// From a second mark to its served figure, in ms: 99 of 100 marks of all runs were there sooner. Of
/// one run that is little more than its latest mark.
pub fn served_p99_ms(runs: &[Lived]) -> f64 {
    let mut all: Vec<f64> = runs.iter().flat_map(|lived| lived.served_after_ms.iter().copied()).collect();
    all.sort_by(f64::total_cmp);
    all[(all.len() - 1) * 99 / 100]
}

/// The average of what a histogram counted between two looks, in its unit.
fn mean_since(before: &str, after: &str, name: &str) -> f64 {
    let value = |page: &str, of: &str| -> f64 {
        let name = format!("{name}_{of}");
        let of_name = |line: &&str| line.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['{', ' ']));
        page.lines().filter(of_name).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    };
    let grown = |of| value(after, of) - value(before, of);
    grown("sum") / grown("count")
}

/// The sum of a counter over its labels.
pub(in crate::parts) fn counter(metrics: &str, name: &str) -> u64 {
    let of_name = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' ']));
    let values = metrics.lines().filter(of_name).filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
    values.sum()
}
