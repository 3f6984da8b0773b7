//! Reading what a dialect says without any code of its own: JSON with all its
//! digits, the truth ledger, and the samples of real messages where they are at hand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tape::Trade;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use venue::{Dialect, Running, VenueConfig};

use crate::support::{DEADLINE, EVER, get, start, ticker};

pub const BTC: &str = "BTC/USDT";

pub fn dialect(name: &str) -> Dialect {
    Dialect::parse(name).expect("a dialect")
}

/// A market of pairs with some past, and so many trades a second.
pub fn config(name: &str, rate: f64, history: Duration) -> VenueConfig {
    let tickers = venue::dialect::pair::DEFAULT_PAIRS.map(str::to_owned).to_vec();
    let quiet = vec![tickers[4].clone()];
    let market = venue::MarketKind::Generated { tickers, quiet, rate, history };
    VenueConfig { market, ..VenueConfig::default() }.speaking(dialect(name))
}

pub async fn lively(name: &str) -> Running {
    start(config(name, 200.0, Duration::from_secs(60))).await
}

/// A market without trades but those of the test.
pub async fn scripted(name: &str) -> Running {
    start(VenueConfig::scripted(&[BTC, "ETH/USDT"]).speaking(dialect(name))).await
}

/// The true trades of a ticker by id.
pub fn truth(running: &Running, name: &str) -> BTreeMap<u64, Trade> {
    let trades = running.truth(&ticker(name), EVER.0, EVER.1).into_iter().map(|(trade, _)| trade);
    trades.map(|trade| (trade.number().expect("a number"), trade.to_trade())).collect()
}

/// A trade as one message or row tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub id: u64,
    pub price: String,
    pub quantity: String,
    pub ms: i64,
}

impl Told {
    /// Whether it is what the truth says, to the last digit that counts.
    pub fn agrees_with(&self, truth: &Trade) -> bool {
        let plain = |text: &str| text.parse::<f64>().map(|_| normal(text));
        plain(&self.price).ok() == Some(normal(&truth.price.to_string()))
            && plain(&self.quantity).ok() == Some(normal(&truth.quantity.to_string()))
            && self.ms == truth.traded_at.ms()
            && self.id.to_string() == truth.id.as_str()
    }
}

/// The digits in one form: no exponent, no zeros that say nothing.
pub fn normal(text: &str) -> String {
    let (number, exponent) = match text.to_lowercase().split_once('e') {
        Some((number, exponent)) => (number.to_owned(), exponent.parse::<i32>().expect("an exponent")),
        None => (text.to_owned(), 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let mut digits: Vec<char> = [whole, fraction].concat().chars().collect();
    let mut point = whole.len() as i32 + exponent;
    while point < 1 {
        digits.insert(0, '0');
        point += 1;
    }
    while digits.len() < point as usize {
        digits.push('0');
    }
    let (whole, fraction) = digits.split_at(point as usize);
    let (whole, fraction): (String, String) = (whole.iter().collect(), fraction.iter().collect());
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    format!("{}{}{fraction}", if whole.is_empty() { "0" } else { whole }, if fraction.is_empty() { "" } else { "." })
}

/// The digits of a number, quoted or not.
pub fn digits(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub fn whole(value: &Value) -> i64 {
    digits(value).parse().unwrap_or_else(|_| panic!("a whole number, not {value}"))
}

/// Someone who also speaks.
pub struct Talker(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What a talker perceives.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    Text(String),
    Ping(Vec<u8>),
    Closed(Option<u16>),
}

impl Talker {
    pub async fn at(running: &Running, path: &str) -> Self {
        Self(connect_async(running.ws_at(path)).await.expect("the venue lets listeners in").0)
    }

    pub async fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.expect("the venue listens");
    }

    pub async fn try_say(&mut self, text: &str) {
        let _ = self.0.send(Message::text(text)).await;
    }

    pub async fn hear(&mut self) -> Heard {
        loop {
            let next = tokio::time::timeout(DEADLINE, self.0.next()).await.expect("something is heard in time");
            return match next {
                Some(Ok(Message::Text(text))) => Heard::Text(text.to_string()),
                Some(Ok(Message::Ping(payload))) => Heard::Ping(payload.to_vec()),
                Some(Ok(Message::Close(frame))) => Heard::Closed(frame.map(|frame| frame.code.into())),
                Some(Ok(_)) => continue,
                None | Some(Err(_)) => Heard::Closed(None),
            };
        }
    }

    /// The next text that is not empty of meaning.
    pub async fn text(&mut self) -> String {
        loop {
            match self.hear().await {
                Heard::Text(text) => return text,
                Heard::Ping(_) => {}
                Heard::Closed(code) => panic!("the connection ended: {code:?}"),
            }
        }
    }

    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// How it ends, whatever is said before.
    pub async fn end(&mut self) -> Option<u16> {
        loop {
            if let Heard::Closed(code) = self.hear().await {
                return code;
            }
        }
    }
}

pub async fn body(running: &Running, path: &str) -> Value {
    get(running, path).await.json()
}

/// A sample of a real message; none, said aloud, where the samples are not at hand.
pub fn sample(file: &str) -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/samples").join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).expect("a sample is JSON")),
        Err(_) => {
            println!("SKIPPED: there is no sample {}", path.display());
            None
        }
    }
}

/// Keys and kinds of values, all the way down; of an array its first element.
pub fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "string".into(),
    }
}

/// Holds a message against a real one, where that is at hand; some names may be missing.
pub fn assert_like_the_sample(ours: &Value, file: &str, without: &[&str]) {
    let Some(mut real) = sample(file) else { return };
    for name in without {
        strike(&mut real, name);
    }
    assert_eq!(shape(ours), shape(&real), "against {file}");
}

fn strike(value: &mut Value, name: &str) {
    match value {
        Value::Object(fields) => {
            fields.remove(name);
            fields.values_mut().for_each(|value| strike(value, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| strike(value, name)),
        _ => {}
    }
}

/// Field names in the order of the text.
pub fn names_in_order(text: &str) -> Vec<String> {
    let mut names: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("\":") {
        let end = at + found;
        let start = text[..end].rfind('"').map_or(0, |quote| quote + 1);
        names.push((start, text[start..end].to_owned()));
        at = end + 2;
    }
    names.into_iter().map(|(_, name)| name).collect()
}
