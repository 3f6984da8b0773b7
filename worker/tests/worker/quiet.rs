//! Quiet tickers, silent markets and what they cost.

use std::time::Duration;

use testkit::eventually;
use venue::VenueConfig;

use crate::stage::{PATIENCE, Stage, now, number};

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_ticker_that_only_the_configuration_names_becomes_final_without_a_trade() {
    let stage = Stage::start(VenueConfig::scripted(&["CALM"]), &[("TICKERS", "CALM")]).await;
    let client = stage.database.client().await;
    let until = now().plus_ms(3_000);

    stage.settled("CALM", until).await;

    let sql =
        "select count(*) from vwap_history where ticker = 'CALM' and is_validated and trades = 0 and price is null";
    assert!(number(&client, sql).await >= 3, "empty marks are final and have no price");
    let gaps = "select count(*) from (select ts - lag(ts) over (order by ts) as step from vwap_history where is_validated) as s
        where step <> 1000";
    assert_eq!(number(&client, gaps).await, 0, "no mark is skipped");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_silent_market_a_worker_costs_less_than_three_transactions_and_two_requests_a_second() {
    let polling = [("TICKERS", "CALM"), ("POLL_EVERY", "1s")];
    let stage = Stage::start(VenueConfig::scripted(&["CALM"]), &polling).await;
    // What asks often while it waits has its own connection: closing it makes its counts known.
    stage.settled("CALM", now()).await;
    let client = stage.database.client().await;
    let sql = "select xact_commit + xact_rollback from pg_stat_database where datname = current_database()";
    // Postgres tells its counts a second late: those of the start are let pass.
    let quiet = now().plus_ms(2_500);
    eventually("the start to be counted", PATIENCE, || async { (quiet <= now()).then_some(()) }).await;
    let (transactions, requests) = (number(&client, sql).await, stage.venue.rest_counts().asked);
    let began = now();

    // Counts may come up to a second early or late: twenty seconds leave room for that.
    let seconds = 20;
    eventually("twenty seconds to pass", PATIENCE, || async {
        let passed = began.plus_ms(seconds * 1000) <= now();
        passed.then_some(())
    })
    .await;

    let transactions = number(&client, sql).await - transactions;
    let requests = stage.venue.rest_counts().asked - requests;
    // What came a second late before came a second early now; a busy machine looks later than it meant to.
    let seconds = now().ms_since(began) / 1000 + 2;
    assert!(transactions < 3 * seconds, "{transactions} transactions in {seconds} s");
    assert!(requests < 2 * seconds.unsigned_abs(), "{requests} requests in {seconds} s");
    assert!(transactions > 0 && requests > 0, "the worker works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_brings_no_trades_is_connected_anew() {
    let silence = [("TICKERS", "CALM"), ("SILENCE_TIMEOUT", "500ms")];
    let stage = Stage::start(VenueConfig::scripted(&["CALM"]), &silence).await;

    assert!(stage.venue.wait_for_listeners(1, Duration::from_secs(5)).await);
    eventually("a second connection", PATIENCE, || async {
        let (_, metrics) = stage.worker.as_ref()?.get("/metrics").await?;
        let line = metrics.lines().find(|line| line.starts_with("truetape_socket_connects_total"))?;
        let connects: u64 = line.rsplit(' ').next()?.parse().ok()?;
        (connects >= 2).then_some(())
    })
    .await;
}
