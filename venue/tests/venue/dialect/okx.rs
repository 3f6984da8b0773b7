//! OKX.

use std::time::Duration;

use serde_json::{Value, json};
use venue::VenueConfig;
use venue::dialect::manners::BeyondNewest;

use super::reading::{
    BTC, Heard, Talker, Told, assert_like_the_sample, body, config, digits, lively, names_in_order, scripted, truth,
    whole,
};
use crate::support::{get, post, start};

const BUSINESS: &str = "/ws/v5/business";
const PUBLIC: &str = "/ws/v5/public";
const SUBSCRIBE: &str = r#"{"id":"1512","op":"subscribe","args":[{"channel":"trades-all","instId":"BTC-USDT"}]}"#;

fn told(row: &Value) -> Told {
    assert!(row["tradeId"].is_string() && row["ts"].is_string());
    Told {
        id: whole(&row["tradeId"]) as u64,
        price: digits(&row["px"]),
        quantity: digits(&row["sz"]),
        ms: whole(&row["ts"]),
    }
}

#[tokio::test]
async fn a_past_trade_comes_first_and_then_each_as_it_was_on_both_addresses() {
    let running = lively("okx").await;
    let mut talker = Talker::at(&running, BUSINESS).await;
    talker.say(SUBSCRIBE).await;
    assert_like_the_sample(&talker.json().await, "okx/ws-subscribe-ack.json", &[]);
    let mut ids = Vec::new();
    while ids.len() < 100 {
        let text = talker.text().await;
        let message: Value = serde_json::from_str(&text).expect("JSON");
        assert_like_the_sample(&message, "okx/ws-trades-all-doc.json", &[]);
        let names = "arg channel instId data instId tradeId px sz side source ts";
        assert_eq!(names_in_order(&text).join(" "), names);
        let one = told(&message["data"][0]);
        assert!(one.agrees_with(&truth(&running, BTC)[&one.id]), "{text}");
        ids.push(one.id);
    }
    assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{ids:?}");
    let mut public = Talker::at(&running, PUBLIC).await;
    public.say(&SUBSCRIBE.replace("trades-all", "trades")).await;
    public.json().await;
    let message = public.json().await;
    assert_like_the_sample(&message, "okx/ws-trades-doc.json", &[]);
    assert_eq!(message["data"][0]["count"], "1");
}

#[tokio::test]
async fn the_documented_paging_gives_exactly_the_truth_whatever_is_beyond_the_newest() {
    for beyond in [BeyondNewest::Accept, BeyondNewest::Refuse, BeyondNewest::Empty] {
        let mut config = VenueConfig { disorder: 0.2, ..config("okx", 100.0, Duration::from_secs(30)) };
        config.manners.quirks.beyond_newest = beyond;
        config.manners.limit_percent = Some(100_000);
        let running = start(config).await;
        let rows = async |query: String| -> Vec<Told> {
            let answer = body(&running, &format!("/api/v5/market/history-trades?instId=BTC-USDT&type=1{query}")).await;
            let mut rows: Vec<Told> = answer["data"].as_array().expect("rows").iter().map(told).collect();
            rows.reverse();
            rows
        };
        let oldest = *truth(&running, BTC).keys().next().expect("a trade");
        let (mut watermark, mut read) = (oldest - 1, Vec::new());
        loop {
            let mut new = rows(format!("&after={}", watermark + 101)).await;
            let is_next = |rows: &[Told], watermark: u64| rows.iter().any(|told| told.id == watermark + 1);
            if !is_next(&new, watermark) {
                new = rows(String::new()).await;
                while !is_next(&new, watermark) && new.first().is_some_and(|first| watermark < first.id) {
                    new = [rows(format!("&after={}", new[0].id)).await, new].concat();
                }
            }
            new.retain(|told| watermark < told.id);
            let Some(last) = new.last() else { break };
            let is_full = last.id == watermark + 100;
            watermark = last.id;
            read.extend(new);
            if !is_full {
                break;
            }
        }
        let truth = truth(&running, BTC);
        assert!(read.len() > 300, "{beyond:?}: {}", read.len());
        for (at, told) in read.iter().enumerate() {
            assert_eq!(told.id, oldest + at as u64);
            assert!(told.agrees_with(&truth[&told.id]), "{told:?}");
        }
    }
}

