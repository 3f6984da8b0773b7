//! Tables that have grown: the same live market on them as on empty ones, and
//! while a day of trades is let go of.

use std::time::Duration;

use anyhow::Context as _;

use crate::Bench;
use crate::filled::Filled;
use crate::parts::live::{Lived, Scene};
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Tickers of the market, each with as much in the tables.
const TICKERS: usize = 20;

/// Days with trades, and days with figures of every second mark.
const DAYS: (i64, i64) = (5, 6);

/// How much slower grown tables may be.
const BAR: f64 = 0.8;

/// The worker lets go of old rows a minute after it began.
const UNTIL_LETTING_GO: Duration = Duration::from_secs(65);

/// Measures a live market on grown tables.
///
/// # Errors
/// When a program does not start, or nothing is served.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let lasting = Duration::from_secs(if bench.quick { 3 } else { 20 });
    let scene =
        Scene { tickers: TICKERS, rate: if bench.quick { 1_000.0 } else { 10_000.0 }, lasting, watched: TICKERS };
    let trades_a_day: i64 = if bench.quick { 40_000 } else { 4_000_000 };
    let every_ms: i64 = if bench.quick { 100_000 } else { 1_000 };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let grown = runtime.block_on(async {
        let grown = Filled::as_shipped().await?;
        let client = grown.client().await?;
        for statement in script(trades_a_day, every_ms) {
            client.batch_execute(&statement).await.context("could not fill the tables")?;
        }
        anyhow::Ok(grown)
    })?;
    let on_grown = async |more: &[(&str, &str)], wait: Duration| {
        let house = scene.build(bench, &grown.url, more).await?;
        tokio::time::sleep(wait).await;
        scene.watch(&house).await
    };
    let wait = Duration::from_secs(10);
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new("empty tables", || runtime.block_on(scene.live(bench))),
            Contestant::new("grown tables", || runtime.block_on(on_grown(&[], wait))),
        ],
    )?;
    // Once: afterwards the day is gone.
    let letting_go = if bench.quick { wait } else { UNTIL_LETTING_GO };
    let let_go = runtime.block_on(on_grown(&[("RETENTION", "4d")], letting_go))?;
    drop(grown);

    let size =
        format!("{} trades and {} figures", trades_a_day * DAYS.0, 86_400_000 / every_ms * DAYS.1 * TICKERS as i64);
    let of = |index: usize, measure: fn(&Lived) -> f64| median(&samples[index], measure);
    let compared = |what: &str, measure: fn(&Lived) -> f64| {
        let (empty, grown) = (of(0, measure), of(1, measure));
        let work = format!("{scene}, {size} in the tables: {what}");
        Row::compared(&work, format!("{grown:.0} ms"), format!("empty: {empty:.0} ms"), empty / grown, BAR)
    };
    let (quiet, disturbed) = (of(1, |lived| lived.served_p99_ms), let_go.served_p99_ms);
    Ok(vec![
        compared("from a second mark to its served figure, p99", |lived| lived.served_p99_ms),
        compared("from a frame to its committed row, mean", |lived| lived.heard_mean_s * 1e3),
        compared("from a second mark to its committed figures, mean", |lived| lived.mark_mean_s * 1e3),
        Row::compared(
            &format!("the same while a day of {trades_a_day} trades is let go of: served, p99"),
            format!("{disturbed:.0} ms"),
            format!("before: {quiet:.0} ms"),
            quiet / disturbed,
            0.5,
        ),
    ])
}

/// Trades of five days and final figures of six, up to now, and where each ticker stands.
fn script(trades_a_day: i64, every_ms: i64) -> Vec<String> {
    const DAY_MS: i64 = 86_400_000;
    let last = TICKERS - 1;
    let mut script = vec![format!(
        "set synchronous_commit = off;
        create table now_was as
        select (extract(epoch from now()) * 1000)::bigint / 1000 * 1000 as ms;
        insert into tickers_validation_timestamp (exchange, ticker, validated_until, tape_from, checked_at)
        select 'generic', 'T' || ticker, ms, ms - {days} * {DAY_MS}, ms
        from generate_series(0, {last}) as ticker, now_was;",
        days = DAYS.1,
    )];
    for day in 0..DAYS.0 {
        let of_each = trades_a_day / TICKERS as i64;
        script.push(format!(
            "insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated)
            select 'generic', 'T' || ticker, 'old-' || {day} * {of_each} + trade,
                ms - {day} * {DAY_MS} - trade * ({DAY_MS} / {of_each}), 27000 + trade % 977 * 0.01,
                0.00012345 * (1 + trade % 89), true
            from generate_series(0, {last}) as ticker, generate_series(0, {of_each} - 1) as trade, now_was"
        ));
    }
    for day in 0..=DAYS.1 {
        script.push(format!(
            "do $$
            declare midnight bigint := (select ms / {DAY_MS} - {day} from now_was) * {DAY_MS};
            begin
                execute format('create table vwap_history_%s partition of vwap_history for values from (%s) to (%s)',
                    to_char(to_timestamp(midnight / 1000) at time zone 'UTC', 'YYYYMMDD'), midnight, midnight + {DAY_MS});
            end $$"
        ));
        script.push(format!(
            "insert into vwap_history (exchange, ticker, interval, ts, price, volume, notional, trades,
                confirmed_trades, is_validated, calculated_at, final_at)
            select 'generic', 'T' || ticker, 300000, mark, 27000.125, 2, 54000.25, 1, 1, true, 1, 1
            from now_was, generate_series(0, {last}) as ticker,
                generate_series((ms / {DAY_MS} - {day}) * {DAY_MS}, (ms / {DAY_MS} - {day} + 1) * {DAY_MS} - 1, {every_ms}) as mark
            where mark <= ms and mark > ms - {days} * {DAY_MS}",
            days = DAYS.1,
        ));
    }
    // Tables that grew in days were vacuumed long ago, and not while somebody measures.
    script.extend(["vacuum analyze", "checkpoint"].map(str::to_owned));
    script
}
