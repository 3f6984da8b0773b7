//! Coinbase.

use std::time::Duration;

use serde_json::{Value, json};
use venue::dialect::manners::BeyondNewest;
use venue::{Running, VenueConfig};

use super::reading::{
    BTC, Talker, Told, assert_like_the_sample, body, config, digits, lively, names_in_order, scripted, truth, whole,
};
use crate::support::{get, post, start};

const SUBSCRIBE: &str = r#"{"type":"subscribe","product_ids":["BTC-USDT"],"channels":["matches","heartbeat"]}"#;

fn milliseconds(time: &Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time.as_str().expect("a time")).expect("RFC 3339").timestamp_millis()
}

fn told(row: &Value) -> Told {
    Told {
        id: whole(&row["trade_id"]) as u64,
        price: digits(&row["price"]),
        quantity: digits(&row["size"]),
        ms: milliseconds(&row["time"]),
    }
}

#[tokio::test]
async fn the_last_match_comes_first_and_then_every_match_under_the_next_id() {
    let running = lively("coinbase").await;
    let mut talker = Talker::at(&running, "/").await;
    talker.say(SUBSCRIBE).await;
    let mut ids = Vec::new();
    let (mut has_list, mut has_beat) = (false, false);
    while ids.len() < 100 || !has_beat {
        let text = talker.text().await;
        let message: Value = serde_json::from_str(&text).expect("JSON");
        match message["type"].as_str().expect("a type") {
            "subscriptions" => {
                has_list = true;
                let expected = json!([{"name":"heartbeat","product_ids":["BTC-USDT"]},{"name":"matches","product_ids":["BTC-USDT"]}]);
                assert_eq!(message["channels"], expected);
            }
            kind @ ("last_match" | "match") => {
                assert_eq!(kind == "last_match", ids.is_empty());
                let told = told(&message);
                assert!(told.agrees_with(&truth(&running, BTC)[&told.id]), "{text}");
                assert_like_the_sample(&message, "coinbase/ws-last_match.json", &[]);
                let names = "type trade_id maker_order_id taker_order_id side size price product_id sequence time";
                assert_eq!(names_in_order(&text).join(" "), names);
                ids.push(told.id);
            }
            "heartbeat" => {
                has_beat = true;
                assert_like_the_sample(&message, "coinbase/ws-heartbeat-doc.json", &[]);
                assert!(ids.last().is_none_or(|last| *last <= whole(&message["last_trade_id"]) as u64));
            }
            other => panic!("{other}"),
        }
    }
    assert!(has_list && ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{ids:?}");
}

/// The documented way forward, which assumes nothing about an `after` beyond the newest.
async fn read_on(running: &Running, mut watermark: u64, rows: u64) -> Vec<Told> {
    let page = async |query: String| -> Vec<Told> {
        let answer = get(running, &format!("/products/BTC-USDT/trades?{query}")).await;
        let rows = if answer.status == 200 { answer.json() } else { json!([]) };
        let mut rows: Vec<Told> = rows.as_array().expect("rows").iter().map(told).collect();
        rows.reverse();
        rows
    };
    let mut read = Vec::new();
    loop {
        let mut new = page(format!("after={}&limit={rows}", watermark + 1 + rows)).await;
        let says_nothing_new = new.last().is_some_and(|newest| newest.id == watermark);
        new.retain(|told| watermark < told.id);
        if says_nothing_new {
            return read;
        }
        if new.first().is_none_or(|first| first.id != watermark + 1) {
            new = page(format!("limit={rows}")).await;
            while new.first().is_some_and(|first| watermark + 1 < first.id) {
                let older = page(format!("after={}&limit={rows}", new[0].id)).await;
                new = [older, new].concat();
            }
            new.retain(|told| watermark < told.id);
        }
        let Some(last) = new.last() else { return read };
        let is_full = last.id == watermark + rows;
        watermark = last.id;
        read.extend(new);
        if !is_full {
            return read;
        }
    }
}

#[tokio::test]
async fn the_documented_paging_gives_exactly_the_truth_whatever_is_beyond_the_newest() {
    for beyond_newest in [BeyondNewest::Accept, BeyondNewest::Refuse, BeyondNewest::Empty] {
        let mut config = VenueConfig { disorder: 0.2, ..config("coinbase", 100.0, Duration::from_secs(30)) };
        config.manners.quirks.beyond_newest = beyond_newest;
        config.manners.limit_percent = Some(100_000);
        let running = start(config).await;
        let oldest = *truth(&running, BTC).keys().next().expect("a trade");
        let read = read_on(&running, oldest - 1, 100).await;
        let truth = truth(&running, BTC);
        assert!(read.len() > 500, "{beyond_newest:?}: {}", read.len());
        for (at, told) in read.iter().enumerate() {
            assert_eq!(told.id, oldest + at as u64);
            assert!(told.agrees_with(&truth[&told.id]), "{told:?}");
        }
    }
}

#[tokio::test]
async fn a_page_is_newest_first_and_its_headers_lead_on() {
    let mut config = config("coinbase", 100.0, Duration::from_secs(30));
    config.manners.quirks.quoted_ids = true;
    let running = start(config).await;
    let answer = get(&running, "/products/BTC-USDT/trades?limit=10").await;
    let rows = answer.json();
    assert_like_the_sample(&rows, "coinbase/rest-trades-ccxt.json", &[]);
    let ids: Vec<i64> = rows.as_array().expect("rows").iter().map(|row| whole(&row["trade_id"])).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1] + 1));
    assert_eq!(answer.header("cb-before"), Some(ids[0].to_string().as_str()));
    assert_eq!(answer.header("cb-after"), Some(ids[9].to_string().as_str()));
    let older = body(&running, &format!("/products/BTC-USDT/trades?limit=1&after={}", ids[9])).await;
    assert_eq!(whole(&older[0]["trade_id"]), ids[9] - 1);
    let plain = lively("coinbase").await;
    assert_like_the_sample(&body(&plain, "/products/BTC-USDT/trades").await, "coinbase/rest-trades-doc-form.json", &[]);
}

