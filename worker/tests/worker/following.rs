//! What is followed, and that nothing small ends the following.

use std::sync::Arc;
use std::time::Duration;

use market::{Market, RestClient, RestSettings};
use tape::{EpochMs, Patience, Watermark};
use testkit::eventually;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use venue::dialect::Dialect;
use venue::{MarketKind, VenueConfig};
use worker::engine::Follow;
use worker::metrics::Metrics;
use worker::reconciler::Reconciler;
use worker::room::Room;

use crate::stage::{PATIENCE, Stage, number, ticker};

#[tokio::test(flavor = "multi_thread")]
async fn a_ticker_whose_beginning_cannot_be_looked_up_at_first_is_read_later() {
    let database = testkit::database().await;
    let client = database.client().await;
    // Fails twice, and counts, for a sequence is not rolled back.
    let failing = "
        alter table transactions rename to kept;
        create sequence tries;
        create view transactions as
            select 'kraken'::text as exchange, 'BTC/USDT'::text as ticker, 5::bigint as ts, '7'::text as tradeid,
                1 / case when nextval('tries') < 3 then 0 else 1 end = 1 as is_validated
            from generate_series(1, 1)";
    client.batch_execute(failing).await.expect("a view that fails");
    let market = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", market.local_addr().expect("an address")).parse().expect("a url");
    let kraken: Market = "kraken".parse().expect("a market");
    let rest = RestClient::new(kraken, url, RestSettings::new(kraken), Arc::new(worker::clock::wall));
    let (follow, followed) = mpsc::unbounded_channel();
    let reconciler = Reconciler {
        rest: Arc::new(rest.expect("a client")),
        store: database.store(),
        venue: "kraken".to_owned(),
        patience: Patience { settle_delay_ms: 0, allowed_skew_ms: 0, listening_since: None, longest_step_ms: 1_000 },
        poll_every: Duration::from_secs(1),
        answers: mpsc::channel(1).0,
        metrics: Arc::new(Metrics::default()),
        room: Room::default(),
    };
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(reconciler.run(followed, shutdown.clone()));

    let watermark = Watermark::Through(EpochMs::new(1_700_000_000_000));
    follow.send(Follow { ticker: ticker("BTC/USDT"), watermark }).expect("it runs");

    tokio::time::timeout(PATIENCE, market.accept()).await.expect("the market is asked").expect("a connection");
    assert_eq!(number(&client, "select last_value from tries").await, 3);
    shutdown.cancel();
    tokio::time::timeout(PATIENCE, task).await.expect("it ends").expect("no panic");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticker_that_is_no_longer_configured_is_heard_as_long_as_it_is_read() {
    let tickers = ["BTC/USDT", "ETH/USDT"].map(str::to_owned).to_vec();
    let venue = VenueConfig {
        market: MarketKind::Generated { tickers, quiet: Vec::new(), rate: 40.0, history: Duration::from_secs(20) },
        dialect: Dialect::parse("binance").expect("a dialect"),
        ..VenueConfig::default()
    };
    let both = [("INTERVAL", "10s"), ("BACKFILL_FROM", "-5s"), ("TICKERS", "BTC/USDT,ETH/USDT")];
    let mut stage = Stage::start(venue, &both).await;
    let client = stage.database.client().await;
    let heard = "select count(*) from transactions where ticker = 'ETH/USDT' and received_at is not null";
    let heard = || number(&client, heard);
    eventually("both to be heard", PATIENCE, || async { (heard().await > 0).then_some(()) }).await;

    stage.worker.take().expect("it runs").stop().await.expect("a clean end");
    let before = heard().await;
    stage.worker = Some(stage.worker_with(&[("TICKERS", "BTC/USDT")]).await);

    eventually("the other to be heard still", PATIENCE, || async { (heard().await > before + 10).then_some(()) }).await;
}
