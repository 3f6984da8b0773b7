//! The ledger against an independent count: a listener that hears everything a
//! lying market says finds exactly what the summary says must be found.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tape::{RejectionKind, Trade};
use venue::{FaultRates, Running, VenueConfig};

use crate::support::{EVER, Heard, Listener, get, read, start, ticker, until};

/// Hears everything, across cuts, until `done` is said.
async fn hear_all(running: &Running, mut listener: Listener) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        match listener.hear().await {
            Heard::Text(text) if text == "done" => return texts,
            Heard::Text(text) => texts.push(text),
            Heard::Ping => {}
            Heard::End { .. } => listener = Listener::connect(running).await,
        }
    }
}

#[tokio::test]
async fn what_a_listener_finds_is_what_the_summary_expects() {
    let mut config = VenueConfig::scripted(&["BTC", "ETH"]);
    config.seed = 11;
    config.faults = FaultRates::all(0.05);
    config.silence_for = Duration::from_millis(50);
    let running = start(config).await;
    let listener = Listener::connect(&running).await;

    let (texts, ()) = tokio::join!(hear_all(&running, listener), async {
        for number in 0..4_000 {
            let ticker = if number % 3 == 0 { "ETH" } else { "BTC" };
            running.make_trade(ticker, "27000.12", "0.50").expect("a trade");
            if number % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        }
        until("nothing is held back", || running.state().held == 0).await;
        until("the silence is over and someone listens", || {
            let state = running.state();
            !state.is_silent && state.listeners > 0
        })
        .await;
        running.say("done");
    });

    let summary = running.summary(None, EVER.0, EVER.1);
    let found = find(&running, &texts);
    assert_eq!(summary.trades, 4_000);
    assert_eq!(found.matched, summary.expected.matched);
    assert_eq!(found.altered, summary.expected.altered);
    assert_eq!(found.missing, summary.expected.missing);
    assert_eq!(found.phantom, summary.expected.phantom);
    assert_eq!(found.duplicate, summary.expected.duplicate);
    assert_eq!(found.rejected, summary.expected.rejected.values().sum::<u64>());
    assert_eq!(found.future, summary.expected.rejected[RejectionKind::Future.as_str()]);
    assert_eq!(found.not_json_objects, summary.expected.rejected[RejectionKind::Malformed.as_str()]);
    let expected = &summary.expected;
    assert_eq!(expected.matched + expected.altered + expected.missing, 4_000);
    assert!(summary.injected.len() == 13, "every kind was done: {:?}", summary.injected);
}

#[derive(Debug, Default)]
struct Found {
    matched: u64,
    altered: u64,
    missing: u64,
    phantom: u64,
    duplicate: u64,
    rejected: u64,
    future: u64,
    not_json_objects: u64,
}

/// Judges what was heard by the truth alone, as a system that follows the market would.
fn find(running: &Running, texts: &[String]) -> Found {
    let truth: HashMap<_, Trade> = ["BTC", "ETH"]
        .into_iter()
        .flat_map(|name| running.truth(&ticker(name), EVER.0, EVER.1))
        .map(|(trade, _)| ((trade.ticker.clone(), trade.id.clone()), trade.to_trade()))
        .collect();
    let latest = running.state().present + 10_000;
    let mut found = Found::default();
    let mut first_heard = BTreeMap::new();
    for text in texts {
        let Some(said) = read(text) else {
            let is_object = serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object());
            found.not_json_objects += u64::from(!is_object);
            found.rejected += 1;
            continue;
        };
        if said.traded_at.ms() > latest {
            found.future += 1;
            found.rejected += 1;
            continue;
        }
        let key = (said.ticker.clone(), said.id.clone());
        if first_heard.insert(key, said.to_trade()).is_some() {
            found.duplicate += 1;
        }
    }
    found.phantom = first_heard.keys().filter(|key| !truth.contains_key(*key)).count() as u64;
    for (key, trade) in &truth {
        match first_heard.get(key) {
            None => found.missing += 1,
            Some(heard) if heard == trade => found.matched += 1,
            Some(_) => found.altered += 1,
        }
    }
    found
}

#[tokio::test]
async fn the_ledgers_are_answered_over_http_and_agree_with_one_another() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.faults = FaultRates::all(0.06).with(venue::FaultKind::Cut, 0.0).with(venue::FaultKind::Silence, 0.0);
    let running = start(config).await;
    let _listener = Listener::connect(&running).await;
    for _ in 0..200 {
        running.make_trade("BTC", "27000.10", "2E-7").expect("a trade");
    }
    until("nothing is held back", || running.state().held == 0).await;

    let trades = get(&running, "/truth/trades?ticker=BTC").await;
    let mut lines = trades.body.lines();
    assert_eq!(lines.next(), Some("ticker,ts,quantity,price,tradeid"));
    let first: Vec<_> = lines.next().expect("a trade").split(',').collect();
    assert_eq!((first[0], first[2], first[3], first[4]), ("BTC", "0.0000002", "27000.1", "hand-1"));
    assert_eq!(trades.body.lines().count(), 201);
    let deliveries = get(&running, "/truth/deliveries?ticker=BTC").await;
    assert_eq!(deliveries.body.lines().count(), 201);

    let faults = get(&running, "/truth/faults").await;
    let summary = get(&running, "/truth/summary?ticker=BTC").await.json();
    let kinds = faults.body.lines().fold(BTreeMap::new(), |mut kinds: BTreeMap<String, u64>, line| {
        let fault: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
        *kinds.entry(fault["kind"].as_str().expect("a kind").to_owned()).or_default() += 1;
        kinds
    });
    assert_eq!(serde_json::json!(kinds), summary["injected"]);
    assert!(faults.body.lines().count() > 50);
}

#[tokio::test]
async fn a_span_of_the_truth_is_open_on_the_left_and_closed_on_the_right() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    for (id, ts) in [("a", 1_000), ("b", 2_000), ("c", 2_000), ("d", 3_000)] {
        running.publish(crate::support::trade(id, ts));
    }

    let span = get(&running, "/truth/trades?ticker=BTC&from=1000&to=2000").await;
    assert_eq!(span.body.lines().count(), 3);
    let window = get(&running, "/truth/window?ticker=BTC&ts=3000&interval=1s").await.json();
    assert_eq!((window["count"].as_u64(), window["volume"].as_str()), (Some(1), Some("0.5")));
    let window = get(&running, "/truth/window?ticker=BTC&ts=1970-01-01T00:00:03Z&interval=2000").await.json();
    assert_eq!((window["count"].as_u64(), window["notional"].as_str()), (Some(3), Some("40500.18")));
    assert_eq!(window["vwap"].as_str(), Some("27000.12"));
    let empty = get(&running, "/truth/window?ticker=BTC&ts=900&interval=100").await.json();
    assert_eq!((empty["count"].as_u64(), &empty["vwap"]), (Some(0), &serde_json::Value::Null));
}

#[tokio::test]
async fn what_was_forgotten_is_said_to_be_forgotten() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.keep = 2;
    let running = start(config).await;
    for (id, ts) in [("a", 1_000), ("b", 2_000), ("c", 3_000)] {
        running.publish(crate::support::trade(id, ts));
    }

    assert_eq!(get(&running, "/truth/window?ticker=BTC&ts=3000&interval=2500").await.status, 410);
    assert_eq!(get(&running, "/truth/window?ticker=BTC&ts=3000&interval=2000").await.status, 200);
}
