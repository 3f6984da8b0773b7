//! A live market for half an hour: whether the worker's memory stays what it is
//! once its windows are full, and what a second of a ticker takes.

use std::time::{Duration, Instant};

use crate::Bench;
use crate::filled::Filled;
use crate::parts::live::{Exchange, House, Scene, counter};
use crate::table::Row;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(5);

/// The most by which memory may grow once the windows are full.
const FLAT: f64 = 1.05;

/// Memory of the worker, in MiB, as time went on.
struct Watched {
    mib: Vec<f64>,
    peak_mib: f64,
    heard: u64,
    dropped: u64,
}

/// Measures memory over time.
///
/// # Errors
/// When a program does not start or ends.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let minutes = |minutes: u64| Duration::from_secs(if bench.quick { 2 * minutes } else { 60 * minutes });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let rate = if bench.quick { 1_000.0 } else { 10_000.0 };
    let many = Scene {
        exchange: Exchange::Generic,
        tickers: if bench.quick { 50 } else { 1_000 },
        rate: rate / 5.0,
        lasting: minutes(7),
        watched: 20,
    };
    let busy = Scene { exchange: Exchange::Generic, tickers: 20, rate, lasting: minutes(30), watched: 20 };
    let (of_many, of_busy) = (runtime.block_on(watched(bench, &many))?, runtime.block_on(watched(bench, &busy))?);

    // Before the first window had a minute in it, and when it was full.
    let (at_first, full) = (average(of_many.mib.first_chunk::<3>()), average(of_many.mib.last_chunk::<3>()));
    let seconds = many.tickers as f64 * 300.0_f64.min(many.lasting.as_secs_f64());
    let bytes = (full - at_first) * 1_048_576.0 / seconds;
    // Windows are full after five minutes; a sixth for everything else to settle.
    let settled = &of_busy.mib[of_busy.mib.len() / 5..];
    let fifth = settled.len() / 5;
    let (then, now) =
        (average(Some(&settled[..fifth.max(1)])), average(Some(&settled[settled.len() - fifth.max(1)..])));
    let heard_per_s = of_busy.heard as f64 / busy.lasting.as_secs_f64();
    Ok(vec![
        Row::absolute(
            &format!("{many}: memory of the worker at most"),
            format!("{:.0} MiB", of_many.peak_mib),
            "≤ 200 MiB",
            of_many.peak_mib <= 200.0,
        ),
        Row::told("the same: what a second of a ticker takes", format!("{bytes:.0} bytes"), "-".to_owned()),
        Row::absolute(
            &format!(
                "{busy}, {} min: memory in the last fifth, beside the first with full windows",
                busy.lasting.as_secs() / 60
            ),
            format!("{now:.1} MiB ({:.1} at most)", of_busy.peak_mib),
            &format!("≤ {FLAT} × {then:.1} MiB"),
            now <= FLAT * then,
        ),
        Row::absolute(
            "the same: trades committed a second",
            format!("{heard_per_s:.0}, and {} dropped of all", of_busy.dropped),
            "nearly as many as are told",
            0.95 * busy.rate <= heard_per_s,
        ),
    ])
}

async fn watched(bench: &Bench, scene: &Scene) -> anyhow::Result<Watched> {
    eprintln!("  {scene}, {} s", scene.lasting.as_secs());
    let filled = Filled::as_shipped().await?;
    let House { worker, .. } = &scene.build(bench, &filled.url, &[]).await?;
    let mut mib = Vec::new();
    let began = Instant::now();
    while began.elapsed() < scene.lasting {
        mib.push(worker.memory_mib().0);
        tokio::time::sleep(EVERY.min(scene.lasting / 5)).await;
    }
    let page = worker.get("/metrics")?;
    let (heard, dropped) =
        (counter(&page, "truetape_heard_trades_total"), counter(&page, "truetape_socket_dropped_total"));
    Ok(Watched { mib, peak_mib: worker.memory_mib().1, heard, dropped })
}

fn average<S: AsRef<[f64]> + ?Sized>(samples: Option<&S>) -> f64 {
    let samples = samples.map_or(&[][..], AsRef::as_ref);
    samples.iter().sum::<f64>() / samples.len() as f64
}
