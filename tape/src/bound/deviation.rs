//! How far a final price lies from the provisional one, exact to a millionth of
//! a basis point and rounded away from zero.

use ethnum::U256;

use crate::{Fixed, Vwap};

/// How many units make the whole price: one unit is a millionth of a basis point.
const UNITS_OF_PRICE: U256 = U256::new(10_000_000_000);

/// A distance from a provisional price, as a part of that price, in millionths
/// of a basis point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Deviation(u64);

impl Deviation {
    /// No distance at all.
    pub const NONE: Self = Self(0);

    /// The largest one told apart from no bound at all: a hundred thousand times the price.
    pub const MAX: Self = Self((1 << 50) - 1);

    /// So many millionths of a basis point; none beyond [`Deviation::MAX`].
    pub const fn from_units(units: u64) -> Option<Self> {
        if units <= Self::MAX.0 { Some(Self(units)) } else { None }
    }

    /// Millionths of a basis point.
    pub const fn units(self) -> u64 {
        self.0
    }

    /// In basis points.
    pub fn basis_points(self) -> Fixed<6> {
        Fixed::from_units(U256::from(self.0))
    }

    /// So many basis points; none beyond [`Deviation::MAX`].
    pub fn from_basis_points(bps: Fixed<6>) -> Option<Self> {
        u64::try_from(bps.units()).ok().and_then(Self::from_units)
    }

    /// The smallest deviation that reaches from the provisional price to the
    /// final one. None when no finite one does: the final window has no price,
    /// the provisional price is zero, or the two are out of all proportion.
    pub fn between(provisional: Vwap, settled: Option<Vwap>) -> Option<Self> {
        let (from, to) = (provisional.units(), settled?.units());
        if from == to {
            return Some(Self::NONE);
        }
        let scaled = from.abs_diff(to).checked_mul(UNITS_OF_PRICE)?;
        let whole = scaled.checked_div(from)?;
        let rounded_up = if whole * from == scaled { whole } else { whole + U256::ONE };
        u64::try_from(rounded_up).ok().and_then(Self::from_units)
    }

    /// The lowest and the highest price within this deviation. A final price
    /// lies between them exactly when [`Deviation::between`] does not exceed it.
    pub fn around(self, provisional: Vwap) -> (Vwap, Vwap) {
        // A price is below 10^38 units and a deviation below 2^50: far from 256 bits.
        let reach = Vwap::from_units(provisional.units() * U256::from(self.0) / UNITS_OF_PRICE);
        let lowest = provisional.checked_sub(reach).unwrap_or(Vwap::ZERO);
        (lowest, provisional.checked_add(reach).unwrap_or(provisional))
    }

    /// This deviation `numerator / denominator` times, rounded up; none when
    /// that is out of all proportion.
    pub(crate) fn times(self, numerator: u128, denominator: u128) -> Option<Self> {
        let product = u128::from(self.0).checked_mul(numerator)?;
        u64::try_from(product.div_ceil(denominator.max(1))).ok().and_then(Self::from_units)
    }
}

/// In basis points: `1.25`.
impl std::fmt::Display for Deviation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.basis_points().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn price(text: &str) -> Vwap {
        Vwap::parse(text).expect("a price")
    }

    #[test]
    fn a_price_one_percent_away_deviates_by_a_hundred_basis_points() {
        for other in ["99", "101"] {
            let deviation = Deviation::between(price("100"), Some(price(other))).expect("finite");
            assert_eq!(deviation.to_string(), "100");
        }
    }

    #[test]
    fn what_is_not_a_whole_unit_is_rounded_away_from_zero() {
        let deviation = Deviation::between(price("3"), Some(price("3.000000000000000000000001"))).expect("finite");

        assert_eq!(deviation.to_string(), "0.000001");
        assert_eq!(Deviation::between(price("3"), Some(price("3"))), Some(Deviation::NONE));
    }

    #[test]
    fn a_window_that_loses_its_price_deviates_without_bound() {
        assert_eq!(Deviation::between(price("3"), None), None);
        assert_eq!(Deviation::between(price("0.000001"), Some(price("99999999999999"))), None);
        assert_eq!(Deviation::between(Vwap::ZERO, Some(price("1"))), None);
    }

    #[test]
    fn basis_points_are_millions_of_units_up_to_the_largest_deviation() {
        let read = |text: &str| Deviation::from_basis_points(Fixed::parse(text).expect("basis points"));

        assert_eq!(read("1.25").map(Deviation::units), Some(1_250_000));
        assert_eq!(read("1125899906.842623"), Some(Deviation::MAX));
        assert_eq!(read("1125899906.842624"), None);
    }

    #[test]
    fn a_stretched_deviation_is_rounded_up_and_has_an_end() {
        let stretched = |numerator, denominator| Deviation(5).times(numerator, denominator).map(Deviation::units);

        assert_eq!((stretched(3, 2), stretched(4, 2), stretched(2, 10)), (Some(8), Some(10), Some(1)));
        assert_eq!(Deviation::MAX.times(2, 1), None, "beyond the largest");
        assert_eq!(stretched(u128::MAX, u128::MAX), None, "beyond 128 bits on the way");
    }

    proptest! {
        #[test]
        fn the_final_price_is_in_the_range_exactly_when_its_deviation_is_in_the_bound(
            from in 1u128..1_000_000_000_000,
            to in 0u128..1_000_000_000_000,
            bound in 0u64..30_000_000_000,
        ) {
            let (from, to) = (Vwap::from_units(U256::new(from)), Vwap::from_units(U256::new(to)));
            let bound = Deviation::from_units(bound).unwrap();
            let (lowest, highest) = bound.around(from);
            let is_in_range = lowest <= to && to <= highest;
            let is_in_bound = Deviation::between(from, Some(to)).is_some_and(|deviation| deviation <= bound);
            prop_assert_eq!(is_in_range, is_in_bound);
        }
    }
}
