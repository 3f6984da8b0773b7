//! The only place that reads the wall clock. Everyone else is handed the instant.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tape::EpochMs;

use crate::config::MarketClock;

/// Our own time.
pub fn wall() -> EpochMs {
    EpochMs::new(chrono::Utc::now().timestamp_millis())
}

/// The time that marks and the door follow.
#[derive(Debug, Clone)]
pub enum Clock {
    /// Our own.
    Wall,
    /// The latest present that REST reported; 0 until it has.
    Market(Arc<AtomicI64>),
}

impl Clock {
    /// The clock the configuration asks for.
    pub fn new(kind: MarketClock) -> Self {
        match kind {
            MarketClock::Wall => Self::Wall,
            MarketClock::Market => Self::Market(Arc::default()),
        }
    }

    /// The present, once there is one.
    pub fn now(&self) -> Option<EpochMs> {
        match self {
            Self::Wall => Some(wall()),
            Self::Market(latest) => Some(latest.load(Ordering::Relaxed)).filter(|ms| *ms > 0).map(EpochMs::new),
        }
    }

    /// Takes notice of a present that REST reported.
    pub fn heard_of(&self, market_time: EpochMs) {
        if let Self::Market(latest) = self {
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
