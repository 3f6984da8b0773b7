//! How REST behaves: what each request gets, by configuration, by chance, and
//! by command at run time. It decides; the handler acts.

use std::collections::VecDeque;
use std::time::Duration;

use rand::RngExt;

use crate::chance;
use crate::config::RestConfig;
use crate::dialect::Dialect;

/// How long an answer takes while REST is told to be slow.
pub const SLOW: Duration = Duration::from_secs(3);

/// What REST is told to do at run time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestMode {
    /// What the configuration says.
    Ok,
    /// Fail in every way in turn.
    Fail,
    /// Answer with an HTML page.
    Html,
    /// Answer with 429.
    RateLimit,
    /// Never answer.
    Hang,
    /// Take [`SLOW`] for an answer.
    Slow,
    /// Answer with an error that the spoken dialect knows by name.
    Error(&'static str),
}

impl RestMode {
    /// Every mode of every dialect.
    pub const ALL: [Self; 6] = [Self::Ok, Self::Fail, Self::Html, Self::RateLimit, Self::Hang, Self::Slow];

    /// The mode's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Html => "html",
            Self::RateLimit => "rate_limit",
            Self::Hang => "hang",
            Self::Slow => "slow",
            Self::Error(name) => name,
        }
    }

    /// The mode of a name.
    pub fn parse(name: &str, dialect: Dialect) -> Option<Self> {
        let errors = dialect.errors().iter().copied().map(Self::Error);
        Self::ALL.into_iter().chain(errors).find(|mode| mode.as_str() == name)
    }
}

/// What one request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The truth.
    Answer,
    /// A failure.
    Fail(Failure),
    /// 429.
    RateLimited,
    /// An error of the dialect's own.
    Error(&'static str),
    /// Nothing, ever.
    Hang,
}

/// The ways to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// 500 with a JSON error.
    Internal,
    /// 503 with `Retry-After`.
    Unavailable,
    /// 200 with an HTML page.
    Html,
    /// 200 with the beginning of the true answer.
    CutOff,
}

impl Failure {
    const IN_TURN: [Self; 4] = [Self::Internal, Self::Unavailable, Self::Html, Self::CutOff];
}

/// How many requests REST was asked and what they got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct RestCounts {
    /// Requests that came.
    pub asked: u64,
    /// Answered with the truth, or with why the question was wrong.
    pub answered: u64,
    /// Failed.
    pub failed: u64,
    /// Refused for coming too often.
    pub limited: u64,
    /// Left without an answer.
    pub hung: u64,
}

/// How REST behaves at the moment.
#[derive(Debug)]
pub struct RestMood {
    config: RestConfig,
    seed: u64,
    told: Option<(RestMode, Option<i64>)>,
    recent: VecDeque<i64>,
    counts: RestCounts,
}

impl RestMood {
    /// The configured behavior.
    pub fn new(config: RestConfig, seed: u64) -> Self {
        Self { config, seed, told: None, recent: VecDeque::new(), counts: RestCounts::default() }
    }

    /// Tells REST what to do until an instant, or until told otherwise.
    pub fn tell(&mut self, mode: RestMode, until_ms: Option<i64>) {
        self.told = (mode != RestMode::Ok).then_some((mode, until_ms));
    }

    /// What it is told to do now.
    pub fn mode(&self, now_ms: i64) -> RestMode {
        match self.told {
            Some((mode, until_ms)) if until_ms.is_none_or(|until| now_ms < until) => mode,
            _ => RestMode::Ok,
        }
    }

    /// What the next request gets, and after how long.
    pub fn treat(&mut self, now_ms: i64) -> (Duration, Treatment) {
        self.counts.asked += 1;
        let mode = self.mode(now_ms);
        let latency = if mode == RestMode::Slow { SLOW } else { self.config.latency };
        let treatment = self.treatment(mode, now_ms);
        match treatment {
            Treatment::Answer => self.counts.answered += 1,
            Treatment::Fail(_) | Treatment::Error(_) => self.counts.failed += 1,
            Treatment::RateLimited => self.counts.limited += 1,
            Treatment::Hang => self.counts.hung += 1,
        }
        (latency, treatment)
    }

