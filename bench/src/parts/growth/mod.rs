//! Tables that have grown: what works on empty ones works as well on them.

mod asking;
mod filling;
mod live;

pub(super) use self::live::run as run_live;

use std::time::Duration;

use tokio::runtime::Runtime;

use self::asking::asked_again;
use self::filling::Filling;
use crate::Bench;
use crate::filled::Filled;
use crate::parts::backfill::Dense;
use crate::parts::live::{Exchange, Lived, Scene, served_p99_ms};
use crate::parts::socket::overload;
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Tickers of the market, each with as much in the tables.
const TICKERS: usize = 20;

/// Trades told a second to see how many are written: more than that.
const TOO_MANY: u64 = 250_000;

/// How much slower grown tables may be.
const BAR: f64 = 0.8;

/// After its start a worker settles what it slept through, and is not watched.
const WARM_UP: Duration = Duration::from_secs(10);

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
    let [many, most] = if bench.quick { [50, 100] } else { [1_000, 10_000] };
    rows.push(many_tickers(bench, &runtime, &grown, many, 0)?);
    rows.push(many_tickers(bench, &runtime, &grown, most, bench.runs)?);
    runtime.block_on(async { drop(grown) });
    Ok(rows)
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
                runtime.block_on(dense.backfill(grown, &format!("later{round:03}")))
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
                runtime.block_on(overload(bench, grown, &format!("latest{round:03}"), TOO_MANY, lasting))
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

/// A second mark of many tickers, each time of an exchange that has nothing there; `exchanges`
/// had their turn already.
fn many_tickers(
    bench: &Bench,
    runtime: &Runtime,
    grown: &Filled,
    tickers: usize,
    exchanges: u32,
) -> anyhow::Result<Row> {
    let lasting = Duration::from_secs(if bench.quick { 3 } else { 60 });
    let scene = Scene { exchange: Exchange::Generic, tickers, rate: 2_000.0, lasting, watched: TICKERS };
    let mut exchange = exchanges;
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new(format!("{scene}, empty tables"), || {
                runtime.block_on(async { lived(bench, &scene, &Filled::as_shipped().await?, &[], WARM_UP).await })
            }),
            Contestant::new(format!("{scene}, grown tables"), || {
                exchange += 1;
                let later = Scene { exchange: Exchange::Later(exchange), ..scene.clone() };
                runtime.block_on(async {
                    let lived = lived(bench, &later, grown, &[], WARM_UP).await?;
                    forget(grown, later.exchange).await?;
                    Ok(lived)
                })
            }),
        ],
    )?;
    let [empty, grown] = [0, 1].map(|index| served_p99_ms(&samples[index]));
    let work = format!("{scene}: from a second mark to its served figure, p99");
    Ok(Row::compared(&work, format!("{grown:.0} ms"), format!("empty: {empty:.0} ms"), empty / grown, BAR))
}

/// Takes the tickers of an exchange out of what the api keeps at hand.
async fn forget(filled: &Filled, exchange: Exchange) -> anyhow::Result<()> {
    let client = filled.client().await?;
    for table in ["latest_vwap_history", "tickers_validation_timestamp"] {
        client.execute(&format!("delete from {table} where exchange = $1"), &[&exchange.to_string()]).await?;
    }
    Ok(())
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
