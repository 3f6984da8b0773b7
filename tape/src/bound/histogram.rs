//! Counts of deviations in buckets whose width grows with their place: sixteen
//! for every doubling, so that a bucket's upper edge is never more than a
//! sixteenth above what lies in it. What is read from it is always that upper
//! edge: it errs to the safe side.

use super::Deviation;

/// Buckets per doubling.
const STEPS: u64 = 16;

/// The place of one deviation among the buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorBin(u16);

impl ErrorBin {
    /// Where deviations lie that no finite bound reaches.
    pub const WITHOUT_END: Self = Self(752);

    /// The bucket of a deviation; none is one that no finite bound reaches.
    pub fn of(deviation: Option<Deviation>) -> Self {
        let Some(deviation) = deviation else {
            return Self::WITHOUT_END;
        };
        let units = deviation.units();
        // Up to twice the steps, a bucket holds one deviation.
        let doublings = u64::from((units | STEPS).ilog2() - STEPS.ilog2());
        Self((STEPS * doublings + (units >> doublings)) as u16)
    }

    /// The bucket of a number, as tables keep it.
    pub fn from_number(number: i16) -> Option<Self> {
        u16::try_from(number).ok().map(Self).filter(|bin| *bin <= Self::WITHOUT_END)
    }

    /// The number under which tables keep it.
    pub fn number(self) -> i16 {
        self.0 as i16
    }

    /// The largest deviation that lies in it; none for the one without end.
    pub fn upper_edge(self) -> Option<Deviation> {
        if self >= Self::WITHOUT_END {
            return None;
        }
        let number = u64::from(self.0);
        let doublings = (number / STEPS).saturating_sub(1);
        let next_begins_at = (number - STEPS * doublings + 1) << doublings;
        Deviation::from_units(next_begins_at - 1)
    }
}

/// How many deviations lie in each bucket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Buckets that are not empty, in their order.
    counts: Vec<(ErrorBin, u32)>,
    total: u64,
}

impl Histogram {
    /// Counts so many more in a bucket.
    pub fn add(&mut self, bin: ErrorBin, marks: u32) {
        if marks == 0 {
            return;
        }
        match self.counts.binary_search_by_key(&bin, |count| count.0) {
            Ok(index) => self.counts[index].1 = self.counts[index].1.saturating_add(marks),
            Err(index) => self.counts.insert(index, (bin, marks)),
        }
        self.total += u64::from(marks);
    }

    /// Takes out what was added before.
    pub(super) fn remove(&mut self, gone: &SlotCounts) {
        for (bin, marks) in &gone.0 {
            if let Ok(index) = self.counts.binary_search_by_key(bin, |count| count.0) {
                let taken = self.counts[index].1.min(u32::from(*marks));
                self.counts[index].1 -= taken;
                self.total -= u64::from(taken);
            }
        }
        self.counts.retain(|count| count.1 > 0);
    }

    /// How many deviations there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The bucket of the `rank`-th smallest, counted from one.
    pub fn ranked(&self, rank: u64) -> Option<ErrorBin> {
        let mut passed = 0;
        for (bin, marks) in &self.counts {
            passed += u64::from(*marks);
            if rank <= passed {
                return (rank > 0).then_some(*bin);
            }
        }
        None
    }

    /// The bucket of the largest.
    pub fn largest(&self) -> Option<ErrorBin> {
        self.counts.last().map(|count| count.0)
    }

    /// The bytes it holds beside itself.
    pub(super) fn heap_bytes(&self) -> usize {
        self.counts.capacity() * size_of::<(ErrorBin, u32)>()
    }
}

/// What some hours added to a histogram, in as few bytes as their marks need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SlotCounts(Vec<(ErrorBin, u16)>);

impl SlotCounts {
    /// Counts so many more in a bucket, and returns how many there was room for.
    pub fn add(&mut self, bin: ErrorBin, marks: u32) -> u32 {
        let index = match self.0.binary_search_by_key(&bin, |count| count.0) {
            Ok(index) => index,
            Err(index) => {
                // Some hours meet a few hundred buckets: growing by doubling would waste half.
                self.0.reserve_exact(1);
                self.0.insert(index, (bin, 0));
                index
            }
        };
        let held = self.0[index].1;
        self.0[index].1 = held.saturating_add(u16::try_from(marks).unwrap_or(u16::MAX));
        u32::from(self.0[index].1 - held)
    }

