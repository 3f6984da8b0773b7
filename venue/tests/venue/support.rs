//! A listener and an asker, with a deadline on everything they wait for.

use std::sync::LazyLock;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tape::{EpochMs, Ticker};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use venue::{Running, TrueTrade, Venue, VenueConfig};

/// No test waits longer for anything.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub const EVER: (EpochMs, EpochMs) = (EpochMs::new(i64::MIN), EpochMs::MAX);

pub async fn start(config: VenueConfig) -> Running {
    Venue::start(config).await.expect("the venue starts")
}

pub fn ticker(text: &str) -> Ticker {
    Ticker::new(text).expect("a ticker")
}

pub fn trade(id: &str, ts: i64) -> TrueTrade {
    TrueTrade::new("BTC", ts, "27000.12", "0.5", id).expect("a trade")
}

/// Someone connected to the socket.
pub struct Listener(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What a listener perceives.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Text(String),
    Ping,
    /// The connection ended; whether with a close frame.
    End {
        with_close_frame: bool,
    },
}

impl Listener {
    pub async fn connect(running: &Running) -> Self {
        Self::at(&running.ws_url()).await
    }

    pub async fn at(url: &str) -> Self {
        Self(connect_async(url).await.expect("the venue lets listeners in").0)
    }

    pub async fn hear(&mut self) -> Heard {
        let next = tokio::time::timeout(DEADLINE, self.0.next()).await.expect("something is heard in time");
        match next {
            Some(Ok(Message::Text(text))) => Heard::Text(text.to_string()),
            Some(Ok(Message::Ping(_))) => Heard::Ping,
            Some(Ok(Message::Close(_))) => Heard::End { with_close_frame: true },
            Some(Ok(other)) => panic!("the venue says {other:?}"),
            None | Some(Err(_)) => Heard::End { with_close_frame: false },
        }
    }

    /// The next text, pings aside.
    pub async fn text(&mut self) -> String {
        loop {
            match self.hear().await {
                Heard::Text(text) => return text,
                Heard::Ping => {}
                Heard::End { .. } => panic!("the connection ended"),
            }
        }
    }

    pub async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::with_capacity(count);
        while texts.len() < count {
            texts.push(self.text().await);
        }
        texts
    }

    pub async fn trades(&mut self, count: usize) -> Vec<TrueTrade> {
        let texts = self.texts(count).await;
        texts.iter().map(|text| read(text).expect("a trade")).collect()
    }
}

/// Reads a frame as a careful reader does, from its digits.
pub fn read(frame: &str) -> Option<TrueTrade> {
    let value: Value = serde_json::from_str(frame).ok()?;
    let number = |name: &str| value[name].is_number().then(|| value[name].to_string());
    TrueTrade::new(
        value["ticker"].as_str()?,
        value["ts"].as_i64().filter(|ts| *ts > 0)?,
        &number("price")?,
        &number("quantity")?,
        value["tradeid"].as_str()?,
    )
    .ok()
}

/// One REST answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The answer's `X-Market-Time`.
    pub fn complete_until(&self) -> i64 {
        self.header("x-market-time").expect("a market time").parse().expect("milliseconds")
    }

    pub fn trades(&self) -> Vec<TrueTrade> {
        let rows = self.json();
        let rows = rows.as_array().expect("an array of trades");
        rows.iter().map(|row| read(&row.to_string()).expect("a trade")).collect()
    }

    pub fn ids(&self) -> Vec<String> {
        self.trades().into_iter().map(|trade| trade.id.to_string()).collect()
    }
}

/// One client for all tests: making one reads the certificates of the machine.
static CLIENT: LazyLock<()> = LazyLock::new(|| {
    // Only the first provider counts, and there is only this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
});

fn client() -> reqwest::Client {
    LazyLock::force(&CLIENT);
    reqwest::Client::builder().timeout(DEADLINE).build().expect("a client")
}

pub async fn get(running: &Running, path: &str) -> Answer {
    get_at(&format!("{}{path}", running.url())).await
}

pub async fn get_at(url: &str) -> Answer {
    request(client().get(url)).await.expect("an answer")
}

pub async fn get_within(running: &Running, path: &str, deadline: Duration) -> Option<Answer> {
    request(client().get(format!("{}{path}", running.url())).timeout(deadline)).await
}

pub async fn post(running: &Running, path: &str, body: &str) -> Answer {
    request(client().post(format!("{}{path}", running.url())).body(body.to_owned())).await.expect("an answer")
}

async fn request(request: reqwest::RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Some(Answer { status, headers, body: response.text().await.ok()? })
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("in time: {what}"));
}
