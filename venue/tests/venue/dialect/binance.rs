//! Binance.

use std::time::Duration;

use serde_json::{Value, json};
use venue::{FaultKind, FaultRates, VenueConfig};

use super::reading::{
    BTC, Heard, Talker, Told, assert_like_the_sample, body, config, digits, lively, names_in_order, scripted, truth,
    whole,
};
use crate::support::{get, post, start, until};

fn trade(data: &Value) -> Told {
    Told {
        id: whole(&data["t"]) as u64,
        price: digits(&data["p"]),
        quantity: digits(&data["q"]),
        ms: whole(&data["T"]),
    }
}

fn row(row: &Value) -> Told {
    Told {
        id: whole(&row["id"]) as u64,
        price: digits(&row["price"]),
        quantity: digits(&row["qty"]),
        ms: whole(&row["time"]),
    }
}

#[tokio::test]
async fn a_trade_is_told_as_it_was_under_its_own_id_and_in_the_words_of_the_exchange() {
    let running = lively("binance").await;
    let mut talker = Talker::at(&running, "/stream?streams=btcusdt@trade").await;
    for _ in 0..50 {
        let text = talker.text().await;
        let message: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(message["stream"], "btcusdt@trade");
        let told = trade(&message["data"]);
        assert!(told.agrees_with(&truth(&running, BTC)[&told.id]), "{text}");
        let names = names_in_order(&text);
        assert_eq!(names, ["stream", "data", "e", "E", "s", "t", "p", "q", "T", "m", "M"]);
        assert_like_the_sample(&message, "binance/ws-combined-trade.json", &["a", "b"]);
    }
    let mut raw = Talker::at(&running, "/ws/ethusdt@trade").await;
    let message = raw.json().await;
    assert_eq!(message["s"], "ETHUSDT");
    assert_like_the_sample(&message, "binance/ws-raw-trade.json", &[]);
}

