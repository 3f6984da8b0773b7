//! Spans that are known to be incomplete.

use tape::{EpochMs, Ticker};
use tokio_postgres::Row;

use super::Scope;
use crate::row::{column, instant};
use crate::{Store, StoreError};

/// A span of which something is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The venue.
    pub venue: String,
    /// What happened.
    pub kind: String,
    /// The first millisecond of it.
    pub from: EpochMs,
    /// The last millisecond of it.
    pub to: EpochMs,
    /// A sentence about it.
    pub detail: String,
}

impl Store {
    /// The incidents that touch `(after, until]`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn gaps_touching(
        &self,
        scope: &Scope,
        after: EpochMs,
        until: EpochMs,
        limit: u32,
    ) -> Result<Vec<Gap>, StoreError> {
        let ticker = scope.ticker.as_ref().map(Ticker::as_str);
        let params: crate::session::Params<'_> = &[&scope.venue, &ticker, &after.ms(), &until.ms(), &i64::from(limit)];
        let rows = self.session().await?.query(include_str!("../../sql/answer_gaps.sql"), params).await?;
        let read = |row: &Row| -> Result<Gap, StoreError> {
            Ok(Gap {
                venue: column(row, "exchange")?,
                kind: column(row, "kind")?,
                from: instant(row, "from_ts")?,
                to: instant(row, "to_ts")?,
                detail: column(row, "detail")?,
            })
        };
        rows.iter().map(read).collect()
    }
}

/// The incidents a row carries as four lists of one length.
pub(super) fn gaps(row: &Row) -> Result<Vec<Gap>, StoreError> {
    let kinds: Vec<String> = column::<Option<_>>(row, "kinds")?.unwrap_or_default();
    let froms: Vec<i64> = column::<Option<_>>(row, "froms")?.unwrap_or_default();
    let tos: Vec<i64> = column::<Option<_>>(row, "tos")?.unwrap_or_default();
    let details: Vec<String> = column::<Option<_>>(row, "details")?.unwrap_or_default();
    let spans = froms.into_iter().zip(tos).map(|(from, to)| (EpochMs::new(from), EpochMs::new(to)));
    let venue: String = column(row, "exchange")?;
    let gaps = kinds.into_iter().zip(details).zip(spans);
    Ok(gaps.map(|((kind, detail), (from, to))| Gap { venue: venue.clone(), kind, from, to, detail }).collect())
}
