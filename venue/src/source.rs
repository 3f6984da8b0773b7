//! Where a market's trades come from: nowhere, a generator, or a recorded tape
//! replayed with its times moved to the present.

use std::collections::VecDeque;

use tape::EpochMs;

use crate::config::Speed;
use crate::generator::Generator;
use crate::making::{Made, Making};
use crate::true_trade::TrueTrade;

/// What makes trades happen.
#[derive(Debug)]
pub enum Source {
    /// Nothing does, except by hand.
    Silent,
    /// A generated market.
    Generated(Generator),
    /// A recorded tape.
    Replay(Replay),
}

/// A recorded tape that happens again.
#[derive(Debug)]
pub struct Replay {
    trades: VecDeque<Made>,
    first_at: EpochMs,
    starts_at: EpochMs,
    speed: Speed,
}

impl Replay {
    /// A replay of trades in time order, whose first one is made at `starts_at`.
    pub fn new(trades: Vec<TrueTrade>, starts_at: EpochMs, speed: Speed) -> Self {
        let made = Making::default().make(0, trades);
        Self::of(made, starts_at, speed)
    }

    /// A replay of trades in the order in which they were made.
    pub fn of(trades: Vec<Made>, starts_at: EpochMs, speed: Speed) -> Self {
        let first_at = trades.first().map_or(starts_at, |made| made.at);
        Self { trades: trades.into(), first_at, starts_at, speed }
    }

    /// When a trade of the tape happens again; none when that depends on the listeners.
    fn planned_at(&self, made: &Made) -> Option<EpochMs> {
        match self.speed {
            Speed::Times(times) => {
                let since_first = made.at.ms_since(self.first_at);
                Some(self.starts_at.plus_ms(since_first / i64::from(times.get())))
            }
            Speed::Max => None,
        }
    }

    fn next_at(&self) -> Option<EpochMs> {
        self.trades.front().and_then(|made| self.planned_at(made))
    }

    fn due(&mut self, now: EpochMs) -> Option<TrueTrade> {
        let planned_at = self.next_at().filter(|planned_at| *planned_at <= now)?;
        self.trades.pop_front().map(|made| made.happening_at(planned_at))
    }

    /// The next trades, at least one and about `count`, as if made now: trades of one
    /// millisecond stay together.
    fn take(&mut self, count: usize, now: EpochMs) -> Vec<TrueTrade> {
        let (mut taken, mut last) = (Vec::new(), None);
        while let Some(next) = self.trades.front() {
            if taken.len() >= count && last != Some(next.at) {
                break;
            }
            last = Some(next.at);
            taken.extend(self.trades.pop_front().map(|made| made.happening_at(now)));
        }
        taken
    }
}

impl Source {
    /// The next trade, if it was made by now.
    pub fn due(&mut self, now: EpochMs) -> Option<TrueTrade> {
        match self {
            Self::Silent => None,
            Self::Generated(generator) => generator.due(now),
            Self::Replay(replay) => replay.due(now),
        }
    }

    /// When there may next be a trade, if time alone brings it.
    pub fn next_at(&self) -> Option<EpochMs> {
        match self {
            Self::Silent => None,
            Self::Generated(generator) => Some(generator.next_at()),
            Self::Replay(replay) => replay.next_at(),
        }
    }

    /// Whether trades come as fast as they are taken.
    pub fn is_paced_by_listeners(&self) -> bool {
        matches!(self, Self::Replay(replay) if replay.speed == Speed::Max && !replay.trades.is_empty())
    }

    /// About `count` trades of a replay that is paced by its listeners, as if made now.
    pub fn take(&mut self, count: usize, now: EpochMs) -> Vec<TrueTrade> {
        match self {
            Self::Replay(replay) => replay.take(count, now),
            Self::Silent | Self::Generated(_) => Vec::new(),
        }
    }

    /// How many trades are still to come, where that is known.
    pub fn remaining(&self) -> Option<usize> {
        match self {
            Self::Silent => Some(0),
            Self::Generated(_) => None,
            Self::Replay(replay) => Some(replay.trades.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(speed: Speed) -> Source {
        let trade = |id: &str, ts| TrueTrade::new("BTC", ts, "1", "1", id).expect("a trade");
        let trades = vec![trade("a", 100), trade("b", 1_100), trade("c", 1_100), trade("d", 3_100)];
        Source::Replay(Replay::new(trades, EpochMs::new(50_000), speed))
    }

    fn times(source: &mut Source, now: i64) -> Vec<i64> {
        std::iter::from_fn(|| source.due(EpochMs::new(now))).map(|trade| trade.traded_at.ms()).collect()
    }

    #[test]
    fn a_replay_keeps_the_distances_of_the_tape_and_its_ties() {
        let mut source = replay(Speed::times(1).expect("a speed"));

        assert_eq!(times(&mut source, 51_000), [50_000, 51_000, 51_000]);
        assert_eq!(source.next_at(), Some(EpochMs::new(53_000)));
        assert_eq!(times(&mut source, 60_000), [53_000]);
        assert_eq!((source.next_at(), source.remaining()), (None, Some(0)));
    }

    #[test]
    fn a_faster_replay_shortens_them() {
        assert_eq!(times(&mut replay(Speed::times(10).expect("a speed")), 60_000), [50_000, 50_100, 50_100, 50_300]);
    }

    #[test]
    fn a_replay_paced_by_its_listeners_never_parts_a_millisecond() {
        let mut source = replay(Speed::Max);

        assert_eq!(source.due(EpochMs::MAX), None);
        assert!(source.is_paced_by_listeners());
        assert_eq!(source.take(2, EpochMs::new(9)).len(), 3);
        assert_eq!(source.take(2, EpochMs::new(9)).len(), 1);
        assert!(!source.is_paced_by_listeners());
    }
}
