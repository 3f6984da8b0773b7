//! Tables that have grown: what works on empty ones works as well on them.

mod filling;
mod live;

pub(super) use self::live::run as run_live;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;

use self::filling::{Filling, PRICE};
use crate::Bench;
use crate::filled::Filled;
use crate::load::Load;
use crate::parts::backfill::Dense;
use crate::parts::live::{Exchange, Lived, Scene, served_p99_ms};
use crate::parts::socket::overload;
use crate::rounds::{Contestant, alternate, median};
use crate::servers::{Driven, Server, driven};
use crate::table::Row;

/// Tickers of the market, each with as much in the tables.
const TICKERS: usize = 20;

/// Trades told a second to see how many are written: more than that.
const TOO_MANY: u64 = 250_000;

/// How much slower grown tables may be.
const BAR: f64 = 0.8;

/// After its start a worker settles what it slept through, and is not watched.
const WARM_UP: Duration = Duration::from_secs(10);

/// The marks that are asked for again.
const HOUR_MS: i64 = 3_600_000;

/// Measures on grown tables.
///
/// # Errors
/// When a program does not start, or nothing is served.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let filling = Filling::grown(bench);
    let (grown, until_ms) = runtime.block_on(filling.fill())?;
    let mut rows = vec![filling.told()];
    rows.extend(asked_again(bench, &runtime, filling, (&grown, until_ms))?);
    rows.push(backfilled(bench, &runtime, &grown)?);
    rows.push(overloaded(bench, &runtime, &grown)?);
    rows.push(many_tickers(bench, &runtime, &grown)?);
    runtime.block_on(async { drop(grown) });
    Ok(rows)
}

/// Figures of the last hour, kept ones and such as are made when they are asked for.
fn asked_again(
    bench: &Bench,
    runtime: &Runtime,
    filling: Filling,
    (grown, until_ms): (&Filled, i64),
) -> anyhow::Result<Vec<Row>> {
    // The windows of its first marks too.
    let last_hour = Filling { trades_ms: HOUR_MS + 300_000, figures_ms: HOUR_MS, ..filling };
    let (small, small_until_ms) = runtime.block_on(last_hour.fill())?;
    let every_ms = filling.every_ms;
    let kept =
        |until_ms: i64, index: i64| until_ms / every_ms * every_ms - index * 7_919 % (HOUR_MS / every_ms) * every_ms;
    let any = |until_ms: i64, index: i64| until_ms - 500 - index * 7_919_003 % (HOUR_MS - 1_000);
    let mut rows = asked(bench, "kept marks", PRICE, (&small, small_until_ms), (grown, until_ms), kept)?;
    rows.extend(asked(bench, "any millisecond", "\"price\"", (&small, small_until_ms), (grown, until_ms), any)?);
    runtime.block_on(async { drop(small) });
    Ok(rows)
}

/// Instants of the last hour, of every ticker, of small tables and of grown ones in turn.
fn asked(
    bench: &Bench,
    what: &str,
    told: &str,
    small: (&Filled, i64),
    grown: (&Filled, i64),
    instant: impl Fn(i64, i64) -> i64,
) -> anyhow::Result<Vec<Row>> {
    let load = |(filled, until_ms): (&Filled, i64)| {
        let path = |index| format!("/historical?ticker=T{}&ts={}", index % TICKERS as i64, instant(until_ms, index));
        let paths: Vec<String> = (0..10_000).map(path).collect();
        let port = testkit::free_port();
        let mut command = Command::new(bench.programs.join("api"));
        command.env_clear().envs([("PG_STRING", filled.url.clone()), ("PORT", port.to_string())]);
        command.env("LOG", "warn");
        let server = Server::at(&mut command, port, &paths[0], told).context("the api")?;
        let lasting = Duration::from_secs(if bench.quick { 1 } else { 5 });
        let load = Load { address: server.address, connections: 64, lasting, paths: Arc::new(paths) };
        driven(&server, &load)
    };
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new(format!("{what}, an hour in the tables"), || load(small)),
            Contestant::new(format!("{what}, grown tables"), || load(grown)),
        ],
    )?;
    let of = |index: usize, measure: fn(&Driven) -> f64| median(&samples[index], measure);
    let (small, grown) = (of(0, |it| it.per_s), of(1, |it| it.per_s));
    let (small_p99, grown_p99) = (of(0, |it| it.p99_ms), of(1, |it| it.p99_ms));
    let work = format!("/historical, {what} of the last hour");
    Ok(vec![
        Row::compared(
            &format!("{work}: answers a second"),
            format!("{grown:.0}"),
            format!("an hour in the tables: {small:.0}"),
            grown / small,
            BAR,
        ),
        Row::compared(
            &format!("{work}: p99"),
            format!("{grown_p99:.2} ms"),
            format!("an hour in the tables: {small_p99:.2} ms"),
            small_p99 / grown_p99,
            BAR,
        ),
    ])
}

