//! Hearing at once that figures changed. Notifications are hints: whoever
//! hears one, or begins to listen anew, reads the tables.

use std::future::poll_fn;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client, NoTls};

use crate::figures::FIGURES_CHANNEL;
use crate::{Store, StoreError};

/// Hints not yet taken; one more is dropped, since the reader will read
/// everything anyway.
const HINTS_LIMIT: usize = 64;

const DOING: &str = "listening for figures";

/// A connection that hears when a venue's latest figures change.
#[derive(Debug)]
pub struct Listening {
    hints: mpsc::Receiver<String>,
    /// Held open: closing it ends the listening.
    client: Client,
    driver: JoinHandle<()>,
}

impl Store {
    /// Begins to listen. Read the tables after it returns: what changed before
    /// is not told.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn listen(&self) -> Result<Listening, StoreError> {
        let config = self.config();
        let connecting = config.connection(config.statement_timeout)?;
        let beginning = async {
            let (client, mut connection) = connecting.connect(NoTls).await?;
            let (hints_to, hints) = mpsc::channel(HINTS_LIMIT);
            let driver = tokio::spawn(async move {
                while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                    if let AsyncMessage::Notification(hint) = message {
                        let _ = hints_to.try_send(hint.payload().to_owned());
                    }
                }
            });
            let listening = Listening { hints, client, driver };
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
    /// Waits for the next hint, and names the venue it is about. There may be
    /// none for as long as nothing changes.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the connection is lost: listen anew,
    /// and read the tables.
    pub async fn changed(&mut self) -> Result<String, StoreError> {
        self.hints.recv().await.ok_or_else(|| StoreError::unavailable(DOING, "the connection is lost"))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
