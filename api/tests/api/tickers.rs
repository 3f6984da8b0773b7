//! `GET /tickers`.

use testkit::database;

use crate::running::Running;
use crate::seeded::{MARK, NOW, SETTLED_UNTIL, Seeded, TAPE_FROM, market};

#[tokio::test]
async fn each_ticker_comes_with_the_ends_of_its_history_its_watermark_and_its_age() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.json("/tickers").await;

    let names: Vec<_> = answer["tickers"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|ticker| (ticker["exchange"].as_str().expect("name"), ticker["ticker"].as_str().expect("name")))
        .collect();
    assert_eq!(names, [("generic", "BTC"), ("generic", "ETH"), ("second", "ETH")]);
    let bitcoin = &answer["tickers"][0];
    assert_eq!((&bitcoin["earliest_mark"], &bitcoin["latest_mark"]), (&(MARK - 60_000).into(), &(MARK + 1_000).into()));
    assert_eq!((&bitcoin["tape_from"], &bitcoin["validated_until"]), (&TAPE_FROM.into(), &SETTLED_UNTIL.into()));
    assert_eq!((&bitcoin["age_ms"], &bitcoin["unvalidated_ms"]), (&500.into(), &11_500.into()));
    assert_eq!(bitcoin["price"], api.json("/latest?ticker=BTC").await["price"]);
    assert_eq!((&bitcoin["stale"], &answer["truncated"]), (&false.into(), &false.into()));
}

#[tokio::test]
async fn a_ticker_without_a_figure_is_listed_and_stale() {
    let database = database().await;
    Seeded::new(&database, "generic", "NEW").await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.json("/tickers?exchange=GENERIC").await;

    let new = &answer["tickers"][0];
    assert!(new["price"].is_null() && new["ts"].is_null() && new["earliest_mark"].is_null() && new["state"].is_null());
    assert_eq!(new["stale"], true);
}

#[tokio::test]
async fn before_the_worker_has_found_any_ticker_the_list_is_empty() {
    let database = database().await;
    let api = Running::standing_at(&database, NOW);

    assert_eq!(api.json("/tickers").await["tickers"], serde_json::json!([]));
    assert_eq!(api.problem("/tickers?exchange=generic").await, (404, "unknown_exchange".to_owned()));
    assert_eq!(api.problem("/latest?ticker=BTC").await, (404, "unknown_ticker".to_owned()));
}
