//! Each exchange in its own words: the worker's adapter against the practice
//! market speaking that exchange's dialect, every fault at once.
//!
//! The practice market's dialects and the adapters share nothing but the
//! exchanges' documentation.

use std::time::Duration;

use tape::EpochMs;
use venue::dialect::Dialect;
use venue::{FaultRates, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric, finals_equal_the_truth};
use crate::six::{confirmed_trades_are_the_truth_to_the_second, end_of_second};
use crate::stage::{PATIENCE, Stage, now, number, tape_from};
use testkit::eventually;

const TICKERS: [&str; 3] = ["BTC/USDT", "ETH/USDT", "SOL/USDT"];

fn market(exchange: &str, rate: f64) -> VenueConfig {
    let dialect = Dialect::parse(exchange).expect("a dialect");
    let tickers = TICKERS.map(str::to_owned).to_vec();
    let kind = venue::MarketKind::Generated { tickers, quiet: Vec::new(), rate, history: Duration::from_secs(60) };
    VenueConfig {
        market: kind,
        dialect,
        faults: FaultRates::all(0.05),
        silence_for: Duration::from_millis(500),
        disorder: 0.02,
        ..VenueConfig::default()
    }
}

/// Follows the exchange for a while and holds every row and figure against the truth.
async fn converges(exchange: &str, rate: f64, backfill: &str) {
    let more = [("INTERVAL", "10s"), ("BACKFILL_FROM", backfill), ("TICKERS", "BTC/USDT,ETH/USDT,SOL/USDT")];
    let stage = Stage::start(market(exchange, rate), &more).await;
    let client = stage.database.client().await;
    let until = now().plus_ms(12_000);
    for name in TICKERS {
        stage.settled(name, until).await;
    }

    for name in TICKERS {
        let from = tape_from(&client, name).await;
        let trades = confirmed_trades_are_the_truth(&client, &stage.venue, name, from, until).await;
        assert!(trades > 0, "{name} traded");
        let marks = finals_equal_numeric(&client, name, from, until).await;
        assert!(marks >= 10, "{name} has {marks} marks");
        finals_equal_the_truth(&client, &stage.venue, name, from.plus_ms(10_000), until).await;
    }
    let rows = client.query("select ticker || ': ' || detail from incidents", &[]).await.expect("the incidents");
    let incidents: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(incidents, [""; 0], "nothing was missing at the market itself");
    let matched = number(&client, "select count(*) from transactions where is_validated and received_at is not null");
    assert!(matched.await > 0, "the socket was heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn binance_converges_to_the_truth() {
    converges("binance", 100.0, "-20s").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn coinbase_converges_to_the_truth() {
    converges("coinbase", 60.0, "-20s").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kraken_converges_to_the_truth() {
    converges("kraken", 60.0, "-20s").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn okx_converges_to_the_truth() {
    converges("okx", 60.0, "-20s").await;
}

/// Its REST tells the last sixty trades only, so nothing can be made up for from before.
#[tokio::test(flavor = "multi_thread")]
async fn bybit_converges_to_the_truth() {
    converges("bybit", 6.0, "now").await;
}

/// Its REST tells whole seconds only: rows are held against the truth to the second, and
/// figures against the rows.
#[tokio::test(flavor = "multi_thread")]
async fn bitstamp_converges_to_the_truth_to_the_second() {
    let more = [("INTERVAL", "10s"), ("BACKFILL_FROM", "-20s"), ("TICKERS", "BTC/USDT,ETH/USDT,SOL/USDT")];
    let stage = Stage::start(market("bitstamp", 40.0), &more).await;
    let client = stage.database.client().await;
    let until = end_of_second(now().plus_ms(11_000));
    for name in TICKERS {
        stage.settled(name, until).await;
    }

    for name in TICKERS {
        let tape_from = tape_from(&client, name).await;
        confirmed_trades_are_the_truth_to_the_second(&client, &stage.venue, name, tape_from, until).await;
        finals_equal_numeric(&client, name, tape_from, until).await;
    }
    let finer = "select count(*) from transactions where ts % 1000 <> 0";
    assert_eq!(number(&client, finer).await, 0, "what only the socket knows decides nothing");
    let heard = "select count(*) from transactions where is_validated and received_at is not null";
    assert!(number(&client, heard).await > 0, "the socket was heard");
}

/// Announced and unannounced ends of connections, and a past the socket repeats, are nobody's loss.
#[tokio::test(flavor = "multi_thread")]
async fn a_planned_end_of_a_connection_overlaps_with_the_next() {
    let honest = VenueConfig { faults: FaultRates::NONE, disorder: 0.0, ..market("binance", 50.0) };
    let more = [("INTERVAL", "10s"), ("TICKERS", "BTC/USDT,ETH/USDT,SOL/USDT")];
    let stage = Stage::start(honest, &more).await;
    let client = stage.database.client().await;
    for name in TICKERS {
        stage.settled(name, now()).await;
    }
    let began = now();

    stage.venue.leave(Duration::from_secs(3));
    eventually("another connection beside the first", PATIENCE, || async {
        (stage.venue.listeners() == 2).then_some(())
    })
    .await;
    eventually("the first to be left", PATIENCE, || async { (stage.venue.listeners() == 1).then_some(()) }).await;
    let ended = now();
    for name in TICKERS {
        stage.settled(name, ended.plus_ms(2_000)).await;
    }

    assert_eq!(faults(&client, began, ended).await, 0, "neither missing nor heard twice");
}

async fn faults(client: &tokio_postgres::Client, from: EpochMs, until: EpochMs) -> i64 {
    let sql = format!(
        "select count(*) from feed_faults where kind in ('missing', 'duplicate') and ts > {} and ts <= {}",
        from.ms(),
        until.ms()
    );
    number(client, &sql).await
}
