//! Who is connected to the socket. All hear the same frames; whoever does not
//! keep up with them is sent away.

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The ear of one listener: what is to be sent to it, and when to hurry.
#[derive(Debug)]
pub struct Ear {
    /// Which listener.
    pub id: u64,
    /// The frames to send. It ends when the listener is cut off or sent away.
    pub frames: mpsc::Receiver<Utf8Bytes>,
    /// Cancelled at that moment, so that a stuck write does not last for ever.
    pub ended: CancellationToken,
}

#[derive(Debug)]
struct Listener {
    id: u64,
    frames: mpsc::Sender<Utf8Bytes>,
    _ended: DropGuard,
}

/// Everyone who is connected.
#[derive(Debug)]
pub struct Listeners {
    list: Vec<Listener>,
    queue: usize,
    joined: u64,
    too_slow: u64,
}

impl Listeners {
    /// Nobody yet; each may have `queue` frames waiting.
    pub fn new(queue: usize) -> Self {
        Self { list: Vec::new(), queue: queue.max(1), joined: 0, too_slow: 0 }
    }

    /// Lets someone in. They hear what is sent from now on.
    pub fn join(&mut self) -> Ear {
        self.joined += 1;
        let id = self.joined;
        let (sender, frames) = mpsc::channel(self.queue);
        let ended = CancellationToken::new();
        self.list.push(Listener { id, frames: sender, _ended: ended.clone().drop_guard() });
        Ear { id, frames, ended }
    }

    /// Forgets someone who left.
    pub fn leave(&mut self, id: u64) {
        self.list.retain(|listener| listener.id != id);
    }

    /// Sends a frame to everyone and says how many hear it.
    pub fn send(&mut self, text: &str) -> usize {
        if self.list.is_empty() {
            return 0;
        }
        let frame = Utf8Bytes::from(text);
        let too_slow = &mut self.too_slow;
        self.list.retain(|listener| match listener.frames.try_send(frame.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                *too_slow += 1;
                false
            }
            Err(TrySendError::Closed(_)) => false,
        });
        self.list.len()
    }

    /// Ends every connection after what was already sent.
    pub fn cut(&mut self) {
        self.list.clear();
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether everyone (and at least one) has at least half a queue free.
    pub fn are_keeping_up(&self) -> bool {
        let has_room = |listener: &Listener| listener.frames.capacity() * 2 >= self.queue;
        !self.list.is_empty() && self.list.iter().all(has_room)
    }

    /// How many ever connected.
    pub fn joined(&self) -> u64 {
        self.joined
    }

    /// How many were sent away for being too slow.
    pub fn too_slow(&self) -> u64 {
        self.too_slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_hears_what_is_new_and_the_slow_are_sent_away() {
        let mut listeners = Listeners::new(2);
        let mut early = listeners.join();
        assert_eq!(listeners.send("a"), 1);
        let mut late = listeners.join();
        assert_eq!(listeners.send("b"), 2);
        assert!(!listeners.are_keeping_up());

        assert_eq!(listeners.send("c"), 1);
        assert_eq!((listeners.len(), listeners.too_slow()), (1, 1));
        assert!(early.ended.is_cancelled() && !late.ended.is_cancelled());
        let heard = |ear: &mut Ear| std::iter::from_fn(|| ear.frames.try_recv().ok()).collect::<Vec<_>>().concat();
        assert_eq!((heard(&mut early), heard(&mut late)), ("ab".to_owned(), "bc".to_owned()));
    }

    #[test]
    fn a_cut_ends_every_connection_after_what_was_sent() {
        let mut listeners = Listeners::new(2);
        let mut ear = listeners.join();
        listeners.send("a");
        listeners.cut();

        assert_eq!(listeners.send("b"), 0);
        assert_eq!(ear.frames.try_recv().expect("sent before the cut").as_str(), "a");
        assert!(ear.frames.try_recv().is_err() && ear.ended.is_cancelled());
    }
}
