//! `/historical`: figures kept at their marks, beside `pgbench` that selects
//! the same rows by the same key through as many connections; and figures of
//! any millisecond that are summed, with 100,000 trades in their window.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::Bench;
use crate::filled::Filled;
use crate::load::Load;
use crate::rounds::{Contestant, alternate, median};
use crate::servers::{Driven, Server, driven};
use crate::table::Row;

/// 2023-05-14T17:00:00Z, where the marks begin.
const BEGINS_AT_MS: i64 = 1_684_083_600_000;

const TICKERS: usize = 20;

/// Connections to the database, of ours and of pgbench.
const CONNECTIONS: usize = 8;

/// How many ask at once over HTTP.
const ASKING: usize = 64;

/// Measures `/historical`.
///
/// # Errors
/// When a server does not answer, or answers wrongly.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let sizes =
        if bench.quick { Sizes { marks: 200, trades: 10_000 } } else { Sizes { marks: 3_600, trades: 400_000 } };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let filled = runtime.block_on(Filled::with(&sizes.script()))?;
    runtime.block_on(async {
        filled.client().await?.batch_execute("vacuum analyze").await.context("could not analyze")
    })?;
    let ours = api(bench, &filled)?;
    let mut rows = kept(bench, &ours, &filled, &sizes)?;
    rows.extend(summed(bench, &ours, &filled, &sizes)?);
    drop(ours);
    runtime.block_on(async { drop(filled) });
    Ok(rows)
}

/// How much there is in the tables.
struct Sizes {
    /// Marks of each ticker.
    marks: i64,
    /// Trades of the busiest, over twenty minutes: a quarter of them in each window.
    trades: i64,
}

impl Sizes {
    /// Fills the tables: marks that do not hang together with any trade, and a
    /// busy ticker whose final figures are those of its trades.
    fn script(&self) -> String {
        let Self { marks, trades } = self;
        let from = BEGINS_AT_MS;
        let until = from + 7_200_000;
        format!(
            "set search_path = crypto_market;
            create table vwap_history_bench partition of vwap_history for values from ({from}) to ({until});
            insert into tickers_validation_timestamp (exchange, ticker, validated_until, tape_from, checked_at)
            select 'generic', 'T' || ticker, {until}, {from} - 3600000, {from} from generate_series(0, {TICKERS} - 1) as ticker
            union all select 'generic', 'BUSY', {from} + 1200000, {from}, {from};
            insert into vwap_history (exchange, ticker, interval, ts, price, volume, notional, trades,
                confirmed_trades, is_validated, calculated_at, final_at)
            select 'generic', 'T' || ticker, 300000, {from} + mark * 1000, 27000.125, 2, 54000.25, 1, 1, true, 1, 1
            from generate_series(0, {TICKERS} - 1) as ticker, generate_series(1, {marks}) as mark;
            insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated)
            select 'generic', 'BUSY', trade::text, {from} + 1 + trade * 1200000 / {trades}, 27000 + (trade % 977) * 0.01,
                0.00012345 * (1 + trade % 89), true
            from generate_series(0::bigint, {trades} - 1) as trade;
            insert into vwap_history (exchange, ticker, interval, ts, price, volume, notional, trades,
                confirmed_trades, is_validated, calculated_at, final_at)
            select 'generic', 'BUSY', 300000, mark, round(sum(notional) / sum(volume), 24), sum(volume), sum(notional),
                sum(trades), sum(trades), true, 1, 1
            from generate_series({from} + 300000, {from} + 1200000, 1000) as mark
            join (
                select (ts + 999) / 1000 * 1000 as second, sum(quantity) as volume, sum(price * quantity) as notional,
                    count(*) as trades
                from transactions group by 1
            ) as of_second on second > mark - 300000 and second <= mark
            group by mark;
            insert into latest_vwap_history (exchange, ticker, interval, ts, price, volume, notional, trades,
                confirmed_trades, is_validated, calculated_at)
            select distinct on (ticker) exchange, ticker, interval, ts, price, volume, notional, trades,
                confirmed_trades, is_validated, calculated_at
            from vwap_history order by ticker, ts desc"
        )
    }
}

