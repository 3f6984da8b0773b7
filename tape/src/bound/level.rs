//! How much may be missed: the level at which evidence is read, steered by
//! what was missed (adaptive conformal inference, Gibbs and Candès 2021).
//!
//! A broken bound lowers the level, a kept one raises it a little, so that
//! over time exactly the stated share is missed, whatever the feed does. The
//! level goes below nothing, too: there the largest deviation ever seen is
//! multiplied, so that a number is still said when faults come that the
//! evidence has never seen.

/// One whole, in the units of a level.
pub const WHOLE: i64 = 1_000_000_000;

/// The share of bounds that shall be kept, in billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage(i64);

impl Coverage {
    /// Ninety-nine of a hundred.
    pub const DEFAULT: Self = Self(990_000_000);

    /// Reads `0.99`: at least one half, at most 0.9999, at most six decimals.
    ///
    /// ```
    /// use tape::bound::Coverage;
    /// assert_eq!(Coverage::parse("0.990"), Some(Coverage::DEFAULT));
    /// assert_eq!(Coverage::parse("1"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let millionths = crate::Fixed::<6>::parse(text)?;
        let units = i64::try_from(millionths.units()).ok()?.checked_mul(1_000)?;
        (WHOLE / 2..=999_900_000).contains(&units).then_some(Self(units))
    }

    /// The share that may be missed, in billionths.
    pub fn miss(self) -> i64 {
        WHOLE - self.0
    }

    /// The coverage of a share, as tables keep it.
    pub fn from_share(share: crate::Fixed<9>) -> Option<Self> {
        i64::try_from(share.units()).ok().filter(|units| (WHOLE / 2..WHOLE).contains(units)).map(Self)
    }

    /// The coverage that misses so much, in billionths; none below one half.
    pub fn missing(miss: i64) -> Option<Self> {
        WHOLE.checked_sub(miss).filter(|units| (WHOLE / 2..WHOLE).contains(units)).map(Self)
    }

    /// The share itself.
    pub fn share(self) -> crate::Fixed<9> {
        crate::Fixed::from_units(ethnum::U256::from(self.0.unsigned_abs()))
    }

    /// With how few marks an order statistic of this coverage exists at all.
    pub fn least_marks(self) -> u64 {
        // ceil((n + 1) · coverage) ≤ n holds from n = ceil(1 / miss) − 1 on.
        (WHOLE as u64).div_ceil(self.miss() as u64) - 1
    }
}

/// `0.99`
impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.share().fmt(f)
    }
}

/// The level at which evidence is read: the share that its next bound risks to
/// miss, in billionths. Below zero the largest deviation is multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Level(i64);

impl Level {
    /// Where every level begins.
    pub fn of(coverage: Coverage) -> Self {
        Self(coverage.miss())
    }

    /// The level of so many billionths, as tables keep it, within the limits of a coverage.
    pub fn from_billionths(units: i64, coverage: Coverage) -> Self {
        Self(units.clamp(lowest(coverage), highest(coverage)))
    }

    /// Billionths.
    pub fn billionths(self) -> i64 {
        self.0
    }

    /// After one more bound was kept, or broken.
    #[must_use]
    pub fn after(self, was_kept: bool, coverage: Coverage) -> Self {
        let (step, miss) = (step(coverage), coverage.miss());
        // step · miss and step · (1 − miss), in billionths of billionths, fit 64 bits.
        let raise = step * miss / WHOLE;
        let moved = if was_kept { self.0 + raise } else { self.0 + raise - step };
        Self::from_billionths(moved, coverage)
    }

    /// The rank, among `marks` deviations and one to come, at which to read.
    /// None when the largest of them does not reach.
    pub(super) fn rank(self, marks: u64) -> Option<u64> {
        let part = u128::from((WHOLE - self.0.clamp(0, WHOLE)).unsigned_abs());
        let rank = ((u128::from(marks) + 1) * part).div_ceil(u128::from(WHOLE.unsigned_abs()));
        u64::try_from(rank).ok().filter(|rank| *rank <= marks)
    }

    /// By how much the largest deviation is multiplied: a fraction, once for a
    /// level of zero and doubled with each further step below.
    pub(super) fn stretch(self, coverage: Coverage) -> (u128, u128) {
        let (below, step) = (self.0.min(0).unsigned_abs(), step(coverage).unsigned_abs());
        let (doublings, rest) = (below / step, below % step);
        (u128::from(step + rest) << doublings, u128::from(step))
    }
}

/// `0.0075`, or `-0.0025` below zero.
impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = crate::Fixed::<9>::from_units(ethnum::U256::from(self.0.unsigned_abs()));
        write!(f, "{sign}{size}")
    }
}

