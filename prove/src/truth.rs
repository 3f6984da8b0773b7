//! What really happened, read from the market when the storm is over: the true
//! trades in the market's own digits, page by page as anybody may read them,
//! and its ledgers of what it said of them.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::exact::Exact;
use crate::http::Http;

/// A page is asked for so often before it is given up.
const ATTEMPTS: u32 = 10;

/// A trade's name: its ticker and its id.
pub type Name = (String, String);

/// A trade as it was, or as it was said to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// When it was made.
    pub ts: i64,
    /// Its price.
    pub price: Exact,
    /// Its quantity.
    pub quantity: Exact,
}

/// What became of a true trade on the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The market's word for it.
    pub how: String,
    /// How many times its frame was sent again.
    pub copies: u64,
}

/// A fault that was done.
#[derive(Debug, Clone)]
pub struct Injected {
    /// Its kind.
    pub kind: String,
    /// Of which trade.
    pub name: Name,
    /// When that was made.
    pub ts: i64,
    /// The frame sent.
    pub sent: Option<String>,
    /// What a careful reader refuses it as.
    pub rejected_as: Option<String>,
}

/// What really happened after a moment and up to another.
#[derive(Debug)]
pub struct Truth {
    /// The true trades, in the order of time.
    pub trades: BTreeMap<Name, Trade>,
    /// What became of each.
    pub deliveries: HashMap<Name, Delivery>,
    /// The faults done.
    pub faults: Vec<Injected>,
}

impl Delivery {
    /// Whether its frame went out in an acceptable form.
    pub fn is_said(&self) -> bool {
        self.how == "heard" || self.how == "altered"
    }
}

impl Trade {
    /// Reads a JSON object of the market's protocol, digit by digit.
    pub fn read(row: &Value) -> Option<Self> {
        let digits = |name: &str| Exact::read(&row[name].as_number()?.to_string());
        Some(Self { ts: row["ts"].as_i64()?, price: digits("price")?, quantity: digits("quantity")? })
    }
}

impl Truth {
    /// Reads what happened with `from < ts ≤ to`.
    pub async fn read(http: &Http, venue: &str, from_ms: i64, to_ms: i64) -> anyhow::Result<Self> {
        let mut trades = BTreeMap::new();
        for ticker in tickers(http, venue).await? {
            trades.extend(trades_of(http, venue, &ticker, from_ms, to_ms).await?);
        }
        let (from, to) = (from_ms.to_string(), to_ms.to_string());
        let span = [("from", from.as_str()), ("to", &to)];
        let deliveries = read_deliveries(&http.get_ok(&format!("{venue}/truth/deliveries"), &span).await?)?;
        let faults = read_faults(&http.get_ok(&format!("{venue}/truth/faults"), &span).await?)?;
        if deliveries.len() != trades.len() {
            bail!("the market lists {} trades by REST and {} in its ledger", trades.len(), deliveries.len());
        }
        Ok(Self { trades, deliveries, faults })
    }
}

/// The tickers of the market.
pub async fn tickers(http: &Http, venue: &str) -> anyhow::Result<Vec<String>> {
    let body = http.get_ok(&format!("{venue}/truth/tickers"), &[]).await?;
    let tickers: Vec<Value> = serde_json::from_str(&body)?;
    tickers.iter().map(|row| row["ticker"].as_str().map(str::to_owned).context("a ticker")).collect()
}

async fn trades_of(
    http: &Http,
    venue: &str,
    ticker: &str,
    from_ms: i64,
    to_ms: i64,
) -> anyhow::Result<Vec<(Name, Trade)>> {
    let mut trades = Vec::new();
    let mut ids = HashSet::new();
    let (mut start, mut after) = ((from_ms + 1).to_string(), String::new());
    loop {
        let query = [("ticker", ticker), ("startTime", &start), ("afterId", &after)];
        let rows = page(http, venue, &query).await?;
        let Some(last) = rows.last() else { return Ok(trades) };
        let is_beyond = last["ts"].as_i64().is_some_and(|ts| to_ms < ts);
        (start, after) = (last["ts"].to_string(), last["tradeid"].as_str().unwrap_or_default().to_owned());
        for row in &rows {
            let id = row["tradeid"].as_str().context("an id")?;
            let trade = Trade::read(row).with_context(|| format!("no trade: {row}"))?;
            if trade.ts <= to_ms && !ids.insert(id.to_owned()) {
                bail!("the market lists {ticker} {id} twice");
            }
            if trade.ts <= to_ms {
                trades.push(((ticker.to_owned(), id.to_owned()), trade));
            }
        }
        if is_beyond {
            return Ok(trades);
        }
    }
}

/// One page, asked for again when the market is in a mood.
async fn page(http: &Http, venue: &str, query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
    let mut attempt = 1;
    loop {
        let body = http.get_ok(&format!("{venue}/trades"), query).await;
        match body.and_then(|body| Ok(serde_json::from_str(&body)?)) {
            Ok(rows) => return Ok(rows),
            Err(error) if attempt == ATTEMPTS => return Err(error),
            Err(_) => attempt += 1,
        }
    }
}

fn read_deliveries(text: &str) -> anyhow::Result<HashMap<Name, Delivery>> {
    let mut deliveries = HashMap::new();
    for row in csv::Reader::from_reader(text.as_bytes()).records() {
        let row = row?;
        let field = |at: usize| row.get(at).map(str::to_owned).context("a field of a delivery");
        deliveries.insert((field(0)?, field(2)?), Delivery { how: field(3)?, copies: field(5)?.parse()? });
    }
    Ok(deliveries)
}

fn read_faults(text: &str) -> anyhow::Result<Vec<Injected>> {
    let mut faults = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line)?;
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        faults.push(Injected {
            kind: text("kind").context("a kind")?,
            name: (text("ticker").context("a ticker")?, text("tradeid").context("an id")?),
            ts: line["ts"].as_i64().context("a time")?,
            sent: text("sent"),
            rejected_as: text("rejected_as"),
        });
    }
    Ok(faults)
}
