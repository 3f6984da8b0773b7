//! Where this crate gets the wall clock's time from: whoever calls it.

use std::sync::Arc;

use tape::EpochMs;

/// Tells the present by our clock.
pub type Clock = Arc<dyn Fn() -> EpochMs + Send + Sync>;
