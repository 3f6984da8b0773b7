//! The one place that reads the wall clock.

use tape::EpochMs;

/// Now, in epoch milliseconds.
pub fn now() -> EpochMs {
    EpochMs::new(chrono::Utc::now().timestamp_millis())
}
