//! Who is heard: what is used up, and who is banned for asking on in spite of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tape::EpochMs;

use super::Dialect;
use super::manners::Manners;
use super::question::{Question, Refused};
use super::quota::{Charge, Meter};

/// The paths that are counted by themselves.
const MOST_PATHS: usize = 1_000;

/// How long a refusal is remembered against its asker.
const GRUDGE_MS: i64 = 60_000;

/// How long a refusal takes to reach everybody: what was asked meanwhile was asked in good faith.
const IN_GOOD_FAITH_MS: i64 = 500;

/// The doorkeeper of both channels.
#[derive(Debug)]
pub struct Guard {
    dialect: Dialect,
    manners: Manners,
    meter: Meter,
    refused_lately: u32,
    last_refused_at: i64,
    banned_until: EpochMs,
    /// Nothing is left of any quota until then, by command.
    used_up_until: EpochMs,
    /// Since when and until when there is nothing to be had, as the refusals say.
    refusing: Option<(EpochMs, EpochMs)>,
    bans: u64,
    asked: u64,
    refused: u64,
    /// Questions of somebody who knew that there was nothing to be had.
    impatient: u64,
    paths: BTreeMap<String, u64>,
}

impl Guard {
    /// Nobody has asked yet.
    pub fn new(dialect: Dialect, manners: Manners) -> Self {
        let percent = manners.limit_percent.unwrap_or(100);
        Self {
            meter: Meter::new(dialect.quotas(), percent),
            dialect,
            manners,
            refused_lately: 0,
            last_refused_at: i64::MIN,
            banned_until: EpochMs::new(i64::MIN),
            used_up_until: EpochMs::new(i64::MIN),
            refusing: None,
            bans: 0,
            asked: 0,
            refused: 0,
            impatient: 0,
            paths: BTreeMap::new(),
        }
    }

    /// Lets a question through.
    ///
    /// # Errors
    /// [`Refused`] when something is used up, or everything is refused.
    pub fn admit(&mut self, question: &Question, now: EpochMs) -> Result<(), Refused> {
        self.asked += 1;
        if self.paths.len() < MOST_PATHS || self.paths.contains_key(&question.path) {
            *self.paths.entry(question.path.clone()).or_default() += 1;
        }
        if self.refusing.is_some_and(|(since, until)| since.plus_ms(IN_GOOD_FAITH_MS) <= now && now < until) {
            self.impatient += 1;
        }
        let admitted = self.check(&self.dialect.charges(question), now);
        if let Err(Refused::TooOften { until } | Refused::Banned { until }) = admitted {
            let since = self.refusing.filter(|(_, until)| now < *until).map_or(now, |(since, _)| since);
            self.refusing = Some((since, until));
        }
        admitted
    }

    /// Nothing is left of any quota until then. Nobody is banned for asking meanwhile.
    pub fn use_up(&mut self, until: EpochMs) {
        self.used_up_until = until;
    }

    /// Whoever asks is banned until then.
    pub fn ban(&mut self, until: EpochMs) {
        self.banned_until = until;
        self.bans += 1;
    }

    /// Lets somebody connect.
    ///
    /// # Errors
    /// [`Refused`] when there were too many.
    pub fn open_door(&mut self, now: EpochMs) -> Result<(), Refused> {
        let charge = self.dialect.door_charge();
        if now < self.banned_until {
            return Err(Refused::Banned { until: self.banned_until });
        }
        match charge.and_then(|charge| self.meter.charge(&[charge], now)) {
            Some(until) => Err(Refused::TooOften { until }),
            None => Ok(()),
        }
    }

    fn check(&mut self, charges: &[Charge], now: EpochMs) -> Result<(), Refused> {
        // Nothing is charged meanwhile, or who asks on would come out of one ban into the next.
        if now < self.banned_until {
            self.refused += 1;
            return Err(Refused::Banned { until: self.banned_until });
        }
        if now < self.used_up_until {
            self.refused += 1;
            return Err(Refused::TooOften { until: self.used_up_until });
        }
        let Some(until) = self.meter.charge(charges, now) else { return Ok(()) };
        self.refused += 1;
        if self.last_refused_at < now.ms() - GRUDGE_MS {
            self.refused_lately = 0;
        }
        self.last_refused_at = now.ms();
        self.refused_lately += 1;
        match self.dialect.ban() {
            Some((patience, lasts)) if patience < self.refused_lately => {
                let lasts = self.manners.ban.unwrap_or(lasts);
                let until = now.plus_ms(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX));
                self.banned_until = until;
                self.bans += 1;
                self.refused_lately = 0;
                Err(Refused::Banned { until })
            }
            _ => Err(Refused::TooOften { until }),
        }
    }

    /// What is used of each quota now.
    pub fn used(&mut self, now: EpochMs) -> Vec<u64> {
        self.meter.used(now)
    }

    /// Who asked what how often, and what it cost.
    pub fn report(&mut self, now: EpochMs) -> Value {
        json!({
            "requests": self.asked,
            "refused": self.refused,
            "impatient": self.impatient,
            "bans": self.bans,
            "by_path": self.paths,
            "quotas": self.meter.report(now),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard::new(Dialect::parse("binance").expect("a dialect"), Manners::default())
    }

    fn ask(guard: &mut Guard, at: i64) -> Result<(), Refused> {
        let question = Question { path: "/api/v3/trades".to_owned(), ..Question::default() };
        guard.admit(&question, EpochMs::new(at))
    }

    #[test]
    fn what_is_used_up_or_banned_by_command_is_refused_until_then() {
        let mut guard = guard();
        guard.use_up(EpochMs::new(5_000));
        assert_eq!(ask(&mut guard, 4_999), Err(Refused::TooOften { until: EpochMs::new(5_000) }));
        assert_eq!(ask(&mut guard, 5_000), Ok(()));
        guard.ban(EpochMs::new(9_000));
        assert_eq!(ask(&mut guard, 8_999), Err(Refused::Banned { until: EpochMs::new(9_000) }));
        assert_eq!(ask(&mut guard, 9_000), Ok(()));
        assert_eq!(
            (&guard.report(EpochMs::new(9_000))["refused"], &guard.report(EpochMs::new(9_000))["bans"]),
            (&2.into(), &1.into())
        );
    }

    #[test]
    fn only_who_could_know_of_a_refusal_and_asks_before_its_end_is_impatient() {
        let mut guard = guard();
        guard.use_up(EpochMs::new(5_000));
        for at in [1_000, 1_499, 1_500, 4_999, 5_000] {
            let _ = ask(&mut guard, at);
        }
        assert_eq!(guard.report(EpochMs::new(9_000))["impatient"], 2);
    }
}
