//! Who is connected to the socket, and who of them hears what. Those who hear of
//! a trade hear the same of it; whoever does not keep up is sent away.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use tape::{EpochMs, Ticker};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::dialect::Channel;

/// The ear of one listener: what is to be sent to it, and when to hurry.
#[derive(Debug)]
pub struct Ear {
    /// Which listener.
    pub id: u64,
    /// The frames to send. It ends when the listener is cut off or sent away.
    pub frames: mpsc::Receiver<Utf8Bytes>,
    /// Cancelled at that moment, so that a stuck write does not last for ever.
    pub ended: CancellationToken,
    farewell: Arc<OnceLock<Farewell>>,
    said_at: AtomicI64,
}

/// What a connection that is ended politely is told last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Farewell {
    /// The code of the close frame.
    pub code: u16,
    /// Its reason.
    pub reason: &'static str,
}

impl Ear {
    /// Notes that something was sent, in epoch milliseconds.
    pub fn note_said(&self, now: EpochMs) {
        self.said_at.store(now.ms(), Ordering::Relaxed);
    }

    /// When something was sent last.
    pub fn said_at(&self) -> EpochMs {
        EpochMs::new(self.said_at.load(Ordering::Relaxed))
    }

    /// Has the connection end politely, when it ends.
    pub fn say_farewell(&self, farewell: Farewell) {
        // The first reason to part is the one that counts.
        let _ = self.farewell.set(farewell);
    }

    /// How it ends; none if without a word.
    pub fn farewell(&self) -> Option<Farewell> {
        self.farewell.get().copied()
    }
}

#[derive(Debug)]
struct Listener {
    id: u64,
    frames: mpsc::Sender<Utf8Bytes>,
    /// What it hears of, on which channels; everything when there is no list.
    subscriptions: Option<HashMap<Ticker, Vec<Channel>>>,
    /// When it said something, during the last second.
    spoke_at: VecDeque<EpochMs>,
    spoke: Speaking,
    _ended: DropGuard,
}

/// How much a listener says and wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Speaking {
    /// Tickers it hears of, on each channel.
    pub subscriptions: usize,
    /// Messages it sent, pings and pongs among them.
    pub messages: u64,
    /// The most of them within one second.
    pub most_in_a_second: usize,
}

impl Listener {
    fn channels_of(&self, ticker: &Ticker) -> &[Channel] {
        match &self.subscriptions {
            None => &[0],
            Some(list) => list.get(ticker).map(Vec::as_slice).unwrap_or_default(),
        }
    }

