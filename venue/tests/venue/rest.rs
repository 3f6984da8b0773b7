//! How REST behaves and misbehaves, and what its answers promise.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use tape::EpochMs;
use venue::{RestCounts, RestMode, VenueConfig};

use crate::support::{DEADLINE, get, get_within, post, start, trade};

const PAGE: &str = "/trades?ticker=BTC&startTime=0";

#[tokio::test]
async fn an_answer_says_up_to_where_it_is_complete() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    running.set_present(EpochMs::new(5_000));
    running.publish_all([trade("a", 4_000), trade("b", 5_000), trade("c", 5_001)]);

    let page = get(&running, PAGE).await;
    assert_eq!((page.ids().concat(), page.complete_until()), ("ab".to_owned(), 5_000));
    assert_eq!(page.header("date"), Some("Thu, 01 Jan 1970 00:00:05 GMT"));
    running.set_present(EpochMs::new(6_000));
    assert_eq!(get(&running, PAGE).await.ids().concat(), "abc");
}

#[tokio::test]
async fn a_trade_made_after_an_answer_is_later_than_all_it_promised() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    for _ in 0..50 {
        let promised = get(&running, PAGE).await.complete_until();
        let made = running.make_trade("BTC", "1", "1").expect("a trade");
        assert!(promised < made.traded_at.ms());
    }
}

#[tokio::test]
async fn a_lagging_rest_knows_trades_later_and_promises_less() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.rest.lag = Duration::from_secs(10);
    let running = start(config).await;
    running.set_present(EpochMs::new(20_000));
    running.publish_all([trade("a", 10_000), trade("b", 10_001)]);

    let page = get(&running, PAGE).await;
    assert_eq!((page.ids().concat(), page.complete_until()), ("a".to_owned(), 10_000));
    running.set_present(EpochMs::new(20_001));
    assert_eq!(get(&running, PAGE).await.ids().concat(), "ab");
}

#[tokio::test]
async fn a_venue_may_tell_no_time_but_the_date() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.rest.market_time = false;
    let running = start(config).await;

    let page = get(&running, PAGE).await;
    assert_eq!(page.header("x-market-time"), None);
    assert!(page.header("date").is_some_and(|date| date.ends_with(" GMT")));
}

#[tokio::test]
async fn it_fails_in_every_way_when_told_to_and_recovers_in_time() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    running.publish(trade("a", 1_000));
    let told = post(&running, "/control/rest", r#"{"mode":"fail","for_ms":60000}"#).await;
    assert_eq!((told.status, told.json()["mode"].as_str()), (200, Some("fail")));

    assert_eq!(get(&running, PAGE).await.status, 500);
    let unavailable = get(&running, PAGE).await;
    assert_eq!((unavailable.status, unavailable.header("retry-after")), (503, Some("1")));
    let html = get(&running, PAGE).await;
    assert_eq!((html.status, html.body.starts_with("<!DOCTYPE html>")), (200, true));
    let cut_off = get(&running, PAGE).await;
    assert_eq!(cut_off.status, 200);
    assert!(cut_off.body.starts_with("[{") && serde_json::from_str::<serde_json::Value>(&cut_off.body).is_err());

    post(&running, "/control/rest", r#"{"mode":"ok"}"#).await;
    assert_eq!(get(&running, PAGE).await.ids(), ["a"]);
    assert_eq!(running.rest_counts(), RestCounts { asked: 5, answered: 1, failed: 4, limited: 0, hung: 0 });
}

#[tokio::test]
async fn a_command_ends_by_itself() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    let started = Instant::now();
    running.set_rest_mode(RestMode::Html, Some(Duration::from_millis(100)));
    while get(&running, PAGE).await.body.starts_with('<') {
        assert!(started.elapsed() < DEADLINE, "it recovers");
    }
    assert!(started.elapsed() >= Duration::from_millis(99));
}

#[tokio::test]
async fn asking_too_often_is_refused_with_the_time_to_wait() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.rest.rate_limit = NonZeroU32::new(2);
    let running = start(config).await;

    let started = Instant::now();
    let refusal = loop {
        let answer = get(&running, PAGE).await;
        if answer.status != 200 {
            break answer;
        }
        assert!(started.elapsed() < DEADLINE, "it is too often some time");
    };
    assert_eq!((refusal.status, refusal.header("retry-after")), (429, Some("1")));
    assert!(running.rest_counts().answered >= 2);
    running.set_rest_mode(RestMode::RateLimit, None);
    assert_eq!(get(&running, PAGE).await.status, 429);
}

#[tokio::test]
async fn a_hanging_request_is_never_answered_while_others_are() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    running.set_rest_mode(RestMode::Hang, None);
    assert!(get_within(&running, PAGE, Duration::from_millis(300)).await.is_none());
    running.set_rest_mode(RestMode::Ok, None);
    assert_eq!(get(&running, PAGE).await.status, 200);
    assert_eq!(running.rest_counts().hung, 1);
}

#[tokio::test]
async fn answers_take_their_latency() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.rest.latency = Duration::from_millis(150);
    let running = start(config).await;

    let asked = Instant::now();
    get(&running, PAGE).await;
    assert!(asked.elapsed() >= Duration::from_millis(145));
}

#[tokio::test]
async fn faults_are_changed_at_run_time_by_name() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;

    let rates = post(&running, "/control/faults", r#"{"all":0.02,"drop":0.5,"alter-price":0}"#).await.json();
    assert_eq!(rates["drop"], serde_json::json!(0.5));
    assert_eq!(rates["alter_price"], serde_json::json!(0.0));
    assert_eq!(rates["phantom"], serde_json::json!(0.02));
    let kept = post(&running, "/control/faults", r#"{"phantom":0.1}"#).await.json();
    assert_eq!((&kept["drop"], &kept["phantom"]), (&serde_json::json!(0.5), &serde_json::json!(0.1)));
    let off = post(&running, "/control/faults", r#"{"all":0}"#).await.json();
    assert!(off.as_object().expect("rates").values().all(|rate| rate.as_f64() == Some(0.0)));
}