#[tokio::test]
async fn pages_are_newest_first_and_before_alone_gives_the_latest() {
    let running = lively("okx").await;
    let recent = body(&running, "/api/v5/market/trades?instId=BTC-USDT&limit=500").await;
    let rows: Vec<Told> = recent["data"].as_array().expect("rows").iter().map(told).collect();
    assert_eq!(rows.len(), 500);
    assert!(rows.windows(2).all(|pair| pair[0].id == pair[1].id + 1));
    let path = "/api/v5/market/history-trades?instId=BTC-USDT";
    let history = body(&running, &format!("{path}&limit=2")).await;
    assert_like_the_sample(&history, "okx/rest-history-trades-doc.json", &[]);
    let before = body(&running, &format!("{path}&before={}", rows[499].id)).await;
    assert_eq!(before["data"].as_array().map(Vec::len), Some(100));
    assert!(whole(&before["data"][0]["tradeId"]) as u64 >= rows[0].id, "the latest, not the next");
    let by_time = body(&running, &format!("{path}&type=2&after={}", rows[200].ms)).await;
    assert!(by_time["data"].as_array().expect("rows").iter().all(|row| whole(&row["ts"]) < rows[200].ms));
    let both = get(&running, &format!("{path}&type=2&before=1")).await;
    assert_eq!((both.status, &both.json()["code"]), (400, &json!("50039")));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_the_exchange() {
    let running = scripted("okx").await;
    let unknown = get(&running, "/api/v5/market/trades?instId=NOPE-USD").await;
    assert_eq!(unknown.status, 200);
    assert_like_the_sample(&unknown.json(), "okx/rest-error-51001.json", &[]);
    for (mode, status, code) in [
        ("rate_limit", 200, "50011"),
        ("too_many_requests", 429, "50011"),
        ("busy", 429, "50013"),
        ("unavailable", 503, "50001"),
        ("system_error", 500, "50026"),
        ("parameter_error", 400, "51000"),
    ] {
        post(&running, "/control/rest", &json!({ "mode": mode }).to_string()).await;
        let answer = get(&running, "/api/v5/public/time").await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{mode}");
    }
    let mut talker = Talker::at(&running, PUBLIC).await;
    for (request, code) in [
        (r#"{"id":"1512","op":"subscribe","argss":[]}"#, "60012"),
        (r#"{"id":"1","op":"subscribe","args":[{"channel":"trades","instId":"NOPE"}]}"#, "60018"),
        (r#"{"id":"1","op":"subscribe","args":[{"channel":"songs","instId":"BTC-USDT"}]}"#, "60018"),
        (r#"{"id":"1","op":"subscribe","args":[{"channel":"trades-all","instId":"BTC-USDT"}]}"#, "64002"),
    ] {
        talker.say(request).await;
        let refusal = talker.json().await;
        assert_eq!(refusal["code"], code, "{request}");
        assert_like_the_sample(&refusal, "okx/ws-error-60012.json", &[]);
    }
}

#[tokio::test]
async fn twenty_pages_in_two_seconds_are_enough_and_the_others_are_refused_in_the_body() {
    let running = scripted("okx").await;
    let asked = (0..40).map(|_| body(&running, "/api/v5/market/history-trades?instId=BTC-USDT"));
    let answers = futures_util::future::join_all(asked).await;
    let (good, refused): (Vec<&Value>, Vec<&Value>) = answers.iter().partition(|answer| answer["code"] == "0");
    assert!(good.len() >= 20 && !refused.is_empty(), "{}", good.len());
    for answer in refused {
        assert_eq!(answer["code"], "50011");
        assert_like_the_sample(answer, "okx/rest-error-50011.json", &[]);
    }
    assert_eq!(get(&running, "/api/v5/public/time").await.json()["code"], "0", "other paths have their own");
}

#[tokio::test]
async fn a_word_of_ping_keeps_a_listener_and_silence_ends_it() {
    let mut config = config("okx", 0.0, Duration::from_secs(1));
    config.manners.keepalive = Some(Duration::from_millis(400));
    config.manners.quirks.wants_login = true;
    let running = start(config).await;
    let mut talker = Talker::at(&running, BUSINESS).await;
    for _ in 0..6 {
        talker.say("ping").await;
        assert_eq!(talker.hear().await, Heard::Text("pong".to_owned()));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    talker.say(SUBSCRIBE).await;
    assert_eq!(talker.json().await["code"], "60011");
    assert_eq!(talker.end().await, Some(4004));
}

#[tokio::test]
async fn a_planned_end_is_announced_and_unsubscribing_is_acknowledged() {
    let running = scripted("okx").await;
    let mut talker = Talker::at(&running, PUBLIC).await;
    let subscribe = SUBSCRIBE.replace("trades-all", "trades");
    talker.say(&subscribe).await;
    talker.json().await;
    let request = subscribe.replace("subscribe", "unsubscribe").replace(r#""id":"1512","#, "");
    talker.say(&request).await;
    assert_like_the_sample(&talker.json().await, "okx/ws-unsubscribe-ack.json", &[]);
    running.make_trade(BTC, "1", "1").expect("a trade");
    running.leave(Duration::from_millis(200));
    assert_like_the_sample(&talker.json().await, "okx/ws-notice-64008.json", &[]);
    assert_eq!(talker.end().await, Some(1001));
}
