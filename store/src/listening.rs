//! Hearing at once that figures changed, and reading them on the same
//! connection. Notifications are hints: whoever hears one, or begins to listen
//! anew, reads the tables.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tape::{Interval, Ticker};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, NoTls, Statement};

use crate::answers::Newest;
use crate::news::{FIGURES_CHANNEL, Hint};
use crate::session::Params;
use crate::{Store, StoreError};

/// Hints not yet taken, some twenty megabytes at most; one more, and all of them become
/// one that says everything may have changed.
const HINTS_LIMIT: usize = 256;

const DOING: &str = "listening for figures";

/// A connection that hears when the latest figures change.
#[derive(Debug)]
pub struct Listening {
    hints: mpsc::Receiver<Hint>,
    has_missed: Arc<AtomicBool>,
    /// Held open: closing it ends the listening.
    client: Client,
    newest: Statement,
    answer_timeout: Duration,
    driver: JoinHandle<()>,
}

impl Store {
    /// Begins to listen. Read the tables after it returns: what changed before
    /// is not told.
    ///
    /// # Errors
    /// When the database cannot be reached, or has no tables yet.
    pub async fn listen(&self) -> Result<Listening, StoreError> {
        let config = self.config();
        let mut connecting = config.connection(config.statement_timeout)?;
        connecting.application_name(format!("{} listening", config.application_name));
        let beginning = async {
            let (client, mut connection) = connecting.connect(NoTls).await?;
            let (hints_to, hints) = mpsc::channel(HINTS_LIMIT);
            let has_missed = Arc::new(AtomicBool::new(false));
            let misses = Arc::clone(&has_missed);
            let driver = tokio::spawn(async move {
                while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                    if let AsyncMessage::Notification(notification) = message
                        && hints_to.try_send(Hint::read(notification.payload())).is_err()
                    {
                        misses.store(true, Ordering::Release);
                    }
                }
            });
            let answer_timeout = config.answer_timeout();
            let newest = client.prepare(include_str!("../sql/answer_latest_many.sql")).await?;
            let listening = Listening { hints, has_missed, client, newest, answer_timeout, driver };
            listening.client.batch_execute(&format!("listen {FIGURES_CHANNEL}")).await?;
            Ok(listening)
        };
        tokio::time::timeout(config.create_timeout, beginning)
            .await
            .map_err(|elapsed| StoreError::unavailable(DOING, elapsed))?
            .map_err(|source| StoreError::of_postgres(DOING, source))
    }
}

impl Listening {
    /// Waits for the next hint. There may be none for as long as nothing changes.
    /// Take those that have come with it too: one of them may stand for hints
    /// that could not be kept.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the connection is lost: listen anew,
    /// and read the tables.
    pub async fn changed(&mut self) -> Result<Hint, StoreError> {
        self.hints.recv().await.ok_or_else(|| StoreError::unavailable(DOING, "the connection is lost"))
    }

    /// A hint that has come already, if there is one.
    pub fn changed_already(&mut self) -> Option<Hint> {
        if self.has_missed.swap(false, Ordering::AcqRel) {
            return Some(Hint::Everything);
        }
        self.hints.try_recv().ok()
    }

    /// Asks for a sign of life. Every change committed and told before it was
    /// asked has been heard when it returns.
    ///
    /// # Errors
    /// Why there was none.
    pub async fn confirm(&self) -> Result<(), StoreError> {
        self.answered(self.client.batch_execute("select 1")).await
    }

    /// The newest figures of those a hint names, at most `limit`, as they are now.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] and what Postgres refuses.
    pub async fn figures_newest(&self, hint: &Hint, interval: Interval, limit: u32) -> Result<Newest, StoreError> {
        let (venue, tickers) = match hint {
            Hint::Tickers(venue, tickers) => (Some(venue.as_str()), Some(tickers.as_slice())),
            Hint::Venue(venue) => (Some(venue.as_str()), None),
            Hint::Everything => (None, None),
        };
        let tickers: Option<Vec<&str>> = tickers.map(|tickers| tickers.iter().map(Ticker::as_str).collect());
        let params: Params<'_> = &[&interval.ms(), &venue, &tickers, &i64::from(limit)];
        let rows = self.answered(self.client.query(&self.newest, params)).await?;
        Newest::read(&rows, interval)
    }

    async fn answered<T>(
        &self,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(self.answer_timeout, answer)
            .await
            .map_err(|elapsed| StoreError::unavailable(DOING, elapsed))?
            .map_err(|source| StoreError::of_postgres(DOING, source))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