fn api(bench: &Bench, filled: &Filled) -> anyhow::Result<Server> {
    let port = testkit::free_port();
    let mut command = Command::new(bench.programs.join("api"));
    command.env("PG_STRING", &filled.url).env("PORT", port.to_string()).env("LOG", "warn");
    command.env("DB_POOL", CONNECTIONS.to_string());
    let path = format!("/historical?ticker=T0&ts={}", BEGINS_AT_MS + 1_000);
    Server::at(&mut command, port, &path, "\"price\":\"27000.125\"").context("the api")
}

/// Figures kept at their marks.
fn kept(bench: &Bench, ours: &Server, filled: &Filled, sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
    let Some(pgbench) = program("pgbench") else {
        let why = "it is not installed: apt-get install postgresql-contrib, or postgresql-15";
        return Ok(vec![Row::not_run("a kept mark: answers a second", "pgbench", why, "≥ 0.8 ×")]);
    };
    let paths = (0..10_000_i64).map(|index| {
        // No two alike.
        let (ticker, mark) = (index % 20, 1 + (index / 20) * 7_919 % sizes.marks);
        format!("/historical?ticker=T{ticker}&ts={}", BEGINS_AT_MS + mark * 1_000)
    });
    let lasting = Duration::from_secs(if bench.quick { 1 } else { 5 });
    let load = Load { address: ours.address, connections: ASKING, lasting, paths: Arc::new(paths.collect()) };
    let script = bench.kept.join("historical.sql");
    std::fs::write(&script, selecting(sizes))?;

    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new("ours", || driven(ours, &load)),
            Contestant::new("pgbench", || {
                let per_s = pgbench_rate(&pgbench, &script, filled, (CONNECTIONS, lasting))?;
                Ok(Driven { per_s, p99_ms: 0.0, cpu_us: 0.0 })
            }),
        ],
    )?;
    let (our_rate, rate) = (median(&samples[0], |it| it.per_s), median(&samples[1], |it| it.per_s));
    let (p99, cpu) = (median(&samples[0], |it| it.p99_ms), median(&samples[0], |it| it.cpu_us));
    Ok(vec![
        Row::compared(
            &format!("a kept mark, {CONNECTIONS} connections to Postgres: answers a second"),
            format!("{our_rate:.0}"),
            format!("pgbench -M prepared {rate:.0}"),
            our_rate / rate,
            0.8,
        ),
        Row::told(
            "the same: p99, and processor time of the api for an answer",
            format!("{p99:.2} ms, {cpu:.0} µs"),
            "-".to_owned(),
        ),
    ])
}

/// What pgbench asks: the row of a key at random.
fn selecting(sizes: &Sizes) -> String {
    let mut script = String::new();
    let _ = write!(
        script,
        "\\set ticker random(0, {})\n\\set mark random(1, {})\n\
        select price, volume, notional, trades, confirmed_trades, is_validated, revision, final_at \
        from crypto_market.vwap_history \
        where exchange = 'generic' and ticker = 'T' || :ticker and interval = 300000 \
        and ts = {BEGINS_AT_MS} + :mark * 1000;\n",
        TICKERS - 1,
        sizes.marks
    );
    script
}

fn pgbench_rate(
    pgbench: &Path,
    script: &Path,
    filled: &Filled,
    (clients, lasting): (usize, Duration),
) -> anyhow::Result<f64> {
    let (clients, seconds) = (clients.to_string(), lasting.as_secs().to_string());
    let output = Command::new(pgbench)
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "1",
            "-c",
            &clients,
            "-T",
            &seconds,
            "-h",
            "127.0.0.1",
            "-p",
            filled.port(),
        ])
        .args(["-U", "postgres", "-f"])
        .arg(script)
        .arg("postgres")
        .output()
        .context("could not start pgbench")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr));
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    rate.with_context(|| format!("pgbench told no rate: {said}"))
}

