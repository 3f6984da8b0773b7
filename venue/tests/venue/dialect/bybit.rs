//! Bybit.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use venue::TrueTrade;

use super::reading::{
    BTC, Talker, Told, assert_like_the_sample, body, config, digits, lively, names_in_order, scripted, shape, truth,
    whole,
};
use crate::support::{get, post, start, until};

const SOCKET: &str = "/v5/public/spot";

fn trade(row: &Value) -> Told {
    Told { id: whole(&row["i"]) as u64, price: digits(&row["p"]), quantity: digits(&row["v"]), ms: whole(&row["T"]) }
}

fn row(row: &Value) -> Told {
    Told {
        id: whole(&row["execId"]) as u64,
        price: digits(&row["price"]),
        quantity: digits(&row["size"]),
        ms: whole(&row["time"]),
    }
}

#[tokio::test]
async fn trades_come_several_in_a_message_each_as_it_was() {
    let running = lively("bybit").await;
    let mut talker = Talker::at(&running, SOCKET).await;
    talker.say(r#"{"req_id":"x","op":"subscribe","args":["publicTrade.BTCUSDT"]}"#).await;
    let ack = talker.text().await;
    assert_eq!(names_in_order(&ack), ["success", "ret_msg", "conn_id", "req_id", "op"]);
    assert_like_the_sample(&serde_json::from_str(&ack).expect("JSON"), "bybit/ws-subscribe-ack-spot.json", &[]);
    let (mut told, mut most) = (0, 0);
    while told < 300 {
        let text = talker.text().await;
        let message: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&message["topic"], &message["type"]), (&json!("publicTrade.BTCUSDT"), &json!("snapshot")));
        let rows = message["data"].as_array().expect("rows");
        most = most.max(rows.len());
        for row in rows {
            let one = trade(row);
            assert!(row["i"].is_string() && one.agrees_with(&truth(&running, BTC)[&one.id]), "{row}");
            told += 1;
        }
        let expected = ["topic", "ts", "type", "data", "i", "T", "p", "v", "S", "seq", "s", "BT", "RPI"];
        assert_eq!(names_in_order(&text)[..13], expected);
    }
    assert!(most > 1, "several trades share a message");
}