#[tokio::test]
async fn times_have_up_to_six_decimals_and_no_zeros_at_their_end() {
    let running = lively("coinbase").await;
    let rows = body(&running, "/products/BTC-USDT/trades").await;
    let rows = rows.as_array().expect("rows");
    let lengths: Vec<usize> = rows.iter().map(|row| row["time"].as_str().expect("a time").len()).collect();
    assert!(rows.iter().all(|row| !row["time"].as_str().expect("a time").ends_with("0Z")));
    assert!(lengths.iter().any(|length| *length < 27) && lengths.iter().all(|length| *length <= 27));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_the_exchange() {
    let running = scripted("coinbase").await;
    let unknown = get(&running, "/products/NOPE-USD/trades").await;
    assert_eq!(unknown.status, 404);
    assert_like_the_sample(&unknown.json(), "coinbase/rest-error.json", &[]);
    assert_eq!(get(&running, "/products/BTC-USDT/trades?after=x").await.status, 400);
    for (mode, status) in [("rate_limit", 429), ("not_found", 404), ("bad_request", 400), ("forbidden", 403)] {
        post(&running, "/control/rest", &json!({ "mode": mode }).to_string()).await;
        let answer = get(&running, "/time").await;
        assert_eq!((answer.status, answer.json()["message"].is_string()), (status, true), "{mode}");
    }
    let mut talker = Talker::at(&running, "/").await;
    for request in [
        r#"{"type":"subscribe","product_ids":["NOPE-USD"],"channels":["matches"]}"#,
        r#"{"type":"subscribe","product_ids":["BTC-USDT"],"channels":["songs"]}"#,
        r#"{"type":"sing"}"#,
    ] {
        talker.say(request).await;
        let refusal = talker.json().await;
        assert_eq!(refusal["type"], "error", "{request}");
        assert_like_the_sample(&refusal, "coinbase/ws-error.json", &[]);
    }
}

#[tokio::test]
async fn who_does_not_subscribe_in_time_is_cut_and_who_unsubscribes_hears_no_more() {
    let mut config = config("coinbase", 0.0, Duration::from_secs(1));
    config.manners.keepalive = Some(Duration::from_millis(200));
    let running = start(config).await;
    let mut silent = Talker::at(&running, "/").await;
    let mut talker = Talker::at(&running, "/").await;
    talker.say(r#"{"type":"subscribe","channels":[{"name":"matches","product_ids":["BTC-USDT","ETH-USDT"]}]}"#).await;
    assert_eq!(silent.end().await, None);
    talker.say(r#"{"type":"unsubscribe","product_ids":["BTC-USDT"],"channels":["matches"]}"#).await;
    let mut lists = 0;
    while lists < 2 {
        let message = talker.json().await;
        if message["type"] == "subscriptions" {
            lists += 1;
            let expected = if lists == 1 { json!(["BTC-USDT", "ETH-USDT"]) } else { json!(["ETH-USDT"]) };
            assert_eq!(message["channels"][0]["product_ids"], expected);
        }
    }
    running.make_trade(BTC, "1", "1").expect("a trade");
    let made = running.make_trade("ETH/USDT", "1", "1").expect("a trade");
    let heard = loop {
        let message = talker.json().await;
        if message["type"] == "match" {
            break message;
        }
    };
    assert_eq!(whole(&heard["trade_id"]), made.number().expect("a number") as i64);
}

#[tokio::test]
async fn fifteen_requests_at_once_are_enough() {
    let running = scripted("coinbase").await;
    let answers = futures_util::future::join_all((0..60).map(|_| get(&running, "/time"))).await;
    let answered = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(answered >= 15 && answers.iter().any(|answer| answer.status == 429), "{answered}");
    assert!(whole(&running.asked()["refused"]) > 0);
    let products = body(&running, "/truth/asked").await;
    assert_eq!(products["by_path"]["/time"], 60);
}
