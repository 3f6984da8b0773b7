//! Two workers, and workers that end in the middle of things.

use std::time::Duration;

use testkit::eventually;
use venue::{FaultRates, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric};
use crate::stage::{PATIENCE, Stage, now, tape_from};

fn lying_market() -> VenueConfig {
    VenueConfig { faults: FaultRates::all(0.05), ..VenueConfig::generated(80.0, Duration::from_secs(20)) }
}

const SHORT: [(&str, &str); 3] = [("INTERVAL", "10s"), ("BACKFILL_FROM", "-15s"), ("TICKERS", "BTC,ETH")];

#[tokio::test(flavor = "multi_thread")]
async fn of_two_workers_one_leads_and_the_other_takes_over() {
    let mut stage = Stage::start(lying_market(), &SHORT).await;
    let client = stage.database.client().await;
    let second = stage.another_worker().await;
    stage.settled("BTC", now()).await;
    let (_, health) = second.get("/health").await.expect("an answer");
    assert!(health.contains("waiting to lead"), "{health}");

    let first = stage.worker.take().expect("the first worker");
    first.stop().await.expect("a clean end");
    eventually("the second worker to lead", PATIENCE, || async {
        let (_, health) = second.get("/health").await?;
        health.contains("\"leading\":true").then_some(())
    })
    .await;
    let until = now().plus_ms(2_000);
    for name in ["BTC", "ETH"] {
        stage.settled(name, until).await;
        let from = tape_from(&client, name).await;
        confirmed_trades_are_the_truth(&client, &stage.venue, name, from, until).await;
        finals_equal_numeric(&client, name, from, until).await;
    }
    second.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_ended_at_random_moments_loses_nothing_and_counts_nothing_twice() {
    let mut stage = Stage::start(lying_market(), &SHORT).await;
    let client = stage.database.client().await;
    for after_ms in [900, 350, 1_730, 40, 610] {
        let until = now().plus_ms(after_ms);
        eventually("the moment to end it", PATIENCE, || async { (until <= now()).then_some(()) }).await;
        stage.worker.take().expect("a worker").kill();
        stage.worker = Some(stage.another_worker().await);
    }
    let until = now().plus_ms(1_000);
    for name in ["BTC", "ETH"] {
        stage.settled(name, until).await;
        let from = tape_from(&client, name).await;
        let trades = confirmed_trades_are_the_truth(&client, &stage.venue, name, from, until).await;
        assert!(trades > 0);
        finals_equal_numeric(&client, name, from, until).await;
    }
}
