//! One transaction of a leader: everything in it happens, or nothing does.
//!
//! Methods that write live beside what they write; all take `&self`, so those
//! that do not depend on each other can be sent together with `try_join!`, but
//! nothing beside rows that are copied.

use std::sync::{Arc, Mutex};

use crate::leadership::Leadership;
use crate::news::{FIGURES_CHANNEL, News};
use crate::partitions::{Day, KnownDays};
use crate::row::column;
use crate::session::{Params, Session};
use crate::{Store, StoreError};

/// A transaction under a leadership. Dropped without [`WriteTxn::commit`], it
/// leaves no trace.
pub struct WriteTxn {
    pub(crate) session: Session,
    pub(crate) venue: String,
    pub(crate) known_days: Arc<KnownDays>,
    /// Days whose partitions this transaction has found or made.
    pub(crate) own_days: Mutex<Vec<Day>>,
    /// What to tell whoever listens, when it commits.
    pub(crate) news: News,
    is_over: bool,
}

impl Store {
    /// Begins a transaction whose commit is on disk when it returns: for
    /// confirmations, final figures and watermarks.
    ///
    /// # Errors
    /// [`StoreError::Deposed`] when another worker leads now.
    pub async fn begin(&self, leadership: &Leadership) -> Result<WriteTxn, StoreError> {
        self.begin_with(leadership, "begin").await
    }

    /// Begins a transaction whose commit may be lost if the server crashes
    /// within the next moments: for what REST brings back.
    ///
    /// # Errors
    /// [`StoreError::Deposed`] when another worker leads now.
    pub async fn begin_relaxed(&self, leadership: &Leadership) -> Result<WriteTxn, StoreError> {
        self.begin_with(leadership, "begin; set local synchronous_commit = off").await
    }

    async fn begin_with(&self, leadership: &Leadership, begin: &str) -> Result<WriteTxn, StoreError> {
        let session = self.session().await?;
        let venue = leadership.venue().to_owned();
        let (known_days, own_days) = (Arc::clone(&self.known_days), Mutex::default());
        let txn = WriteTxn { session, venue, known_days, own_days, news: News::default(), is_over: false };
        let params: Params<'_> = &[&txn.venue];
        // In this order on the wire, in one round trip.
        let ((), held) = tokio::try_join!(
            biased;
            txn.session.batch("beginning a transaction", begin),
            txn.session.query_opt(include_str!("../sql/leader_hold.sql"), params),
        )?;
        let epoch: Option<i64> = held.map(|row| column(&row, "epoch")).transpose()?;
        if epoch != Some(leadership.epoch()) {
            return Err(leadership.deposed());
        }
        Ok(txn)
    }
}

impl WriteTxn {
    /// Makes everything written so far true, at once, and tells whoever
    /// listens for figures if it may change an answer about the newest.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when any statement of it failed or was given up
    /// half-way; nothing is written then. After [`StoreError::Unavailable`] it
    /// is not known whether the commit took place: read the state again.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        const DOING: &str = "committing";
        if !self.session.is_whole() {
            return Err(StoreError::refused(DOING, "a statement of the transaction failed or was given up"));
        }
        let payloads = self.news.payloads(&self.venue);
        if !payloads.is_empty() {
            self.session.execute(include_str!("../sql/figures_announce.sql"), &[&FIGURES_CHANNEL, &payloads]).await?;
        }
        self.session.batch(DOING, "commit").await?;
        self.is_over = true;
        let own_days = self.own_days.lock().expect("nothing panics while holding it");
        self.known_days.insert(&own_days);
        Ok(())
    }
}

impl Drop for WriteTxn {
    fn drop(&mut self) {
        if !self.is_over {
            // Closing the connection rolls back, whatever state it is in.
            self.session.discard();
            // Perhaps it failed for want of a partition that someone dropped.
            self.known_days.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreConfig;

    async fn waits_for_the_disk(txn: WriteTxn) -> String {
        let sql = "select current_setting('synchronous_commit') as setting";
        let rows = txn.session.query(sql, &[]).await.expect("a setting");
        txn.commit().await.expect("committed");
        column(&rows[0], "setting").expect("text")
    }

    #[tokio::test]
    async fn no_statement_is_compiled_by_the_server_before_it_runs() {
        let database = testkit::database().await;
        let store = Store::connect(&StoreConfig::new(database.url())).expect("a URL");

        let session = store.session().await.expect("a connection");
        let rows = session.query("select current_setting('jit') as setting", &[]).await.expect("a setting");

        assert_eq!(column::<String>(&rows[0], "setting").expect("text"), "off");
    }

    #[tokio::test]
    async fn heard_trades_do_not_wait_for_the_disk_and_what_follows_on_their_connection_does() {
        let database = testkit::database().await;
        let config = StoreConfig { pool_size: 1, ..StoreConfig::new(database.url()) };
        let store = Store::connect(&config).expect("a URL");
        let leadership = store.lead("generic").await.expect("an answer").expect("nobody leads");

        assert_eq!(waits_for_the_disk(store.begin_relaxed(&leadership).await.expect("we lead")).await, "off");
        assert_eq!(waits_for_the_disk(store.begin(&leadership).await.expect("we lead")).await, "on");
    }
}
