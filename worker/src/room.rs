//! How many rows of REST are held and not settled yet, of all tickers together:
//! what memory takes while a market is read that is far ahead of the tables.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// No ticker reads ahead while so many are held.
const ROWS_AHEAD: usize = 40_000;

/// No ticker asks at all while so many are held. More, so that who follows a
/// market live need not wait for those that catch up.
const ROWS_AT_ALL: usize = 60_000;

/// The room all tickers share.
#[derive(Debug, Clone, Default)]
pub struct Room(Arc<AtomicUsize>);

impl Room {
    /// Whether a page may be asked for that is settled next.
    pub fn is_left(&self) -> bool {
        self.0.load(Ordering::Relaxed) < ROWS_AT_ALL
    }

    /// Whether a page may be asked for that others are settled before.
    pub fn is_left_ahead(&self) -> bool {
        self.0.load(Ordering::Relaxed) < ROWS_AHEAD
    }

    /// Nothing held yet.
    pub fn take_none(&self) -> Taken {
        Taken { room: self.clone(), rows: 0 }
    }
}

/// Rows that are held as long as this is.
#[derive(Debug)]
pub struct Taken {
    room: Room,
    rows: usize,
}

impl Taken {
    /// Adds rows.
    pub fn add(&mut self, rows: usize) {
        self.rows += rows;
        self.room.0.fetch_add(rows, Ordering::Relaxed);
    }

    /// Hands all of it over; what is added from now on is held by this.
    #[must_use]
    pub fn hand_over(&mut self) -> Self {
        let room = self.room.clone();
        Self { room, rows: std::mem::take(&mut self.rows) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.rows, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_take_room_from_everybody_until_whoever_holds_them_is_done() {
        let room = Room::default();
        let (mut one, mut other) = (room.take_none(), room.take_none());
        one.add(ROWS_AHEAD - 1);
        assert!(room.is_left_ahead());
        other.add(1);
        assert!(!room.is_left_ahead() && room.is_left());

        let settling = one.hand_over();
        one.add(ROWS_AHEAD);
        assert!(!room.is_left());

        drop(settling);
        assert!(room.is_left() && !room.is_left_ahead());
        drop(one);
        assert!(room.is_left_ahead());
        drop(other);
        assert_eq!(room.0.load(Ordering::Relaxed), 0);
    }
}
