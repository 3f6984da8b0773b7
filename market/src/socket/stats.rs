//! What happened on a socket so far, for metrics and health.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed};

use tape::{EpochMs, RejectionKind};

/// Why a connection ended, or was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disconnect {
    /// It could not be made, or not in time.
    Unreachable,
    /// The market said goodbye.
    Closed,
    /// It broke.
    Cut,
    /// Nothing came any more, not even pings.
    Silent,
    /// It was alive, but brought no trades.
    NoTrades,
    /// A message was over the limit.
    Oversized,
    /// What came was not WebSocket.
    Garbled,
    /// It is replaced by another.
    Planned,
    /// We wanted to stop.
    Stopped,
}

impl Disconnect {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 9] = [
        Self::Unreachable,
        Self::Closed,
        Self::Cut,
        Self::Silent,
        Self::NoTrades,
        Self::Oversized,
        Self::Garbled,
        Self::Planned,
        Self::Stopped,
    ];

    /// The reason's name in counters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Closed => "closed",
            Self::Cut => "cut",
            Self::Silent => "silent",
            Self::NoTrades => "no_trades",
            Self::Oversized => "oversized",
            Self::Garbled => "garbled",
            Self::Planned => "planned",
            Self::Stopped => "stopped",
        }
    }
}

impl std::fmt::Display for Disconnect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counters of one socket, shared between the one who listens and those who watch.
#[derive(Debug, Default)]
pub struct SocketStats {
    frames: AtomicU64,
    trades: AtomicU64,
    rejected: [AtomicU64; RejectionKind::ALL.len()],
    dropped: AtomicU64,
    connects: AtomicU64,
    disconnects: [AtomicU64; Disconnect::ALL.len()],
    is_connected: AtomicBool,
    // Epoch milliseconds; 0 while there was none.
    last_frame_at: AtomicI64,
    last_trade_at: AtomicI64,
}

impl SocketStats {
    /// Text and binary frames received.
    pub fn frames(&self) -> u64 {
        self.frames.load(Relaxed)
    }

    /// Trades heard, whether there was room for them or not.
    pub fn trades(&self) -> u64 {
        self.trades.load(Relaxed)
    }

    /// What was refused here, by kind; times are judged elsewhere.
    pub fn rejected(&self, kind: RejectionKind) -> u64 {
        self.rejected[kind as usize].load(Relaxed)
    }

    /// What was heard but dropped, because the queue was full.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }

    /// Connections made.
    pub fn connects(&self) -> u64 {
        self.connects.load(Relaxed)
    }

    /// Connections lost or not made, by reason.
    pub fn disconnects(&self, reason: Disconnect) -> u64 {
        self.disconnects[reason as usize].load(Relaxed)
    }

    /// Whether there is a connection now.
    pub fn is_connected(&self) -> bool {
        self.is_connected.load(Relaxed)
    }

    /// When the last frame came, by our clock.
    pub fn last_frame_at(&self) -> Option<EpochMs> {
        instant(&self.last_frame_at)
    }

    /// When the last trade came, by our clock.
    pub fn last_trade_at(&self) -> Option<EpochMs> {
        instant(&self.last_trade_at)
    }

    pub(super) fn count_frame(&self, received_at: EpochMs) {
        self.frames.fetch_add(1, Relaxed);
        self.last_frame_at.store(received_at.ms(), Relaxed);
    }

    pub(super) fn count_trade(&self, received_at: EpochMs) {
        self.trades.fetch_add(1, Relaxed);
        self.last_trade_at.store(received_at.ms(), Relaxed);
    }

    pub(super) fn count_rejected(&self, kind: RejectionKind) {
        self.rejected[kind as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn count_dropped(&self) -> u64 {
        self.dropped.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn count_connect(&self) {
        self.connects.fetch_add(1, Relaxed);
        self.is_connected.store(true, Relaxed);
    }

    pub(super) fn count_disconnect(&self, reason: Disconnect) {
        self.disconnects[reason as usize].fetch_add(1, Relaxed);
        self.is_connected.store(false, Relaxed);
    }
}

fn instant(cell: &AtomicI64) -> Option<EpochMs> {
    match cell.load(Relaxed) {
        0 => None,
        ms => Some(EpochMs::new(ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_reason_has_a_counter_of_its_own() {
        let stats = SocketStats::default();
        for kind in RejectionKind::ALL {
            stats.count_rejected(kind);
        }
        for reason in Disconnect::ALL {
            stats.count_disconnect(reason);
        }

        assert!(RejectionKind::ALL.iter().all(|kind| stats.rejected(*kind) == 1));
        assert!(Disconnect::ALL.iter().all(|reason| stats.disconnects(*reason) == 1));
    }
}
