//! Asks the api as a user would, and keeps what it answered, to be held
//! against the truth when that is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::time::sleep;

use crate::clock::now_ms;
use crate::exact::Exact;
use crate::house::INTERVAL_MS;
use crate::http::{Answer, Http};
use crate::sums::Sums;

/// Between two questions.
const PACE: Duration = Duration::from_millis(150);

/// The lengths of windows asked for; without one, the usual one is meant.
const INTERVALS_MS: [Option<i64>; 6] = [None, None, None, Some(1), Some(2_500), Some(45_000)];

/// Which figure is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The newest one of a ticker.
    Latest {
        /// Which.
        ticker: String,
    },
    /// That of a moment.
    Historical {
        /// Which ticker.
        ticker: String,
        /// Where the window closes.
        ts: i64,
        /// How long it is, unless as usual.
        interval_ms: Option<i64>,
    },
}

/// What was answered about a figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Where its window closes.
    pub ts: i64,
    /// How long the window is.
    pub interval_ms: i64,
    /// The price, if it has one.
    pub price: Option<Exact>,
    /// What its trades add up to.
    pub sums: Sums,
    /// How many of them are confirmed.
    pub confirmed_trades: u64,
    /// Whether it says that it is final.
    pub is_final: bool,
    /// Whether it says that nothing is known to be missing.
    pub is_complete: bool,
}

/// A question, and the figure answered.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What was asked.
    pub question: Question,
    /// What was answered.
    pub figure: Figure,
}

/// All that was answered.
#[derive(Debug, Default)]
pub struct Answers {
    /// The figures.
    pub claims: Vec<Claim>,
    /// How many answers had which status; 0 for none.
    pub statuses: BTreeMap<u16, u64>,
    /// What must never be answered.
    pub complaints: Vec<String>,
}

/// Asks the api at one address.
#[derive(Debug)]
pub struct Asker {
    http: Http,
    api: String,
    rng: ChaCha8Rng,
}

impl Asker {
    /// Someone who asks by a seed.
    pub fn new(api: &str, seed: u64) -> anyhow::Result<Self> {
        let (http, rng) = (Http::new(Duration::from_secs(7))?, ChaCha8Rng::seed_from_u64(seed ^ 0x61_736b_6572));
        Ok(Self { http, api: api.to_owned(), rng })
    }

    /// Asks about anything recent until it is dropped.
    pub async fn ask_on(mut self, tickers: Vec<String>, began_ms: i64, answers: Arc<Mutex<Answers>>) {
        loop {
            let question = self.anything(&tickers, began_ms, now_ms());
            let answer = self.ask(&question).await;
            answers.lock().expect("nothing panics holding it").take(question, answer);
            sleep(PACE).await;
        }
    }

    /// A question about a time after one moment and up to another.
    pub fn anything(&mut self, tickers: &[String], after_ms: i64, until_ms: i64) -> Question {
        let ticker = tickers.choose(&mut self.rng).cloned().unwrap_or_default();
        if self.rng.random_ratio(1, 3) { Question::Latest { ticker } } else { self.past(ticker, after_ms, until_ms) }
    }

    /// A question about a moment of the past, a whole second now and then.
    pub fn past(&mut self, ticker: String, after_ms: i64, until_ms: i64) -> Question {
        let ts = self.rng.random_range(after_ms + 1..=until_ms.max(after_ms + 1));
        let on_a_mark = ts / 1_000 * 1_000;
        let is_mark = self.rng.random_ratio(1, 3) && after_ms < on_a_mark;
        let interval_ms = INTERVALS_MS.choose(&mut self.rng).copied().flatten();
        Question::Historical { ticker, ts: if is_mark { on_a_mark } else { ts }, interval_ms }
    }

    /// Asks one question.
    pub async fn ask(&self, question: &Question) -> anyhow::Result<Answer> {
        match question {
            Question::Latest { ticker } => self.http.get(&format!("{}/latest", self.api), &[("ticker", ticker)]).await,
            Question::Historical { ticker, ts, interval_ms } => {
                let (ts, interval) = (ts.to_string(), interval_ms.map(|ms| format!("{ms}ms")));
                let mut query = vec![("ticker", ticker.as_str()), ("ts", &ts)];
                query.extend(interval.as_deref().map(|interval| ("interval", interval)));
                self.http.get(&format!("{}/historical", self.api), &query).await
            }
        }
    }
}

impl Answers {
    /// Takes in an answer.
    pub fn take(&mut self, question: Question, answer: anyhow::Result<Answer>) {
        let Ok(Answer { status, body }) = answer else {
            *self.statuses.entry(0).or_default() += 1;
            return;
        };
        *self.statuses.entry(status).or_default() += 1;
        match status {
            200 => match Figure::read(&body, &question) {
                Some(figure) => self.claims.push(Claim { question, figure }),
                None => self.complaints.push(format!("{question:?} was answered with what is no figure: {body}")),
            },
            // Before there is anything, and while the database is away.
            404 | 503 => {}
            _ => self.complaints.push(format!("{question:?} was answered with {status}: {body}")),
        }
    }
}

impl Question {
    /// Of which ticker.
    pub fn ticker(&self) -> &str {
        match self {
            Self::Latest { ticker } | Self::Historical { ticker, .. } => ticker,
        }
    }
}

impl Figure {
    fn read(body: &str, question: &Question) -> Option<Self> {
        let answer: Value = serde_json::from_str(body).ok()?;
        let text = |name: &str| answer[name].as_str();
        let (ticker, ts, interval_ms) = match question {
            Question::Latest { ticker } => (ticker, answer["ts"].as_i64()?, INTERVAL_MS),
            Question::Historical { ticker, ts, interval_ms } => (ticker, *ts, interval_ms.unwrap_or(INTERVAL_MS)),
        };
        let is_what_was_asked = text("ticker") == Some(ticker)
            && answer["ts"].as_i64() == Some(ts)
            && answer["interval"].as_i64() == Some(interval_ms);
        let price = match &answer["price"] {
            Value::Null => None,
            price => Some(Exact::read(price.as_str()?)?),
        };
        let figure = Self {
            ts,
            interval_ms,
            price,
            sums: Sums {
                trades: answer["trades"].as_u64()?,
                volume: Exact::read(text("volume")?)?,
                notional: Exact::read(text("notional")?)?,
            },
            confirmed_trades: answer["confirmed_trades"].as_u64()?,
            is_final: answer["is_validated"].as_bool()?,
            is_complete: answer["complete"].as_bool()?,
        };
        is_what_was_asked.then_some(figure)
    }
}
