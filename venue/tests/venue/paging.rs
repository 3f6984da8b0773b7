//! Paging through REST, with and without `afterId`.

use venue::{TrueTrade, VenueConfig};

use crate::support::{get, start, trade};

/// 735 trades in one millisecond with ten before and after, ids in no order.
fn crowd() -> Vec<TrueTrade> {
    let crowd = (0..735).map(|number| trade(&format!("c{}", number * 4 % 735), 50_000));
    let before = (0..10).map(|number| trade(&format!("b{number}"), 40_000 + number));
    let after = (0..10).map(|number| trade(&format!("a{number}"), 60_000 + number));
    before.chain(crowd).chain(after).collect()
}

#[tokio::test]
async fn seven_hundred_trades_of_one_millisecond_are_paged_through_by_after_id() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    running.publish_all(crowd());

    let mut read: Vec<TrueTrade> = Vec::new();
    loop {
        let (start_time, after) = match read.last() {
            Some(last) => (last.traded_at.ms(), format!("&afterId={}", last.id)),
            None => (0, String::new()),
        };
        let page = get(&running, &format!("/trades?ticker=BTC&startTime={start_time}{after}")).await.trades();
        assert!(page.len() <= 100);
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }

    assert!(read == crowd(), "{} trades were read", read.len());
}

#[tokio::test]
async fn without_after_id_the_same_full_page_comes_again() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.rest.after_id = false;
    let running = start(config).await;
    running.publish_all(crowd());

    let first = get(&running, "/trades?ticker=BTC&startTime=50000").await.ids();
    let again = get(&running, &format!("/trades?ticker=BTC&startTime=50000&afterId={}", first[99])).await.ids();
    assert_eq!((first.len(), &first), (100, &again));
    assert_eq!(get(&running, "/trades?ticker=BTC&startTime=50001").await.ids().len(), 10);
}

#[tokio::test]
async fn the_start_is_inclusive_and_an_unknown_after_id_is_ignored() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    running.publish_all([trade("a", 1_000), trade("b", 2_000), trade("c", 2_000), trade("d", 3_000)]);

    let ids = async |query: &str| get(&running, &format!("/trades?ticker=BTC{query}")).await.ids().concat();
    assert_eq!(ids("&startTime=2000").await, "bcd");
    assert_eq!(ids("&startTime=2001").await, "d");
    assert_eq!(ids("&startTime=2000&afterId=b").await, "cd");
    assert_eq!(ids("&startTime=2000&afterId=a").await, "bcd");
    assert_eq!(ids("&startTime=2000&afterId=nobody").await, "bcd");
    assert_eq!(ids("&startTime=2000&afterId=").await, "bcd");
    assert_eq!(ids("").await, "abcd");
    assert_eq!(ids("&startTime=9000").await, "");
}

#[tokio::test]
async fn two_tickers_share_ids_and_a_slash_in_a_ticker_is_no_path() {
    let running = start(VenueConfig::scripted(&[])).await;
    running.publish(TrueTrade::new("XRP/ETH", 1_000, "2E-7", "1e3", "1").expect("a trade"));
    running.publish(TrueTrade::new("BTC", 2_000, "27000.10", "1", "1").expect("a trade"));

    let page = get(&running, "/trades?ticker=XRP%2FETH&startTime=0").await;
    assert_eq!(page.body, r#"[{"ticker":"XRP/ETH","ts":1000,"quantity":1e3,"price":2E-7,"tradeid":"1"}]"#);
    assert_eq!(get(&running, "/trades?ticker=BTC&startTime=0&afterId=1").await.ids().len(), 0);
}

#[tokio::test]
async fn a_repaired_history_gives_the_new_values_and_a_busted_trade_is_gone() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    running.publish_all([trade("a", 1_000), trade("b", 2_000)]);
    assert!(!running.publish(trade("a", 9_000)));

    assert!(running.correct(TrueTrade::new("BTC", 3_000, "1", "2", "a").expect("a trade")));
    let page = get(&running, "/trades?ticker=BTC&startTime=0").await.trades();
    assert_eq!((page[1].traded_at.ms(), page[1].price()), (3_000, "1"));
    assert!(running.retract(&crate::support::ticker("BTC"), &page[1].id));
    assert_eq!(get(&running, "/trades?ticker=BTC&startTime=0").await.ids(), ["b"]);
}
