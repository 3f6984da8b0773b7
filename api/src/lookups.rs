//! Marks that many ask for at the same time are looked up in one statement.
//! Nobody waits for others to ask: whoever comes while a look-up is under way
//! goes with the next one.

use std::sync::Arc;

use store::answers::{Answered, AskedMark};
use store::{Store, StoreError};
use tape::Interval;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How many look-ups may be under way at once.
const AT_ONCE: usize = 2;

/// The most marks of one statement.
const TOGETHER: usize = 64;

/// The most that wait; who comes after them asks alone.
const WAITING: usize = 4_096;

/// Where marks are asked for.
#[derive(Debug, Clone)]
pub struct Lookups {
    asked_to: mpsc::Sender<Asked>,
    asked: Arc<Mutex<mpsc::Receiver<Asked>>>,
}

#[derive(Debug)]
struct Asked {
    mark: AskedMark,
    reply: oneshot::Sender<Vec<Answered>>,
}

impl Default for Lookups {
    fn default() -> Self {
        let (asked_to, asked) = mpsc::channel(WAITING);
        Self { asked_to, asked: Arc::new(Mutex::new(asked)) }
    }
}

impl Lookups {
    /// The final figures kept of a mark, one for each exchange meant; nothing
    /// when not all of them have one, or none could be had: then ask alone.
    pub async fn kept(&self, mark: AskedMark) -> Option<Vec<Answered>> {
        let (reply, answer) = oneshot::channel();
        self.asked_to.try_send(Asked { mark, reply }).ok()?;
        answer.await.ok()
    }

    /// Answers until told to stop.
    pub async fn answer(&self, store: &Store, interval: Interval, shutdown: &CancellationToken) {
        let answering = (0..AT_ONCE).map(|_| self.answer_in_turn(store, interval));
        tokio::select! {
            _ = futures_util::future::join_all(answering) => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn answer_in_turn(&self, store: &Store, interval: Interval) {
        let mut together: Vec<Asked> = Vec::with_capacity(TOGETHER);
        while self.asked.lock().await.recv_many(&mut together, TOGETHER).await > 0 {
            let marks: Vec<&AskedMark> = together.iter().map(|asked| &asked.mark).collect();
            let found = store.marks_kept(&marks, interval).await;
            reply(together.drain(..), found);
        }
    }
}

/// Gives everyone his answer. Who gets none asks alone, and is told why there is none.
fn reply(asked: impl Iterator<Item = Asked>, found: Result<Vec<Option<Vec<Answered>>>, StoreError>) {
    match found {
        Ok(found) => {
            for (asked, found) in asked.zip(found) {
                // Whoever asked may have gone.
                found.and_then(|found| asked.reply.send(found).ok());
            }
        }
        Err(error) => {
            debug!(%error, "marks are asked for one by one: {error}");
            asked.for_each(drop);
        }
    }
}
