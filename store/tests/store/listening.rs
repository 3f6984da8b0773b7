//! Hearing at once that figures changed.

use std::time::Duration;

use store::{Figure, Hint};
use tape::Ticker;
use testkit::at;
use tokio::time::timeout;

use crate::figures::figure;
use crate::scene::{VENUE, scene};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn of_a_ticker_that_changed_twice_in_a_transaction_is_told_once() {
    let scene = scene().await;
    let mut listening = scene.store.listen().await.expect("listening");

    for mark in [1_000, 2_000] {
        let txn = scene.begin().await;
        txn.latest_upsert(&[figure(mark, None)], false, at(mark)).await.expect("written");
        txn.latest_upsert(&[figure(mark, None)], true, at(mark)).await.expect("written");
        txn.commit().await.expect("committed");
    }

    for _ in 0..2 {
        let hint = timeout(SOON, listening.changed()).await.expect("in time").expect("connected");
        assert_eq!(hint, Hint::Tickers(VENUE.to_owned(), vec![figure(0, None).ticker]));
    }
    // A third hint would have come before this one.
    scene.client.batch_execute("notify truetape_figures, 'the end'").await.expect("told");
    let hint = timeout(SOON, listening.changed()).await.expect("in time").expect("connected");
    assert_eq!(hint, Hint::Tickers("the".to_owned(), vec![Ticker::new("end").expect("a name")]));
}

#[tokio::test]
async fn of_a_thousand_tickers_that_changed_together_each_is_named() {
    let scene = scene().await;
    let mut listening = scene.store.listen().await.expect("listening");
    let tickers: Vec<Ticker> = (0..1_000).map(|n| Ticker::new(&format!("TICKER{n:03}")).expect("a name")).collect();
    let figures: Vec<_> =
        tickers.iter().map(|ticker| Figure { ticker: ticker.clone(), ..figure(1_000, None) }).collect();

    let txn = scene.begin().await;
    txn.latest_upsert(&figures, false, at(1_000)).await.expect("written");
    txn.commit().await.expect("committed");

    let mut named = Vec::new();
    while named.len() < tickers.len() {
        match timeout(SOON, listening.changed()).await.expect("in time").expect("connected") {
            Hint::Tickers(venue, tickers) if venue == VENUE => named.extend(tickers),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(named, tickers);
}

#[tokio::test]
async fn a_lost_connection_is_told_rather_than_silence() {
    let scene = scene().await;
    let mut listening = scene.store.listen().await.expect("listening");
    let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity
        where datname = current_database() and query like 'listen %'";
    assert_eq!(scene.number(cut).await, 1);

    let error = timeout(SOON, listening.changed()).await.expect("in time").expect_err("it is lost");

    assert!(error.is_transient());
}
