//! Spans of the tape that are known to be incomplete.

use tape::{EpochMs, Ticker};

use crate::StoreError;
use crate::txn::WriteTxn;

/// A span of one ticker of which something is missing or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// The ticker.
    pub ticker: Ticker,
    /// What happened.
    pub kind: String,
    /// The first instant it touches.
    pub from: EpochMs,
    /// The last instant it touches.
    pub to: EpochMs,
    /// What happened, in a sentence.
    pub detail: String,
}

impl WriteTxn {
    /// Records incidents. One that is recorded already is left as it is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn incidents_insert(&self, incidents: &[Incident], found_at: EpochMs) -> Result<u64, StoreError> {
        if incidents.is_empty() {
            return Ok(0);
        }
        let tickers: Vec<&str> = incidents.iter().map(|incident| incident.ticker.as_str()).collect();
        let kinds: Vec<&str> = incidents.iter().map(|incident| incident.kind.as_str()).collect();
        let from: Vec<i64> = incidents.iter().map(|incident| incident.from.ms()).collect();
        let to: Vec<i64> = incidents.iter().map(|incident| incident.to.ms()).collect();
        let details: Vec<&str> = incidents.iter().map(|incident| incident.detail.as_str()).collect();
        let sql = include_str!("../sql/incidents_insert.sql");
        let recorded =
            self.session.execute(sql, &[&self.venue, &tickers, &kinds, &from, &to, &details, &found_at.ms()]).await?;
        if recorded > 0 {
            self.news.add(incidents.iter().map(|incident| &incident.ticker));
        }
        Ok(recorded)
    }
}
