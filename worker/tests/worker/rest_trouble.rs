//! REST that fails, refuses, hangs or lags delays final figures and changes none.

use std::time::Duration;

use venue::{RestConfig, RestMode, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric};
use crate::stage::{Stage, now, number, tape_from};

async fn converges_after(modes: &[RestMode], rest: RestConfig) {
    let market = VenueConfig { rest, ..VenueConfig::generated(60.0, Duration::ZERO) };
    let stage = Stage::start(market, &[("INTERVAL", "10s"), ("REST_TIMEOUT", "700ms"), ("TICKERS", "BTC")]).await;
    let client = stage.database.client().await;
    for mode in modes {
        stage.venue.set_rest_mode(*mode, Some(Duration::from_secs(2)));
        let until = now().plus_ms(1_500);
        stage.settled("BTC", until).await;
    }
    let until = now();
    stage.settled("BTC", until).await;
    let from = tape_from(&client, "BTC").await;

    confirmed_trades_are_the_truth(&client, &stage.venue, "BTC", from, until).await;
    finals_equal_numeric(&client, "BTC", from, until).await;
    assert_eq!(number(&client, "select count(*) from incidents").await, 0);
    let worker = stage.worker.expect("never stopped");
    let (status, health) = worker.get("/health").await.expect("an answer");
    assert_eq!(status, 200, "{health}");
    assert!(health.contains("\"sessions_lost\":0"), "{health}");
    worker.stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_and_html_answers_are_asked_again() {
    converges_after(&[RestMode::Fail, RestMode::Html], RestConfig::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limit_is_respected_and_outlived() {
    converges_after(&[RestMode::RateLimit], RestConfig::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_never_come_are_given_up() {
    converges_after(&[RestMode::Hang], RestConfig::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rest_that_lags_the_socket_by_seconds_only_delays() {
    converges_after(&[], RestConfig { lag: Duration::from_secs(3), ..RestConfig::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_market_time_the_date_header_serves() {
    converges_after(&[], RestConfig { market_time: false, ..RestConfig::default() }).await;
}
