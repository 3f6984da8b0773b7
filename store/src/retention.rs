//! Letting go of what is older than anyone may ask for, in bounded batches.
//! The moment from which a ticker's tape is kept rises first, so an answer
//! never rests on trades of which some are gone already.

use std::collections::BTreeMap;

use tape::EpochMs;

use crate::news::FIGURES_CHANNEL;
use crate::partitions::{TAKE_LOCK, partitions_existing};
use crate::row::{column, count};
use crate::session::{Params, Session};
use crate::{Store, StoreError};

/// How many partitions are dropped at once.
const PARTITIONS_AT_ONCE: usize = 8;

const DOING: &str = "letting go of old rows";

/// Lets go of a venue's old rows, and remembers how far its trades are gone. It
/// is to be made anew with each term: what a crash of the server brought back is
/// not looked for before.
pub struct Retention {
    store: Store,
    venue: String,
    /// By ticker, in epoch milliseconds; only what was let go of from here.
    gone_until: BTreeMap<String, i64>,
}

impl Store {
    /// Who lets go of a venue's old rows.
    pub fn retention(&self, venue: &str) -> Retention {
        Retention { store: self.clone(), venue: venue.to_owned(), gone_until: BTreeMap::new() }
    }
}

impl Retention {
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
    pub async fn let_go(&mut self, before: EpochMs, batch: u32) -> Result<u64, StoreError> {
        let mut session = self.store.session().await?;
        let rows = match self.rows_let_go(&session, before, batch).await {
            Ok(rows) => rows,
            Err(error) => {
                session.discard();
                return Err(error);
            }
        };
        // Days come last: whoever is in the way of one keeps no row.
        if rows > 0 { Ok(rows) } else { self.partitions_drop(&session, before).await }
    }

    async fn rows_let_go(&mut self, session: &Session, before: EpochMs, batch: u32) -> Result<u64, StoreError> {
        // On its own: whoever settles waits for as long as these rows are held.
        self.tape_raise(session, before).await?;
        let (venue, before, batch) = (&self.venue, before.ms(), i64::from(batch));
        let (tickers, until): (Vec<&str>, Vec<i64>) =
            self.gone_until.iter().map(|(ticker, until)| (ticker.as_str(), *until)).unzip();
        let of_trades: Params<'_> = &[venue, &batch, &tickers, &until];
        let (of_ticker, of_time): (Params<'_>, Params<'_>) = (&[venue, &batch], &[venue, &before, &batch]);
        // What a crash of the server brings back goes in the next term.
        session.batch(DOING, "begin; set local synchronous_commit = off").await?;
        let (trades, unplaced, faults) = tokio::try_join!(
            session.query(include_str!("../sql/retain_trades.sql"), of_trades),
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
        let mut rows = unplaced + faults + counts + restatements + corrections + incidents + rejections + outcomes;
        for of_ticker in &trades {
            rows += count(of_ticker, "trades")?;
            self.gone_until.insert(column(of_ticker, "ticker")?, column(of_ticker, "until")?);
        }
        Ok(rows)
    }

    async fn tape_raise(&self, session: &Session, before: EpochMs) -> Result<(), StoreError> {
        session.batch(DOING, "begin").await?;
        let sql = include_str!("../sql/retain_raise_tape_from.sql");
        if 0 < session.execute(sql, &[&self.venue, &before.ms()]).await? {
            let payloads = [self.venue.as_str()];
            let announce = include_str!("../sql/figures_announce.sql");
            session.execute(announce, &[&FIGURES_CHANNEL, &payloads.as_slice()]).await?;
        }
        session.batch(DOING, "commit").await
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
            self.store.known_days.remove(day);
            session.batch("dropping a day of history", &drop).await?;
            self.store.known_days.remove(day);
            dropped += 1;
        }
        Ok(dropped)
    }
}
