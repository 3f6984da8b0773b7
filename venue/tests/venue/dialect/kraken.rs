//! Kraken.

use std::time::Duration;

use serde_json::{Value, json};
use venue::dialect::manners::Quirks;
use venue::{Running, VenueConfig};

use super::reading::{
    BTC, Talker, Told, assert_like_the_sample, body, config, digits, lively, scripted, shape, truth, whole,
};
use crate::support::{get, post, start};

const SOCKET: &str = "/v2";

fn told(row: &Value) -> Told {
    let at = chrono::DateTime::parse_from_rfc3339(row["timestamp"].as_str().expect("a time")).expect("RFC 3339");
    assert!(row["price"].is_number() && row["qty"].is_number());
    Told {
        id: whole(&row["trade_id"]) as u64,
        price: digits(&row["price"]),
        quantity: digits(&row["qty"]),
        ms: at.timestamp_millis(),
    }
}

fn row(row: &Value) -> Told {
    // From the digits: a floating point number would not do for long.
    let seconds = row[2].to_string();
    let (whole_seconds, fraction) = seconds.split_once('.').unwrap_or((&seconds, ""));
    let ms: String = format!("{fraction:0<3}").chars().take(3).collect();
    Told {
        id: whole(&row[6]) as u64,
        price: digits(&row[0]),
        quantity: digits(&row[1]),
        ms: format!("{whole_seconds}{ms}").parse().expect("digits"),
    }
}

/// A reply as it is to a request that has no number.
fn without_number(mut reply: Value) -> Value {
    reply.as_object_mut().expect("an object").remove("req_id");
    reply
}

#[tokio::test]
async fn a_snapshot_and_then_updates_tell_each_trade_as_it_was() {
    let running = lively("kraken").await;
    let mut talker = Talker::at(&running, SOCKET).await;
    assert_like_the_sample(&talker.json().await, "kraken/ws-status.json", &[]);
    let request = r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USDT","NOPE/USD"],"snapshot":true},"req_id":7}"#;
    talker.say(request).await;
    let ack = talker.json().await;
    assert_eq!((&ack["success"], &ack["req_id"]), (&json!(true), &json!(7)));
    assert_like_the_sample(&without_number(ack), "kraken/ws-subscribe-ack.json", &[]);
    let snapshot = talker.json().await;
    assert_like_the_sample(&snapshot, "kraken/ws-trade-snapshot.json", &[]);
    let mut ids: Vec<u64> = snapshot["data"].as_array().expect("rows").iter().map(|row| told(row).id).collect();
    assert_eq!(ids.len(), 50);
    let refusal = loop {
        let message = talker.json().await;
        if message["method"] == "subscribe" {
            break message;
        }
        ids.extend(message["data"].as_array().into_iter().flatten().map(|row| told(row).id));
    };
    assert_like_the_sample(&without_number(refusal), "kraken/ws-error-pair.json", &[]);
    let mut most = 0;
    while ids.len() < 300 {
        let message = talker.json().await;
        if message["channel"] == "heartbeat" {
            continue;
        }
        assert_like_the_sample(&message, "kraken/ws-trade-update.json", &[]);
        let rows = message["data"].as_array().expect("rows");
        most = most.max(rows.len());
        for row in rows {
            let one = told(row);
            assert!(one.agrees_with(&truth(&running, BTC)[&one.id]), "{row}");
            ids.push(one.id);
        }
    }
    assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]) && most > 1);
}

async fn page(running: &Running, since: i128, count: usize) -> (Vec<Told>, i128) {
    let path = format!("/0/public/Trades?pair=XBTUSDT&since={since}&count={count}");
    let answer = body(running, &path).await;
    assert_eq!(answer["error"], json!([]), "{answer}");
    let rows = answer["result"]["XBTUSDT"].as_array().expect("rows").iter().map(row).collect();
    (rows, digits(&answer["result"]["last"]).parse().expect("nanoseconds"))
}