/// By how much one broken bound lowers the level: a quarter of what may be missed.
fn step(coverage: Coverage) -> i64 {
    coverage.miss() / 4
}

/// The lowest level: twenty doublings of the largest deviation ever seen.
fn lowest(coverage: Coverage) -> i64 {
    -20 * step(coverage)
}

/// The highest level: a long calm must not make careless.
fn highest(coverage: Coverage) -> i64 {
    2 * coverage.miss()
}

/// How many more bounds than stated can be broken, ever, by one level: the
/// steps from the highest level to the lowest, and the one below it.
pub const BROKEN_BEYOND_STATED: u64 = 29;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn coverage(text: &str) -> Coverage {
        Coverage::parse(text).expect("a coverage")
    }

    #[test]
    fn only_a_share_between_a_half_and_nearly_all_is_a_coverage() {
        for text in ["0.49", "1", "0.99999", "0.9900001", "-1", "", "99%"] {
            assert_eq!(Coverage::parse(text), None, "{text}");
        }
        assert_eq!(coverage("0.99").to_string(), "0.99");
    }

    #[test]
    fn a_coverage_is_the_same_after_it_was_kept_as_a_share() {
        let of_share = |text| Coverage::from_share(crate::Fixed::parse(text).expect("a share"));

        assert_eq!(of_share("0.99"), Some(Coverage::DEFAULT));
        assert_eq!(of_share("0.5").map(Coverage::miss), Some(500_000_000));
        assert_eq!(of_share("0.999999999").map(Coverage::miss), Some(1));
        assert_eq!(["0.499999999", "1", "99999999999"].map(of_share), [None; 3], "never a coverage");
    }

    #[test]
    fn a_level_is_written_as_a_share_with_its_sign() {
        let written = |units| Level::from_billionths(units, Coverage::DEFAULT).to_string();

        assert_eq!([7_500_000, 0, -2_500_000].map(written), ["0.0075", "0", "-0.0025"]);
    }

    #[test]
    fn ninety_nine_of_a_hundred_need_ninety_nine_marks() {
        for (text, least) in [("0.99", 99), ("0.9", 9), ("0.5", 1), ("0.999", 999), ("0.97", 33)] {
            let level = Level::of(coverage(text));
            assert_eq!(coverage(text).least_marks(), least, "{text}");
            assert!(level.rank(least).is_some(), "{text}");
            assert_eq!(level.rank(least - 1), None, "{text}");
        }
    }

    #[test]
    fn the_rank_is_that_of_the_finite_sample() {
        let level = Level::of(coverage("0.99"));

        assert_eq!((level.rank(1_000), level.rank(99), level.rank(199)), (Some(991), Some(99), Some(198)));
    }

    #[test]
    fn each_step_below_zero_doubles_the_largest_deviation() {
        let coverage = coverage("0.99");
        let stretched = |level| {
            let (numerator, denominator) = Level::from_billionths(level, coverage).stretch(coverage);
            numerator * 100 / denominator
        };

        assert_eq!(stretched(10_000_000), 100);
        assert_eq!(stretched(0), 100);
        assert_eq!(stretched(-1_250_000), 150);
        assert_eq!(stretched(-2_500_000), 200);
        assert_eq!(stretched(-5_000_000), 400);
    }

    proptest! {
        #[test]
        fn no_more_is_missed_than_stated_and_a_few_as_long_as_the_lowest_level_is_kept(
            kept in prop::collection::vec(prop::bool::weighted(0.95), 1..3_000),
        ) {
            let coverage = coverage("0.99");
            let mut level = Level::from_billionths(i64::MAX, coverage);
            let (mut said, mut broken) = (0u64, 0u64);
            for was_kept in kept {
                // At the lowest level, a million times the largest deviation, nothing breaks.
                let is_lowest = level.billionths() < lowest(coverage) + step(coverage);
                let was_kept = was_kept || is_lowest;
                level = level.after(was_kept, coverage);
                said += 1;
                broken += u64::from(!was_kept);
                prop_assert!(broken * 100 <= said + BROKEN_BEYOND_STATED * 100);
            }
        }

        #[test]
        fn between_its_limits_a_level_counts_what_was_missed_exactly(misses in prop::collection::vec(0usize..100, 1..5)) {
            let coverage = coverage("0.99");
            let mut level = Level::of(coverage);
            let start = level.billionths();
            let (mut said, mut broken) = (0, 0);
            for place in misses {
                for at in 0..100 {
                    level = level.after(at != place, coverage);
                    said += 1;
                    broken += i64::from(at == place);
                }
            }
            let step = step(coverage);
            prop_assert_eq!(level.billionths(), start + said * (step * coverage.miss() / WHOLE) - broken * step);
        }
    }
}
