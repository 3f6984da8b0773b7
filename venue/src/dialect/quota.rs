//! How often what may be asked: the exchange's own count of what was used, which
//! is also how a test sees that an asker stays inside the limits.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use tape::EpochMs;

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// What is counted.
    pub name: &'static str,
    /// How much may be used in a window.
    pub most: u64,
    /// How long the window is.
    pub window_ms: i64,
    /// How it is measured.
    pub measure: Measure,
}

/// How a limit is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// In windows of the clock: each begins at a multiple of its length.
    Clock,
    /// In the window that ends now.
    Sliding,
    /// As a bucket of so many that `most` refills in each window.
    Bucket {
        /// How many fit.
        holds: u64,
    },
}

/// What a question costs of one quota.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Which quota, by its place in the dialect's list.
    pub quota: usize,
    /// Whose: a pair, a path, or nothing where all share it.
    pub key: String,
    /// How much.
    pub weight: u64,
}

impl Charge {
    /// A charge on what all share.
    pub fn shared(quota: usize, weight: u64) -> Self {
        Self { quota, key: String::new(), weight }
    }

    /// A charge on something's own.
    pub fn of(quota: usize, key: impl Into<String>, weight: u64) -> Self {
        Self { quota, key: key.into(), weight }
    }
}

#[derive(Debug, Default)]
struct Usage {
    /// What was used when, inside the window.
    recent: VecDeque<(i64, u64)>,
    used: u64,
    highest: u64,
    total: u64,
    refused: u64,
    /// What a bucket lacks, in thousandths, and since when.
    lacking: u64,
    lacking_at: i64,
}

/// The keys of a quota that are remembered.
const MOST_KEYS: usize = 4_096;

/// What was used of every quota.
#[derive(Debug)]
pub struct Meter {
    quotas: Vec<Quota>,
    usage: Vec<BTreeMap<String, Usage>>,
}

impl Meter {
    /// Nothing used yet; `percent` of each limit is allowed.
    pub fn new(quotas: &[Quota], percent: u32) -> Self {
        let scaled = |units: u64| (units.saturating_mul(percent.into()) / 100).max(1);
        let quotas: Vec<Quota> = quotas
            .iter()
            .map(|quota| {
                let measure = match quota.measure {
                    Measure::Bucket { holds } => Measure::Bucket { holds: scaled(holds) },
                    other => other,
                };
                Quota { most: scaled(quota.most), measure, ..*quota }
            })
            .collect();
        let usage = quotas.iter().map(|_| BTreeMap::new()).collect();
        Self { quotas, usage }
    }

    /// Charges everything, and says when the last of what is used up will be free
    /// again, if something is.
    pub fn charge(&mut self, charges: &[Charge], now: EpochMs) -> Option<EpochMs> {
        let mut until = None;
        for charge in charges {
            let Some(quota) = self.quotas.get(charge.quota).copied() else { continue };
            let Some(usages) = self.usage.get_mut(charge.quota) else { continue };
            if MOST_KEYS <= usages.len() && !usages.contains_key(&charge.key) {
                usages.pop_first();
            }
            let usage = usages.entry(charge.key.clone()).or_default();
            let free_at = usage.add(quota, charge.weight, now.ms());
            until = until.max(free_at.map(EpochMs::new));
        }
        until
    }

    /// What is used of each quota now, over all keys at most.
    pub fn used(&mut self, now: EpochMs) -> Vec<u64> {
        let quotas = self.quotas.iter().zip(&mut self.usage);
        quotas
            .map(|(quota, usages)| usages.values_mut().map(|usage| usage.used_at(*quota, now.ms())).max().unwrap_or(0))
            .collect()
    }

    /// The count of everything, for whoever asks.
    pub fn report(&mut self, now: EpochMs) -> Value {
        let mut report = Vec::new();
        for (quota, usages) in self.quotas.iter().zip(&mut self.usage) {
            for (key, usage) in usages.iter_mut() {
                let most_at_once = match quota.measure {
                    Measure::Bucket { holds } => holds,
                    Measure::Clock | Measure::Sliding => quota.most,
                };
                report.push(json!({
                    "quota": quota.name,
                    "of": key,
                    "limit": quota.most,
                    "at_once": most_at_once,
                    "window_ms": quota.window_ms,
                    "used_now": usage.used_at(*quota, now.ms()),
                    "highest": usage.highest,
                    "total": usage.total,
                    "refused": usage.refused,
                }));
            }
        }
        report.into()
    }
}