/// The documented way, which steps back where a group of one time was cut.
async fn read_on(running: &Running, mut watermark: u64, mut token: i128, count: usize) -> Vec<Told> {
    let mut read = Vec::new();
    loop {
        let (rows, mut last) = page(running, token, count).await;
        let mut is_full = rows.len() >= count;
        let above = |rows: Vec<Told>, watermark: u64| -> Vec<Told> {
            rows.into_iter().filter(|told| watermark < told.id).collect()
        };
        let mut new = above(rows, watermark);
        // Where times go back behind ids, a row may also be missing inside a page.
        let goes_on = |new: &[Told]| {
            !new.is_empty() && new.iter().zip(watermark + 1..).all(|(told, expected)| told.id == expected)
        };
        if !goes_on(&new) {
            for back in [1, 1_000_000, 1_000_000_000, 10_000_000_000] {
                let (rows, end) = page(running, token - back, 1_000).await;
                is_full = rows.len() >= 1_000;
                (new, last) = (above(rows, watermark), end);
                if goes_on(&new) {
                    break;
                }
            }
        }
        let Some(newest) = new.last() else { return read };
        (watermark, token) = (newest.id, last);
        read.extend(new);
        if !is_full {
            return read;
        }
    }
}

#[tokio::test]
async fn the_documented_paging_gives_exactly_the_truth_however_since_is_understood() {
    let variants = [(false, false), (false, true), (true, false)];
    for ((since_inclusive, whole_groups), count) in variants.into_iter().zip([17, 100, 1_000]) {
        let mut config = VenueConfig { disorder: 0.1, ..config("kraken", 60.0, Duration::from_secs(60)) };
        config.manners.quirks = Quirks { since_inclusive, whole_groups, ..Quirks::default() };
        config.manners.limit_percent = Some(1_000_000);
        let running = start(config).await;
        let known = truth(&running, BTC);
        let oldest = *known.keys().next().expect("a trade");
        let begin = known.values().map(|trade| trade.traded_at.ms()).min().expect("a time");
        let read = read_on(&running, oldest - 1, i128::from(begin) * 1_000_000 - 1, count).await;
        let truth = truth(&running, BTC);
        assert!(read.len() > 500, "{}", read.len());
        for (at, told) in read.iter().enumerate() {
            assert_eq!(told.id, oldest + at as u64, "no hole, count {count}");
            assert!(told.agrees_with(&truth[&told.id]), "{told:?}");
        }
        assert!(read.windows(10).any(|group| group[0].ms == group[9].ms), "ten trades share one time");
    }
}

#[tokio::test]
async fn a_page_has_the_form_of_the_exchange_and_its_token_is_the_time_of_its_last_row() {
    let running = lively("kraken").await;
    let answer = body(&running, "/0/public/Trades?pair=BTC/USDT&count=5").await;
    assert_like_the_sample(&answer, "kraken/rest-Trades-XBTUSDT-1000.json", &[]);
    let rows = answer["result"]["XBTUSDT"].as_array().expect("rows");
    let last = digits(&answer["result"]["last"]);
    assert_eq!((rows.len(), last.len()), (5, 19));
    let apart = rows[4][2].as_f64().expect("seconds") - last.parse::<f64>().expect("nanoseconds") / 1e9;
    assert!(apart.abs() < 1e-6, "the token is the time of the last row, not {apart} s from it");
    let since = whole(&answer["result"]["last"]) / 1_000_000_000;
    let by_seconds = body(&running, &format!("/0/public/Trades?pair=XBTUSDT&since={since}&count=1000")).await;
    let ids = by_seconds["result"]["XBTUSDT"].as_array().expect("rows").iter().map(|row| whole(&row[6]));
    assert!(ids.collect::<Vec<_>>().contains(&whole(&rows[4][6])), "whole seconds are understood too");
}

