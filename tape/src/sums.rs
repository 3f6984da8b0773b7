//! The exact sums behind a VWAP, and the one division at the end.

use ethnum::U256;

use crate::fixed::product;
use crate::{Notional, Price, Quantity, Volume, Vwap};

/// Count, volume and notional of a set of trades, exact.
///
/// The bounds of [`Price`] and [`Quantity`] keep one notional below 2^220, so
/// 2^36 of the largest trades fit before 256 bits overflow: more than any
/// window, table or machine here can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many trades.
    pub trades: u64,
    /// The sum of quantities.
    pub volume: Volume,
    /// The sum of price times quantity.
    pub notional: Notional,
}

impl Sums {
    /// No trades.
    pub const EMPTY: Self = Self { trades: 0, volume: Volume::ZERO, notional: Notional::ZERO };

    /// The sums of one trade.
    pub fn of(price: Price, quantity: Quantity) -> Self {
        Self::of_units(price.units(), quantity.units())
    }

    /// The sums of one trade, of a price and a quantity within bounds.
    pub(crate) fn of_units(price: u128, quantity: u128) -> Self {
        let (volume, notional) = (U256::new(quantity), product(price, quantity));
        Self { trades: 1, volume: Volume::from_units(volume), notional: Notional::from_units(notional) }
    }

    /// These sums with others added.
    pub fn plus(self, other: Self) -> Self {
        const FITS: &str = "fewer than 2^36 trades are ever summed";
        Self {
            trades: self.trades + other.trades,
            volume: self.volume.checked_add(other.volume).expect(FITS),
            notional: self.notional.checked_add(other.notional).expect(FITS),
        }
    }

    /// These sums with others added, unless that leaves what can be counted.
    pub fn checked_plus(self, other: Self) -> Option<Self> {
        Some(Self {
            trades: self.trades.checked_add(other.trades)?,
            volume: self.volume.checked_add(other.volume)?,
            notional: self.notional.checked_add(other.notional)?,
        })
    }

    /// These sums with others taken out, if they can have been part of them.
    pub fn minus(self, other: Self) -> Option<Self> {
        Some(Self {
            trades: self.trades.checked_sub(other.trades)?,
            volume: self.volume.checked_sub(other.volume)?,
            notional: self.notional.checked_sub(other.notional)?,
        })
    }

    /// Whether there are no trades.
    pub fn is_empty(self) -> bool {
        self.trades == 0
    }

    /// Notional over volume, rounded once, half to even, to 24 decimals.
    /// No trades have no price.
    pub fn vwap(self) -> Option<Vwap> {
        if self.volume == Volume::ZERO {
            return None;
        }
        // Dividing first and scaling the remainder keeps every step far from
        // 256 bits: the quotient is a price, the remainder below the volume.
        const TO_FIGURE_SCALE: U256 = U256::new(1_000_000);
        let volume = self.volume.units();
        let (whole, remainder) = self.notional.units().div_rem(volume);
        let (rest, left) = (remainder * TO_FIGURE_SCALE).div_rem(volume);
        let floor = whole * TO_FIGURE_SCALE + rest;
        let twice_left = left << 1u32;
        let is_odd = floor & U256::ONE == U256::ONE;
        let rounds_up = twice_left > volume || (twice_left == volume && is_odd);
        Some(Vwap::from_units(if rounds_up { floor + U256::ONE } else { floor }))
    }
}

impl Sums {
    /// Whether the division at the end cannot leave 256 bits, as no sums of
    /// trades can: for sums that come from elsewhere.
    pub fn can_be_divided(self) -> bool {
        const SPARE_BITS: u32 = 32;
        let (volume, notional) = (self.volume.units(), self.notional.units());
        let Some(price) = notional.checked_div(volume) else { return true };
        volume.leading_zeros() >= SPARE_BITS && price.leading_zeros() >= SPARE_BITS
    }
}