impl Usage {
    /// Adds a weight, and says when there is room again if there is none for it.
    fn add(&mut self, quota: Quota, weight: u64, now_ms: i64) -> Option<i64> {
        let used = self.used_at(quota, now_ms) + weight;
        self.highest = self.highest.max(used);
        self.total += weight;
        // A clock's window counts what it refuses too; a sliding one would never end then.
        if quota.measure != Measure::Sliding || used <= quota.most {
            self.recent.push_back((now_ms, weight));
            self.used = used;
        }
        let free_at = match quota.measure {
            Measure::Clock => {
                let ends = (now_ms.div_euclid(quota.window_ms) + 1) * quota.window_ms;
                (quota.most < used).then_some(ends)
            }
            Measure::Sliding => {
                let first = self.recent.front().map_or(now_ms, |(at, _)| *at);
                (quota.most < used).then_some(first + quota.window_ms)
            }
            Measure::Bucket { holds } => self.pour_out(quota, holds, weight, now_ms),
        };
        self.refused += u64::from(free_at.is_some());
        free_at
    }

    /// Takes from a bucket, unless too little is in it.
    fn pour_out(&mut self, quota: Quota, holds: u64, weight: u64, now_ms: i64) -> Option<i64> {
        let since = now_ms.saturating_sub(self.lacking_at).max(0).unsigned_abs();
        let window_ms = quota.window_ms.max(1).unsigned_abs();
        let refilled = since.saturating_mul(quota.most).saturating_mul(1_000) / window_ms;
        self.lacking = self.lacking.saturating_sub(refilled);
        self.lacking_at = now_ms;
        let wanted = self.lacking + weight * 1_000;
        if wanted <= holds * 1_000 {
            self.lacking = wanted;
            return None;
        }
        let wait = (wanted - holds * 1_000) * window_ms / (quota.most.max(1) * 1_000) + 1;
        Some(now_ms.saturating_add(i64::try_from(wait).unwrap_or(i64::MAX)))
    }

    fn used_at(&mut self, quota: Quota, now_ms: i64) -> u64 {
        let begins = match quota.measure {
            Measure::Clock => now_ms.div_euclid(quota.window_ms) * quota.window_ms,
            Measure::Sliding | Measure::Bucket { .. } => now_ms - quota.window_ms + 1,
        };
        while let Some((_, weight)) = self.recent.front().copied().filter(|(at, _)| *at < begins) {
            self.used = self.used.saturating_sub(weight);
            self.recent.pop_front();
        }
        self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(quota: Quota, times: &[i64]) -> Vec<bool> {
        let mut meter = Meter::new(&[quota], 100);
        let ask = |at: &i64| meter.charge(&[Charge::shared(0, 1)], EpochMs::new(*at)).is_none();
        times.iter().map(ask).collect()
    }

    fn quota(measure: Measure) -> Quota {
        Quota { name: "requests", most: 2, window_ms: 1_000, measure }
    }

    #[test]
    fn a_window_of_the_clock_is_new_at_its_multiples() {
        assert_eq!(
            allowed(quota(Measure::Clock), &[900, 950, 999, 1_000, 1_001, 1_002]),
            [true, true, false, true, true, false]
        );
    }

    #[test]
    fn a_sliding_window_forgets_what_is_a_window_old() {
        assert_eq!(allowed(quota(Measure::Sliding), &[900, 950, 1_899, 2_901, 2_902]), [true, true, false, true, true]);
    }

    #[test]
    fn a_bucket_allows_a_burst_and_then_its_rate() {
        let bucket = quota(Measure::Bucket { holds: 3 });
        assert_eq!(
            allowed(bucket, &[10_000, 10_000, 10_000, 10_000, 10_400, 10_501]),
            [true, true, true, false, false, true]
        );
    }

    #[test]
    fn each_key_has_its_own_and_the_highest_use_is_kept() {
        let mut meter = Meter::new(&[quota(Measure::Sliding)], 100);
        for key in ["a", "a", "b"] {
            assert_eq!(meter.charge(&[Charge::of(0, key, 1)], EpochMs::new(5)), None);
        }
        assert_eq!(meter.charge(&[Charge::of(0, "a", 1)], EpochMs::new(6)), Some(EpochMs::new(1_005)));
        let report = meter.report(EpochMs::new(9_999));
        assert_eq!(report[0]["of"], "a");
        assert_eq!(
            (&report[0]["highest"], &report[0]["refused"], &report[0]["used_now"]),
            (&3.into(), &1.into(), &0.into())
        );
    }
}
