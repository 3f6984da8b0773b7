//! How much of everything an answer of REST may take.

use std::num::NonZeroU32;
use std::time::Duration;

use super::client::nonzero;
use crate::Market;

/// The limits under which a market is asked.
#[derive(Debug, Clone)]
pub struct RestSettings {
    /// How many rows make a page full. What the market says.
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
    /// What may be spent in a second, all tickers together, in the market's own count; a
    /// question of the generic market weighs 1.
    pub weight_per_second: NonZeroU32,
    /// What may be spent at once after a rest.
    pub burst: NonZeroU32,
    /// How long to wait between two questions about one ticker.
    pub pause_between: Duration,
    /// How long to wait for a market to notice what it left out. 1 s.
    pub second_thoughts: Duration,
    /// How long one request waits for its turn before it gives way to whatever else
    /// its asker has to do. 30 s; 5 min where tickers queue for a scarce budget.
    pub longest_turn: Duration,
    /// How long everyone stays away when asked too often, without being told for how long.
    pub pause: Duration,
    /// The longest that being told to stay away is heeded.
    pub longest_pause: Duration,
}

impl RestSettings {
    /// The defaults for a market.
    pub fn new(market: Market) -> Self {
        let terms = market.adapter().rest_terms();
        Self {
            page_limit: terms.page_limit,
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(10),
            body_limit: 8 * 1024 * 1024,
            allowed_skew: Duration::from_secs(1),
            weight_per_second: nonzero(terms.weight_per_second),
            burst: nonzero(terms.weight_per_second.max(terms.page_weight)),
            pause_between: terms.pause_between,
            second_thoughts: Duration::from_secs(1),
            longest_turn: Duration::from_secs(if terms.weight_per_second < 100 { 300 } else { 30 }),
            pause: terms.pause,
            longest_pause: terms.longest_pause,
        }
    }

    /// The same at another rate: what is spent at once stays one second's worth,
    /// but never less than a page takes.
    pub fn at_rate(self, market: Market, weight_per_second: NonZeroU32) -> Self {
        let burst = weight_per_second.max(nonzero(market.adapter().rest_terms().page_weight));
        Self { weight_per_second, burst, ..self }
    }

    /// The allowed skew in milliseconds.
    pub(super) fn allowed_skew_ms(&self) -> i64 {
        i64::try_from(self.allowed_skew.as_millis()).unwrap_or(i64::MAX)
    }
}
