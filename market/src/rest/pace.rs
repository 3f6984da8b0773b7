//! How soon after one question about a ticker the next may follow, whoever asks it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tape::Ticker;
use tokio::time::{Instant, sleep_until};

/// Tickers remembered before those are forgotten that need not wait any more.
const TICKERS_REMEMBERED: usize = 4_096;

/// When each ticker may be asked about again.
#[derive(Debug)]
pub(super) struct Pace {
    pause: Duration,
    next_at: Mutex<HashMap<Ticker, Instant>>,
}

impl Pace {
    /// So long between two questions about one ticker.
    pub fn new(pause: Duration) -> Self {
        Self { pause, next_at: Mutex::default() }
    }

    /// Waits until the ticker may be asked about. A wait that is dropped keeps its place.
    pub async fn turn(&self, ticker: &Ticker) {
        if self.pause.is_zero() {
            return;
        }
        sleep_until(self.place(ticker, Instant::now())).await;
    }

    fn place(&self, ticker: &Ticker, now: Instant) -> Instant {
        let mut next_at = self.next_at.lock().unwrap_or_else(PoisonError::into_inner);
        if TICKERS_REMEMBERED <= next_at.len() {
            next_at.retain(|_, at| now < *at);
        }
        let at = next_at.get(ticker).copied().unwrap_or(now).max(now);
        next_at.insert(ticker.clone(), at + self.pause);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticker(name: &str) -> Ticker {
        Ticker::new(name).expect("ticker")
    }

    #[test]
    fn questions_about_one_ticker_stand_in_line_and_those_about_another_do_not() {
        let (pace, now) = (Pace::new(Duration::from_secs(1)), Instant::now());
        let place = |name: &str, after: u64| pace.place(&ticker(name), now + Duration::from_millis(after)) - now;

        assert_eq!(place("BTC/USD", 0), Duration::ZERO);
        assert_eq!(place("BTC/USD", 100), Duration::from_secs(1));
        assert_eq!(place("ETH/USD", 100), Duration::from_millis(100));
        assert_eq!(place("BTC/USD", 100), Duration::from_secs(2));
        assert_eq!(place("BTC/USD", 9_000), Duration::from_secs(9), "one who comes later need not wait");
    }

    #[test]
    fn only_so_many_tickers_are_remembered() {
        let (pace, now) = (Pace::new(Duration::from_secs(1)), Instant::now());
        for number in 0..2 * TICKERS_REMEMBERED {
            pace.place(&ticker(&format!("T{number}")), now + Duration::from_secs(2 * number as u64));
        }

        assert!(pace.next_at.lock().expect("nobody panicked").len() <= TICKERS_REMEMBERED);
    }
}
