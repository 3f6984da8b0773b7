//! What is done to whom and when: a function of the seed and the time alone.
//!
//! Every blow is dealt to every process in turn, from decks shuffled anew, so
//! that nobody is spared by chance; a process suffers one blow at a time.

use std::time::Duration;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How many workers there are: one leads, the other waits to take over.
pub const WORKERS: usize = 2;

/// A process of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Actor {
    /// The database, all its processes together.
    Postgres,
    /// The practice market.
    Venue,
    /// One of the workers.
    Worker(usize),
    /// The api.
    Api,
}

/// What can be done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Blow {
    /// It ends without a word, and is started again after a while.
    Kill,
    /// It stands still for a while.
    Pause,
    /// It is told to end, and started again when it has.
    Restart,
}

/// How REST behaves for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RestMode(pub &'static str);

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// To a process.
    Strike(Actor, Blow),
    /// To the market's REST channel.
    Rest(RestMode),
    /// The market's socket says nothing for a while.
    Silence,
    /// The market's socket ends every connection.
    Cut,
}

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// When, after the beginning of the storm.
    pub after: Duration,
    /// What.
    pub act: Act,
    /// How long its effect is to last.
    pub lasts: Duration,
}

impl Actor {
    /// Every process.
    pub const ALL: [Self; WORKERS + 3] = [Self::Postgres, Self::Venue, Self::Worker(1), Self::Worker(2), Self::Api];

    /// Its name.
    pub fn name(self) -> String {
        match self {
            Self::Postgres => "postgres".to_owned(),
            Self::Venue => "venue".to_owned(),
            Self::Worker(number) => format!("worker-{number}"),
            Self::Api => "api".to_owned(),
        }
    }
}

impl Blow {
    /// Every blow.
    pub const ALL: [Self; 3] = [Self::Kill, Self::Pause, Self::Restart];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Pause => "pause",
            Self::Restart => "restart",
        }
    }
}

/// The ways REST misbehaves.
const REST_MODES: [RestMode; 5] =
    [RestMode("fail"), RestMode("html"), RestMode("rate_limit"), RestMode("hang"), RestMode("slow")];

/// Between two blows, in milliseconds.
const PACE_MS: std::ops::Range<u64> = 1_200..3_600;

/// Between two troubles of the market's channels, in milliseconds.
const TROUBLE_PACE_MS: std::ops::Range<u64> = 3_000..7_000;

/// What a process needs to come back before it is struck again.
const RECOVERY_MS: u64 = 1_500;

/// The first seconds and the last are spared: what was done in them must have
/// been found to the last one.
pub fn spared(length: Duration) -> (Duration, Duration) {
    let calm_ms = (milliseconds(length) / 6).min(6_000);
    (Duration::from_millis(calm_ms), Duration::from_millis(calm_ms * 3 / 2))
}

/// Everything that is done in a storm of this length, in order.
pub fn plan(seed: u64, length: Duration) -> Vec<Planned> {
    let mut planned = blows(seed, length);
    planned.extend(troubles(seed, length));
    planned.sort_by_key(|planned| planned.after);
    planned
}

fn blows(seed: u64, length: Duration) -> Vec<Planned> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (begin, end) = spared(length);
    let end_ms = milliseconds(length.saturating_sub(end));
    let mut at_ms = milliseconds(begin);
    let mut deck: Vec<(Actor, Blow)> = Vec::new();
    let mut free_at_ms = std::collections::BTreeMap::new();
    let mut planned = Vec::new();
    loop {
        if deck.is_empty() {
            deck = Actor::ALL.into_iter().flat_map(|actor| Blow::ALL.map(|blow| (actor, blow))).collect();
            deck.shuffle(&mut rng);
        }
        let lasts_ms = rng.random_range(200..=3_000);
        if end_ms < at_ms + lasts_ms {
            return planned;
        }
        let is_free = |actor: &Actor| free_at_ms.get(actor).is_none_or(|free_at_ms| *free_at_ms <= at_ms);
        if let Some(next) = deck.iter().rposition(|(actor, _)| is_free(actor)) {
            let (actor, blow) = deck.remove(next);
            free_at_ms.insert(actor, at_ms + lasts_ms + RECOVERY_MS);
            planned.push(Planned {
                after: Duration::from_millis(at_ms),
                act: Act::Strike(actor, blow),
                lasts: Duration::from_millis(lasts_ms),
            });
        }
        at_ms += rng.random_range(PACE_MS);
    }
}

fn troubles(seed: u64, length: Duration) -> Vec<Planned> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x7472_6f75_626c_6573);
    let (begin, end) = spared(length);
    let end_ms = milliseconds(length.saturating_sub(end));
    let mut at_ms = milliseconds(begin);
    let mut deck = Vec::new();
    let mut planned = Vec::new();
    loop {
        if deck.is_empty() {
            deck = REST_MODES.map(Act::Rest).to_vec();
            deck.extend([Act::Silence, Act::Cut]);
            deck.shuffle(&mut rng);
        }
        let lasts_ms = rng.random_range(500..=3_000);
        if end_ms < at_ms + lasts_ms {
            return planned;
        }
        planned.extend(deck.pop().map(|act| Planned {
            after: Duration::from_millis(at_ms),
            act,
            lasts: Duration::from_millis(lasts_ms),
        }));
        at_ms += rng.random_range(TROUBLE_PACE_MS);
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn one_seed_makes_one_plan_and_another_seed_another() {
        assert_eq!(plan(7, MINUTE), plan(7, MINUTE));
        assert_ne!(plan(7, MINUTE), plan(8, MINUTE));
    }

    #[test]
    fn within_a_minute_every_process_suffers_every_blow_and_every_channel_every_trouble() {
        for seed in 0..200 {
            let planned = plan(seed, MINUTE);
            let strikes: BTreeSet<_> = planned.iter().filter_map(strike).collect();
            assert_eq!(strikes.len(), Actor::ALL.len() * Blow::ALL.len(), "seed {seed}");
            let troubles = planned.iter().filter(|planned| strike(planned).is_none());
            assert!(troubles.count() >= 7, "seed {seed}");
        }
    }

    fn strike(planned: &Planned) -> Option<(Actor, Blow)> {
        match planned.act {
            Act::Strike(actor, blow) => Some((actor, blow)),
            Act::Rest(_) | Act::Silence | Act::Cut => None,
        }
    }

    #[test]
    fn nothing_is_done_in_the_first_seconds_and_the_last_and_nobody_is_struck_while_down() {
        for (seed, seconds) in (0..100).flat_map(|seed| [5, 20, 60, 600].map(|seconds| (seed, seconds))) {
            let length = Duration::from_secs(seconds);
            let (begin, end) = spared(length);
            let mut free_at = BTreeMap::new();
            for planned in plan(seed, length) {
                assert!(begin <= planned.after && planned.after + planned.lasts <= length - end);
                if let Some((actor, _)) = strike(&planned) {
                    let free_at = free_at.insert(actor, planned.after + planned.lasts);
                    assert!(free_at.is_none_or(|free_at| free_at < planned.after));
                }
            }
        }
    }
}
