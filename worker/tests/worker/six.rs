//! The six exchanges side by side in one test: each a market of its own in its
//! own words, a database and a worker.

use std::collections::BTreeMap;
use std::time::Duration;

use tape::EpochMs;
use tokio::task::JoinSet;
use tokio_postgres::Client;
use venue::dialect::Dialect;
use venue::{FaultRates, Running, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric, finals_equal_the_truth};
use crate::stage::{Stage, now, tape_from, ticker};

/// Every exchange there is an adapter for.
pub const EXCHANGES: [&str; 6] = ["binance", "bybit", "coinbase", "kraken", "okx", "bitstamp"];

/// The tickers followed, as the worker is told them.
pub const TICKERS: &str = "BTC/USDT,ETH/USDT";

/// The one that things happen to.
pub const BTC: &str = "BTC/USDT";

/// The window of the figures.
const WINDOW_MS: i64 = 3_000;

/// Plays the same for each exchange, all at once: they wait more than they compute.
pub async fn on_each<Played>(play: impl Fn(&'static str) -> Played)
where
    Played: Future<Output = ()> + Send + 'static,
{
    let mut plays = JoinSet::new();
    let names: BTreeMap<_, _> = EXCHANGES.map(|exchange| (plays.spawn(play(exchange)).id(), exchange)).into();
    let mut failed = Vec::new();
    while let Some(played) = plays.join_next().await {
        if let Err(error) = played {
            failed.push(names[&error.id()]);
        }
    }
    assert!(failed.is_empty(), "it went wrong with {failed:?}; their panics are above");
}

/// A lively market of an exchange: every fault at once, and a short past.
pub fn lively(exchange: &str) -> VenueConfig {
    let tickers = TICKERS.split(',').map(str::to_owned).collect();
    // Of Bybit only the last sixty trades can be had: they have to last for the longest wait.
    let rate = if exchange == "bybit" { 1.0 } else { 20.0 };
    let market = venue::MarketKind::Generated { tickers, quiet: Vec::new(), rate, history: Duration::from_secs(30) };
    VenueConfig {
        market,
        dialect: Dialect::parse(exchange).expect("a dialect"),
        faults: FaultRates::all(0.05),
        silence_for: Duration::from_millis(500),
        disorder: 0.02,
        ..VenueConfig::default()
    }
}

/// Follows a market with a short window, and waits until each ticker is settled once.
pub async fn follow(market: VenueConfig) -> (Stage, Client) {
    // Longer than REST lags in any of these.
    let settle_delay = if market.rest.lag.is_zero() { "2s" } else { "5s" };
    let more = [("INTERVAL", "3s"), ("TICKERS", TICKERS), ("SETTLE_DELAY", settle_delay)];
    let stage = Stage::start(market, &more).await;
    let client = stage.database.client().await;
    for name in TICKERS.split(',') {
        stage.settled(name, now()).await;
    }
    (stage, client)
}

/// Waits until everything up to now is settled, and holds all of it against the truth: trades
/// row for row, final figures against Postgres' own arithmetic and the market's own sums, and
/// that nothing is said to be missing.
pub async fn holds_the_truth(stage: &Stage, client: &Client) {
    let until = end_of_second(now());
    for name in TICKERS.split(',') {
        stage.settled(name, until).await;
        is_the_truth(&stage.venue, client, name, until).await;
    }
    assert_eq!(incidents(client).await, [""; 0], "nothing was missing at the market itself");
    let sessions = stage.worker.as_ref().expect("it runs").get("/health").await.expect("an answer").1;
    assert!(sessions.contains("\"sessions_lost\":0"), "{sessions}");
}

/// Holds a ticker's tape, which is settled so far, against the truth. Returns how many trades it has.
pub async fn is_the_truth(venue: &Running, client: &Client, name: &str, until: EpochMs) -> usize {
    let tape_from = tape_from(client, name).await;
    let marks = finals_equal_numeric(client, name, tape_from, until).await;
    assert!(marks > 0, "{name} has a final figure");
    if venue.dialect().name() == "bitstamp" {
        return confirmed_trades_are_the_truth_to_the_second(client, venue, name, tape_from, until).await;
    }
    let trades = confirmed_trades_are_the_truth(client, venue, name, tape_from, until).await;
    finals_equal_the_truth(client, venue, name, tape_from.plus_ms(WINDOW_MS), until).await;
    trades
}

/// Asserts that the confirmed trades are the true ones, as far as an exchange tells that counts
/// in whole seconds. Returns how many there are.
pub async fn confirmed_trades_are_the_truth_to_the_second(
    client: &Client,
    venue: &Running,
    name: &str,
    tape_from: EpochMs,
    until: EpochMs,
) -> usize {
    let from = end_of_second(tape_from);
    let sql = "select tradeid, ts / 1000, trim_scale(price)::text, trim_scale(quantity)::text from transactions
        where ticker = $1 and is_validated and ts > $2 and ts <= $3 order by tradeid";
    let rows = client.query(sql, &[&name, &from.ms(), &until.ms()]).await.expect("the trades");
    let held: Vec<(String, i64, String, String)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
    let mut truth: Vec<(String, i64, String, String)> = venue
        .truth(&ticker(name), from, until)
        .into_iter()
        .map(|(trade, _)| trade.to_trade())
        .map(|it| (it.id.to_string(), it.traded_at.ms() / 1_000, it.price.to_string(), it.quantity.to_string()))
        .collect();
    truth.sort();
    assert!(!truth.is_empty(), "{name} traded");
    assert_eq!(held, truth, "{name}");
    truth.len()
}

/// The last millisecond of the second an instant is in.
pub fn end_of_second(at: EpochMs) -> EpochMs {
    EpochMs::new((at.ms().div_euclid(1_000) + 1) * 1_000 - 1)
}

/// What is said to be missing.
pub async fn incidents(client: &Client) -> Vec<String> {
    let rows = client.query("select ticker || ': ' || detail from incidents", &[]).await.expect("the incidents");
    rows.iter().map(|row| row.get(0)).collect()
}
