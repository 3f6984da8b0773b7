//! How much of everything an answer of REST may take.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::Market;

/// The limits under which a market is asked.
#[derive(Debug, Clone)]
pub struct RestSettings {
    /// How many rows make a page full. What the market says; 100 for the generic one.
    pub page_limit: usize,
    /// How long connecting may take. 3 s.
    pub connect_timeout: Duration,
    /// How long the answer may pause. 5 s.
    pub read_timeout: Duration,
    /// How long all of it may take. 10 s.
    pub total_timeout: Duration,
    /// How large an answer may be, in bytes. 8 MiB.
    pub body_limit: usize,
    /// How far the market's clock and ours may be apart. 1 s.
    pub allowed_skew: Duration,
    /// How often the market is asked, all tickers together. 100 a second.
    pub requests_per_second: NonZeroU32,
    /// How many requests may be made at once after a rest. 20.
    pub burst: NonZeroU32,
    /// How long one request waits for its turn before it gives way to whatever else
    /// its asker has to do. 30 s.
    pub longest_turn: Duration,
    /// How long everyone stays away when asked too often, without being told for how long. 1 s.
    pub pause: Duration,
    /// The longest that being told to stay away is heeded. 5 min.
    pub longest_pause: Duration,
}

impl RestSettings {
    /// The defaults for a market.
    pub fn new(market: Market) -> Self {
        Self {
            page_limit: market.page_limit(),
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(10),
            body_limit: 8 * 1024 * 1024,
            allowed_skew: Duration::from_secs(1),
            requests_per_second: NonZeroU32::new(100).expect("100 is not zero"),
            burst: NonZeroU32::new(20).expect("20 is not zero"),
            longest_turn: Duration::from_secs(30),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
        }
    }

    /// The allowed skew in milliseconds.
    pub(super) fn allowed_skew_ms(&self) -> i64 {
        i64::try_from(self.allowed_skew.as_millis()).unwrap_or(i64::MAX)
    }
}
