//! The sums of some trades while they are being added up: in machine words as
//! long as these hold them, exactly.

use crate::digits::Digits;
use crate::fixed::product;
use crate::units::DECIMALS;
use crate::{Notional, Sums, Volume};

/// Running sums. Prices and quantities of few digits are added as whole numbers
/// of their own decimals, which costs a multiplication and two additions; what
/// does not fit goes to 256 bits at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    trades: u64,
    /// In 10^-`quantity_scale`.
    volume: u128,
    /// In 10^-(`price_scale` + `quantity_scale`).
    notional: u128,
    price_scale: u32,
    quantity_scale: u32,
    /// What the words could not hold.
    wide: Sums,
}

impl Tally {
    /// Adds a trade of few digits.
    #[inline(always)]
    pub fn add(&mut self, price: Digits, quantity: Digits) {
        if self.price_scale < price.scale() || self.quantity_scale < quantity.scale() {
            self.refine(price.scale().max(self.price_scale), quantity.scale().max(self.quantity_scale));
        }
        if self.add_words(price, quantity).is_none() {
            self.widen();
            self.add_sums(Sums::of_units(price.units(), quantity.units()));
        }
    }

    /// Adds it, unless the words cannot hold that.
    #[inline(always)]
    fn add_words(&mut self, price: Digits, quantity: Digits) -> Option<()> {
        let price = price.in_steps_of(self.price_scale)?;
        let quantity = quantity.in_steps_of(self.quantity_scale)?;
        self.notional = self.notional.checked_add(u128::from(price) * u128::from(quantity))?;
        // 2^64 trades of 2^64 units fit.
        self.volume += u128::from(quantity);
        self.trades += 1;
        Some(())
    }

    /// Adds the sums of other trades.
    pub fn add_sums(&mut self, sums: Sums) {
        self.wide = self.wide.plus(sums);
    }

    /// All that was added; begins anew.
    pub fn take(&mut self) -> Sums {
        let words = self.words();
        let sums = if self.wide.is_empty() { words } else { self.wide.plus(words) };
        self.clear_words();
        self.wide = Sums::EMPTY;
        sums
    }

    /// Counts in finer steps from now on: those of prices and quantities lately.
    #[cold]
    fn refine(&mut self, price_scale: u32, quantity_scale: u32) {
        let by_quantity = power(quantity_scale - self.quantity_scale);
        let by_both = power(price_scale - self.price_scale).checked_mul(by_quantity);
        let volume = self.volume.checked_mul(by_quantity);
        let notional = by_both.and_then(|by_both| self.notional.checked_mul(by_both));
        match (volume, notional) {
            (Some(volume), Some(notional)) => (self.volume, self.notional) = (volume, notional),
            _ => self.widen(),
        }
        (self.price_scale, self.quantity_scale) = (price_scale, quantity_scale);
    }

    /// Empties the words, and forgets the steps that filled them.
    #[cold]
    fn widen(&mut self) {
        self.wide = self.wide.plus(self.words());
        self.clear_words();
        (self.price_scale, self.quantity_scale) = (0, 0);
    }

    fn words(&self) -> Sums {
        let volume = product(self.volume, power(DECIMALS - self.quantity_scale));
        let notional = product(self.notional, power(2 * DECIMALS - self.price_scale - self.quantity_scale));
        let (volume, notional) = (Volume::from_units(volume), Notional::from_units(notional));
        Sums { trades: self.trades, volume, notional }
    }

    fn clear_words(&mut self) {
        (self.trades, self.volume, self.notional) = (0, 0, 0);
    }
}

fn power(of_ten: u32) -> u128 {
    /// 10^0 to 10^36.
    const POWERS: [u128; 37] = {
        let mut powers = [1; 37];
        let mut power = 1;
        while power < powers.len() {
            powers[power] = powers[power - 1] * 10;
            power += 1;
        }
        powers
    };
    POWERS[of_ten as usize]
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;
    use crate::{Price, Quantity};

    fn digits(text: &str) -> Digits {
        Digits::at(format!("{text},,,,,,,,,").as_bytes(), 0).expect("a short decimal").0
    }

    /// Units of 10^-18 as a big integer, by the text alone.
    fn big(text: &str) -> BigUint {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}{fraction:0<18}").parse().expect("digits")
    }

    /// A decimal of up to 15 digits, with decimals and closing zeros of any number.
    fn any_decimal() -> impl Strategy<Value = String> {
        prop_oneof![
            (1u64..100_000_000, 0usize..9),
            (1u64..10u64.pow(14), 0usize..14),
            (1u64..100, 0usize..14),
            (10u64.pow(13)..10u64.pow(14), Just(0)),
        ]
        .prop_map(|(digits, decimals)| {
            let digits = format!("{digits:0>width$}", width = decimals + 1);
            let (whole, fraction) = digits.split_at(digits.len() - decimals);
            if decimals == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_048))]

        #[test]
        fn the_sums_are_those_of_big_integers_however_scales_and_sizes_mix(
            trades in prop::collection::vec((any_decimal(), any_decimal(), 0u8..12), 0..40),
        ) {
            let mut tally = Tally::default();
            let (mut count, mut volume, mut notional) = (0, BigUint::ZERO, BigUint::ZERO);
            for (price, quantity, what) in &trades {
                match what {
                    0 => tally.add_sums(Sums::of(Price::parse(price).unwrap(), Quantity::parse(quantity).unwrap())),
                    _ => tally.add(digits(price), digits(quantity)),
                }
                count += 1;
                volume += big(quantity);
                notional += big(price) * big(quantity);
                if *what == 1 {
                    let taken = tally.take();
                    prop_assert_eq!(taken.trades, count);
                    prop_assert_eq!(taken.volume.units().to_string(), volume.to_string());
                    prop_assert_eq!(taken.notional.units().to_string(), notional.to_string());
                    (count, volume, notional) = (0, BigUint::ZERO, BigUint::ZERO);
                }
            }
            let taken = tally.take();
            prop_assert_eq!(taken.trades, count);
            prop_assert_eq!(taken.volume.units().to_string(), volume.to_string());
            prop_assert_eq!(taken.notional.units().to_string(), notional.to_string());
            prop_assert_eq!(tally.take(), Sums::EMPTY);
        }
    }

    #[test]
    fn words_that_are_full_are_emptied_and_nothing_is_lost() {
        let (price, quantity) = (digits("99999999999999.9999"), digits("99999999999999.9999"));
        let mut tally = Tally::default();
        let fitting = u128::MAX / (u128::from(price.in_steps_of(4).unwrap()).pow(2));

        let count = u64::try_from(2 * fitting + 2).expect("few");
        assert_eq!(count, 682);
        (0..count).for_each(|_| tally.add(price, quantity));
        // Finer steps than words can hold.
        tally.add(digits("0.0000000000001"), digits("0.0000000000001"));

        let sums = tally.take();
        let product = big("99999999999999.9999").pow(2) * count + BigUint::from(10u32).pow(36 - 26);
        assert_eq!(sums.notional.units().to_string(), product.to_string());
        assert_eq!(sums.trades, count + 1);
    }
}
