//! How good the fast channel was: the fault ledger in counts, rates and basis
//! points, and what was said before a figure was final against what it became.

use tape::{EpochMs, Interval, Ticker, Vwap};
use tokio_postgres::Row;

use crate::numeric::Numeric;
use crate::row::{column, count, instant, ticker};
use crate::session::Params;
use crate::{Store, StoreError};

/// Whose quality is asked for; without a venue or a ticker, that of all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scope {
    /// The venue, spelled as it is stored.
    pub venue: Option<String>,
    /// The ticker.
    pub ticker: Option<Ticker>,
}

/// How many trades were of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// A verdict, or `rejected_` and the kind of rejection.
    pub kind: String,
    /// How many.
    pub trades: u64,
    /// How many per confirmed trade, to six decimals; none without any.
    pub rate: Option<String>,
}

/// What the faults of one kind would have done to final figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The kind of fault.
    pub kind: String,
    /// How many there were.
    pub faults: u64,
    /// Of how many the damage is known.
    pub priced: u64,
    /// The mean, with its sign.
    pub mean_bps: Option<String>,
    /// The mean of the absolute values.
    pub mean_absolute_bps: Option<String>,
    /// The largest absolute value.
    pub max_absolute_bps: Option<String>,
}

/// What was said of marks before they were final, against what they became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drift {
    /// How many final marks there are.
    pub final_marks: u64,
    /// Of how many something was said before.
    pub compared: u64,
    /// How many of those did not move.
    pub equal: u64,
    /// The mean, with its sign.
    pub mean_bps: Option<String>,
    /// The mean of the absolute values.
    pub mean_absolute_bps: Option<String>,
    /// The largest absolute value.
    pub max_absolute_bps: Option<String>,
}

/// A final figure that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restatement {
    /// The venue.
    pub venue: String,
    /// The ticker.
    pub ticker: Ticker,
    /// Its mark.
    pub mark: EpochMs,
    /// Which change of this mark it was.
    pub revision: u32,
    /// Why.
    pub reason: String,
    /// The price before.
    pub old_price: Option<Vwap>,
    /// The price after.
    pub new_price: Option<Vwap>,
    /// When.
    pub restated_at: EpochMs,
}

/// The latest restatements, and how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restatements {
    /// How many there are.
    pub total: u64,
    /// The latest.
    pub latest: Vec<Restatement>,
}

/// How many settled trades the exchange changed its mind about, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// The kind of finding.
    pub kind: String,
    /// How many.
    pub trades: u64,
}

impl Store {
    /// What the socket brought from minute `from` up to but not including `to`, by kind.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn quality_counts(&self, scope: &Scope, from: EpochMs, to: EpochMs) -> Result<Vec<Counted>, StoreError> {
        let ticker = scope.ticker.as_ref().map(Ticker::as_str);
        let params: Params<'_> = &[&scope.venue, &ticker, &from.ms(), &to.ms()];
        let rows = self.session().await?.query(include_str!("../../sql/answer_quality_counts.sql"), params).await?;
        let read = |row: &Row| -> Result<Counted, StoreError> {
            Ok(Counted { kind: column(row, "kind")?, trades: count(row, "trades")?, rate: column(row, "rate")? })
        };
        rows.iter().map(read).collect()
    }

    /// What the faults from `from` up to but not including `to` did, by kind.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn quality_damage(
        &self,
        scope: &Scope,
        interval: Interval,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<Vec<Damage>, StoreError> {
        let ticker = scope.ticker.as_ref().map(Ticker::as_str);
        let params: Params<'_> = &[&scope.venue, &ticker, &interval.ms(), &from.ms(), &to.ms()];
        let rows = self.session().await?.query(include_str!("../../sql/answer_quality_damage.sql"), params).await?;
        let read = |row: &Row| -> Result<Damage, StoreError> {
            Ok(Damage {
                kind: column(row, "kind")?,
                faults: count(row, "faults")?,
                priced: count(row, "priced")?,
                mean_bps: column(row, "mean_bps")?,
                mean_absolute_bps: column(row, "mean_absolute_bps")?,
                max_absolute_bps: column(row, "max_absolute_bps")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Final figures from `from` up to but not including `to`, against what was said before.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn quality_drift(
        &self,
        scope: &Scope,
        interval: Interval,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<Drift, StoreError> {
        let ticker = scope.ticker.as_ref().map(Ticker::as_str);
        let params: Params<'_> = &[&scope.venue, &ticker, &interval.ms(), &from.ms(), &to.ms()];
        let session = self.session().await?;
        let row = session.query_opt(include_str!("../../sql/answer_quality_drift.sql"), params).await?;
        let row = row.ok_or_else(|| StoreError::unreadable("final_marks", "a count without a row"))?;
        Ok(Drift {
            final_marks: count(&row, "final_marks")?,
            compared: count(&row, "compared")?,
            equal: count(&row, "equal")?,
            mean_bps: column(&row, "mean_bps")?,
            mean_absolute_bps: column(&row, "mean_absolute_bps")?,
            max_absolute_bps: column(&row, "max_absolute_bps")?,
        })
    }

    /// The settled trades from `from` up to but not including `to` that the
    /// exchange changed its mind about, by kind.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn quality_corrections(
        &self,
        scope: &Scope,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<Vec<Corrected>, StoreError> {
        let ticker = scope.ticker.as_ref().map(Ticker::as_str);
        let params: Params<'_> = &[&scope.venue, &ticker, &from.ms(), &to.ms()];
        let rows = self.session().await?.query(include_str!("../../sql/answer_corrections.sql"), params).await?;
        let read = |row: &Row| -> Result<Corrected, StoreError> {
            Ok(Corrected { kind: column(row, "kind")?, trades: count(row, "trades")? })
        };
        rows.iter().map(read).collect()
    }

    /// The latest restatements of marks from `from` up to but not including `to`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn restatements(
        &self,
        scope: &Scope,
        interval: Interval,
        from: EpochMs,
        to: EpochMs,
        limit: u32,
    ) -> Result<Restatements, StoreError> {
        let ticker_asked = scope.ticker.as_ref().map(Ticker::as_str);
        let params: Params<'_> =
            &[&scope.venue, &ticker_asked, &interval.ms(), &from.ms(), &to.ms(), &i64::from(limit)];
        let rows = self.session().await?.query(include_str!("../../sql/answer_restatements.sql"), params).await?;
        let read = |row: &Row| -> Result<Restatement, StoreError> {
            let price = |name| column::<Option<Numeric<24>>>(row, name).map(|price| price.map(|price| price.0));
            Ok(Restatement {
                venue: column(row, "exchange")?,
                ticker: ticker(row, "ticker")?,
                mark: instant(row, "ts")?,
                revision: super::figure::revision(row)?,
                reason: column(row, "reason")?,
                old_price: price("old_price")?,
                new_price: price("new_price")?,
                restated_at: instant(row, "restated_at")?,
            })
        };
        let total = rows.first().map(|row| count(row, "total")).transpose()?.unwrap_or(0);
        Ok(Restatements { total, latest: rows.iter().map(read).collect::<Result<_, _>>()? })
    }
}
