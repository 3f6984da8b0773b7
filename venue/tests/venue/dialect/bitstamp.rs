//! Bitstamp.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use venue::{RestConfig, VenueConfig};

use super::reading::{
    BTC, Talker, Told, assert_like_the_sample, body, config, digits, lively, normal, scripted, truth, whole,
};
use crate::support::{get, post, start};

const SUBSCRIBE: &str = r#"{"event":"bts:subscribe","data":{"channel":"live_trades_btcusdt"}}"#;

fn told(data: &Value) -> Told {
    assert_eq!(normal(&digits(&data["amount"])), normal(&digits(&data["amount_str"])));
    Told {
        id: whole(&data["id"]) as u64,
        price: digits(&data["price_str"]),
        quantity: digits(&data["amount_str"]),
        ms: whole(&data["microtimestamp"]) / 1_000,
    }
}

#[tokio::test]
async fn each_trade_is_told_as_it_was_by_a_counter_of_the_whole_exchange() {
    let running = lively("bitstamp").await;
    let mut talker = Talker::at(&running, "/").await;
    talker.say(SUBSCRIBE).await;
    assert_like_the_sample(&talker.json().await, "bitstamp/ws-subscribe-ack.json", &[]);
    let mut ids = Vec::new();
    for _ in 0..100 {
        let message = talker.json().await;
        assert_like_the_sample(&message, "bitstamp/ws-trade-2026.json", &[]);
        let one = told(&message["data"]);
        assert!(one.agrees_with(&truth(&running, BTC)[&one.id]), "{message}");
        ids.push(one.id);
    }
    assert!(ids.is_sorted() && ids.windows(2).any(|pair| pair[0] + 2 < pair[1]), "others trade between");
}

#[tokio::test]
async fn dust_has_an_exponent() {
    let running = scripted("bitstamp").await;
    let mut talker = Talker::at(&running, "/").await;
    talker.say(SUBSCRIBE).await;
    talker.json().await;
    running.make_trade(BTC, "57748.80", "0.00000001").expect("a trade");
    let message = talker.json().await;
    assert_eq!(message["data"]["amount_str"], "1E-8");
    assert_eq!(message["data"]["price_str"], "57748.80");
    assert_like_the_sample(&message, "bitstamp/ws-trade-scientific.json", &[]);
}

#[tokio::test]
async fn rest_has_whole_seconds_newest_first_and_windows_of_a_minute_an_hour_and_a_day() {
    let running = start(config("bitstamp", 20.0, Duration::from_secs(300))).await;
    let (mut counts, mut shared_seconds) = (Vec::new(), 0);
    for window in ["minute", "hour", "day"] {
        let rows = body(&running, &format!("/api/v2/transactions/btcusdt/?time={window}")).await;
        assert_like_the_sample(&rows, "bitstamp/rest-transactions-btcusd-hour.json", &[]);
        let truth = truth(&running, BTC);
        let rows = rows.as_array().expect("rows");
        let mut seconds: HashMap<i64, u32> = HashMap::new();
        for row in rows {
            let trade = &truth[&(whole(&row["tid"]) as u64)];
            assert_eq!(whole(&row["date"]), trade.traded_at.ms() / 1_000);
            assert_eq!(normal(&digits(&row["price"])), normal(&trade.price.to_string()));
            assert_eq!(normal(&digits(&row["amount"])), normal(&trade.quantity.to_string()));
            *seconds.entry(whole(&row["date"])).or_default() += 1;
        }
        assert!(rows.windows(2).all(|pair| whole(&pair[1]["tid"]) < whole(&pair[0]["tid"])));
        shared_seconds = seconds.values().copied().max().unwrap_or(0);
        counts.push(rows.len());
    }
    assert!(counts[0] * 2 < counts[1] && shared_seconds > 5, "{counts:?} {shared_seconds}");
    let expected = truth(&running, BTC).len();
    assert!(counts[2] <= expected && counts[2] + 100 > expected, "the day holds all there is");
}

#[tokio::test]
async fn windows_that_overlap_lose_nothing_though_rest_lags_and_times_go_back() {
    let rest = RestConfig { lag: Duration::from_secs(2), ..RestConfig::default() };
    let running =
        start(VenueConfig { rest, disorder: 0.3, ..config("bitstamp", 100.0, Duration::from_secs(30)) }).await;
    let mut known: Vec<u64> = Vec::new();
    for _ in 0..10 {
        let rows = body(&running, "/api/v2/transactions/btcusdt/?time=minute").await;
        let mut ids: Vec<u64> = rows.as_array().expect("rows").iter().map(|row| whole(&row["tid"]) as u64).collect();
        ids.reverse();
        let highest = known.last().copied().unwrap_or(0);
        assert!(highest == 0 || ids[0] <= highest);
        known.extend(ids.into_iter().filter(|id| highest < *id));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let truth = truth(&running, BTC);
    let expected: Vec<u64> = truth.range(known[0]..=known[known.len() - 1]).map(|(id, _)| *id).collect();
    assert_eq!(known, expected);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_the_exchange() {
    let running = scripted("bitstamp").await;
    let unknown = get(&running, "/api/v2/transactions/nope/").await;
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &json!("404.003")));
    for (mode, status, code) in
        [("rate_limit", 400, "400.002"), ("rate_limit_429", 429, "400.002"), ("unknown_pair_400", 400, "400.003")]
    {
        post(&running, "/control/rest", &json!({ "mode": mode }).to_string()).await;
        let answer = get(&running, "/api/v2/transactions/btcusdt/").await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{mode}");
    }
    let mut talker = Talker::at(&running, "/").await;
    for request in [r#"{"event":"bts:subscribe","data":{"channel":"live_trades_nope"}}"#, "nonsense"] {
        talker.say(request).await;
        assert_eq!(talker.json().await["event"], "bts:error", "{request}");
    }
}

#[tokio::test]
async fn heartbeats_are_answered_and_a_planned_end_asks_to_reconnect() {
    let running = scripted("bitstamp").await;
    let mut talker = Talker::at(&running, "/").await;
    talker.say(r#"{"event":"bts:heartbeat"}"#).await;
    assert_eq!(talker.json().await["event"], "bts:heartbeat");
    talker.say(SUBSCRIBE).await;
    talker.json().await;
    talker.say(&SUBSCRIBE.replace("subscribe", "unsubscribe")).await;
    assert_eq!(talker.json().await["event"], "bts:unsubscription_succeeded");
    running.make_trade(BTC, "1", "1").expect("a trade");
    running.leave(Duration::from_millis(200));
    assert_like_the_sample(&talker.json().await, "bitstamp/ws-request_reconnect.json", &[]);
    talker.end().await;
    assert!(get(&running, "/").await.body.contains("live_trades_btcusdt"), "a plain question gets the help");
}

#[tokio::test]
async fn markets_are_listed_in_both_ways() {
    let running = lively("bitstamp").await;
    let markets = body(&running, "/api/v2/markets/").await;
    assert_eq!(markets.as_array().map(Vec::len), Some(5));
    let pairs = body(&running, "/api/v2/trading-pairs-info/").await;
    assert!(pairs[0]["url_symbol"].is_string());
}
