//! When there is no room for all tickers, it is no chance which are followed.

use std::sync::Arc;

use market::Said;
use simulation::memory::{Server, SimTables, Trouble};
use simulation::scenario::BEGINS_AT;
use simulation::time::Time;
use tape::EpochMs;
use testkit::{heard, trade};
use tokio::sync::mpsc;
use worker::Config;
use worker::clock::Clock;
use worker::config::MarketClock;
use worker::engine::Engine;
use worker::metrics::Metrics;

/// What is followed after batches that mention these tickers, when three may be.
async fn followed(batches: &[&[&str]]) -> Vec<String> {
    let server = Server::new(Time::starting_at(BEGINS_AT), 0, Trouble::default());
    let tables = SimTables::lead(&server, 0).await.expect("no trouble").expect("nobody leads");
    let vars = [("MAX_TICKERS", "3"), ("TICKERS", "M")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::from_vars(vars).expect("settings");
    let clock = Clock::reading(MarketClock::Wall, || EpochMs::new(BEGINS_AT));
    let (follow, _followed) = mpsc::unbounded_channel();
    let metrics = Arc::new(Metrics::default());
    let mut engine = Engine::start(tables, &config, clock, metrics, follow).await.expect("a term");
    for batch in batches {
        let said = |ticker: &&str| Said::Trade(heard(trade(ticker, "t", BEGINS_AT, "1", "1"), BEGINS_AT));
        engine.hear(batch.iter().map(said).collect()).await.expect("heard");
    }
    server.state().disk.tickers.keys().map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_first_by_name_of_those_mentioned_together_are_followed_in_whatever_order_they_came() {
    let orders: [&[&str]; 6] = [
        &["Q", "B", "X", "A"],
        &["A", "B", "Q", "X"],
        &["X", "Q", "B", "A"],
        &["B", "X", "A", "Q", "B"],
        &["Q", "M", "A", "X", "B"],
        &["X", "A", "Q", "B", "M", "A"],
    ];
    for order in orders {
        assert_eq!(followed(&[order]).await, ["A", "B", "M"], "{order:?}");
    }
}

#[tokio::test]
async fn one_that_is_mentioned_later_takes_nobodys_place() {
    assert_eq!(followed(&[&["Q"], &["X"], &["A", "B"]]).await, ["M", "Q", "X"]);
}
