//! More trades than can be kept: how many are committed all the same, beside
//! the fastest durable statement that writes the like; and what becomes of it
//! all once the market calms down.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::runtime::Runtime;

use super::scene::{Scene, counter};
use crate::Bench;
use crate::filled::Filled;
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Rows of one statement: more gain nothing.
const ROWS: i64 = 5_000;

/// How long it may take until figures are fresh again after too much.
const RECOVERS_WITHIN: Duration = Duration::from_secs(60);

struct Overload {
    committed_per_s: f64,
    dropped: u64,
    recovered_s: f64,
}

/// Compares the two.
pub fn rows(bench: &Bench, runtime: &Runtime) -> anyhow::Result<Vec<Row>> {
    let lasting = Duration::from_secs(if bench.quick { 3 } else { 10 });
    let rate = if bench.quick { 20_000.0 } else { 60_000.0 };
    let scene = Scene { tickers: 20, rate, lasting, watched: 20 };
    let (mut overloads, mut bulks) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let mut contestants = [
            Contestant::new(format!("ours, {scene}"), || runtime.block_on(overload(bench, &scene)).map(Either::Ours)),
            Contestant::new("bulk inserts", || runtime.block_on(bulk(lasting)).map(Either::Bulk)),
        ];
        for sample in alternate(1, &mut contestants)?.into_iter().flatten() {
            match sample {
                Either::Ours(overload) => overloads.push(overload),
                Either::Bulk(per_s) => bulks.push(per_s),
            }
        }
    }
    let (ours, ceiling) = (median(&overloads, |it| it.committed_per_s), median(&bulks, |per_s| *per_s));
    let dropped = overloads.iter().map(|it| it.dropped).sum::<u64>();
    let recovered = median(&overloads, |it| it.recovered_s);
    Ok(vec![
        Row::compared(
            &format!("{scene}: heard trades committed a second"),
            format!("{ours:.0}"),
            format!("one bulk statement after the other {ceiling:.0}"),
            ours / ceiling,
            0.8,
        ),
        Row::absolute(
            "when it is over, until figures are fresh again",
            format!("{recovered:.1} s ({dropped} trades dropped and counted)"),
            "by itself",
            recovered.is_finite(),
        ),
    ])
}

enum Either {
    Ours(Overload),
    Bulk(f64),
}

async fn overload(bench: &Bench, scene: &Scene) -> anyhow::Result<Overload> {
    let house = scene.build(bench).await?;
    let (before, began) = (house.worker.get("/metrics")?, Instant::now());
    tokio::time::sleep(scene.lasting).await;
    let (after, took_s) = (house.worker.get("/metrics")?, began.elapsed().as_secs_f64());
    let grown = |name| counter(&after, name).saturating_sub(counter(&before, name));
    let committed_per_s = grown("truetape_heard_trades_total") as f64 / took_s;
    let dropped = grown("truetape_socket_dropped_total");
    house.venue.post("/control/silence", r#"{"for_ms":3600000}"#)?;
    let calm_at = Instant::now();
    loop {
        let metrics = house.worker.get("/metrics")?;
        if counter(&metrics, "truetape_lag_milliseconds") < 5_000 {
            break;
        }
        ensure!(calm_at.elapsed() < RECOVERS_WITHIN, "it has not recovered within {} s", RECOVERS_WITHIN.as_secs());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Overload { committed_per_s, dropped, recovered_s: calm_at.elapsed().as_secs_f64() })
}

/// Rows a second of heard trades from memory, each statement on disk before the next.
async fn bulk(lasting: Duration) -> anyhow::Result<f64> {
    let filled = Filled::as_shipped().await?;
    let client = filled.client().await?;
    let sql = "
        insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated, received_at)
        select 'generic', ticker, tradeid, ts, price::numeric, quantity::numeric, false, ts
        from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
            as heard (ticker, tradeid, ts, price, quantity)";
    let statement = client.prepare(sql).await?;
    let (began, mut written) = (Instant::now(), 0);
    while began.elapsed() < lasting {
        let numbers = written..written + ROWS;
        let tickers: Vec<String> = numbers.clone().map(|number| format!("T{}", number % 20)).collect();
        let ids: Vec<String> = numbers.clone().map(|number| (1_000_000 + number).to_string()).collect();
        let times: Vec<i64> = numbers.clone().map(|number| 1_700_000_000_000 + number / 10).collect();
        let prices: Vec<String> = numbers.clone().map(|number| format!("{}.12", 27_000 + number % 97)).collect();
        let quantities: Vec<String> = numbers.map(|number| format!("0.0{}1", 100 + number % 899)).collect();
        client.execute(&statement, &[&tickers, &ids, &times, &prices, &quantities]).await?;
        written += ROWS;
    }
    Ok(written as f64 / began.elapsed().as_secs_f64())
}
