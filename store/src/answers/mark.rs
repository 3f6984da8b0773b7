//! Final figures kept at their marks, many in one statement.

use tape::{EpochMs, Interval, Ticker};

use super::figure::{final_at, revision};
use super::gap::gaps;
use super::standing::standing;
use super::taken::taken;
use super::{Answered, Figure};
use crate::row::{column, count};
use crate::session::Params;
use crate::{Store, StoreError};

/// A mark that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedMark {
    /// The exchange, whatever its case; without it, every one that has the ticker.
    pub venue: Option<String>,
    /// The ticker.
    pub ticker: Ticker,
    /// Where the window closes.
    pub closes_at: EpochMs,
}

impl Store {
    /// For each of many marks its final figures, one for each venue meant. There
    /// is nothing where no venue has the ticker, or one has no final figure of it.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn marks_kept(
        &self,
        asked: &[&AskedMark],
        interval: Interval,
    ) -> Result<Vec<Option<Vec<Answered>>>, StoreError> {
        let venues: Vec<Option<&str>> = asked.iter().map(|asked| asked.venue.as_deref()).collect();
        let tickers: Vec<&str> = asked.iter().map(|asked| asked.ticker.as_str()).collect();
        let marks: Vec<i64> = asked.iter().map(|asked| asked.closes_at.ms()).collect();
        let params: Params<'_> = &[&venues, &tickers, &marks, &interval.ms()];
        let rows = self.session().await?.query(include_str!("../../sql/answer_marks.sql"), params).await?;
        let mut found: Vec<Option<Vec<Answered>>> = asked.iter().map(|_| Some(Vec::new())).collect();
        for row in &rows {
            let place = usize::try_from(count(row, "place")?).unwrap_or(usize::MAX).wrapping_sub(1);
            let (Some(asked), Some(all)) = (asked.get(place), found.get_mut(place)) else {
                return Err(StoreError::unreadable("place", "nobody asked for it"));
            };
            if !column::<bool>(row, "is_kept")? {
                *all = None;
            }
            let Some(all) = all else { continue };
            let figure = Figure::kept(row, asked.closes_at, interval, Some(revision(row)?), final_at(row)?)?;
            all.push(Answered { standing: standing(row)?, figure: Some(figure), gaps: gaps(row)?, taken: taken(row)? });
        }
        Ok(found.into_iter().map(|all| all.filter(|all| !all.is_empty())).collect())
    }
}
