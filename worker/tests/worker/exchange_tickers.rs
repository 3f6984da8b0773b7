//! Two hundred tickers of one exchange: every one is heard, over as few
//! connections and with as few words as the exchange allows, as it counts itself.

use testkit::eventually;
use venue::VenueConfig;
use venue::dialect::Dialect;

use crate::six::EXCHANGES;
use crate::stage::{PATIENCE, Stage, number};

const TICKERS: usize = 200;

/// What a connection may hear of, and how much it may say in a second, where that is documented.
fn documented(exchange: &str) -> (usize, usize) {
    match exchange {
        "binance" => (1_024, 5),
        "coinbase" => (usize::MAX, 100),
        "bitstamp" => (1_024, usize::MAX),
        // Bybit counts characters and OKX bytes and requests an hour: their dialects end the
        // connection that has too many. Kraken's documentation is silent.
        _ => (usize::MAX, usize::MAX),
    }
}

async fn keeps_to_the_limits(exchange: &str) {
    let tickers: Vec<String> = (0..TICKERS).map(|number| format!("COIN{number:0>3}/USDT")).collect();
    let names: Vec<&str> = tickers.iter().map(String::as_str).collect();
    let market = VenueConfig::scripted(&names).speaking(Dialect::parse(exchange).expect("a dialect"));
    let stage = Stage::start(market, &[("TICKERS", &tickers.join(",")), ("INTERVAL", "3s")]).await;
    let client = stage.database.client().await;

    eventually(&format!("{exchange}'s tickers to be listened for"), PATIENCE, || async {
        let listened_for: usize = stage.venue.speaking().iter().map(|listener| listener.subscriptions).sum();
        (listened_for == TICKERS).then_some(())
    })
    .await;
    let heard = "select count(distinct ticker) from transactions where received_at is not null";
    eventually(&format!("{exchange}'s tickers to be heard"), PATIENCE, || async {
        // The first word about a ticker may be taken for one of the past.
        for ticker in &tickers {
            stage.venue.make_trade(ticker, "100.5", "2").expect("a trade");
        }
        (number(&client, heard).await == TICKERS as i64).then_some(())
    })
    .await;

    let (most_subscriptions, most_words) = documented(exchange);
    let speaking = stage.venue.speaking();
    for listener in &speaking {
        assert!(listener.subscriptions <= most_subscriptions, "{exchange}: {listener:?}");
        assert!(listener.most_in_a_second <= most_words, "{exchange}: {listener:?}");
    }
    assert_eq!(stage.venue.state().listeners_joined, speaking.len() as u64, "{exchange}: nobody was sent away");
    assert_eq!(stage.venue.asked()["refused"], 0, "{exchange}: {}", stage.venue.asked());
    stage.worker.expect("it runs").stop().await.expect("a clean end");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_tickers_are_heard_within_the_documented_limits() {
    // One after the other: each is work enough for a small machine.
    for exchange in EXCHANGES {
        keeps_to_the_limits(exchange).await;
    }
}
