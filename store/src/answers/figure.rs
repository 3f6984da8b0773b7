//! Figures: the newest one, and the one of any moment.

use tape::{EpochMs, Interval, Sums, Ticker, Vwap, Window};
use tokio_postgres::Row;

use super::gap::gaps;
use super::standing::standing;
use super::taken::taken;
use super::{Bound, Gap, Standing, Taken};
use crate::numeric::Numeric;
use crate::row::{column, count, sums};
use crate::{Store, StoreError};

/// The average over one window, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Where the window closes.
    pub closes_at: EpochMs,
    /// How long the window is.
    pub interval: Interval,
    /// The average; no trades have none.
    pub price: Option<Vwap>,
    /// The exact sums.
    pub sums: Sums,
    /// How many of the trades are confirmed.
    pub confirmed_trades: u64,
    /// How many suspects claim to belong to the window and are not counted.
    pub quarantined_trades: u64,
    /// Whether the whole window is confirmed.
    pub is_final: bool,
    /// Whether it was read rather than summed just now.
    pub is_kept: bool,
    /// How often the final figure was restated, as far as its history was read.
    pub revision: Option<u32>,
    /// When it became final, where that is known.
    pub final_at: Option<EpochMs>,
    /// How wrong it was said to be, while it was provisional.
    pub bound: Option<Bound>,
}

/// A figure with how far its ticker is known and what is missing in its window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// How far the ticker is known.
    pub standing: Standing,
    /// The figure; a ticker that has just been found has none.
    pub figure: Option<Figure>,
    /// The incidents that touch the window.
    pub gaps: Vec<Gap>,
    /// The snapshot all of it was read from.
    pub taken: Taken,
}

/// The newest figures of many tickers, all from one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// The snapshot.
    pub taken: Taken,
    /// The tickers, in the order of venue and ticker.
    pub answered: Vec<Answered>,
}

/// Which moment is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Where the window closes.
    pub closes_at: EpochMs,
    /// How long it is.
    pub interval: Interval,
    /// The interval that figures are calculated for.
    pub kept_interval: Interval,
}

