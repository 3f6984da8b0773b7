//! Who may write for a venue. One worker holds a lock on a connection of its
//! own; each new leader raises the epoch, and a transaction that carries an
//! older epoch is refused by the database itself. So a leader that has not yet
//! noticed its fall cannot do harm.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::row::column;
use crate::{Store, StoreError};

/// The right to write for a venue, for as long as its connection lives.
#[derive(Debug)]
pub struct Leadership {
    venue: String,
    epoch: i64,
    client: Client,
    driver: JoinHandle<()>,
    answer_timeout: Duration,
}

impl Store {
    /// Tries to become the venue's leader. None when another worker leads: ask
    /// again later.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn lead(&self, venue: &str) -> Result<Option<Leadership>, StoreError> {
        const DOING: &str = "taking the leadership";
        let (client, driver) = self.dedicated().await?;
        let answer_timeout = self.config().answer_timeout();
        // From here on the connection closes, and so gives the lock back, however this ends.
        let mut leadership = Leadership { venue: venue.to_owned(), epoch: 0, client, driver, answer_timeout };
        let taking = async {
            let client = &leadership.client;
            // A host that dies without a word loses its lock within half a minute.
            client.batch_execute(include_str!("../sql/leader_keepalives.sql")).await?;
            let locked = client.query_one(include_str!("../sql/leader_lock.sql"), &[&venue]).await?;
            if !locked.try_get::<_, bool>("is_leader")? {
                return Ok(None);
            }
            let raised = client.query_one(include_str!("../sql/leader_raise_epoch.sql"), &[&venue]).await?;
            raised.try_get::<_, i64>("epoch").map(Some)
        };
        let epoch = tokio::time::timeout(answer_timeout, taking)
            .await
            .map_err(|elapsed| StoreError::unavailable(DOING, elapsed))?
            .map_err(|source| StoreError::of_postgres(DOING, source))?;
        let Some(epoch) = epoch else {
            return Ok(None);
        };
        leadership.epoch = epoch;
        Ok(Some(leadership))
    }
}

impl Leadership {
    /// The venue led.
    pub fn venue(&self) -> &str {
        &self.venue
    }

    /// The number of this leadership: higher than that of every earlier one.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Whether the connection that holds the lock is open, as far as is known
    /// without asking.
    pub fn is_alive(&self) -> bool {
        !self.driver.is_finished() && !self.client.is_closed()
    }

    /// Asks the database whether we still lead.
    ///
    /// # Errors
    /// [`StoreError::Deposed`] when another worker has taken over;
    /// [`StoreError::Unavailable`] when there is no answer.
    pub async fn check(&self) -> Result<(), StoreError> {
        const DOING: &str = "making sure of the leadership";
        let sql = include_str!("../sql/leader_epoch.sql");
        let row = tokio::time::timeout(self.answer_timeout, self.client.query_opt(sql, &[&self.venue]))
            .await
            .map_err(|elapsed| StoreError::unavailable(DOING, elapsed))?
            .map_err(|source| StoreError::of_postgres(DOING, source))?;
        let epoch: Option<i64> = row.map(|row| column(&row, "epoch")).transpose()?;
        if epoch == Some(self.epoch) { Ok(()) } else { Err(self.deposed()) }
    }

    pub(crate) fn deposed(&self) -> StoreError {
        StoreError::Deposed { venue: self.venue.clone(), epoch: self.epoch }
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        // Closing the connection is what gives the lock back.
        self.driver.abort();
    }
}
