//! Letting go of what is older than anyone may ask for, in bounded batches.
//! The moment from which a ticker's tape is kept rises first, so an answer
//! never rests on trades of which some are gone already.

use tape::EpochMs;

use crate::news::FIGURES_CHANNEL;
use crate::partitions::{TAKE_LOCK, partitions_existing};
use crate::session::{Params, Session};
use crate::{Store, StoreError};

/// How many partitions are dropped at once.
const PARTITIONS_AT_ONCE: usize = 8;

const DOING: &str = "letting go of old rows";

impl Store {
    /// Lets go of what happened at or before an instant: at most `batch` rows
    /// of each table, or, when there are none left, a few daily partitions of the
    /// history whose day ended by then. Returns how many rows or partitions those
    /// were; none when there is nothing left to do.
    ///
    /// A trade that is not settled yet stays, however old.
    ///
    /// # Errors
    /// When the database cannot be written, or a reader of the history is in
    /// the way; the next call goes on where this one ended.
    pub async fn retain(&self, venue: &str, before: EpochMs, batch: u32) -> Result<u64, StoreError> {
        let mut session = self.session().await?;
        let rows = match self.rows_let_go(&session, venue, before, batch).await {
            Ok(rows) => rows,
            Err(error) => {
                session.discard();
                return Err(error);
            }
        };
        // Days come last: whoever is in the way of one keeps no row.
        if rows > 0 { Ok(rows) } else { self.partitions_drop(&session, before).await }
    }

    async fn rows_let_go(
        &self,
        session: &Session,
        venue: &str,
        before: EpochMs,
        batch: u32,
    ) -> Result<u64, StoreError> {
        let (before, batch) = (before.ms(), i64::from(batch));
        let (of_ticker, of_time): (Params<'_>, Params<'_>) = (&[&venue, &batch], &[&venue, &before, &batch]);
        session.batch(DOING, "begin").await?;
        let raised = session.execute(include_str!("../sql/retain_raise_tape_from.sql"), &[&venue, &before]).await?;
        if raised > 0 {
            session.execute(include_str!("../sql/figures_announce.sql"), &[&FIGURES_CHANNEL, &venue]).await?;
        }
        let (trades, unplaced, faults) = tokio::try_join!(
            session.execute(include_str!("../sql/retain_trades.sql"), of_ticker),
            session.execute(include_str!("../sql/retain_unplaced.sql"), of_ticker),
            session.execute(include_str!("../sql/retain_faults.sql"), of_ticker),
        )?;
        let (counts, restatements, corrections, incidents, rejections, outcomes) = tokio::try_join!(
            session.execute(include_str!("../sql/retain_counts.sql"), of_time),
            session.execute(include_str!("../sql/retain_restatements.sql"), of_time),
            session.execute(include_str!("../sql/retain_corrections.sql"), of_time),
            session.execute(include_str!("../sql/retain_incidents.sql"), of_time),
            session.execute(include_str!("../sql/retain_rejections.sql"), of_time),
            session.execute(include_str!("../sql/retain_bound_outcomes.sql"), of_time),
        )?;
        session.batch(DOING, "commit").await?;
        Ok(trades + unplaced + faults + counts + restatements + corrections + incidents + rejections + outcomes)
    }

    async fn partitions_drop(&self, session: &Session, before: EpochMs) -> Result<u64, StoreError> {
        let existing = partitions_existing(session).await?;
        let mut dropped = 0;
        for day in existing.into_iter().filter(|day| day.ends_at() <= before).take(PARTITIONS_AT_ONCE) {
            // Not waiting long: behind a waiting exclusive lock everyone queues.
            let drop = format!(
                "set local lock_timeout = '100ms'; {TAKE_LOCK}; drop table if exists {partition}",
                partition = day.partition()
            );
            // Forgotten first: nobody may believe in a partition that may be gone.
            self.known_days.remove(day);
            session.batch("dropping a day of history", &drop).await?;
            self.known_days.remove(day);
            dropped += 1;
        }
        Ok(dropped)
    }
}
