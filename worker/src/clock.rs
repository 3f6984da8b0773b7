//! The only place that reads the wall clock. Everyone else is handed the instant.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tape::EpochMs;

use crate::config::MarketClock;

/// Our own time.
pub fn wall() -> EpochMs {
    EpochMs::new(chrono::Utc::now().timestamp_millis())
}

/// Our own time and the time that marks and the door follow.
#[derive(Clone)]
pub struct Clock {
    wall: Arc<dyn Fn() -> EpochMs + Send + Sync>,
    /// The latest present that REST reported, 0 until it has: what is followed
    /// instead of our own time when a market stands still.
    market: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The clock the configuration asks for.
    pub fn new(kind: MarketClock) -> Self {
        Self::reading(kind, wall)
    }

    /// A clock whose own time is read from elsewhere: a simulation owns its time.
    pub fn reading(kind: MarketClock, wall: impl Fn() -> EpochMs + Send + Sync + 'static) -> Self {
        let market = match kind {
            MarketClock::Wall => None,
            MarketClock::Market => Some(Arc::default()),
        };
        Self { wall: Arc::new(wall), market }
    }

    /// Our own time.
    pub fn wall(&self) -> EpochMs {
        (self.wall)()
    }

    /// The present that marks and the door follow, once there is one.
    pub fn now(&self) -> Option<EpochMs> {
        match &self.market {
            None => Some(self.wall()),
            Some(latest) => Some(latest.load(Ordering::Relaxed)).filter(|ms| *ms > 0).map(EpochMs::new),
        }
    }

    /// Takes notice of a present that REST reported.
    pub fn heard_of(&self, market_time: EpochMs) {
        if let Some(latest) = &self.market {
            latest.fetch_max(market_time.ms(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_that_stands_still_holds_the_marks_with_it() {
        let clock = Clock::new(MarketClock::Market);
        assert_eq!(clock.now(), None);

        clock.heard_of(EpochMs::new(5_000));
        clock.heard_of(EpochMs::new(4_000));

        assert_eq!(clock.now(), Some(EpochMs::new(5_000)));
    }
}