impl std::iter::Sum for Sums {
    fn sum<I: Iterator<Item = Self>>(sums: I) -> Self {
        sums.fold(Self::EMPTY, Self::plus)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sums(price: &str, quantity: &str) -> Sums {
        Sums::of(Price::parse(price).expect("price"), Quantity::parse(quantity).expect("quantity"))
    }

    #[test]
    fn no_trades_have_no_price_rather_than_a_price_of_zero() {
        assert_eq!(Sums::EMPTY.vwap(), None);
        assert!(Sums::EMPTY.is_empty());
        assert!(!sums("1", "1").is_empty());
    }

    #[test]
    fn the_sums_are_exact_across_thirty_orders_of_magnitude() {
        let block_and_dust =
            sums("0.000000000000000001", "0.000000000000000001").plus(sums("99999999999999", "9999999999999999"));

        assert_eq!(block_and_dust.volume.to_string(), "9999999999999999.000000000000000001");
        assert_eq!(
            block_and_dust.notional.to_string(),
            "999999999999989900000000000001.000000000000000000000000000000000001"
        );
    }

    #[test]
    fn a_figure_halfway_between_two_steps_goes_to_the_even_one() {
        // Two prices one last decimal apart, weighted 2^-24 ...: build the exact half directly.
        let half = |units: u128| Sums {
            trades: 1,
            volume: Volume::from_units(U256::new(2_000_000)),
            notional: Notional::from_units(U256::new(units)),
        };

        // units / 2_000_000 × 10^6 = units / 2 steps of 10^-24.
        assert_eq!(half(1).vwap().expect("price").units(), U256::ZERO);
        assert_eq!(half(3).vwap().expect("price").units(), U256::new(2));
        assert_eq!(half(5).vwap().expect("price").units(), U256::new(2));
        assert_eq!(half(6).vwap().expect("price").units(), U256::new(3));
    }

    #[test]
    fn the_largest_trades_do_not_overflow_the_division() {
        let mut largest = sums("99999999999999.99999999999999", "9999999999999999.999999999999");
        for _ in 0..36 {
            largest = largest.plus(largest);
        }

        assert_eq!(largest.vwap().expect("price").to_string(), "99999999999999.99999999999999");
    }

    #[test]
    fn sums_beyond_what_can_be_counted_or_divided_are_named_and_never_wrap() {
        let largest = |trades| Sums { trades, volume: Volume::from_units(U256::MAX), notional: Notional::ZERO };
        let one = sums("1", "0.000000000000000001");
        assert_eq!(largest(1).checked_plus(one), None);
        assert_eq!(Sums { trades: u64::MAX, ..Sums::EMPTY }.checked_plus(one), None);
        let dear = Sums { trades: 1, volume: Volume::ZERO, notional: Notional::from_units(U256::MAX) };
        assert_eq!(dear.checked_plus(one), None);
        assert_eq!(sums("2", "3").checked_plus(one), Some(sums("2", "3").plus(one)));

        let divided = |volume: U256, notional: U256| {
            let (volume, notional) = (Volume::from_units(volume), Notional::from_units(notional));
            Sums { trades: 1, volume, notional }.can_be_divided()
        };
        assert!(divided(U256::ZERO, U256::MAX), "it is not divided");
        assert!(!divided(U256::MAX >> 31u32, U256::ONE) && divided(U256::MAX >> 32u32, U256::ONE));
        assert!(!divided(U256::ONE, U256::MAX >> 31u32) && divided(U256::ONE, U256::MAX >> 32u32));
    }

    fn any_trade() -> impl Strategy<Value = (u64, u64)> {
        (1u64..1_000_000_000_000, 1u64..1_000_000_000_000)
    }

    fn sums_of_cents((price, quantity): (u64, u64)) -> Sums {
        sums(&format!("{price}e-8"), &format!("{quantity}e-8"))
    }

    proptest! {
        #[test]
        fn a_vwap_lies_between_the_lowest_and_the_highest_price(trades in prop::collection::vec(any_trade(), 1..50)) {
            let total: Sums = trades.iter().copied().map(sums_of_cents).sum();
            let price = |units: u64| Vwap::parse(&Price::parse(&format!("{units}e-8")).unwrap().to_string()).unwrap();
            let lowest = price(trades.iter().map(|trade| trade.0).min().unwrap());
            let highest = price(trades.iter().map(|trade| trade.0).max().unwrap());
            let vwap = total.vwap().unwrap();
            prop_assert!(lowest <= vwap && vwap <= highest);
        }

        #[test]
        fn sums_equal_an_oracle_in_plain_integers_and_shuffling_changes_nothing(trades in prop::collection::vec(any_trade(), 1..50)) {
            let volume: u128 = trades.iter().map(|trade| u128::from(trade.1)).sum();
            let notional: u128 = trades.iter().map(|trade| u128::from(trade.0) * u128::from(trade.1)).sum();
            let forward: Sums = trades.iter().copied().map(sums_of_cents).sum();
            let backward: Sums = trades.iter().rev().copied().map(sums_of_cents).sum();
            prop_assert_eq!(forward, backward);
            prop_assert_eq!(forward.volume.units(), U256::new(volume) * U256::new(10u128.pow(10)));
            prop_assert_eq!(forward.notional.units(), U256::new(notional) * U256::new(10u128.pow(20)));
        }

        #[test]
        fn what_was_added_can_be_taken_out_again(a in any_trade(), b in any_trade()) {
            let (a, b) = (sums_of_cents(a), sums_of_cents(b));
            prop_assert_eq!(a.plus(b).minus(b), Some(a));
            prop_assert_eq!(Sums::EMPTY.minus(a), None);
        }
    }
}