/// A dense tape, each time under the name of an exchange that has nothing there.
fn backfilled(bench: &Bench, runtime: &Runtime, grown: &Filled) -> anyhow::Result<Row> {
    let dense = Dense::new(bench)?;
    let mut round = 0;
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new("backfill, empty tables", || {
                runtime.block_on(async { dense.backfill(&Filled::as_shipped().await?, "generic").await })
            }),
            Contestant::new("backfill, grown tables", || {
                round += 1;
                runtime.block_on(dense.backfill(grown, &format!("later{round}")))
            }),
        ],
    )?;
    let [empty, grown] = [0, 1].map(|index| median(&samples[index], |wall_s| *wall_s));
    let (shown, other) = (format!("{grown:.2} s"), format!("empty: {empty:.2} s"));
    Ok(Row::compared(&format!("backfill, {dense}"), shown, other, empty / grown, BAR))
}

/// A socket that tells too much.
fn overloaded(bench: &Bench, runtime: &Runtime, grown: &Filled) -> anyhow::Result<Row> {
    let lasting = Duration::from_secs(if bench.quick { 3 } else { 15 });
    let mut round = 0;
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new("overload, empty tables", || {
                runtime.block_on(async {
                    overload(bench, &Filled::as_shipped().await?, "generic", TOO_MANY, lasting).await
                })
            }),
            Contestant::new("overload, grown tables", || {
                round += 1;
                runtime.block_on(overload(bench, grown, &format!("latest{round}"), TOO_MANY, lasting))
            }),
        ],
    )?;
    let [empty, grown] = [0, 1].map(|index| median(&samples[index], |seen| seen.committed_per_s));
    let [empty_dropped, dropped] = [0, 1].map(|index| median(&samples[index], |seen| seen.dropped_per_s));
    Ok(Row::compared(
        "a socket that tells too much: committed a second",
        format!("{grown:.0}, and {dropped:.0} dropped"),
        format!("empty: {empty:.0}, and {empty_dropped:.0} dropped"),
        grown / empty,
        BAR,
    ))
}

/// A second mark of many tickers, each time of an exchange that has nothing there.
fn many_tickers(bench: &Bench, runtime: &Runtime, grown: &Filled) -> anyhow::Result<Row> {
    let lasting = Duration::from_secs(if bench.quick { 3 } else { 60 });
    let tickers = if bench.quick { 50 } else { 1_000 };
    let mut round = 0;
    let scene = Scene { exchange: Exchange::Generic, tickers, rate: 2_000.0, lasting, watched: TICKERS };
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new("many tickers, empty tables", || {
                runtime.block_on(async { lived(bench, &scene, &Filled::as_shipped().await?, &[], WARM_UP).await })
            }),
            Contestant::new("many tickers, grown tables", || {
                round += 1;
                let later = Scene { exchange: Exchange::Later(round), ..scene.clone() };
                runtime.block_on(lived(bench, &later, grown, &[], WARM_UP))
            }),
        ],
    )?;
    let [empty, grown] = [0, 1].map(|index| served_p99_ms(&samples[index]));
    let work = format!("{scene}: from a second mark to its served figure, p99");
    Ok(Row::compared(&work, format!("{grown:.0} ms"), format!("empty: {empty:.0} ms"), empty / grown, BAR))
}

/// What is seen of a market that follows the present for a while.
async fn lived(
    bench: &Bench,
    scene: &Scene,
    filled: &Filled,
    more: &[(&str, &str)],
    wait: Duration,
) -> anyhow::Result<Lived> {
    let house = scene.build(bench, &filled.url, more).await?;
    tokio::time::sleep(wait).await;
    scene.watch(&house).await
}