#[tokio::test]
async fn what_is_wrong_is_said_inside_an_answer_that_went_well() {
    let running = scripted("kraken").await;
    let unknown = get(&running, "/0/public/Trades?pair=NOPE").await;
    assert_eq!(unknown.status, 200);
    assert_like_the_sample(&unknown.json(), "kraken/rest-error-pair.json", &[]);
    for (mode, error) in [
        ("rate_limit", "EAPI:Rate limit exceeded"),
        ("throttled", "EService: Throttled: "),
        ("service_unavailable", "EService:Unavailable"),
        ("internal_error", "EGeneral:Internal error"),
        ("temporary_lockout", "EGeneral:Temporary lockout"),
    ] {
        post(&running, "/control/rest", &json!({ "mode": mode }).to_string()).await;
        let answer = get(&running, "/0/public/Time").await;
        assert_eq!(shape(&answer.json()), json!({ "error": ["string"] }));
        assert!(answer.json()["error"][0].as_str().expect("text").starts_with(error), "{mode}");
    }
    let mut talker = Talker::at(&running, SOCKET).await;
    talker.json().await;
    for request in [
        "nonsense",
        r#"{"method":"sing"}"#,
        r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USDT"],"depth":10}}"#,
    ] {
        talker.say(request).await;
        assert_like_the_sample(&talker.json().await, "kraken/ws-error-malformed.json", &[]);
    }
}

#[tokio::test]
async fn each_pair_has_a_budget_of_its_own_and_asking_on_is_throttled() {
    let running = scripted("kraken").await;
    let ask = async |pair: &str| {
        let answer = body(&running, &format!("/0/public/Trades?pair={pair}&since=0")).await;
        answer["error"].get(0).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut errors = Vec::new();
    for _ in 0..14 {
        errors.push(ask("XBTUSDT").await);
    }
    assert_eq!(errors[..3], ["", "", ""]);
    assert!(errors.iter().any(|error| error == "EAPI:Rate limit exceeded"), "{errors:?}");
    assert!(errors.iter().any(|error| error.starts_with("EService: Throttled: ")), "{errors:?}");
    let other = scripted("kraken").await;
    for pair in ["XBTUSDT", "XBTUSDT", "XBTUSDT", "ETHUSDT"] {
        let answer = body(&other, &format!("/0/public/Trades?pair={pair}&since=0")).await;
        assert_eq!(answer["error"], json!([]), "{pair}");
    }
}

#[tokio::test]
async fn pings_are_answered_heartbeats_come_and_the_idle_are_cut() {
    let mut config = config("kraken", 0.0, Duration::from_secs(1));
    config.manners.keepalive = Some(Duration::from_millis(300));
    let running = start(config).await;
    let mut idle = Talker::at(&running, SOCKET).await;
    assert_eq!(idle.end().await, None);
    let mut talker = Talker::at(&running, SOCKET).await;
    talker.json().await;
    talker.say(r#"{"method":"ping","req_id":42}"#).await;
    assert_like_the_sample(&talker.json().await, "kraken/ws-pong.json", &[]);
    let request = r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USDT"],"snapshot":false}}"#;
    talker.say(request).await;
    talker.json().await;
    assert_like_the_sample(&talker.json().await, "kraken/ws-heartbeat.json", &[]);
    talker.say(&request.replace("subscribe", "unsubscribe")).await;
    assert_like_the_sample(&talker.json().await, "kraken/ws-unsubscribe-ack.json", &[]);
}

#[tokio::test]
async fn pairs_are_listed_under_all_their_names() {
    let running = lively("kraken").await;
    let pairs = body(&running, "/0/public/AssetPairs").await;
    let btc = &pairs["result"]["XBTUSDT"];
    assert_eq!(
        (&btc["altname"], &btc["wsname"], &btc["base"]),
        (&json!("XBTUSDT"), &json!("XBT/USDT"), &json!("XXBT"))
    );
    assert_eq!(shape(&body(&running, "/0/public/SystemStatus").await)["result"]["status"], "string");
}