#[tokio::test]
async fn only_what_is_subscribed_to_is_told_and_unknown_streams_are_silent() {
    let running = scripted("binance").await;
    let mut talker = Talker::at(&running, "/ws").await;
    talker.say(r#"{"method":"SUBSCRIBE","params":["btcusdt@trade","BTCUSDT@trade","nothing@trade"],"id":"a1"}"#).await;
    assert_eq!(talker.text().await, r#"{"result":null,"id":"a1"}"#);
    running.make_trade("ETH/USDT", "1", "1").expect("a trade");
    let made = running.make_trade(BTC, "2.5", "3").expect("a trade");
    assert_eq!(trade(&talker.json().await).id, made.number().expect("a number"));
    talker.say(r#"{"method":"LIST_SUBSCRIPTIONS","id":2}"#).await;
    assert_eq!(talker.json().await["result"], json!(["BTCUSDT@trade", "btcusdt@trade", "nothing@trade"]));
    talker.say(r#"{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":null}"#).await;
    assert_eq!(talker.text().await, r#"{"result":null,"id":null}"#);
    running.make_trade(BTC, "2.5", "3").expect("a trade");
    talker.say(r#"{"method":"SUBSCRIB"}"#).await;
    let refusal = talker.json().await;
    assert_eq!(refusal["code"], 2);
    assert_like_the_sample(&refusal, "binance/ws-error-unknown-method.json", &[]);
    let mut other = Talker::at(&running, "/ws").await;
    other.say("{nonsense").await;
    let refusal = other.json().await;
    assert_eq!(refusal["code"], 3);
    assert_like_the_sample(&refusal, "binance/ws-error-bad-json.json", &[]);
}

#[tokio::test]
async fn paging_forward_by_id_gives_exactly_the_truth() {
    let running = start(VenueConfig { disorder: 0.2, ..config("binance", 200.0, Duration::from_secs(60)) }).await;
    let oldest = *truth(&running, BTC).keys().next().expect("a trade");
    let (mut next, mut told) = (oldest, Vec::new());
    loop {
        let page = body(&running, &format!("/api/v3/historicalTrades?symbol=BTCUSDT&fromId={next}&limit=100")).await;
        let rows: Vec<Told> = page.as_array().expect("rows").iter().map(row).collect();
        assert_like_the_sample(&page, "binance/rest-historicalTrades.json", &[]);
        let Some(last) = rows.last() else { break };
        next = last.id + 1;
        let is_last = rows.len() < 100;
        told.extend(rows);
        if is_last {
            break;
        }
    }
    let truth = truth(&running, BTC);
    assert!(told.len() > 1_000, "{}", told.len());
    for (at, told) in told.iter().enumerate() {
        assert_eq!(told.id, oldest + at as u64, "ids rise by one");
        assert!(told.agrees_with(&truth[&told.id]), "{told:?}");
    }
    assert!(told.windows(2).any(|pair| pair[1].ms < pair[0].ms), "times go back now and then");
    assert!(told.windows(2).any(|pair| pair[1].ms == pair[0].ms), "trades share a millisecond");
    let early = body(&running, "/api/v3/historicalTrades?symbol=BTCUSDT&fromId=1&limit=5").await;
    assert_eq!(row(&early[0]).id, oldest, "what is forgotten is left out without a word");
}

#[tokio::test]
async fn aggregates_have_ids_of_their_own_and_name_the_trade_they_hold() {
    let running = lively("binance").await;
    let page = body(&running, "/api/v3/aggTrades?symbol=BTCUSDT&limit=50").await;
    assert_like_the_sample(&page, "binance/rest-aggTrades.json", &[]);
    let first = &page[0];
    let told = Told {
        id: whole(&first["f"]) as u64,
        price: digits(&first["p"]),
        quantity: digits(&first["q"]),
        ms: whole(&first["T"]),
    };
    assert!(told.agrees_with(&truth(&running, BTC)[&told.id]));
    let (id, at) = (whole(&first["a"]), whole(&first["T"]));
    let again = body(&running, &format!("/api/v3/aggTrades?symbol=BTCUSDT&fromId={id}&limit=50")).await;
    assert_eq!(again, page);
    let since = body(&running, &format!("/api/v3/aggTrades?symbol=BTCUSDT&startTime={at}&limit=3")).await;
    assert!(since.as_array().expect("rows").iter().all(|row| at <= whole(&row["T"])));
    let both = get(&running, &format!("/api/v3/aggTrades?symbol=BTCUSDT&fromId={id}&startTime={at}")).await;
    assert_eq!((both.status, whole(&both.json()["code"])), (400, -1128));
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_words_of_the_exchange() {
    let running = scripted("binance").await;
    for (path, status, code) in [
        ("/api/v3/historicalTrades?symbol=NOPE", 400, -1121),
        ("/api/v3/trades", 400, -1102),
        ("/api/v3/trades?symbol=BTCUSDT&limit=x", 400, -1100),
        ("/api/v3/historicalTrades?symbol=BTCUSDT&fromId=x", 400, -1100),
    ] {
        let answer = get(&running, path).await;
        assert_eq!((answer.status, whole(&answer.json()["code"])), (status, code), "{path}");
    }
    assert_eq!(get(&running, "/api/v3/nothing").await.status, 404);
    let unknown = body(&running, "/api/v3/trades?symbol=NOPE").await;
    assert_like_the_sample(&unknown, "binance/rest-error-invalid-symbol.json", &[]);
    for (mode, status, code) in [
        ("weight", 429, -1003),
        ("banned", 418, -1003),
        ("restricted", 451, 0),
        ("rate_limit", 429, -1003),
        ("overloaded", 503, -1008),
        ("backend_timeout", 408, -1007),
    ] {
        post(&running, "/control/rest", &json!({ "mode": mode }).to_string()).await;
        let answer = get(&running, "/api/v3/trades?symbol=BTCUSDT").await;
        assert_eq!((answer.status, whole(&answer.json()["code"])), (status, code), "{mode}");
        assert_eq!(answer.header("retry-after").is_some(), [429, 418].contains(&status), "{mode}");
    }
    post(&running, "/control/rest", r#"{"mode":"firewall"}"#).await;
    assert_eq!(get(&running, "/api/v3/ping").await.status, 403);
}

#[tokio::test]
async fn weights_are_counted_and_who_asks_on_is_banned_for_a_while() {
    let mut config = config("binance", 1.0, Duration::from_secs(60));
    config.manners.limit_percent = Some(2);
    config.manners.ban = Some(Duration::from_secs(2));
    let running = start(config).await;
    let ask = || get(&running, "/api/v3/historicalTrades?symbol=BTCUSDT&limit=1");
    let first = ask().await;
    assert_eq!((first.status, first.header("x-mbx-used-weight-1m")), (200, Some("25")));
    let mut statuses = vec![first.status];
    // Two percent of 6,000 are four pages; a new minute may begin meanwhile, and forgives once.
    while !statuses.contains(&418) && statuses.len() < 40 {
        statuses.push(ask().await.status);
    }
    let banned = statuses.iter().position(|status| *status == 418).expect("a ban");
    assert!(statuses[..banned].iter().filter(|status| **status == 429).count() >= 10, "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 200).count() <= 8, "{statuses:?}");
    assert_eq!(ask().await.status, 418, "the ban goes on");
    statuses.push(418);
    let asked = running.asked();
    assert_eq!((&asked["requests"], &asked["bans"]), (&json!(statuses.len()), &json!(1)));
    assert!(whole(&asked["quotas"][0]["highest"]) > 120, "{asked}");
    let is_free = async {
        while ask().await.status == 418 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), is_free).await.expect("a ban ends");
}

#[tokio::test]
async fn the_server_pings_and_cuts_who_does_not_answer_and_who_talks_too_much() {
    let mut config = config("binance", 1.0, Duration::from_secs(1));
    config.manners.keepalive = Some(Duration::from_millis(300));
    let running = start(config).await;
    // One that never reads never answers.
    let _deaf = Talker::at(&running, "/ws").await;
    let mut polite = Talker::at(&running, "/ws/btcusdt@trade").await;
    let mut pings = 0;
    while pings < 6 {
        pings += usize::from(matches!(polite.hear().await, Heard::Ping(_)));
    }
    until("the deaf one is cut", || running.listeners() == 1).await;
    let mut loud = Talker::at(&running, "/ws").await;
    for id in 0..8 {
        loud.try_say(&format!(r#"{{"method":"LIST_SUBSCRIPTIONS","id":{id}}}"#)).await;
    }
    assert_eq!(loud.end().await, Some(1008));
}

#[tokio::test]
async fn a_planned_end_is_announced_and_then_comes() {
    let running = scripted("binance").await;
    let mut wrapped = Talker::at(&running, "/stream?streams=btcusdt@trade").await;
    let mut raw = Talker::at(&running, "/ws").await;
    assert!(running.wait_for_listeners(2, Duration::from_secs(5)).await);
    post(&running, "/control/leave?in_ms=300", "").await;
    assert_like_the_sample(&wrapped.json().await, "binance/ws-serverShutdown-combined.json", &[]);
    assert_eq!(raw.json().await["e"], "serverShutdown");
    let mut anew = Talker::at(&running, "/ws/btcusdt@trade").await;
    assert_eq!((wrapped.end().await, raw.end().await), (Some(1001), Some(1001)));
    let made = running.make_trade(BTC, "1", "1").expect("a trade");
    assert_eq!(trade(&anew.json().await).id, made.number().expect("a number"), "the new one stays");
}

#[tokio::test]
async fn markets_are_listed_with_their_parts() {
    let running = lively("binance").await;
    let info = body(&running, "/api/v3/exchangeInfo").await;
    let first = &info["symbols"][0];
    assert_eq!(info["symbols"].as_array().expect("symbols").len(), 5);
    assert_eq!(first["symbol"], format!("{}{}", first["baseAsset"].as_str().expect("a base"), "USDT"));
    assert_eq!(whole(&info["rateLimits"][0]["limit"]), 6_000);
    let one = body(&running, "/api/v3/exchangeInfo?symbol=ETHUSDT").await;
    assert_eq!(one["symbols"][0]["baseAsset"], "ETH");
}

#[tokio::test]
async fn every_lie_comes_in_the_form_of_the_exchange_and_stands_in_the_ledger() {
    let running = start(VenueConfig {
        faults: FaultRates::all(0.07).with(FaultKind::Silence, 0.0).with(FaultKind::Cut, 0.0),
        ..config("binance", 2_000.0, Duration::from_secs(5))
    })
    .await;
    let mut talker = Talker::at(&running, "/ws/btcusdt@trade").await;
    let mut texts = Vec::new();
    while texts.len() < 1_500 {
        texts.push(talker.text().await);
    }
    let truth = truth(&running, BTC);
    let faults = running.faults(None, crate::support::EVER.0, crate::support::EVER.1);
    let (mut odd, mut phantoms) = (0, 0);
    for text in &texts {
        let read: Option<Told> = serde_json::from_str::<Value>(text)
            .ok()
            .filter(|data| ["t", "T"].iter().all(|name| data[*name].is_i64()))
            .filter(|data| {
                ["p", "q"].iter().all(|name| data[*name].as_str().is_some_and(|text| text.parse::<f64>().is_ok()))
            })
            .map(|data| trade(&data));
        let is_true = read.as_ref().and_then(|told| truth.get(&told.id).map(|true_one| told.agrees_with(true_one)));
        phantoms += usize::from(is_true.is_none() && read.is_some());
        if is_true != Some(true) {
            odd += 1;
            let told = |fault: &venue::Injected| fault.sent.as_ref().is_some_and(|sent| sent == text);
            assert!(faults.iter().any(told), "not in the ledger: {text}");
        }
    }
    assert!(odd > 300 && phantoms > 40, "{odd} {phantoms}");
}
