//! What a session's desk gets its work from: the bounded queue of the socket,
//! the answers of REST, and what was read again.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Waker};

use market::{Conversation, Market, Said, said};
use tape::{EpochMs, Heard, Ticker, TradeId};
use worker::engine::{Asked, Audited};

/// What waits.
#[derive(Default)]
pub struct Waiting {
    /// Heard and not written yet.
    pub said: VecDeque<Said>,
    /// Answered and not settled yet.
    pub asked: Vec<Asked>,
    /// Read again and not taken in yet.
    pub audited: Vec<Audited>,
    /// Frames that found the queue full.
    pub dropped: u64,
    waker: Option<Waker>,
}

/// The queues of one session.
pub struct Inbox {
    waiting: Mutex<Waiting>,
    queue_limit: usize,
    /// When the socket is connected, in the market's time.
    pub connects_at: i64,
    /// How far the worker's clock is from the market's.
    pub skew_ms: i64,
}

/// The sessions that listen.
pub type Sockets = Arc<Mutex<Vec<Weak<Inbox>>>>;

impl Inbox {
    /// Empty queues of a session.
    pub fn new(queue_limit: usize, connects_at: i64, skew_ms: i64) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), queue_limit, connects_at, skew_ms })
    }

    /// What waits.
    pub fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().expect("nothing panics while holding it")
    }

    /// Takes in a frame, through the decoder of production, as the socket does.
    pub fn hear(&self, frame: &str, now: i64) {
        let received_at = EpochMs::new(now + self.skew_ms);
        let mut waiting = self.waiting();
        Market::GENERIC.adapter().decode(frame, &mut Conversation::default(), &mut |decoded| {
            if self.queue_limit <= waiting.said.len() {
                waiting.dropped += 1;
                return;
            }
            waiting.said.push_back(match decoded {
                Ok(trade) => Said::Trade(Heard { trade, received_at, suspicion: None }),
                Err(refusal) => Said::Rejected {
                    rejection: refusal.rejection,
                    ticker: refusal.ticker,
                    frame: said::shortened(frame),
                    received_at,
                },
            });
        });
        waiting.wake();
    }

    /// Takes in an answer.
    pub fn answer(&self, asked: Asked) {
        let mut waiting = self.waiting();
        waiting.asked.push(asked);
        waiting.wake();
    }

    /// Takes in what was read again.
    pub fn audited(&self, audited: Audited) {
        let mut waiting = self.waiting();
        waiting.audited.push(audited);
        waiting.wake();
    }

    /// Whether a copy of a trade waits.
    pub fn has(&self, ticker: &Ticker, id: &TradeId) -> bool {
        self.waiting().said.iter().any(|said| matches!(said, Said::Trade(heard) if is_named(heard, ticker, id)))
    }
}

/// Whether what was heard is a copy of a trade.
pub fn is_named(heard: &Heard, ticker: &Ticker, id: &TradeId) -> bool {
    heard.trade.ticker == *ticker && heard.trade.id == *id
}

impl Waiting {
    /// Whoever waits is to be woken when something comes.
    pub fn wakes(&mut self, context: &Context<'_>) {
        self.waker = Some(context.waker().clone());
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
