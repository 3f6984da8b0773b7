//! What a restart needs: the trades of the current windows, second by second,
//! and the marks spoken of last.

use std::collections::HashMap;

use tape::{Bucket, EpochMs, Extremes, Interval, Mark, Ticker, Trade};
use tokio_postgres::Row;

use crate::row::{column, count, instant, price, quantity, sums, ticker, trade};
use crate::{Store, StoreError};

impl Store {
    /// The exact sums of each second with trades after an instant, per ticker,
    /// oldest first; confirmed trades, heard ones and suspects apart.
    ///
    /// # Errors
    /// When the database cannot be asked, or a sum does not fit.
    pub async fn window_buckets(
        &self,
        venue: &str,
        after: &[(Ticker, EpochMs)],
    ) -> Result<HashMap<Ticker, Vec<Bucket>>, StoreError> {
        let session = self.session().await?;
        let mut buckets = HashMap::with_capacity(after.len());
        // One ticker at a time: what one statement has to read stays bounded.
        for (of, after) in after {
            let rows =
                session.query(include_str!("../sql/window_buckets.sql"), &[&venue, &of.as_str(), &after.ms()]).await?;
            let mut own = Vec::with_capacity(rows.len());
            for row in &rows {
                own.push(Bucket {
                    second: Mark::at_or_after(instant(row, "second")?),
                    confirmed: sums(row, "confirmed_trades", "confirmed_volume", "confirmed_notional")?,
                    heard: sums(row, "heard_trades", "heard_volume", "heard_notional")?,
                    quarantined: sums(row, "quarantined_trades", "quarantined_volume", "quarantined_notional")?,
                    extremes: extremes(row)?,
                });
            }
            buckets.insert(of.clone(), own);
        }
        Ok(buckets)
    }

    /// The confirmed trades after an instant, per ticker, one by one: those of
    /// a second that is not settled yet. In no order.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn trades_unfinished(
        &self,
        venue: &str,
        after: &[(Ticker, EpochMs)],
    ) -> Result<HashMap<Ticker, Vec<Trade>>, StoreError> {
        let session = self.session().await?;
        let (tickers, instants): (Vec<&str>, Vec<i64>) =
            after.iter().map(|(ticker, after)| (ticker.as_str(), after.ms())).unzip();
        let rows = session.query(include_str!("../sql/trades_unfinished.sql"), &[&venue, &tickers, &instants]).await?;
        let mut unfinished: HashMap<Ticker, Vec<Trade>> = HashMap::new();
        for row in &rows {
            let trade = trade(row)?;
            unfinished.entry(trade.ticker.clone()).or_default().push(trade);
        }
        Ok(unfinished)
    }

    /// The latest mark said of each ticker of a venue, for one interval.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn marks_latest(&self, venue: &str, interval: Interval) -> Result<Vec<(Ticker, Mark)>, StoreError> {
        let session = self.session().await?;
        let rows = session.query(include_str!("../sql/marks_latest.sql"), &[&venue, &interval.ms()]).await?;
        let mut marks = Vec::with_capacity(rows.len());
        for row in &rows {
            marks.push((ticker(row, "ticker")?, Mark::at_or_before(instant(row, "ts")?)));
        }
        Ok(marks)
    }
}

/// The ends of a second's confirmed trades; none without any.
fn extremes(row: &Row) -> Result<Option<Extremes>, StoreError> {
    let trades = count(row, "confirmed_trades")?;
    if trades == 0 {
        return Ok(None);
    }
    Ok(Some(Extremes {
        trades,
        lowest: price(row, "lowest")?,
        highest: price(row, "highest")?,
        largest: quantity(row, "largest")?,
        earliest_ms: column(row, "earliest_ms")?,
    }))
}
