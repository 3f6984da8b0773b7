//! Everything at once: the practice market speaks, the worker hears, settles and
//! marks, Postgres keeps, the api serves; all on this machine.

mod histogram;
mod scene;
mod watch;

pub(super) use self::histogram::Buckets;
pub(super) use self::scene::{Exchange, House, Lived, Scene, counter, served_p99_ms};

use std::time::Duration;

use crate::Bench;
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Measures a live market of several sizes.
///
/// # Errors
/// When a program does not start, or nothing is served.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let lasting = Duration::from_secs(if bench.quick { 3 } else { 20 });
    let rate = if bench.quick { 1_000.0 } else { 10_000.0 };
    let scenes = [
        Scene { exchange: Exchange::Generic, tickers: 20, rate, lasting, watched: 20 },
        Scene {
            exchange: Exchange::Generic,
            tickers: if bench.quick { 50 } else { 1_000 },
            rate: rate / 5.0,
            lasting,
            watched: 20,
        },
        Scene {
            exchange: Exchange::Generic,
            tickers: if bench.quick { 100 } else { 10_000 },
            rate: rate / 5.0,
            lasting,
            watched: 20,
        },
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut lived: Vec<_> =
        scenes.iter().map(|scene| Contestant::new(scene.to_string(), || runtime.block_on(scene.live(bench)))).collect();
    let samples = alternate(bench.runs, &mut lived)?;
    let [busy, many, most] = [0, 1, 2].map(|index| (&scenes[index], &samples[index][..]));
    let mut rows = busy_rows(busy.0, busy.1);
    rows.extend(mark_rows(many.0, many.1, 0.2));
    rows.extend(mark_rows(most.0, most.1, 1.0));
    Ok(rows)
}

fn busy_rows(scene: &Scene, samples: &[Lived]) -> Vec<Row> {
    let served = served_p99_ms(samples);
    let heard = median(samples, |lived| lived.heard_p99_s);
    let dropped: u64 = samples.iter().map(|lived| lived.dropped).sum();
    let told = median(samples, |lived| lived.heard_per_s);
    vec![
        Row::absolute(
            &format!("{scene}: from a second mark to its served figure, p99"),
            format!("{served:.0} ms"),
            "≤ 50 ms",
            served <= 50.0,
        ),
        Row::absolute(
            &format!("{scene}: from a frame to its committed row, p99"),
            format!("within {:.0} ms", heard * 1e3),
            "≤ 100 ms",
            heard <= 0.1,
        ),
        Row::absolute(
            &format!("{scene}: dropped, and committed a second"),
            format!("{dropped}, and {told:.0}"),
            "none, and nearly as many as are told",
            dropped == 0 && 0.95 * scene.rate <= told,
        ),
    ]
}

fn mark_rows(scene: &Scene, samples: &[Lived], bar_s: f64) -> Vec<Row> {
    let served = served_p99_ms(samples);
    let marked = median(samples, |lived| lived.mark_p99_s);
    let bar = format!("≤ {:.0} ms", bar_s * 1e3);
    vec![
        Row::absolute(
            &format!("{scene}: from a second mark to all figures committed, p99"),
            format!("within {:.0} ms", marked * 1e3),
            &bar,
            marked <= bar_s,
        ),
        Row::absolute(
            &format!("{scene}: from a second mark to its served figure, p99"),
            format!("{served:.0} ms"),
            &bar,
            served <= bar_s * 1e3,
        ),
    ]
}
