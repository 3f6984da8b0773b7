//! What holds in every dialect.

use std::time::Duration;

use venue::{Dialect, RestConfig, VenueConfig};

use super::reading::{BTC, config, truth};
use crate::support::{EVER, get, start, ticker};

fn spoken() -> impl Iterator<Item = Dialect> {
    Dialect::ALL.into_iter().filter(|dialect| !dialect.is_generic())
}

#[tokio::test]
async fn ids_go_on_after_a_restart_as_if_nothing_had_happened() {
    for dialect in spoken() {
        let config = VenueConfig { disorder: 0.1, ..config(dialect.name(), 100.0, Duration::from_secs(90)) };
        let first = start(config.clone()).await;
        let before = truth(&first, BTC);
        first.stop().await;
        let second = start(config).await;
        let after = truth(&second, BTC);
        let shared: Vec<_> = before.iter().filter(|(id, _)| after.contains_key(*id)).collect();
        assert!(shared.len() * 10 > before.len() * 8, "{dialect:?}: {} of {}", shared.len(), before.len());
        for (id, trade) in shared {
            assert_eq!(after[id], *trade, "{dialect:?}");
        }
        let made = second.make_trade(BTC, "1", "1").expect("a trade").number().expect("a number");
        assert!(after.keys().all(|id| *id < made), "{dialect:?}");
    }
}

#[tokio::test]
async fn rest_that_lags_hides_the_newest_and_leaves_no_hole_even_when_times_are_out_of_order() {
    let rest = RestConfig { lag: Duration::from_secs(20), ..RestConfig::default() };
    let running = start(VenueConfig { disorder: 0.3, rest, ..config("binance", 100.0, Duration::from_secs(60)) }).await;
    let newest = get(&running, "/api/v3/trades?symbol=BTCUSDT&limit=1000").await.json();
    let told: Vec<u64> = newest.as_array().expect("rows").iter().filter_map(|row| row["id"].as_u64()).collect();
    let truth = truth(&running, BTC);
    assert!(told.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    assert!(told.last() < truth.keys().next_back());
}

#[tokio::test]
async fn the_generic_protocol_promises_nothing_that_disorder_could_break() {
    let generic = VenueConfig { disorder: 0.3, ..config("generic", 200.0, Duration::from_secs(30)) };
    let running = start(generic).await;
    let page = get(&running, "/trades?ticker=BTC/USDT").await;
    let promised = page.complete_until();
    let known = running.truth(&ticker(BTC), EVER.0, tape::EpochMs::new(promised)).len();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(running.truth(&ticker(BTC), EVER.0, tape::EpochMs::new(promised)).len(), known);
}