    fn hears_of(&self, ticker: &Ticker) -> bool {
        !self.channels_of(ticker).is_empty()
    }
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
        self.let_in(None)
    }

    /// Lets someone in who hears only what they subscribe to.
    pub fn join_to_subscribe(&mut self) -> Ear {
        self.let_in(Some(HashMap::new()))
    }

    fn let_in(&mut self, subscriptions: Option<HashMap<Ticker, Vec<Channel>>>) -> Ear {
        self.joined += 1;
        let id = self.joined;
        let (sender, frames) = mpsc::channel(self.queue);
        let ended = CancellationToken::new();
        let _ended = ended.clone().drop_guard();
        let (spoke_at, spoke) = (VecDeque::new(), Speaking::default());
        self.list.push(Listener { id, frames: sender, subscriptions, spoke_at, spoke, _ended });
        Ear { id, frames, ended, farewell: Arc::default(), said_at: AtomicI64::new(i64::MIN) }
    }

    /// Notes that a listener said something.
    pub fn hear_from(&mut self, id: u64, now: EpochMs) {
        const SECOND_MS: i64 = 1_000;
        let Some(listener) = self.list.iter_mut().find(|listener| listener.id == id) else { return };
        listener.spoke_at.retain(|at| now.minus_ms(SECOND_MS) < *at);
        listener.spoke_at.push_back(now);
        listener.spoke.messages += 1;
        listener.spoke.most_in_a_second = listener.spoke.most_in_a_second.max(listener.spoke_at.len());
    }

    /// How much each listener says and wants to hear.
    pub fn speaking(&self) -> Vec<Speaking> {
        let of = |listener: &Listener| {
            let subscriptions = listener.subscriptions.iter().flat_map(HashMap::values).map(Vec::len).sum();
            Speaking { subscriptions, ..listener.spoke }
        };
        self.list.iter().map(of).collect()
    }

    /// Has a listener hear of a ticker.
    pub fn subscribe(&mut self, id: u64, ticker: &Ticker, channel: Channel) {
        let channels = self.subscriptions_of(id).map(|list| list.entry(ticker.clone()).or_default());
        if let Some(channels) = channels.filter(|channels| !channels.contains(&channel)) {
            channels.push(channel);
        }
    }

    /// Has it hear no more of it; whether it did.
    pub fn unsubscribe(&mut self, id: u64, ticker: &Ticker, channel: Channel) -> bool {
        let channels = self.subscriptions_of(id).and_then(|list| list.get_mut(ticker));
        let Some(channels) = channels else { return false };
        let before = channels.len();
        channels.retain(|held| *held != channel);
        channels.len() < before
    }

    /// What a listener hears of.
    pub fn subscriptions(&self, id: u64) -> Vec<(Ticker, Channel)> {
        let listener = self.list.iter().find(|listener| listener.id == id);
        let list = listener.and_then(|listener| listener.subscriptions.as_ref());
        let pairs = list.into_iter().flatten();
        pairs.flat_map(|(ticker, channels)| channels.iter().map(|channel| (ticker.clone(), *channel))).collect()
    }

    fn subscriptions_of(&mut self, id: u64) -> Option<&mut HashMap<Ticker, Vec<Channel>>> {
        self.list.iter_mut().find(|listener| listener.id == id)?.subscriptions.as_mut()
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
        self.send_where(|_| true, |_| vec![frame.clone()])
    }

    /// Sends to one listener alone.
    pub fn send_to(&mut self, id: u64, text: &str) -> usize {
        self.send_where(|listener| listener.id == id, |_| vec![Utf8Bytes::from(text)])
    }

    /// Tells of a ticker to all who hear of it, in the words of their channels,
    /// and says how many do.
    pub fn tell(&mut self, ticker: &Ticker, words: impl Fn(Channel) -> String) -> usize {
        let mut said: Vec<(Channel, Utf8Bytes)> = Vec::new();
        let mut word = |channel: Channel| match said.iter().find(|(known, _)| *known == channel) {
            Some((_, text)) => text.clone(),
            None => {
                let text = Utf8Bytes::from(words(channel));
                said.push((channel, text.clone()));
                text
            }
        };
        self.send_where(
            |listener| listener.hears_of(ticker),
            |listener| listener.channels_of(ticker).iter().map(|channel| word(*channel)).collect(),
        )
    }

    /// How many can be told of a ticker now. Those who could not take a frame
    /// any more are sent away.
    pub fn ready_for(&mut self, ticker: &Ticker) -> usize {
        let too_slow = &mut self.too_slow;
        self.list.retain(|listener| {
            let has_room = listener.channels_of(ticker).len() <= listener.frames.capacity();
            *too_slow += u64::from(!has_room);
            has_room
        });
        self.list.iter().filter(|listener| listener.hears_of(ticker) && !listener.frames.is_closed()).count()
    }

    fn send_where(
        &mut self,
        is_meant: impl Fn(&Listener) -> bool,
        mut frames: impl FnMut(&Listener) -> Vec<Utf8Bytes>,
    ) -> usize {
        let (mut heard_by, too_slow) = (0, &mut self.too_slow);
        self.list.retain(|listener| {
            if !is_meant(listener) {
                return true;
            }
            for frame in frames(listener) {
                match listener.frames.try_send(frame) {
                    Ok(()) => {}
                    Err(TrySendError::Full(_)) => {
                        *too_slow += 1;
                        return false;
                    }
                    Err(TrySendError::Closed(_)) => return false,
                }
            }
            heard_by += 1;
            true
        });
        heard_by
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

    /// Whether anyone hears of a ticker.
    pub fn hear_of(&self, ticker: &Ticker) -> bool {
        self.list.iter().any(|listener| listener.hears_of(ticker))
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
