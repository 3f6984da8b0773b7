//! `GET /health` and its sisters.

use testkit::database;

use crate::running::Running;
use crate::seeded::{MARK, NOW, market};

#[tokio::test]
async fn health_names_each_dependency_and_the_age_of_the_worst_ticker() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let health = api.json("/health").await;
    assert_eq!(health["state"], "ok");
    let names: Vec<_> =
        health["dependencies"].as_array().expect("a list").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["postgres", "worker"]);

    let behind = "update latest_vwap_history set ts = $1 where ticker = 'ETH' and exchange = 'second'";
    bitcoin.client.execute(behind, &[&(MARK - 60_000)]).await.expect("an update");
    let answer = api.get("/health").await;
    let problem = answer.problem();
    assert_eq!(
        (answer.status.as_u16(), &problem["code"], &problem["state"]),
        (503, &"data_stale".into(), &"stale".into())
    );
    assert_eq!((&problem["data"]["stale_tickers"], &problem["data"]["tickers"]), (&1.into(), &3.into()));
    assert_eq!(
        (&problem["data"]["worst"]["exchange"], &problem["data"]["worst"]["age_ms"]),
        (&"second".into(), &61_500.into())
    );
}

#[tokio::test]
async fn stale_data_keeps_nobody_from_being_alive_and_ready() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW + 3_600_000);

    assert_eq!(api.get("/health").await.status, 503);
    assert_eq!(api.get("/health/livez").await.status, 200);
    assert_eq!(api.get("/health/readyz").await.status, 200);
}

#[tokio::test]
async fn without_any_ticker_health_says_that_there_is_no_data() {
    let database = database().await;
    let api = Running::standing_at(&database, NOW);

    assert_eq!(api.problem("/health").await, (503, "no_data".to_owned()));
    assert_eq!(api.get("/health/readyz").await.status, 200);
}

#[tokio::test]
async fn a_database_without_tables_is_not_ready_and_says_who_lays_them_out() {
    let database = database().await;
    database.client().await.batch_execute("drop schema crypto_market cascade").await.expect("dropped");
    let api = Running::standing_at(&database, NOW);

    for path in ["/health", "/health/readyz", "/latest?ticker=BTC", "/tickers", "/quality"] {
        assert_eq!(api.problem(path).await, (503, "database_unfit".to_owned()), "{path}");
    }
}
