//! Looks on while the storm rages, and remembers: who led when, how far every
//! ticker was confirmed, and every final figure ever seen. What was once seen
//! final must be there in the end, unchanged.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::time::{sleep, timeout};
use tokio_postgres::{Client, NoTls};

use crate::clock::now_ms;
use crate::exact::Exact;
use crate::house::{Addresses, INTERVAL_MS};
use crate::http::Http;
use crate::sums::Sums;

/// Between two looks.
const PACE: Duration = Duration::from_millis(200);

/// Nothing is waited for longer: a process may be standing still.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// The epochs of leadership, and since when each: `(epoch, since)`.
    pub epochs: Vec<(i64, i64)>,
    /// Which worker said when that it leads.
    pub leading: Vec<(i64, usize)>,
    /// Every figure seen final, by ticker and mark.
    pub finals: BTreeMap<(String, i64), Sums>,
    /// What must never be seen.
    pub complaints: Vec<String>,
    /// Requests the market's REST channel was asked and what they got.
    pub rest: Rest,
    settled: BTreeMap<String, i64>,
}

/// What the requests to the market's REST channel got. What a market counted
/// in the last moments before it was killed is not in it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// Answered with the truth.
    pub answered: u64,
    /// Failed.
    pub failed: u64,
    /// Refused for coming too often.
    pub limited: u64,
    /// Left without an answer.
    pub hung: u64,
}

/// Looks at the tables until it is dropped.
pub async fn watch_tables(database: String, seen: Arc<Mutex<Seen>>) {
    loop {
        // A database that is away is looked for again.
        let _ = watch_connected(&database, &seen).await;
        sleep(PACE).await;
    }
}

async fn watch_connected(database: &str, seen: &Mutex<Seen>) -> anyhow::Result<()> {
    let (client, connection) = timeout(PATIENCE, tokio_postgres::connect(database, NoTls)).await??;
    let connection = tokio::spawn(connection);
    let looking = async {
        loop {
            timeout(PATIENCE * 10, look(&client, seen)).await??;
            sleep(PACE).await;
        }
    };
    let ended: anyhow::Result<()> = looking.await;
    connection.abort();
    ended
}

async fn look(client: &Client, seen: &Mutex<Seen>) -> anyhow::Result<()> {
    let leaders = client.query("select epoch, since from crypto_market.leaders", &[]).await?;
    let marks = "select ticker, validated_until from crypto_market.tickers_validation_timestamp";
    let settled = client.query(marks, &[]).await?;
    let from_ms = {
        let mut seen = seen.lock().expect("nothing panics holding it");
        for row in leaders {
            seen.led(row.get(0), row.get(1));
        }
        let first_ms = seen.finals.keys().map(|(_, mark)| *mark).min();
        let before: Vec<i64> =
            settled.iter().filter_map(|row| seen.settled.get(row.get::<_, &str>(0)).copied()).collect();
        for row in &settled {
            seen.settled_until(row.get(0), row.get(1));
        }
        // A ticker that was not there before may have a past.
        if before.len() < settled.len() { 0 } else { before.into_iter().min().or(first_ms).unwrap_or(0) }
    };
    let finals = "select ticker, ts, trades, volume::text, notional::text from crypto_market.vwap_history
        where is_validated and interval = $1 and ts > $2";
    let finals = client.query(finals, &[&INTERVAL_MS, &from_ms]).await?;
    let mut seen = seen.lock().expect("nothing panics holding it");
    for row in finals {
        let sums = Sums {
            trades: row.get::<_, i64>(2).unsigned_abs(),
            volume: Exact::read(row.get(3)).context("a volume")?,
            notional: Exact::read(row.get(4)).context("a notional")?,
        };
        seen.is_final(row.get(0), row.get(1), sums);
    }
    Ok(())
}

impl Seen {
    fn led(&mut self, epoch: i64, since_ms: i64) {
        match self.epochs.last() {
            Some(&(last, _)) if epoch < last => {
                self.complaints.push(format!("the epoch of leadership went back from {last} to {epoch}"));
            }
            Some(&(last, _)) if epoch == last => {}
            _ => self.epochs.push((epoch, since_ms)),
        }
    }

    fn settled_until(&mut self, ticker: String, until_ms: i64) {
        let before = self.settled.insert(ticker.clone(), until_ms);
        if before.is_some_and(|before| until_ms < before) {
            let before = before.unwrap_or_default();
            self.complaints.push(format!("the watermark of {ticker} went back from {before} to {until_ms}"));
        }
    }

    fn is_final(&mut self, ticker: String, mark: i64, sums: Sums) {
        match self.finals.get(&(ticker.clone(), mark)) {
            Some(before) if *before != sums => {
                self.complaints.push(format!("{ticker} at {mark} was final as {before} and then as {sums}"));
            }
            Some(_) => {}
            None => {
                self.finals.insert((ticker, mark), sums);
            }
        }
    }
}

/// Asks the workers who leads, and the market what REST was asked, until it is dropped.
pub async fn watch_programs(addresses: Addresses, seen: Arc<Mutex<Seen>>) -> anyhow::Result<()> {
    let http = Http::new(Duration::from_millis(300))?;
    let mut counted = Rest::default();
    loop {
        for (at, address) in addresses.workers.iter().enumerate() {
            let Ok(health) = http.get(&format!("{address}/health"), &[]).await else { continue };
            let health: Value = serde_json::from_str(&health.body).unwrap_or_default();
            if health["leading"] == true {
                seen.lock().expect("nothing panics holding it").leading.push((now_ms(), at + 1));
            }
        }
        if let Some(now) = rest_counts(&http, &addresses.venue).await {
            seen.lock().expect("nothing panics holding it").rest.add(now.since(counted));
            counted = now;
        }
        sleep(PACE).await;
    }
}

async fn rest_counts(http: &Http, venue: &str) -> Option<Rest> {
    let home = http.get(&format!("{venue}/"), &[]).await.ok()?;
    let state: Value = serde_json::from_str(home.body.split_once("\nstate\n")?.1).ok()?;
    let count = |name: &str| state["rest"]["requests"][name].as_u64();
    Some(Rest {
        answered: count("answered")?,
        failed: count("failed")?,
        limited: count("limited")?,
        hung: count("hung")?,
    })
}

impl Rest {
    /// What was added since a count; a market that was started again counts from nothing.
    fn since(self, before: Self) -> Self {
        let is_new_life = self.answered < before.answered
            || self.failed < before.failed
            || self.limited < before.limited
            || self.hung < before.hung;
        if is_new_life {
            return self;
        }
        Self {
            answered: self.answered - before.answered,
            failed: self.failed - before.failed,
            limited: self.limited - before.limited,
            hung: self.hung - before.hung,
        }
    }

    fn add(&mut self, more: Self) {
        self.answered += more.answered;
        self.failed += more.failed;
        self.limited += more.limited;
        self.hung += more.hung;
    }
}