    /// What the requests so far got.
    pub fn counts(&self) -> RestCounts {
        self.counts
    }

    fn treatment(&mut self, mode: RestMode, now_ms: i64) -> Treatment {
        if mode == RestMode::RateLimit || self.is_over_limit(now_ms) {
            return Treatment::RateLimited;
        }
        match mode {
            RestMode::Fail => Treatment::Fail(self.next_failure()),
            RestMode::Html => Treatment::Fail(Failure::Html),
            RestMode::Hang => Treatment::Hang,
            RestMode::Slow => Treatment::Answer,
            RestMode::Error(name) => Treatment::Error(name),
            RestMode::Ok | RestMode::RateLimit => {
                let mut rng = chance::stream(self.seed, &[b"rest", &self.counts.asked.to_le_bytes()]);
                let roll: f64 = rng.random();
                if roll < self.config.hang {
                    Treatment::Hang
                } else if roll < self.config.hang + self.config.fail {
                    Treatment::Fail(self.next_failure())
                } else {
                    Treatment::Answer
                }
            }
        }
    }

    fn next_failure(&self) -> Failure {
        Failure::IN_TURN[self.counts.failed as usize % Failure::IN_TURN.len()]
    }

    fn is_over_limit(&mut self, now_ms: i64) -> bool {
        let Some(limit) = self.config.rate_limit else {
            return false;
        };
        while self.recent.front().is_some_and(|at| *at <= now_ms - 1_000) {
            self.recent.pop_front();
        }
        if self.recent.len() >= limit.get() as usize {
            return true;
        }
        self.recent.push_back(now_ms);
        false
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn mood(config: RestConfig) -> RestMood {
        RestMood::new(config, 7)
    }

    #[test]
    fn it_fails_in_every_way_in_turn_while_told_to_and_then_recovers() {
        let mut mood = mood(RestConfig::default());
        mood.tell(RestMode::Fail, Some(1_000));

        let failures = Failure::IN_TURN.map(Treatment::Fail);
        let got: Vec<_> = (0..5).map(|_| mood.treat(999).1).collect();
        assert_eq!(got, [&failures[..], &failures[..1]].concat());
        assert_eq!(mood.treat(1_000).1, Treatment::Answer);
        assert_eq!(mood.counts(), RestCounts { asked: 6, answered: 1, failed: 5, limited: 0, hung: 0 });
    }

    #[test]
    fn it_answers_so_many_requests_a_second() {
        let mut mood = mood(RestConfig { rate_limit: NonZeroU32::new(2), ..RestConfig::default() });
        let answered: Vec<_> = [0, 10, 20, 999, 1_000, 1_005, 1_010]
            .into_iter()
            .map(|now_ms| mood.treat(now_ms).1 == Treatment::Answer)
            .collect();

        assert_eq!(answered, [true, true, false, false, true, false, true]);
    }

    #[test]
    fn the_rates_of_failing_and_hanging_are_kept_and_repeat_with_the_seed() {
        let config = RestConfig { fail: 0.3, hang: 0.1, ..RestConfig::default() };
        let run = || {
            let mut mood = mood(config.clone());
            for _ in 0..2_000 {
                mood.treat(0);
            }
            mood.counts()
        };

        let counts = run();
        assert!((500..700).contains(&counts.failed) && (140..260).contains(&counts.hung), "{counts:?}");
        assert_eq!(counts, run());
    }

    #[test]
    fn a_command_without_an_end_lasts_until_the_next_one() {
        let mut mood = mood(RestConfig::default());
        mood.tell(RestMode::Slow, None);
        assert_eq!(mood.treat(i64::MAX), (SLOW, Treatment::Answer));
        mood.tell(RestMode::Ok, None);
        assert_eq!(mood.treat(0), (Duration::ZERO, Treatment::Answer));
    }
}
