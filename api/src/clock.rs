//! The only place that reads the wall clock. Everyone else is handed the instant.

use tape::EpochMs;

/// What tells the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Our own clock.
    Wall,
    /// A clock that stands still, so that an answer can be told beforehand.
    StandingAt(EpochMs),
}

impl Clock {
    /// The present.
    pub fn now(self) -> EpochMs {
        match self {
            Self::Wall => EpochMs::new(chrono::Utc::now().timestamp_millis()),
            Self::StandingAt(instant) => instant,
        }
    }
}
