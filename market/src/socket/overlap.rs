//! A planned change of connection: the old one is heard until the new one
//! surely hears everything, and what both bring counts once.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use tape::{Ticker, Trade, TradeId};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{self, Message};

use super::session::Stream;
use crate::conversation::Conversation;

/// How long the old connection is heard beside the new one, once that is subscribed.
const BESIDE: Duration = Duration::from_secs(5);

/// How long what the old connection brought is remembered after its end.
const REMEMBERED: Duration = Duration::from_secs(5);

/// Trades remembered at most.
const TRADES_REMEMBERED: usize = 200_000;

/// A connection that is to be replaced.
pub(super) struct Predecessor {
    pub stream: Stream,
    pub conversation: Conversation,
}

/// Two connections at once, and what either brought.
#[derive(Default)]
pub(super) struct Overlap {
    old: Option<Predecessor>,
    /// When the old one is left, and when what it brought is forgotten.
    leave_at: Option<Instant>,
    forget_at: Option<Instant>,
    heard: HashSet<(Ticker, TradeId)>,
}

impl Overlap {
    /// Hears the old connection until further notice.
    pub fn beside(old: Predecessor) -> Self {
        Self { old: Some(old), ..Self::default() }
    }

    /// The new connection is subscribed: from now on the old one's time runs out.
    pub fn begins(&mut self, now: Instant) {
        if self.old.is_some() {
            self.leave_at = Some(now + BESIDE);
        }
    }

    /// When there is something to do next.
    pub fn due_at(&self) -> Option<Instant> {
        self.leave_at.into_iter().chain(self.forget_at).min()
    }

    /// Does what is due. Gives the old connection, when it is to be left.
    pub fn end_what_is_over(&mut self, now: Instant) -> Option<Stream> {
        if self.forget_at.is_some_and(|at| at <= now) {
            self.forget_at = None;
            self.heard = HashSet::new();
        }
        if self.leave_at.is_some_and(|at| at <= now) {
            return self.leave(now);
        }
        None
    }

    /// Leaves the old connection: it ended, or its time is over.
    pub fn leave(&mut self, now: Instant) -> Option<Stream> {
        self.leave_at = None;
        let old = self.old.take()?;
        self.forget_at = Some(now + REMEMBERED);
        Some(old.stream)
    }

    /// The new connection came to nothing: the old one, where it still is, is heard
    /// until further notice.
    pub fn going_on(self) -> Self {
        if self.old.is_some() { Self { leave_at: None, ..self } } else { Self::default() }
    }

    /// What the old connection brings; for ever nothing, where there is none.
    pub async fn next(&mut self) -> Option<tungstenite::Result<Message>> {
        match &mut self.old {
            Some(old) => old.stream.next().await,
            None => std::future::pending().await,
        }
    }

    /// What was agreed on the old connection.
    pub fn conversation(&mut self) -> Option<&mut Conversation> {
        self.old.as_mut().map(|old| &mut old.conversation)
    }

    /// Whether a trade was brought by the other connection before.
    pub fn is_known(&mut self, trade: &Trade) -> bool {
        let is_on = self.old.is_some() || self.forget_at.is_some();
        if !is_on || TRADES_REMEMBERED <= self.heard.len() {
            return false;
        }
        !self.heard.insert((trade.ticker.clone(), trade.id.clone()))
    }
}
