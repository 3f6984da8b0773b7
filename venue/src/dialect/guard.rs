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

/// The doorkeeper of both channels.
#[derive(Debug)]
pub struct Guard {
    dialect: Dialect,
    manners: Manners,
    meter: Meter,
    refused_lately: u32,
    last_refused_at: i64,
    banned_until: EpochMs,
    bans: u64,
    asked: u64,
    refused: u64,
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
            bans: 0,
            asked: 0,
            refused: 0,
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
        self.check(&self.dialect.charges(question), now)
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
            "bans": self.bans,
            "by_path": self.paths,
            "quotas": self.meter.report(now),
        })
    }
}
