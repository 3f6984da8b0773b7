//! Generated markets, seen through both channels.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use venue::{MarketKind, TrueTrade, VenueConfig};

use crate::support::{DEADLINE, EVER, Listener, get, start, ticker};

fn market(seed: u64, rate: f64) -> VenueConfig {
    VenueConfig { seed, ..VenueConfig::generated(rate, Duration::from_secs(120)) }
}

#[tokio::test]
async fn the_past_is_known_to_rest_alone_and_the_present_is_heard_as_it_happens() {
    let running = start(market(1, 200.0)).await;
    let mut listener = Listener::connect(&running).await;
    let heard = listener.trades(100).await;

    let tickers = get(&running, "/truth/tickers").await.json();
    assert_eq!(tickers.as_array().map(Vec::len), Some(5));
    let summary = running.summary(None, EVER.0, EVER.1);
    assert!(summary.delivery["past"] > 5_000, "{:?}", summary.delivery);
    for trade in heard {
        let truth = running.truth(&trade.ticker, trade.traded_at.minus_ms(1), trade.traded_at);
        assert!(truth.iter().any(|(true_trade, _)| true_trade.to_trade() == trade.to_trade()), "{trade:?}");
    }
}

#[tokio::test]
async fn a_venue_started_again_with_its_seed_has_the_same_past() {
    let past = async |seed| -> Vec<TrueTrade> {
        let running = start(market(seed, 20.0)).await;
        let truth = running.truth(&ticker("BTC"), EVER.0, EVER.1);
        running.stop().await;
        truth.into_iter().map(|(trade, _)| trade).collect()
    };
    let (first, second, other) = (past(7).await, past(7).await, past(8).await);

    let second: HashSet<_> = second.iter().map(TrueTrade::json).collect();
    let begins_at = second.len().min(first.len());
    let shared = first.iter().filter(|trade| second.contains(&trade.json())).count();
    // The second past begins and ends a moment later than the first.
    assert!(shared * 10 >= begins_at * 9, "{shared} of {begins_at}");
    assert!(other.iter().all(|trade| !second.contains(&trade.json())));
}

#[tokio::test]
async fn rest_never_adds_anything_at_or_before_what_it_called_complete() {
    let running = start(market(3, 500.0)).await;
    let _listener = Listener::connect(&running).await;
    let started = Instant::now();
    let mut checks = 0;
    let mut known: Option<(i64, usize)> = None;
    let from = get(&running, "/trades?ticker=BTC").await.complete_until();
    while checks < 100 {
        assert!(started.elapsed() < DEADLINE);
        if let Some((promised, count)) = known {
            let now_known = running.truth(&ticker("BTC"), tape::EpochMs::new(from), tape::EpochMs::new(promised));
            assert_eq!(now_known.len(), count, "up to {promised}");
        }
        let promised = get(&running, "/trades?ticker=BTC&startTime=9999999999999").await.complete_until();
        let count = running.truth(&ticker("BTC"), tape::EpochMs::new(from), tape::EpochMs::new(promised)).len();
        known = Some((promised, count));
        checks += 1;
    }
}

#[tokio::test]
async fn a_market_may_have_one_ticker_of_any_name() {
    let config = VenueConfig {
        market: MarketKind::Generated {
            tickers: vec!["DOGE/BTC".to_owned()],
            quiet: Vec::new(),
            rate: 50.0,
            history: Duration::from_secs(60),
        },
        ..VenueConfig::default()
    };
    let running = start(config).await;

    assert_eq!(get(&running, "/trades?ticker=DOGE/BTC").await.ids().len(), 100);
}
