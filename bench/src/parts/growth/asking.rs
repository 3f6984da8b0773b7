//! What is asked over HTTP: of grown tables, and of such as hold just an hour.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::runtime::Runtime;

use super::filling::{Filling, PRICE};
use super::{BAR, TICKERS};
use crate::Bench;
use crate::filled::Filled;
use crate::load::Load;
use crate::parts::latest;
use crate::rounds::{Contestant, alternate, median};
use crate::servers::{Driven, Server, driven};
use crate::table::Row;

/// The marks that are asked for again.
const HOUR_MS: i64 = 3_600_000;

/// Who asks at once.
const CONNECTIONS: usize = 64;

/// Figures of the last hour, kept ones and such as are made when they are asked for; and
/// the newest.
pub fn asked_again(
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
    rows.extend(newest(bench, runtime, &small, grown)?);
    runtime.block_on(async { drop(small) });
    Ok(rows)
}

/// Instants of the last hour, of every ticker.
fn asked(
    bench: &Bench,
    what: &str,
    told: &str,
    small: (&Filled, i64),
    grown: (&Filled, i64),
    instant: impl Fn(i64, i64) -> i64,
) -> anyhow::Result<Vec<Row>> {
    let asked = |(filled, until_ms): (&Filled, i64)| {
        let path = |index| format!("/historical?ticker=T{}&ts={}", index % TICKERS as i64, instant(until_ms, index));
        let paths: Vec<String> = (0..10_000).map(path).collect();
        let port = testkit::free_port();
        let mut command = Command::new(bench.programs.join("api"));
        command.env_clear().envs([("PG_STRING", filled.url.clone()), ("PORT", port.to_string())]);
        command.env("LOG", "warn");
        let server = Server::at(&mut command, port, &paths[0], told).context("the api")?;
        driven(&server, &load(bench, &server, paths))
    };
    in_turn(bench, &format!("/historical, {what} of the last hour"), || asked(small), || asked(grown))
}

/// The newest figure, while those of all tickers change every second.
fn newest(bench: &Bench, runtime: &Runtime, small: &Filled, grown: &Filled) -> anyhow::Result<Vec<Row>> {
    let asked = |filled| {
        let marking = runtime.spawn(runtime.block_on(latest::Marking::new(filled))?.mark_every_second());
        let server = latest::api(bench, filled)?;
        let seen = driven(&server, &load(bench, &server, vec![latest::QUESTION.to_owned()]));
        ensure!(!marking.is_finished(), "figures stopped changing meanwhile");
        marking.abort();
        seen
    };
    in_turn(bench, "/latest", || asked(small), || asked(grown))
}

fn load(bench: &Bench, server: &Server, paths: Vec<String>) -> Load {
    let lasting = Duration::from_secs(if bench.quick { 1 } else { 5 });
    Load { address: server.address, connections: CONNECTIONS, lasting, paths: Arc::new(paths) }
}

/// How an hour's tables answer, and grown ones.
fn in_turn(
    bench: &Bench,
    work: &str,
    small: impl FnMut() -> anyhow::Result<Driven>,
    grown: impl FnMut() -> anyhow::Result<Driven>,
) -> anyhow::Result<Vec<Row>> {
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new(format!("{work}, an hour in the tables"), small),
            Contestant::new(format!("{work}, grown tables"), grown),
        ],
    )?;
    let of = |index: usize, measure: fn(&Driven) -> f64| median(&samples[index], measure);
    let (small, grown) = (of(0, |it| it.per_s), of(1, |it| it.per_s));
    let (small_p99, grown_p99) = (of(0, |it| it.p99_ms), of(1, |it| it.p99_ms));
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
