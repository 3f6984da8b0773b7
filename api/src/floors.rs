//! How far consolidated figures were told, so that none goes back in time.
//!
//! The newest mark that all exchanges have rises while each of theirs does,
//! except when one comes back that was not waited for.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tape::{EpochMs, Ticker};

use crate::memory::TICKERS_KEPT;
use crate::parameters::MinState;

/// The newest marks told, by ticker and what was asked of it.
#[derive(Debug, Default)]
pub struct Floors(Mutex<HashMap<(Ticker, MinState), Floor>>);

#[derive(Debug, Clone, Copy)]
struct Floor {
    mark: EpochMs,
    /// When Postgres last had something as new.
    borne_out_at: Instant,
}

impl Floors {
    /// The newest mark that was told, where it is newer than the one there is
    /// now. It is held on to for `hold`: until then whoever came back has caught
    /// up; if Postgres still has nothing as new, it has lost it and is believed.
    pub fn above(&self, ticker: &Ticker, of: MinState, mark: EpochMs, hold: Duration) -> Option<EpochMs> {
        let mut floors = self.0.lock().expect("nothing panics while holding it");
        let key = (ticker.clone(), of);
        let floor = floors.get(&key).filter(|floor| mark < floor.mark)?;
        if floor.borne_out_at.elapsed() < hold {
            return Some(floor.mark);
        }
        floors.remove(&key);
        None
    }

    /// Notes that a mark which Postgres has is told.
    pub fn told(&self, ticker: &Ticker, of: MinState, mark: EpochMs) {
        let mut floors = self.0.lock().expect("nothing panics while holding it");
        let key = (ticker.clone(), of);
        let has_room = floors.len() < 2 * TICKERS_KEPT;
        if has_room || floors.contains_key(&key) {
            let floor = floors.entry(key).or_insert(Floor { mark, borne_out_at: Instant::now() });
            if floor.mark <= mark {
                *floor = Floor { mark, borne_out_at: Instant::now() };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    #[test]
    fn what_was_told_is_not_gone_behind_for_a_while_and_then_postgres_is_believed() {
        let (floors, ticker) = (Floors::default(), Ticker::new("BTC").expect("a name"));
        let at = |ms| EpochMs::new(ms);
        let above = |of, mark, hold| floors.above(&ticker, of, at(mark), hold);
        assert_eq!(above(MinState::Provisional, 1_000, LONG), None);

        floors.told(&ticker, MinState::Provisional, at(5_000));
        floors.told(&ticker, MinState::Provisional, at(4_000));

        assert_eq!(above(MinState::Provisional, 4_999, LONG), Some(at(5_000)));
        assert_eq!(above(MinState::Provisional, 5_000, LONG), None);
        assert_eq!(above(MinState::Final, 1_000, LONG), None, "that is another question");
        assert_eq!(above(MinState::Provisional, 4_000, Duration::ZERO), None);
        assert_eq!(above(MinState::Provisional, 3_000, LONG), None, "it is given up for good");
    }
}
