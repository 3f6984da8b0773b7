//! Restatements as entries of a chain, for whoever walks along it.

use tape::{Digest, EpochMs, Interval, Sums};
use tokio_postgres::Row;

use super::figure::revision;
use super::receipt::place;
use super::{Place, Standing};
use crate::row::{column, digest_if_any, instant, sums};
use crate::session::Params;
use crate::{Store, StoreError};

/// One restatement: what a mark's figure was, what it is, and its entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restated {
    /// The mark.
    pub mark: EpochMs,
    /// How often its figure had been restated then, this time included.
    pub revision: u32,
    /// Why.
    pub reason: String,
    /// When.
    pub restated_at: EpochMs,
    /// Its place in the chain; none where the mark was never chained.
    pub place: Option<Place>,
    /// What stood before.
    pub old: Version,
    /// What stands since.
    pub new: Version,
}

/// One side of a restatement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The exact sums.
    pub sums: Sums,
    /// The digest of the mark's second; none where the mark was never chained.
    pub second_digest: Option<Digest>,
}

/// Which restatements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch {
    /// Those of the marks from one to another, in the order of mark and revision.
    Marks(EpochMs, EpochMs),
    /// Those that appended the entries after one up to another, in their order.
    Entries(u64, u64),
}

impl Store {
    /// The restatements of a stretch, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn restated_along(
        &self,
        standing: &Standing,
        interval: Interval,
        stretch: Stretch,
        limit: u32,
    ) -> Result<Vec<Restated>, StoreError> {
        let entry = |entry: u64| i64::try_from(entry).unwrap_or(i64::MAX);
        let (sql, first, last) = match stretch {
            Stretch::Marks(first, last) => (include_str!("../../sql/answer_restated_marks.sql"), first.ms(), last.ms()),
            Stretch::Entries(after, until) => {
                (include_str!("../../sql/answer_restated_entries.sql"), entry(after), entry(until))
            }
        };
        let (venue, ticker) = (&standing.venue, standing.ticker.as_str());
        let params: Params<'_> = &[venue, &ticker, &interval.ms(), &first, &last, &i64::from(limit)];
        let rows = self.session().await?.query(sql, params).await?;
        rows.iter().map(restated).collect()
    }
}

fn restated(row: &Row) -> Result<Restated, StoreError> {
    Ok(Restated {
        mark: instant(row, "ts")?,
        revision: revision(row)?,
        reason: column(row, "reason")?,
        restated_at: instant(row, "restated_at")?,
        place: place(row)?,
        old: Version {
            sums: sums(row, "old_trades", "old_volume", "old_notional")?,
            second_digest: digest_if_any(row, "old_second_digest")?,
        },
        new: Version {
            sums: sums(row, "new_trades", "new_volume", "new_notional")?,
            second_digest: digest_if_any(row, "new_second_digest")?,
        },
    })
}
