//! `/latest` from memory, while figures change every second, beside a handler
//! that answers the same bytes for ever.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use store::{Figure, Store, StoreConfig};
use tape::{EpochMs, Interval, Mark, Price, Quantity, Sums, Ticker};

use crate::Bench;
use crate::filled::Filled;
use crate::load::Load;
use crate::rounds::{Contestant, alternate, median};
use crate::servers::{Driven, Server, driven};
use crate::table::Row;

const TICKERS: usize = 20;
/// The newest figure of the first ticker.
pub(super) const QUESTION: &str = "/latest?ticker=T0";

/// Measures `/latest`.
///
/// # Errors
/// When a server does not answer, answers wrongly, or an answer goes back in time.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let filled = runtime.block_on(Filled::with(""))?;
    let marking = runtime.block_on(Marking::new(&filled))?;
    let marking = runtime.spawn(marking.mark_every_second());
    let ours = api(bench, &filled)?;
    let body: &'static str = ours.get(QUESTION)?.leak();
    let peer = Server::that_says_its_port(Command::new(std::env::current_exe()?).args(["--bare", body]))?;

    let mut rows = Vec::new();
    for connections in [1, 64, 1_000, 10_000] {
        if open_files() < connections + 200 {
            let why = format!("{} open files are allowed; `ulimit -n` raises that", open_files());
            rows.push(Row::not_run(&format!("{connections} connections"), "bare actix", &why, "≥ 0.8 ×"));
            continue;
        }
        rows.extend(held_against(bench, &ours, &peer, connections)?);
    }
    ensure!(!marking.is_finished(), "figures stopped changing meanwhile");
    ensure!(mark_of(body)? < mark_of(&ours.get(QUESTION)?)?, "figures did not change meanwhile");
    marking.abort();
    let metrics = ours.get("/metrics")?;
    let count = |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("?").trim().to_owned();
    let (hits, misses) =
        (count("truetape_api_latest_cache_hits_total"), count("truetape_api_latest_cache_misses_total"));
    rows.push(Row::told("answers from memory, and from the database", format!("{hits}, and {misses}"), "-".to_owned()));
    drop((ours, peer));
    runtime.block_on(async { drop(filled) });
    Ok(rows)
}

fn mark_of(answer: &str) -> anyhow::Result<i64> {
    serde_json::from_str::<serde_json::Value>(answer)?["ts"].as_i64().context("an answer without ts")
}

/// Our server in front of a database, its memory live.
pub(super) fn api(bench: &Bench, filled: &Filled) -> anyhow::Result<Server> {
    let port = testkit::free_port();
    let mut command = Command::new(bench.programs.join("api"));
    command.env("PG_STRING", &filled.url).env("PORT", port.to_string()).env("HTTP_WORKERS", "1").env("LOG", "warn");
    Server::at(&mut command, port, "/health", "\"latest_cache\":\"live\"").context("the api")
}

fn held_against(bench: &Bench, ours: &Server, peer: &Server, connections: usize) -> anyhow::Result<Vec<Row>> {
    let lasting = Duration::from_millis(if bench.quick { 300 } else { 3_000 });
    let load = Load { address: ours.address, connections, lasting, paths: Arc::new(vec![QUESTION.to_owned()]) };
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new(format!("ours, {connections} connections"), || driven(ours, &load)),
            Contestant::new(format!("bare actix, {connections} connections"), || driven(peer, &load)),
        ],
    )?;
    let of = |measure: fn(&Driven) -> f64| (median(&samples[0], measure), median(&samples[1], measure));
    let ((our_rate, rate), (our_p99, p99), (our_cpu, cpu)) =
        (of(|it| it.per_s), of(|it| it.p99_ms), of(|it| it.cpu_us));
    let name = if connections == 1 { "1 connection".to_owned() } else { format!("{connections} connections") };
    Ok(vec![
        Row::compared(
            &format!("{name}: answers a second"),
            format!("{our_rate:.0}"),
            format!("bare actix {rate:.0}"),
            our_rate / rate,
            0.8,
        ),
        Row::compared(
            &format!("{name}: p99"),
            format!("{our_p99:.2} ms"),
            format!("bare actix {p99:.2} ms"),
            p99 / our_p99,
            0.5,
        ),
        Row::told(
            &format!("{name}: processor time of the server for an answer"),
            format!("{our_cpu:.1} µs"),
            format!("bare actix {cpu:.1} µs"),
        ),
    ])
}

/// How many files, and so connections, a process may have open.
fn open_files() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(1_024)
}

/// A worker's marks.
pub(super) struct Marking {
    store: Store,
    leadership: store::Leadership,
    tickers: Vec<Ticker>,
}

impl Marking {
    /// Leads, and says the first.
    ///
    /// # Errors
    /// When Postgres refuses, or somebody else leads.
    pub(super) async fn new(filled: &Filled) -> anyhow::Result<Self> {
        let store = Store::connect(&StoreConfig::new(&filled.url))?;
        let leadership = store.lead("generic").await?.context("nobody else leads")?;
        let tickers = (0..TICKERS).map(|index| Ticker::new(&format!("T{index}"))).collect::<Result<Vec<_>, _>>()?;
        let begins: Vec<_> = tickers.iter().map(|ticker| (ticker.clone(), now())).collect();
        store.ticker_ensure("generic", &begins).await?;
        let marking = Self { store, leadership, tickers };
        marking.mark().await?;
        Ok(marking)
    }

    async fn mark(&self) -> anyhow::Result<()> {
        let (price, quantity) = (Price::parse("27000.12")?, Quantity::parse("0.5")?);
        let sums = Sums::of(price, quantity);
        let mark = Mark::at_or_before(now());
        let figure = |ticker: &Ticker| Figure {
            ticker: ticker.clone(),
            interval: Interval::DEFAULT,
            mark,
            sums,
            confirmed_trades: 0,
            quarantined_trades: 0,
            chained: None,
            bound: None,
        };
        let figures: Vec<Figure> = self.tickers.iter().map(figure).collect();
        let txn = self.store.begin_relaxed(&self.leadership).await?;
        txn.figures_insert_provisional(&figures, now()).await?;
        txn.latest_upsert(&figures, false, now()).await?;
        txn.commit().await?;
        Ok(())
    }

    /// Says one every second, until it fails.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub(super) async fn mark_every_second(self) -> anyhow::Result<()> {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.mark().await?;
        }
    }
}

fn now() -> EpochMs {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    EpochMs::new(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