    /// The bytes it holds beside itself.
    pub fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<(ErrorBin, u16)>()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn deviation(units: u64) -> Deviation {
        Deviation::from_units(units).expect("in range")
    }

    #[test]
    fn every_bucket_begins_where_the_one_before_ends() {
        let mut edge = None;
        for number in 0..752 {
            let bin = ErrorBin::from_number(number).expect("a bin");
            let first = edge.map_or(0, |edge| edge + 1);
            let last = bin.upper_edge().expect("finite").units();
            assert_eq!((ErrorBin::of(Some(deviation(first))), ErrorBin::of(Some(deviation(last)))), (bin, bin));
            edge = Some(last);
        }
        assert_eq!(edge, Some(Deviation::MAX.units()));
        assert_eq!(ErrorBin::of(None).upper_edge(), None);
        assert_eq!(ErrorBin::from_number(753), None);
    }

    #[test]
    fn some_hours_count_a_bucket_as_far_as_they_have_room_and_say_how_far() {
        let (mut hours, bin) = (SlotCounts::default(), ErrorBin::of(None));

        assert_eq!((hours.add(bin, 3), hours.add(bin, 65_530)), (3, 65_530));
        assert_eq!((hours.add(bin, 5), hours.add(bin, 5)), (2, 0));
    }

    #[test]
    fn many_in_one_bucket_are_many() {
        let mut histogram = Histogram::default();
        for (units, marks) in [(7, 40), (3, 0), (7, 2), (9, 1)] {
            histogram.add(ErrorBin::of(Some(deviation(units))), marks);
        }

        assert_eq!((histogram.total(), histogram.counts.len()), (43, 2));
        let edge = |rank| histogram.ranked(rank).and_then(ErrorBin::upper_edge).map(Deviation::units);
        assert_eq!([1, 42, 43, 44].map(edge), [Some(7), Some(7), Some(9), None]);
        assert_eq!(histogram.largest().map(ErrorBin::number), Some(9));
    }

    proptest! {
        #[test]
        fn the_upper_edge_is_never_below_and_never_a_sixteenth_above(units in 0u64..(1 << 50)) {
            let edge = ErrorBin::of(Some(deviation(units))).upper_edge().unwrap().units();
            prop_assert!(units <= edge);
            prop_assert!((edge - units) * 16 <= units);
        }

        #[test]
        fn a_ranked_bucket_is_that_of_the_sorted_deviations(
            mut units in prop::collection::vec(0u64..2_000, 1..300),
            rank in 1u64..300,
        ) {
            let mut histogram = Histogram::default();
            for unit in &units {
                histogram.add(ErrorBin::of(Some(deviation(*unit))), 1);
            }
            units.sort_unstable();
            let sorted = units.get(rank as usize - 1).map(|unit| ErrorBin::of(Some(deviation(*unit))));
            prop_assert_eq!(histogram.ranked(rank), sorted);
            prop_assert_eq!(histogram.ranked(0), None);
        }

        #[test]
        fn what_was_added_can_be_taken_out_again(
            kept in prop::collection::vec(0u64..5_000, 0..100),
            gone in prop::collection::vec(0u64..5_000, 0..100),
        ) {
            let histogram = |units: &[u64]| {
                let mut histogram = Histogram::default();
                units.iter().for_each(|unit| histogram.add(ErrorBin::of(Some(deviation(*unit))), 1));
                histogram
            };
            let mut hour = SlotCounts::default();
            for unit in &gone {
                hour.add(ErrorBin::of(Some(deviation(*unit))), 1);
            }
            let mut both = histogram(&[kept.clone(), gone.clone()].concat());
            both.remove(&hour);
            prop_assert_eq!(both, histogram(&kept));
        }
    }
}
