//! What the feed's faults have done to one ticker's provisional figures, over
//! the last day, and what is said on the strength of it.

use std::collections::VecDeque;

use super::histogram::SlotCounts;
use super::{Class, Coverage, Deviation, ErrorBin, Histogram, Level};
use ethnum::U256;

use crate::{Fixed, Mark, Vwap};

/// How many hours of evidence count at most: nothing older than a day does.
pub const HOURS_KEPT: i64 = 24;

/// So many hours are forgotten together: that takes a third of the memory, and
/// at least the last 21 hours still count.
const HOURS_TOGETHER: i64 = 3;

/// An hour of marks, counted from 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(i64);

impl Hour {
    /// The hour a mark lies in.
    pub fn of(mark: Mark) -> Self {
        Self(mark.at().ms().div_euclid(3_600_000))
    }

    /// The hour of its number, as tables keep it.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The number under which tables keep it: hours since 1970.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The first hour that still counts in this one.
    pub const fn earliest_counted(self) -> Self {
        Self(self.slot().0 - HOURS_KEPT + HOURS_TOGETHER)
    }

    /// The first of the hours that are forgotten together with this one.
    const fn slot(self) -> Self {
        Self(self.0.div_euclid(HOURS_TOGETHER) * HOURS_TOGETHER)
    }
}

/// What a bound promises, and on how much evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The share of bounds that shall be kept.
    pub coverage: Coverage,
    /// Without so many marks of the same class nothing is said.
    pub min_marks: u64,
}

impl Terms {
    /// How many marks are needed: as many as are asked for, and as many as the
    /// coverage cannot do without.
    pub fn marks_needed(self) -> u64 {
        self.min_marks.max(self.coverage.least_marks())
    }
}

/// Why no bound is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsaid {
    /// There is no price to bound.
    NoPrice,
    /// Too few marks of this class have become final within the last day.
    NotEnoughEvidence {
        /// How many there are.
        marks: u64,
        /// How many are needed.
        needed: u64,
    },
    /// Prices have vanished or leaped too often for any finite bound.
    NoFiniteBound,
}

impl Unsaid {
    /// The reason's name in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoPrice => "no_price",
            Self::NotEnoughEvidence { .. } => "not_enough_evidence",
            Self::NoFiniteBound => "no_finite_bound",
        }
    }
}

impl Unsaid {
    /// The reason of a name, as tables keep it.
    pub fn named(name: &str, marks: u64, needed: u64) -> Option<Self> {
        let reasons = [Self::NoPrice, Self::NotEnoughEvidence { marks, needed }, Self::NoFiniteBound];
        reasons.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// How often what was said held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcomes {
    /// Final figures within the bound that had been said.
    pub kept: u64,
    /// Final figures beyond it.
    pub broken: u64,
    /// Final figures of which a price had been said, but no bound.
    pub unsaid: u64,
}

impl Outcomes {
    /// How many bounds were said and put to the test.
    pub fn said(self) -> u64 {
        self.kept + self.broken
    }

    /// The share of bounds that were kept, to six decimals, rounded down; none
    /// without any bound.
    pub fn achieved(self) -> Option<Fixed<6>> {
        let millionths = (u128::from(self.kept) * 1_000_000).checked_div(u128::from(self.said()))?;
        Some(Fixed::from_units(U256::new(millionths)))
    }

    /// These and others.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { kept: self.kept + other.kept, broken: self.broken + other.broken, unsaid: self.unsaid + other.unsaid }
    }
}

/// What was said of a mark while it was provisional.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaidBefore {
    /// The price said; none of an empty window.
    pub price: Option<Vwap>,
    /// What was unconfirmed then.
    pub class: Class,
    /// The bound said, or why none was.
    pub bound: Result<Deviation, Unsaid>,
}

/// What one final figure teaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lesson {
    /// The hour of its mark.
    pub hour: Hour,
    /// What was unconfirmed when the provisional figure was said.
    pub class: Class,
    /// How far off that was.
    pub error: ErrorBin,
    /// Whether what was said of it held: one of the three is one.
    pub outcome: Outcomes,
    /// The level of the class after it.
    pub level: Level,
}

/// The evidence of one class.
#[derive(Debug, Clone)]
struct OfClass {
    class: Class,
    level: Level,
    /// Oldest first.
    hours: VecDeque<(Hour, SlotCounts)>,
    /// All of them together.
    day: Histogram,
}

/// One ticker's evidence of the last day.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    classes: Vec<OfClass>,
    /// Oldest first.
    outcomes: VecDeque<(Hour, Outcomes)>,
    now: Option<Hour>,
}

impl Evidence {
    /// The bound of a provisional figure with a price, if there is enough
    /// evidence, and the level at which it was read.
    pub fn bound(&mut self, mark: Mark, class: Class, terms: Terms) -> (Result<Deviation, Unsaid>, Level) {
        self.come_to(Hour::of(mark));
        let needed = terms.marks_needed();
        let Some(known) = self.classes.iter().find(|known| known.class == class) else {
            return (Err(Unsaid::NotEnoughEvidence { marks: 0, needed }), Level::of(terms.coverage));
        };
        let marks = known.day.total();
        if marks < needed {
            return (Err(Unsaid::NotEnoughEvidence { marks, needed }), known.level);
        }
        (known.read(terms.coverage).ok_or(Unsaid::NoFiniteBound), known.level)
    }

