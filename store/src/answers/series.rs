//! Figures of many marks at once.

use tape::{EpochMs, Interval};
use tokio_postgres::Row;

use super::figure::{final_at, revision};
use super::{Figure, Standing};
use crate::row::{column, instant};
use crate::{Store, StoreError};

/// The figure of one mark, and whether an incident touches its window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The figure.
    pub figure: Figure,
    /// Whether an incident touches its window.
    pub is_touched: bool,
}

impl Store {
    /// The figures kept of the given marks, in the order of time. A mark that
    /// is not kept is left out.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn figures_kept(
        &self,
        standing: &Standing,
        interval: Interval,
        marks: &[EpochMs],
    ) -> Result<Vec<Point>, StoreError> {
        let marks: Vec<i64> = marks.iter().map(|mark| mark.ms()).collect();
        let params: crate::session::Params<'_> = &[&standing.venue, &standing.ticker.as_str(), &interval.ms(), &marks];
        let rows = self.session().await?.query(include_str!("../../sql/answer_series.sql"), params).await?;
        let read = |row: &Row| -> Result<Point, StoreError> {
            let figure = Figure::kept(row, instant(row, "ts")?, interval, Some(revision(row)?), final_at(row)?)?;
            Ok(Point { figure, is_touched: column(row, "is_touched")? })
        };
        rows.iter().map(read).collect()
    }
}
