//! Lies in every dialect: what was heard, row by row, is what the ledgers say was told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use venue::{Delivery, FaultKind, FaultRates, TrueTrade, VenueConfig};

use super::reading::{BTC, Heard, Talker, Told, config, digits};
use crate::support::{EVER, start, ticker};

/// How a dialect is listened to, and where its rows and their fields stand.
struct Ear {
    name: &'static str,
    path: &'static str,
    request: &'static str,
    rows: &'static [&'static str],
    fields: [&'static str; 4],
}

const EARS: [Ear; 6] = [
    Ear {
        name: "binance",
        path: "/stream?streams=btcusdt@trade",
        request: "",
        rows: &["data"],
        fields: ["t", "p", "q", "T"],
    },
    Ear {
        name: "bybit",
        path: "/v5/public/spot",
        request: r#"{"op":"subscribe","args":["publicTrade.BTCUSDT"]}"#,
        rows: &["data"],
        fields: ["i", "p", "v", "T"],
    },
    Ear {
        name: "coinbase",
        path: "/",
        request: r#"{"type":"subscribe","product_ids":["BTC-USDT"],"channels":["matches"]}"#,
        rows: &[],
        fields: ["trade_id", "price", "size", "time"],
    },
    Ear {
        name: "kraken",
        path: "/v2",
        request: r#"{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USDT"],"snapshot":false}}"#,
        rows: &["data"],
        fields: ["trade_id", "price", "qty", "timestamp"],
    },
    Ear {
        name: "okx",
        path: "/ws/v5/business",
        request: r#"{"op":"subscribe","args":[{"channel":"trades-all","instId":"BTC-USDT"}]}"#,
        rows: &["data"],
        fields: ["tradeId", "px", "sz", "ts"],
    },
    Ear {
        name: "bitstamp",
        path: "/",
        request: r#"{"event":"bts:subscribe","data":{"channel":"live_trades_btcusdt"}}"#,
        rows: &["data"],
        fields: ["id", "price_str", "amount_str", "microtimestamp"],
    },
];

impl Ear {
    /// The rows of a message that can be read; none of one that cannot.
    fn told(&self, text: &str) -> Vec<Told> {
        let Ok(message) = serde_json::from_str::<Value>(text) else { return Vec::new() };
        let data = self.rows.iter().fold(&message, |value, name| &value[*name]);
        let rows = data.as_array().cloned().unwrap_or_else(|| vec![data.clone()]);
        rows.iter().filter_map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &Value) -> Option<Told> {
        let [id, price, quantity, time] = self.fields.map(|name| digits(&row[name]));
        let ms = match self.name {
            "coinbase" | "kraken" => chrono::DateTime::parse_from_rfc3339(&time).ok()?.timestamp_millis(),
            "bitstamp" => time.parse::<i64>().ok()? / 1_000,
            _ => time.parse().ok()?,
        };
        let is_number = |text: &str| text.parse::<f64>().is_ok();
        (is_number(&price) && is_number(&quantity)).then_some(())?;
        Some(Told { id: id.parse().ok()?, price, quantity, ms })
    }
}

#[tokio::test]
async fn what_is_heard_row_by_row_is_what_the_ledgers_say_was_told() {
    futures_util::future::join_all(EARS.iter().map(hold_against_the_ledgers)).await;
}

async fn hold_against_the_ledgers(ear: &Ear) {
    let faults = FaultRates::all(0.06).with(FaultKind::Silence, 0.0).with(FaultKind::Cut, 0.0);
    let quiet = VenueConfig { faults, ..config(ear.name, 0.0, Duration::from_secs(1)) };
    let running = start(quiet).await;
    let mut talker = Talker::at(&running, ear.path).await;
    if ear.request.is_empty() {
        assert!(running.wait_for_listeners(1, Duration::from_secs(5)).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    } else {
        talker.say(ear.request).await;
        // The answer, so that everything made from here on is heard.
        while !talker.text().await.contains(if ear.name == "coinbase" { "subscriptions" } else { "subscri" }) {}
    }
    // Bursts, of which some dialects tell in one message.
    let first = running.make_trade(BTC, "30000.25", "0.5").expect("a trade");
    let step = if ["bybit", "bitstamp"].contains(&ear.name) { 2 } else { 1 };
    let id = |place: u64| (first.number().expect("a number") + place * step).to_string();
    for burst in 0..90 {
        let now = chrono::Utc::now().timestamp_millis();
        let trade = |place: u64| {
            TrueTrade::new(BTC, now, &format!("{}.25", 30_000 + place), "0.5", &id(place)).expect("a trade")
        };
        running.publish_all((1..=10).map(|n| trade(burst * 10 + n)));
    }
    let mut texts = Vec::new();
    // All that is held back comes within five seconds.
    let end = tokio::time::Instant::now() + Duration::from_millis(6_500);
    while let Ok(heard) = tokio::time::timeout_at(end, talker.hear()).await {
        match heard {
            Heard::Text(text) => texts.push(text),
            Heard::Ping(_) => {}
            Heard::Closed(code) => panic!("{} ended: {code:?}", ear.name),
        }
    }
    let mut heard: BTreeMap<u64, Vec<Told>> = BTreeMap::new();
    for told in texts.iter().flat_map(|text| ear.told(text)) {
        heard.entry(told.id).or_default().push(told);
    }
    let mut deliveries: BTreeMap<&str, usize> = BTreeMap::new();
    let truth = running.truth(&ticker(BTC), EVER.0, EVER.1);
    assert_eq!(truth.len(), 901, "{}", ear.name);
    for (trade, delivery) in &truth {
        let copies = heard.remove(&trade.number().expect("a number")).unwrap_or_default();
        let true_ones = copies.iter().filter(|told| told.agrees_with(&trade.to_trade())).count();
        *deliveries.entry(delivery.as_str()).or_default() += 1;
        let is_as_told = match delivery {
            Delivery::Heard => true_ones >= 1 && true_ones == copies.len(),
            Delivery::Altered => true_ones == 0 && copies.len() == 1,
            Delivery::Dropped => copies.is_empty(),
            Delivery::Rejected(_) => true_ones == 0,
            other => panic!("{}: {other:?}", ear.name),
        };
        assert!(is_as_told, "{}: {trade:?} {delivery:?} {copies:?}", ear.name);
    }
    let phantoms: BTreeSet<u64> = running
        .faults(None, EVER.0, EVER.1)
        .into_iter()
        .filter(|fault| fault.kind == FaultKind::Phantom)
        .map(|fault| fault.id.as_str().parse().expect("a number"))
        .collect();
    assert_eq!(heard.into_keys().collect::<BTreeSet<_>>(), phantoms, "{}", ear.name);
    assert!(phantoms.len() > 15 && deliveries["altered"] > 60 && deliveries["rejected"] > 60, "{deliveries:?}");
}
