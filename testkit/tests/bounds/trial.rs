//! What a way of bounding would have said of a play, and how often it held.

use std::collections::HashMap;

use tape::bound::{BROKEN_BEYOND_STATED, Class, Coverage, Deviation, Evidence, Level, SaidBefore, Terms, Unsaid};
use tape::{EpochMs, Mark, Volume};

use crate::feed::Event;

pub const TERMS: Terms = Terms { coverage: Coverage::DEFAULT, min_marks: 1_000 };

/// A way of bounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As the worker does it.
    Ours,
    /// The plain quantile of all errors of the last day.
    Naive,
}

/// What was said of the marks of one stretch, and how often it held.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub kept: u64,
    pub broken: u64,
    pub unsaid: u64,
    bounds: Vec<u64>,
    tails: Vec<i64>,
    classes: std::collections::BTreeSet<i16>,
}

/// The tallies before and after the faults changed.
#[derive(Debug, Clone, Default)]
pub struct Trial {
    pub before: Tally,
    pub after: Tally,
    pub bytes: usize,
}

impl Trial {
    /// Replays what became known, in the order in which it did.
    pub fn of(events: &[Event], change: EpochMs, method: Method) -> Self {
        let mut evidence = Evidence::default();
        let mut open: HashMap<Mark, (SaidBefore, i64)> = HashMap::new();
        let mut trial = Self::default();
        for event in events {
            match *event {
                Event::Said { mark, price, tail_ms, heard, volume } => {
                    let class = match method {
                        Method::Ours => Class::of(tail_ms, heard, volume),
                        Method::Naive => one_class(),
                    };
                    if method == Method::Naive {
                        evidence.set_level(class, Level::of(TERMS.coverage).billionths(), TERMS.coverage);
                    }
                    let bound = evidence.bound(mark, class, TERMS).0;
                    let bound = if price.is_none() { Err(Unsaid::NoPrice) } else { bound };
                    open.insert(mark, (SaidBefore { price, class, bound }, tail_ms));
                }
                Event::Final { mark, price } => {
                    let Some((said, tail_ms)) = open.remove(&mark) else { continue };
                    let tally = if mark.at() < change { &mut trial.before } else { &mut trial.after };
                    if let Some(from) = said.price {
                        tally.count(said, Deviation::between(from, price), tail_ms);
                    }
                    evidence.learn(mark, said, price, TERMS);
                }
            }
        }
        trial.bytes = evidence.bytes();
        trial
    }

    /// Both stretches together.
    pub fn whole(&self) -> Tally {
        let mut whole = self.before.clone();
        let Tally { kept, broken, unsaid, bounds, tails, classes } = self.after.clone();
        whole.kept += kept;
        whole.broken += broken;
        whole.unsaid += unsaid;
        whole.bounds.extend(bounds);
        whole.tails.extend(tails);
        whole.classes.extend(classes);
        whole
    }
}

impl Tally {
    fn count(&mut self, said: SaidBefore, deviation: Option<Deviation>, tail_ms: i64) {
        self.tails.push(tail_ms);
        let Ok(bound) = said.bound else {
            self.unsaid += 1;
            return;
        };
        self.classes.insert(said.class.number());
        self.bounds.push(bound.units());
        let was_kept = deviation.is_some_and(|deviation| deviation <= bound);
        self.kept += u64::from(was_kept);
        self.broken += u64::from(!was_kept);
    }

    /// How many bounds were said.
    pub fn said(&self) -> u64 {
        self.kept + self.broken
    }

    /// How many may be broken: the stated share, and of each class as many more
    /// as its level has steps, and as can be said before the first is settled.
    pub fn may_break(&self) -> u64 {
        let in_flight = self.tails.iter().max().copied().unwrap_or(0).unsigned_abs().div_ceil(1_000);
        let more = (BROKEN_BEYOND_STATED + in_flight) * self.classes.len() as u64;
        self.said() / 100 + more
    }

    /// A share of the bounds said, in four decimals.
    pub fn share_of_said(&self, marks: u64) -> String {
        share(marks, self.said())
    }

    /// The share of priced marks of which no bound was said, in percent.
    pub fn percent_unsaid(&self) -> String {
        let marks = (self.said() + self.unsaid).max(1);
        format!("{}.{}", self.unsaid * 100 / marks, self.unsaid * 1_000 / marks % 10)
    }

    /// The median bound, in basis points.
    pub fn median_bps(&self) -> String {
        let mut bounds = self.bounds.clone();
        bounds.sort_unstable();
        match bounds.get(bounds.len() / 2) {
            Some(units) => format!("{}.{:04}", units / 1_000_000, units % 1_000_000 / 100),
            None => "-".to_owned(),
        }
    }

    /// The median tail, in milliseconds.
    pub fn median_tail_ms(&self) -> i64 {
        let mut tails = self.tails.clone();
        tails.sort_unstable();
        tails.get(tails.len() / 2).copied().unwrap_or(0)
    }
}

fn share(part: u64, whole: u64) -> String {
    match (part * 10_000).checked_div(whole) {
        Some(share) => format!("{}.{:04}", share / 10_000, share % 10_000),
        None => "-".to_owned(),
    }
}

fn one_class() -> Class {
    Class::of(1, Volume::ZERO, Volume::ZERO)
}