impl Store {
    /// The newest figure of a ticker: one answer per venue that has it, or that
    /// of one venue, whatever its case.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn figure_newest(
        &self,
        venue: Option<&str>,
        name: &Ticker,
        interval: Interval,
    ) -> Result<Vec<Answered>, StoreError> {
        let params: crate::session::Params<'_> = &[&venue, &name.as_str(), &interval.ms()];
        let rows = self.session().await?.query(include_str!("../../sql/answer_latest.sql"), params).await?;
        rows.iter().map(|row| Answered::newest(row, interval)).collect()
    }

    /// The newest final figure of a ticker, otherwise as [`Store::figure_newest`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn figure_newest_final(
        &self,
        venue: Option<&str>,
        name: &Ticker,
        interval: Interval,
    ) -> Result<Vec<Answered>, StoreError> {
        let params: crate::session::Params<'_> = &[&venue, &name.as_str(), &interval.ms()];
        let rows = self.session().await?.query(include_str!("../../sql/answer_latest_final.sql"), params).await?;
        let read = |row: &Row| -> Result<Answered, StoreError> {
            let mark: Option<i64> = column(row, "final_mark")?;
            let kept = |mark| Figure::newest_final(row, EpochMs::new(mark), interval);
            Ok(Answered {
                standing: standing(row)?,
                figure: mark.map(kept).transpose()?,
                gaps: gaps(row)?,
                taken: taken(row)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// The figure of any moment, exact: the kept one where the moment is a mark
    /// of the kept interval, else summed from the trades. One answer per venue
    /// that has the ticker.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn figure_at(
        &self,
        venue: Option<&str>,
        name: &Ticker,
        moment: Moment,
    ) -> Result<Vec<Answered>, StoreError> {
        let Moment { closes_at, interval, kept_interval } = moment;
        let opens_after = Window::closing_at(closes_at, interval).opens_after();
        let may_be_kept = interval == kept_interval && closes_at.ms() % 1000 == 0;
        let params: crate::session::Params<'_> = &[
            &venue,
            &name.as_str(),
            &interval.ms(),
            &opens_after.ms(),
            &closes_at.ms(),
            &kept_interval.ms(),
            &may_be_kept,
        ];
        let rows = self.session().await?.query_as_planned(include_str!("../../sql/answer_moment.sql"), params).await?;
        let read = |row: &Row| -> Result<Answered, StoreError> {
            let standing = standing(row)?;
            let figure = Figure::of_moment(row, moment, standing.settled_until)?;
            Ok(Answered { standing, figure: Some(figure), gaps: gaps(row)?, taken: taken(row)? })
        };
        rows.iter().map(read).collect()
    }
}

impl Answered {
    fn newest(row: &Row, interval: Interval) -> Result<Self, StoreError> {
        let standing = standing(row)?;
        let figure = standing.newest_mark.map(|mark| Figure::newest(row, mark, interval)).transpose()?;
        Ok(Self { standing, figure, gaps: gaps(row)?, taken: taken(row)? })
    }
}

impl Newest {
    /// Reads the rows of the statement about many.
    pub(crate) fn read(rows: &[Row], interval: Interval) -> Result<Self, StoreError> {
        let first = rows.first().ok_or_else(|| StoreError::unreadable("taken", "no row at all"))?;
        let mut answered = Vec::with_capacity(rows.len());
        for row in rows {
            if column::<Option<String>>(row, "exchange")?.is_some() {
                answered.push(Answered::newest(row, interval)?);
            }
        }
        Ok(Self { taken: taken(first)?, answered })
    }
}

impl Figure {
    /// The newest figure of a ticker, as its row has it.
    fn newest(row: &Row, closes_at: EpochMs, interval: Interval) -> Result<Self, StoreError> {
        let is_final: bool = column(row, "is_validated")?;
        let restated: Option<i32> = column(row, "revision")?;
        let revision = match restated {
            Some(_) => Some(revision(row)?),
            // A final figure that the history does not hold any more.
            None if is_final => None,
            None => Some(0),
        };
        let kept = Self::kept(row, closes_at, interval, revision, final_at(row)?)?;
        Ok(Self { bound: Bound::of(row)?, ..kept })
    }

    /// The newest final figure of a ticker, as the history has it.
    fn newest_final(row: &Row, closes_at: EpochMs, interval: Interval) -> Result<Self, StoreError> {
        Self::kept(row, closes_at, interval, Some(revision(row)?), final_at(row)?)
    }

    /// The newest figure of a ticker in a list of many, for which the history is not read.
    pub(super) fn listed(row: &Row, closes_at: EpochMs, interval: Interval) -> Result<Self, StoreError> {
        let is_final: bool = column(row, "is_validated")?;
        let revision = if is_final { None } else { Some(0) };
        Ok(Self { bound: Bound::of(row)?, ..Self::kept(row, closes_at, interval, revision, None)? })
    }

    /// A figure that was calculated before.
    pub(super) fn kept(
        row: &Row,
        closes_at: EpochMs,
        interval: Interval,
        revision: Option<u32>,
        final_at: Option<EpochMs>,
    ) -> Result<Self, StoreError> {
        let price: Option<Numeric<24>> = column(row, "price")?;
        Ok(Self {
            closes_at,
            interval,
            price: price.map(|price| price.0),
            sums: sums(row, "trades", "volume", "notional")?,
            confirmed_trades: count(row, "confirmed_trades")?,
            quarantined_trades: count(row, "quarantined_trades")?,
            is_final: column(row, "is_validated")?,
            is_kept: true,
            revision,
            final_at,
            bound: None,
        })
    }

    fn of_moment(row: &Row, moment: Moment, settled_until: EpochMs) -> Result<Self, StoreError> {
        let Moment { closes_at, interval, .. } = moment;
        if column(row, "is_kept")? {
            let kept = Self::kept(row, closes_at, interval, Some(revision(row)?), final_at(row)?)?;
            return Ok(Self { bound: Bound::of(row)?, ..kept });
        }
        let sums = sums(row, "trades", "volume", "notional")?;
        let is_final = closes_at <= settled_until;
        Ok(Self {
            closes_at,
            interval,
            price: sums.vwap(),
            sums,
            confirmed_trades: count(row, "confirmed_trades")?,
            quarantined_trades: count(row, "quarantined_trades")?,
            is_final,
            is_kept: false,
            revision: if is_final { None } else { Some(0) },
            final_at: None,
            bound: None,
        })
    }
}

/// How often a kept figure was restated.
pub(super) fn revision(row: &Row) -> Result<u32, StoreError> {
    let revision: i32 = column(row, "revision")?;
    u32::try_from(revision).map_err(|source| StoreError::unreadable("revision", source))
}

/// When a kept figure became final.
pub(super) fn final_at(row: &Row) -> Result<Option<EpochMs>, StoreError> {
    column::<Option<i64>>(row, "final_at").map(|ms| ms.map(EpochMs::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreConfig;

    #[tokio::test]
    async fn a_moment_is_answered_by_one_plan_however_often_and_others_are_planned_as_ever() {
        let database = testkit::database().await;
        let config = StoreConfig { pool_size: 1, ..StoreConfig::new(database.url()) };
        let store = Store::connect(&config).expect("a URL");
        let ticker = Ticker::new("BTC").expect("a ticker");
        store.ticker_ensure("generic", &[(ticker.clone(), EpochMs::new(0))]).await.expect("written");

        let interval = Interval::DEFAULT;
        for second in 1..9 {
            let moment = Moment { closes_at: EpochMs::new(1_000 * second), interval, kept_interval: interval };
            assert_eq!(store.figure_at(None, &ticker, moment).await.expect("an answer").len(), 1);
        }

        let sql = "select custom_plans, generic_plans, current_setting('plan_cache_mode') as mode
            from pg_prepared_statements where statement like '-- Answers for one moment%'";
        let rows = store.session().await.expect("a connection").query(sql, &[]).await.expect("an answer");
        let plans: (i64, i64) =
            (column(&rows[0], "custom_plans").expect("a number"), column(&rows[0], "generic_plans").expect("a number"));
        assert_eq!((rows.len(), plans), (1, (0, 8)));
        assert_eq!(column::<String>(&rows[0], "mode").expect("text"), "auto");
    }
}
