//! How wrong a provisional figure was said to be, and how often that held.

use tape::bound::{Coverage, Deviation, Level, Outcomes, Unsaid};
use tape::{EpochMs, Interval, Ticker};
use tokio_postgres::Row;

use super::Scope;
use crate::bounds::deviation;
use crate::numeric::Numeric;
use crate::row::{column, count};
use crate::{Store, StoreError};

/// What was said beside a provisional figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// How much of the window was unconfirmed, in milliseconds.
    pub tail_ms: i64,
    /// How far the final price lies from the provisional one, at most.
    pub deviation: Option<Deviation>,
    /// Why nothing was said of that.
    pub unsaid: Option<Unsaid>,
    /// How often such a bound shall hold.
    pub coverage: Option<Coverage>,
    /// The level at which the evidence was read.
    pub level: Option<Level>,
    /// How often those of the last day held.
    pub day: Outcomes,
}

impl Bound {
    /// What a row says of its provisional figure; none where nothing was said.
    pub(super) fn of(row: &Row) -> Result<Option<Self>, StoreError> {
        let Some(tail_ms) = column::<Option<i64>>(row, "bound_tail_ms")? else {
            return Ok(None);
        };
        let coverage: Option<Numeric<9>> = column(row, "bound_coverage")?;
        let coverage = coverage.and_then(|share| Coverage::from_share(share.0));
        let level: Option<i64> = column(row, "bound_level")?;
        let level = level.zip(coverage).map(|(level, coverage)| Level::from_billionths(level, coverage));
        let unsaid: Option<String> = column(row, "bound_unsaid")?;
        let marks = |name| column::<Option<i64>>(row, name).map(|marks| marks.unwrap_or(0).unsigned_abs());
        let (marks, needed) = (marks("bound_marks")?, marks("bound_marks_needed")?);
        Ok(Some(Self {
            tail_ms,
            deviation: deviation(column(row, "bound_bps")?)?,
            unsaid: unsaid.and_then(|name| Unsaid::named(&name, marks, needed)),
            coverage,
            level,
            day: day(row)?,
        }))
    }
}

/// How often the bounds of the last day held, as far as a row says it.
pub(super) fn day(row: &Row) -> Result<Outcomes, StoreError> {
    let count = |name| column::<Option<i64>>(row, name).map(|count| count.unwrap_or(0).unsigned_abs());
    Ok(Outcomes { kept: count("bound_kept")?, broken: count("bound_broken")?, unsaid: 0 })
}

impl Store {
    /// How often the bounds held that were said in the hours that touch the
    /// span from `from` up to but not including `to`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn quality_bounds(
        &self,
        scope: &Scope,
        interval: Interval,
        from: EpochMs,
        to: EpochMs,
    ) -> Result<Outcomes, StoreError> {
        let ticker = scope.ticker.as_ref().map(Ticker::as_str);
        let params: crate::session::Params<'_> = &[&scope.venue, &ticker, &interval.ms(), &from.ms(), &to.ms()];
        let rows = self.session().await?.query(include_str!("../../sql/answer_quality_bounds.sql"), params).await?;
        rows.iter().try_fold(Outcomes::default(), |sum, row| {
            let (kept, broken, unsaid) = (count(row, "kept")?, count(row, "broken")?, count(row, "unsaid")?);
            Ok(sum.plus(Outcomes { kept, broken, unsaid }))
        })
    }
}