fn program(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Figures of any millisecond.
fn summed(bench: &Bench, ours: &Server, filled: &Filled, sizes: &Sizes) -> anyhow::Result<Vec<Row>> {
    let paths: Vec<String> = (0..1_000_i64)
        .map(|index| format!("/historical?ticker=BUSY&ts={}", BEGINS_AT_MS + 300_001 + index * 7_919 * 113 % 899_998))
        .collect();
    hold(ours, &paths[..5], 300_000, sizes)?;
    let lasting = Duration::from_secs(if bench.quick { 1 } else { 5 });
    let load = |connections| Load { address: ours.address, connections, lasting, paths: Arc::new(paths.clone()) };
    let mut rows = Vec::new();
    for connections in [1, CONNECTIONS] {
        let load = load(connections);
        let samples = alternate(bench.runs, &mut [Contestant::new("ours", || driven(ours, &load))])?;
        let (p99, rate) = (median(&samples[0], |it| it.p99_ms), median(&samples[0], |it| it.per_s));
        let work = format!("any millisecond, {} trades in its window, {connections} asking: p99", sizes.trades / 4);
        rows.push(Row::absolute(&work, format!("{p99:.2} ms at {rate:.0} a second"), "≤ 20 ms", p99 <= 20.0));
    }
    // Of a window that is not the kept one there is no figure near by to begin with.
    let other: Vec<String> = paths.iter().map(|path| format!("{path}&interval=299s")).collect();
    hold(ours, &other[..5], 299_000, sizes)?;
    let load = Load { paths: Arc::new(other), ..load(1) };
    let script = bench.kept.join("adding.sql");
    std::fs::write(&script, adding())?;
    let mut contestants = vec![Contestant::new("ours, another interval", || driven(ours, &load))];
    if let Some(pgbench) = program("pgbench") {
        contestants.push(Contestant::new("pgbench, another interval", move || {
            let per_s = pgbench_rate(&pgbench, &script, filled, (1, lasting))?;
            Ok(Driven { per_s, p99_ms: 0.0, cpu_us: 0.0 })
        }));
    }
    let samples = alternate(bench.runs, &mut contestants)?;
    let (p99, rate) = (median(&samples[0], |it| it.p99_ms), median(&samples[0], |it| it.per_s));
    let sums = samples.get(1).map_or_else(
        || "-".to_owned(),
        |alone| format!("pgbench, the sums alone: {:.0} a second", median(alone, |it| it.per_s)),
    );
    let work = "the same with another interval than is kept, so that all of its trades are added up, 1 asking: p99";
    rows.push(Row::told(work, format!("{p99:.2} ms at {rate:.0} a second"), sums));
    Ok(rows)
}

/// What pgbench asks: the sums of a window that ends at any millisecond.
fn adding() -> String {
    format!(
        "\\set at random(300001, 1199998)\n\
        select sum(quantity), sum(price * quantity), count(*) from crypto_market.transactions \
        where exchange = 'generic' and ticker = 'BUSY' \
        and ts > {BEGINS_AT_MS} + :at - 299000 and ts <= {BEGINS_AT_MS} + :at;\n"
    )
}

/// Holds answers against whole numbers: no figure that is wrong has a speed.
fn hold(ours: &Server, paths: &[String], interval_ms: i64, sizes: &Sizes) -> anyhow::Result<()> {
    for path in paths {
        let answer: serde_json::Value = serde_json::from_str(&ours.get(path)?)?;
        let closes_at = answer["ts"].as_i64().context("no ts")?;
        let (mut trades, mut volume, mut notional) = (0_i64, 0_i128, 0_i128);
        for trade in 0..sizes.trades {
            let traded_at = BEGINS_AT_MS + 1 + trade * 1_200_000 / sizes.trades;
            if closes_at - interval_ms < traded_at && traded_at <= closes_at {
                let quantity = i128::from(12_345 * (1 + trade % 89));
                trades += 1;
                volume += quantity;
                notional += quantity * i128::from(2_700_000 + trade % 977);
            }
        }
        let scaled = |name: &str, decimals: usize| -> Option<i128> {
            let (whole, fraction) = answer[name].as_str()?.split_once('.')?;
            format!("{whole}{fraction:0<decimals$}").parse().ok()
        };
        let told = (answer["trades"].as_i64(), scaled("volume", 8), scaled("notional", 10));
        ensure!(told == (Some(trades), Some(volume), Some(notional)), "{path} is wrong: {answer}");
    }
    Ok(())
}