#[tokio::test]
async fn a_burst_is_one_message_and_still_told_trade_by_trade_in_the_ledger() {
    let running = scripted("bybit").await;
    let mut talker = Talker::at(&running, SOCKET).await;
    talker.say(r#"{"op":"subscribe","args":["publicTrade.BTCUSDT"]}"#).await;
    assert_eq!(shape(&talker.json().await)["success"], "bool");
    let now = chrono::Utc::now().timestamp_millis();
    let burst = (0..1_500).map(|n| {
        let id = 2_290_000_001_000_000_001_u64 + n * 2;
        TrueTrade::new(BTC, now, "1.5", "2", &id.to_string()).expect("a trade")
    });
    running.publish_all(burst);
    let (first, second) = (talker.json().await, talker.json().await);
    let count = |message: &Value| message["data"].as_array().map(Vec::len);
    assert_eq!((count(&first), count(&second)), (Some(1_024), Some(476)));
    assert_eq!(running.summary(None, crate::support::EVER.0, crate::support::EVER.1).delivery["heard"], 1_500);
}

#[tokio::test]
async fn a_message_holds_trades_of_one_symbol_only() {
    let running = scripted("bybit").await;
    let mut talker = Talker::at(&running, SOCKET).await;
    talker.say(r#"{"op":"subscribe","args":["publicTrade.BTCUSDT","publicTrade.ETHUSDT"]}"#).await;
    talker.json().await;
    let now = chrono::Utc::now().timestamp_millis();
    running.publish_all((0..8_u64).map(|n| {
        let name = if n % 4 < 2 { BTC } else { "ETH/USDT" };
        TrueTrade::new(name, now, "1.5", "2", &(2_290_000_001_000_000_001 + n * 2).to_string()).expect("a trade")
    }));
    for (symbol, expected) in [("BTCUSDT", [0, 1]), ("ETHUSDT", [2, 3]), ("BTCUSDT", [4, 5]), ("ETHUSDT", [6, 7])] {
        let message = talker.json().await;
        let rows = message["data"].as_array().expect("rows");
        let places: Vec<i64> = rows.iter().map(|row| (whole(&row["i"]) - 2_290_000_001_000_000_001) / 2).collect();
        assert_eq!(places, expected);
        assert!(rows.iter().all(|row| row["s"] == symbol));
    }
}

#[tokio::test]
async fn ids_have_nineteen_digits_a_counter_of_several_symbols_and_holes_in_each() {
    let running = lively("bybit").await;
    let mut all = HashSet::new();
    for name in venue::dialect::pair::DEFAULT_PAIRS {
        let ids: Vec<u64> = truth(&running, name).into_keys().collect();
        assert!(ids.iter().all(|id| id.to_string().len() == 19 && all.insert(*id)), "no id is given twice");
        assert!(ids.windows(2).all(|pair| pair[1] - pair[0] > 1), "{name}");
    }
}

#[tokio::test]
async fn rest_knows_the_last_sixty_newest_first_and_windows_that_overlap_lose_nothing() {
    let running = scripted("bybit").await;
    let path = "/v5/market/recent-trade?category=spot&symbol=BTCUSDT&limit=60";
    let mut known: Vec<Told> = Vec::new();
    for round in 0..10_u64 {
        let now = chrono::Utc::now().timestamp_millis();
        running.publish_all((0..25).map(|n| {
            let id = 2_290_000_001_000_000_001 + (round * 25 + n) * 2;
            TrueTrade::new(BTC, now, "1.5", "2", &id.to_string()).expect("a trade")
        }));
        let page = body(&running, path).await;
        assert_like_the_sample(&page, "bybit/rest-recent-trade-doc.json", &[]);
        let rows: Vec<Told> = page["result"]["list"].as_array().expect("rows").iter().rev().map(row).collect();
        assert_eq!(rows.len(), 60.min(25 * (round + 1) as usize));
        let highest = known.last().map_or(0, |told| told.id);
        assert!(highest == 0 || rows[0].id <= highest, "the windows overlap");
        known.extend(rows.into_iter().filter(|told| highest < told.id));
    }
    assert_eq!(known.len(), 250);
    let truth = truth(&running, BTC);
    let expected: Vec<u64> = truth.range(known[0].id..=known.last().expect("rows").id).map(|(id, _)| *id).collect();
    assert_eq!(known.iter().map(|told| told.id).collect::<Vec<_>>(), expected);
    assert!(known.iter().all(|told| told.agrees_with(&truth[&told.id])));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_the_exchange() {
    let running = scripted("bybit").await;
    for query in ["category=spot&symbol=NOPE", "symbol=BTCUSDT", "category=spot&symbol=BTCUSDT&limit=0"] {
        let answer = body(&running, &format!("/v5/market/recent-trade?{query}")).await;
        assert_eq!(whole(&answer["retCode"]), 10_001, "{query}");
        assert_like_the_sample(&answer, "bybit/rest-error-10001.json", &[]);
    }
    for (mode, status, code) in [
        ("too_many_visits", 200, 10_006),
        ("system_protection", 429, 10_429),
        ("system_protection_in_body", 200, 10_429),
        ("server_error", 200, 10_016),
        ("invalid_symbol", 200, 10_029),
    ] {
        post(&running, "/control/rest", &json!({ "mode": mode }).to_string()).await;
        let answer = get(&running, "/v5/market/time").await;
        assert_eq!((answer.status, whole(&answer.json()["retCode"])), (status, code), "{mode}");
    }
    let mut talker = Talker::at(&running, SOCKET).await;
    for request in [
        r#"{"op":"subscribe","args":["publicTrade.NOPE"]}"#,
        r#"{"op":"subscribe","args":["a","b","c","d","e","f","g","h","i","j","k"]}"#,
        r#"{"op":"sing"}"#,
        "not JSON",
    ] {
        talker.say(request).await;
        let refusal = talker.json().await;
        assert_eq!(refusal["success"], false, "{request}");
        assert_like_the_sample(&refusal, "bybit/ws-subscribe-failure.SYNTHETIC.json", &[]);
    }
}

#[tokio::test]
async fn six_hundred_requests_in_five_seconds_are_enough_and_then_all_are_refused_for_a_while() {
    let mut config = config("bybit", 1.0, Duration::from_secs(1));
    config.manners.limit_percent = Some(1);
    config.manners.ban = Some(Duration::from_millis(300));
    let running = start(config).await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(get(&running, "/v5/market/time").await.status);
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 403, 403]);
    let is_free = async {
        while get(&running, "/v5/market/time").await.status == 403 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), is_free).await.expect("it ends");
}

#[tokio::test]
async fn a_listener_that_pings_is_kept_and_a_silent_one_cut() {
    let mut config = config("bybit", 1.0, Duration::from_secs(1));
    config.manners.keepalive = Some(Duration::from_millis(400));
    let running = start(config).await;
    let mut talker = Talker::at(&running, SOCKET).await;
    for _ in 0..8 {
        talker.say(r#"{"req_id":"100001","op":"ping"}"#).await;
        let pong = talker.json().await;
        assert_eq!(pong["op"], "ping");
        assert_like_the_sample(&pong, "bybit/ws-pong-spot.json", &[]);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(talker.end().await, None);
    until("nobody is left", || running.listeners() == 0).await;
}

#[tokio::test]
async fn instruments_are_listed_with_their_parts() {
    let running = lively("bybit").await;
    let spot = body(&running, "/v5/market/instruments-info?category=spot").await;
    assert_eq!(spot["result"]["list"].as_array().map(Vec::len), Some(5));
    let linear = body(&running, "/v5/market/instruments-info?category=linear").await;
    assert_eq!(linear["result"]["list"], json!([]));
}
