//! A database that dies and comes back, and a venue that does.

use std::time::Duration;

use testkit::{eventually, own_cluster};
use venue::{FaultRates, Venue, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric};
use crate::stage::{PATIENCE, Worker, now, settled, tape_from, vars};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_killed_and_away_for_a_while_changes_no_final_figure() {
    let market = VenueConfig { faults: FaultRates::all(0.05), ..VenueConfig::generated(80.0, Duration::ZERO) };
    let venue = Venue::start(market).await.expect("the venue starts");
    let cluster = own_cluster().await;
    let vars = vars(&venue, &cluster.database().url(), &[("INTERVAL", "10s"), ("TICKERS", "BTC")]);
    let worker = Worker::start(vars).await;
    let began = now();
    eventually("the first figures", PATIENCE, || async {
        worker.get("/health").await?.1.contains("\"leading\":true").then_some(())
    })
    .await;
    settled(&cluster.database().client().await, "BTC", began).await;

    for away_ms in [0, 4_000] {
        cluster.stop_immediate().await;
        let back_at = now().plus_ms(away_ms);
        eventually("the database to have been away", PATIENCE, || async { (back_at <= now()).then_some(()) }).await;
        cluster.start().await;
        let client = cluster.database().client().await;
        settled(&client, "BTC", now()).await;
    }

    let client = cluster.database().client().await;
    let until = now();
    settled(&client, "BTC", until).await;
    let from = tape_from(&client, "BTC").await;
    confirmed_trades_are_the_truth(&client, &venue, "BTC", from, until).await;
    finals_equal_numeric(&client, "BTC", from, until).await;
    worker.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_started_before_its_database_and_its_venue_waits_for_both() {
    let venue = Venue::start(VenueConfig::scripted(&["BTC"])).await.expect("the venue starts");
    let cluster = own_cluster().await;
    let url = cluster.database().url();
    let vars = vars(&venue, &url, &[("TICKERS", "BTC")]);
    cluster.stop_immediate().await;
    venue.set_rest_mode(venue::RestMode::Fail, Some(Duration::from_secs(1)));
    let worker = Worker::start(vars).await;
    let (status, _) = worker.get("/health").await.expect("an answer");
    assert_eq!(status, 200);

    cluster.start().await;

    settled(&cluster.database().client().await, "BTC", now()).await;
    worker.stop().await.expect("a clean end");
}