    /// Holds the final price of a mark against what was said before, and learns
    /// from it. A mark without a price then teaches nothing.
    pub fn learn(&mut self, mark: Mark, said: SaidBefore, settled: Option<Vwap>, terms: Terms) -> Option<Lesson> {
        let price = said.price?;
        let (hour, class) = (Hour::of(mark), said.class);
        let deviation = Deviation::between(price, settled);
        let outcome = match (said.bound, deviation) {
            (Err(_), _) => Outcomes { unsaid: 1, ..Outcomes::default() },
            (Ok(bound), Some(deviation)) if deviation <= bound => Outcomes { kept: 1, ..Outcomes::default() },
            (Ok(_), _) => Outcomes { broken: 1, ..Outcomes::default() },
        };
        self.come_to(hour);
        let known = self.class_mut(class, terms.coverage);
        // Where no finite bound can be promised, promising none is right every
        // time: so the level rises until a finite one can be promised again.
        let is_steering = matches!(said.bound, Ok(_) | Err(Unsaid::NoFiniteBound));
        if is_steering {
            known.level = known.level.after(outcome.broken == 0, terms.coverage);
        }
        let lesson = Lesson { hour, class, error: ErrorBin::of(deviation), outcome, level: known.level };
        self.add(hour, class, lesson.error, 1, terms.coverage);
        self.add_outcomes(hour, outcome);
        Some(lesson)
    }

    /// Takes in evidence that was kept. What is too old to count is left out.
    pub fn add(&mut self, hour: Hour, class: Class, error: ErrorBin, marks: u32, coverage: Coverage) {
        self.come_to(hour);
        if !self.counts(hour) {
            return;
        }
        let slot = hour.slot();
        let known = self.class_mut(class, coverage);
        let at = known.hours.partition_point(|held| held.0 < slot);
        if known.hours.get(at).is_none_or(|held| held.0 != slot) {
            known.hours.insert(at, (slot, SlotCounts::default()));
        }
        let added = known.hours[at].1.add(error, marks);
        known.day.add(error, added);
    }

    /// Takes in outcomes that were kept. What is too old to count is left out.
    pub fn add_outcomes(&mut self, hour: Hour, outcomes: Outcomes) {
        self.come_to(hour);
        if !self.counts(hour) {
            return;
        }
        let slot = hour.slot();
        let at = self.outcomes.partition_point(|held| held.0 < slot);
        if self.outcomes.get(at).is_none_or(|held| held.0 != slot) {
            self.outcomes.insert(at, (slot, Outcomes::default()));
        }
        self.outcomes[at].1 = self.outcomes[at].1.plus(outcomes);
    }

    /// Takes in the level at which a class stood.
    pub fn set_level(&mut self, class: Class, billionths: i64, coverage: Coverage) {
        self.class_mut(class, coverage).level = Level::from_billionths(billionths, coverage);
    }

    /// How often what was said over the last day held.
    pub fn achieved(&self) -> Outcomes {
        self.outcomes.iter().fold(Outcomes::default(), |sum, (_, outcomes)| sum.plus(*outcomes))
    }

    /// The bytes it holds.
    pub fn bytes(&self) -> usize {
        let of_class = |known: &OfClass| {
            let hours = known.hours.iter().map(|(_, histogram)| histogram.heap_bytes()).sum::<usize>();
            known.hours.capacity() * size_of::<(Hour, SlotCounts)>() + hours + known.day.heap_bytes()
        };
        size_of::<Self>()
            + self.classes.capacity() * size_of::<OfClass>()
            + self.classes.iter().map(of_class).sum::<usize>()
            + self.outcomes.capacity() * size_of::<(Hour, Outcomes)>()
    }

    fn class_mut(&mut self, class: Class, coverage: Coverage) -> &mut OfClass {
        let at = match self.classes.iter().position(|known| known.class == class) {
            Some(at) => at,
            None => {
                let level = Level::of(coverage);
                self.classes.push(OfClass { class, level, hours: VecDeque::new(), day: Histogram::default() });
                self.classes.len() - 1
            }
        };
        &mut self.classes[at]
    }

    fn counts(&self, hour: Hour) -> bool {
        self.now.is_none_or(|now| now.earliest_counted() <= hour)
    }

    /// Forgets what no longer counts once an hour has come.
    fn come_to(&mut self, hour: Hour) {
        if self.now.is_some_and(|now| hour <= now) {
            return;
        }
        self.now = Some(hour);
        let earliest = hour.earliest_counted();
        for known in &mut self.classes {
            while known.hours.front().is_some_and(|held| held.0 < earliest) {
                if let Some((_, gone)) = known.hours.pop_front() {
                    known.day.remove(&gone);
                }
            }
        }
        while self.outcomes.front().is_some_and(|held| held.0 < earliest) {
            self.outcomes.pop_front();
        }
    }
}

impl OfClass {
    /// The deviation at the level; none when no finite one covers it.
    fn read(&self, coverage: Coverage) -> Option<Deviation> {
        if let Some(rank) = self.level.rank(self.day.total()) {
            return self.day.ranked(rank).map_or(Some(Deviation::NONE), ErrorBin::upper_edge);
        }
        let (numerator, denominator) = self.level.stretch(coverage);
        self.day.largest()?.upper_edge()?.times(numerator, denominator)
    }
}

#[cfg(test)]
mod tests;
