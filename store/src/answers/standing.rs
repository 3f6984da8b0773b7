//! How far the tickers are known.

use tape::bound::Outcomes;
use tape::{EpochMs, Interval, Ticker, TimeToFinal};
use tokio_postgres::Row;

use super::Figure;
use super::bound::day;
use crate::row::{column, instant, ticker};
use crate::{Store, StoreError};

/// How far one ticker of one venue is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The venue's name.
    pub venue: String,
    /// The ticker.
    pub ticker: Ticker,
    /// Everything at or before it is confirmed.
    pub settled_until: EpochMs,
    /// Trades after it are kept.
    pub tape_from: EpochMs,
    /// The market's present at the last REST answer.
    pub market_time: Option<EpochMs>,
    /// Our time of the last REST answer.
    pub checked_at: Option<EpochMs>,
    /// The mark of the newest figure.
    pub newest_mark: Option<EpochMs>,
    /// How long its latest live marks took to become final.
    pub time_to_final: Option<TimeToFinal>,
}

/// A ticker with its newest figure and the ends of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// How far it is known.
    pub standing: Standing,
    /// Its newest figure.
    pub newest: Option<Figure>,
    /// How often the bounds said over the last day held.
    pub bounds_of_day: Outcomes,
    /// The first mark of its history.
    pub first_mark: Option<EpochMs>,
    /// The last mark of its history.
    pub last_mark: Option<EpochMs>,
}

impl Store {
    /// The tickers known, in the order of venue and ticker, at most `limit`:
    /// those of one venue, whatever its case, or of one name, when given.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn tickers_known(
        &self,
        venue: Option<&str>,
        name: Option<&Ticker>,
        interval: Interval,
        limit: u32,
    ) -> Result<Vec<Known>, StoreError> {
        let name = name.map(Ticker::as_str);
        let params: crate::session::Params<'_> = &[&venue, &name, &interval.ms(), &i64::from(limit)];
        let rows = self.session().await?.query(include_str!("../../sql/answer_standings.sql"), params).await?;
        let read = |row: &Row| -> Result<Known, StoreError> {
            let standing = standing(row)?;
            let newest = standing.newest_mark.map(|mark| Figure::listed(row, mark, interval)).transpose()?;
            let mark = |name| column::<Option<i64>>(row, name).map(|ms| ms.map(EpochMs::new));
            let bounds_of_day = day(row)?;
            Ok(Known {
                standing,
                newest,
                bounds_of_day,
                first_mark: mark("first_mark")?,
                last_mark: mark("last_mark")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The intervals that figures are calculated for.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn intervals_calculated(&self) -> Result<Vec<Interval>, StoreError> {
        let rows = self.session().await?.query(include_str!("../../sql/answer_intervals.sql"), &[]).await?;
        let lengths = rows.iter().map(|row| column(row, "interval").map(Interval::from_ms));
        Ok(lengths.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}

pub(super) fn standing(row: &Row) -> Result<Standing, StoreError> {
    let optional = |name| column::<Option<i64>>(row, name).map(|ms| ms.map(EpochMs::new));
    Ok(Standing {
        venue: column(row, "exchange")?,
        ticker: ticker(row, "ticker")?,
        settled_until: instant(row, "validated_until")?,
        tape_from: instant(row, "tape_from")?,
        market_time: optional("market_time")?,
        checked_at: optional("checked_at")?,
        newest_mark: optional("newest_mark")?,
        time_to_final: time_to_final(row)?,
    })
}

fn time_to_final(row: &Row) -> Result<Option<TimeToFinal>, StoreError> {
    let (p50_ms, p99_ms): (Option<i64>, Option<i64>) =
        (column(row, "time_to_final_p50_ms")?, column(row, "time_to_final_p99_ms")?);
    let marks: Option<i32> = column(row, "time_to_final_marks")?;
    let (Some(p50_ms), Some(p99_ms), Some(marks)) = (p50_ms, p99_ms, marks) else { return Ok(None) };
    let marks = usize::try_from(marks).map_err(|source| StoreError::unreadable("time_to_final_marks", source))?;
    Ok(Some(TimeToFinal { p50_ms, p99_ms, marks }))
}
