//! A live market on grown tables, beside one on empty ones; and while a day of
//! trades is let go of.

use std::time::Duration;

use anyhow::ensure;
use tokio::runtime::Runtime;

use super::filling::{DAY_MS, Filling};
use super::{BAR, TICKERS, WARM_UP, lived};
use crate::Bench;
use crate::filled::Filled;
use crate::parts::live::{Exchange, Lived, Scene, served_p99_ms};
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Long enough for the p99 of its marks to be another one than the latest of all.
const WATCHED: Duration = Duration::from_secs(120);

/// The worker lets go of old rows a minute after it began.
const UNTIL_LETTING_GO: Duration = Duration::from_secs(65);

/// Measures a live market.
///
/// # Errors
/// When a program does not start, or nothing is served.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let filling = Filling::grown(bench);
    let (grown, _) = runtime.block_on(filling.fill())?;
    let mut rows = vec![filling.told()];
    rows.extend(live(bench, &runtime, filling, &grown)?);
    runtime.block_on(async { drop(grown) });
    Ok(rows)
}

fn live(bench: &Bench, runtime: &Runtime, filling: Filling, grown: &Filled) -> anyhow::Result<Vec<Row>> {
    let lasting = if bench.quick { Duration::from_secs(3) } else { WATCHED };
    let scene = Scene {
        exchange: Exchange::Generic,
        tickers: TICKERS,
        rate: if bench.quick { 1_000.0 } else { 10_000.0 },
        lasting,
        watched: TICKERS,
    };
    let on = async |filled: &Filled, more: &[(&str, &str)], wait| lived(bench, &scene, filled, more, wait).await;
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new("live, empty tables", || {
                runtime.block_on(async { on(&Filled::as_shipped().await?, &[], WARM_UP).await })
            }),
            Contestant::new("live, grown tables", || runtime.block_on(on(grown, &[], WARM_UP))),
        ],
    )?;
    // Last, since what is let go of is gone.
    let until = if bench.quick { WARM_UP } else { UNTIL_LETTING_GO };
    let (mut let_go, mut gone) = (Vec::new(), Vec::new());
    for run in 0..bench.runs {
        let days = (filling.trades_ms / DAY_MS - 1 - i64::from(run)).max(1);
        eprintln!("  letting go of what is older than {days} days");
        let before = runtime.block_on(let_go_of(grown))?;
        let_go.push(runtime.block_on(on(grown, &[("RETENTION", &format!("{days}d"))], until))?);
        gone.push(runtime.block_on(let_go_of(grown))? - before);
        ensure!(bench.quick || 0 < gone[gone.len() - 1], "nothing was let go of");
        ensure!(bench.quick || runtime.block_on(has_more_to_go(grown))?, "all was gone before the watch was over");
    }

    let of = |index: usize, measure: fn(&Lived) -> f64| median(&samples[index], measure);
    let compared = |what: &str, measure: fn(&Lived) -> f64| {
        let (empty, grown) = (of(0, measure), of(1, measure));
        let work = format!("{scene}: {what}");
        Row::compared(&work, format!("{grown:.0} ms"), format!("empty: {empty:.0} ms"), empty / grown, BAR)
    };
    let [empty, quiet] = [0, 1].map(|index| served_p99_ms(&samples[index]));
    let disturbed = served_p99_ms(&let_go);
    Ok(vec![
        Row::compared(
            &format!("{scene}: from a second mark to its served figure, p99"),
            format!("{quiet:.1} ms"),
            format!("empty: {empty:.1} ms"),
            empty / quiet,
            BAR,
        ),
        compared("from a frame to its committed row, mean", |lived| lived.heard_mean_s * 1e3),
        compared("from a second mark to its committed figures, mean", |lived| lived.mark_mean_s * 1e3),
        Row::compared(
            &format!("the same while a day of {} trades is let go of: served, p99", filling.trades_a_day),
            format!("{disturbed:.1} ms"),
            format!("before: {quiet:.1} ms; {:.0} trades gone by the end", median(&gone, |gone| *gone as f64)),
            quiet / disturbed,
            0.5,
        ),
    ])
}

/// Whether trades are held that are not kept any more.
async fn has_more_to_go(filled: &Filled) -> anyhow::Result<bool> {
    let sql = "select exists (
        select from transactions join tickers_validation_timestamp using (exchange, ticker)
        where exchange = 'generic' and ts <= tape_from
    )";
    Ok(filled.client().await?.query_one(sql, &[]).await?.get(0))
}

/// How many trades were taken out of the tables by now.
async fn let_go_of(filled: &Filled) -> anyhow::Result<i64> {
    let sql = "select n_tup_del from pg_stat_user_tables where relname = 'transactions'";
    Ok(filled.client().await?.query_one(sql, &[]).await?.get(0))
}
