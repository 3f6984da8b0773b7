//! Postgres away, slow and back again; and the way out.

use std::time::{Duration, Instant};

use testkit::{at, database, eventually, own_cluster};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::running::Running;
use crate::seeded::{MARK, NOW, market};

const QUESTIONS: [&str; 7] = [
    "/latest?ticker=BTC",
    "/historical?ticker=BTC&ts=1684083580000",
    "/vwap?ticker=BTC",
    "/quality?ticker=BTC",
    "/tickers",
    "/health",
    "/health/readyz",
];

#[tokio::test]
async fn while_postgres_is_away_everything_says_so_and_afterwards_answers_again() {
    let cluster = own_cluster().await;
    market(cluster.database()).await;
    let api = Running::standing_at(cluster.database(), NOW);
    for path in QUESTIONS {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }

    cluster.stop_immediate().await;
    for path in QUESTIONS {
        assert_eq!(api.problem(path).await, (503, "database_away".to_owned()), "{path}");
    }
    assert_eq!(api.get("/health/livez").await.status, 200);
    assert_eq!(api.get("/swagger.json").await.status, 200);

    cluster.start().await;
    eventually("every question to be answered again", Duration::from_secs(30), || async {
        for path in QUESTIONS {
            if api.get(path).await.status != 200 {
                return None;
            }
        }
        Some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_that_hangs_is_not_waited_for_beyond_the_deadline() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let url = database.url();
    let vars = [("PG_STRING", url.as_str()), ("DB_DEADLINE", "300ms"), ("DB_POOL", "2"), ("LATEST_CACHE", "off")];
    let api = Running::start(&vars, api::Clock::StandingAt(at(NOW)));
    bitcoin
        .client
        .batch_execute("begin; lock table tickers_validation_timestamp in access exclusive mode")
        .await
        .expect("locked");

    let started = Instant::now();
    let asked: Vec<_> = QUESTIONS.iter().map(|path| api.problem(path)).collect();
    for asked in asked {
        let (status, code) = asked.await;
        assert_eq!(status, 503);
        assert!(["database_slow", "database_away"].contains(&code.as_str()), "{code}");
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());

    bitcoin.client.batch_execute("rollback").await.expect("unlocked");
    eventually("the pool to recover", Duration::from_secs(20), || async {
        (api.get("/latest?ticker=BTC").await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_server_starts_before_its_database_and_stops_within_seconds_though_a_client_is_connected() {
    let nobody = [("PG_STRING", "postgres://nobody@127.0.0.1:1/nothing")];
    let mut api = Running::start(&nobody, api::Clock::StandingAt(at(MARK)));
    assert_eq!(api.get("/health/livez").await.status, 200);
    let mut idle = tokio::net::TcpStream::connect(api.address()).await.expect("it listens");
    idle.write_all(b"GET /health/livez HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("sent");
    let mut first = [0; 64];
    idle.read_exact(&mut first).await.expect("answered");

    api.stop();

    let server = api.server.take().expect("it runs");
    let ended = tokio::time::timeout(Duration::from_secs(5), server).await.expect("it stops within seconds");
    ended.expect("no panic").expect("no failure");
}
