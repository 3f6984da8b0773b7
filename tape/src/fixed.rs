//! Exact non-negative fixed-point numbers in 256 bits: sums and figures.

use ethnum::U256;

/// A non-negative number that is a whole count of 10^-`SCALE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fixed<const SCALE: u32>(U256);

/// A sum of quantities, in units of 10^-18.
pub type Volume = Fixed<18>;

/// A sum of price times quantity, in units of 10^-36.
pub type Notional = Fixed<36>;

/// A volume-weighted average price, rounded once to 24 decimals: at least 18
/// significant digits of every price from 10^-6 up.
pub type Vwap = Fixed<24>;

impl<const SCALE: u32> Fixed<SCALE> {
    /// Zero.
    pub const ZERO: Self = Self(U256::ZERO);

    /// So many units of 10^-`SCALE`.
    pub const fn from_units(units: U256) -> Self {
        Self(units)
    }

    /// The count of 10^-`SCALE`.
    pub const fn units(self) -> U256 {
        self.0
    }

    /// The sum, unless it leaves 256 bits.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it would be negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// Reads a plain decimal (`12.5`) that is a whole count of units; nothing is rounded.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let significant = fraction.trim_end_matches('0');
        let scale = usize::try_from(SCALE).ok()?;
        if whole.is_empty() || significant.len() > scale {
            return None;
        }
        let mut units = U256::ZERO;
        let padding = std::iter::repeat_n(b'0', scale - significant.len());
        for digit in whole.bytes().chain(significant.bytes()).chain(padding) {
            if !digit.is_ascii_digit() {
                return None;
            }
            units = units.checked_mul(U256::new(10))?.checked_add(U256::from(digit - b'0'))?;
        }
        Some(Self(units))
    }
}

impl<const SCALE: u32> Fixed<SCALE> {
    /// Appends the text that [`Display`](std::fmt::Display) gives, for whoever writes millions of them.
    pub fn append_to(&self, text: &mut Vec<u8>) {
        self.with_text(|own| text.extend_from_slice(own));
    }

    fn with_text<R>(&self, take: impl FnOnce(&[u8]) -> R) -> R {
        // One place more than there are digits, for the point.
        let mut text = [b'0'; DIGITS_MOST + 1];
        write_digits(self.0, &mut text[1..]);
        let whole_until = text.len() - SCALE as usize;
        let is_digit = |digit: &u8| *digit != b'0';
        let first = text.iter().position(is_digit).unwrap_or(whole_until).min(whole_until - 1);
        let fraction = text[whole_until..].iter().rposition(is_digit).map_or(0, |last| last + 1);
        text.copy_within(first..whole_until, first - 1);
        text[whole_until - 1] = b'.';
        let end = if fraction == 0 { whole_until - 1 } else { whole_until + fraction };
        take(&text[first - 1..end])
    }
}

impl<const SCALE: u32> std::fmt::Display for Fixed<SCALE> {
    /// Plain decimal text without closing zeros: `27000.12`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.with_text(|text| f.write_str(std::str::from_utf8(text).expect("digits and a point are text")))
    }
}

/// Room for the 78 digits of 2^256, and a whole number of steps of writing them.
const DIGITS_MOST: usize = 5 * DIGITS_OF_A_WORD;

/// 00 to 99.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < pairs.len() {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

/// Writes a number to the end of a text of zeros.
fn write_digits(number: U256, text: &mut [u8]) {
    let (high, low) = number.into_words();
    // The number, the highest word first.
    let mut words = [(high >> 64) as u64, high as u64, (low >> 64) as u64, low as u64];
    for digits_text in text.rchunks_exact_mut(DIGITS_OF_A_WORD) {
        if words == [0; 4] {
            return;
        }
        let mut digits = divide(&mut words);
        for pair in digits_text.rchunks_exact_mut(2) {
            pair.copy_from_slice(&PAIRS[(digits % 100) as usize]);
            digits /= 100;
        }
        digits_text[0] = b'0' + digits as u8;
    }
}

/// So many digits always fit a word.
const DIGITS_OF_A_WORD: usize = 19;

/// Divides a number of four words, the highest first, by 10^19, and returns what is left over.
fn divide(words: &mut [u64; 4]) -> u64 {
    const DIVISOR: u128 = 10u128.pow(DIGITS_OF_A_WORD as u32);
    let mut left = 0u128;
    for word in words.iter_mut().skip_while(|word| **word == 0) {
        let dividend = (left << 64) + u128::from(*word);
        // What is left over is below the divisor, so the quotient fits a word.
        *word = (dividend / DIVISOR) as u64;
        left = dividend % DIVISOR;
    }
    left as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_without_closing_zeros() {
        for text in ["0", "1", "0.5", "27000.12", "0.000000000000000001", "115792089237316195423570985008687907853269"]
        {
            assert_eq!(Volume::parse(text).expect("in range").to_string(), text);
        }
        let largest = "115792089237316195423570985008687907853269984665640564039457.584007913129639935";
        assert_eq!(Volume::from_units(U256::MAX).to_string(), largest);
        assert_eq!(Volume::parse(largest), Some(Volume::from_units(U256::MAX)));
        assert_eq!(Volume::parse("1.500").expect("in range").to_string(), "1.5");
    }

    proptest::proptest! {
        #[test]
        fn any_number_is_written_as_its_digits_say(high in proptest::num::u128::ANY, low in proptest::num::u128::ANY, zeros in 0u32..256) {
            let units = U256::from_words(high, low) >> zeros;
            let digits = format!("{:0>37}", units.to_string());
            let (whole, fraction) = digits.split_at(digits.len() - 36);
            let plain = format!("{whole}.{fraction}");
            let written = Notional::from_units(units).to_string();
            proptest::prop_assert_eq!(&written, plain.trim_end_matches('0').trim_end_matches('.'));
            let mut appended = Vec::new();
            Notional::from_units(units).append_to(&mut appended);
            proptest::prop_assert_eq!(appended, written.as_bytes());
            proptest::prop_assert_eq!(Notional::parse(&written), Some(Notional::from_units(units)));
        }
    }

    #[test]
    fn zeros_in_the_middle_of_a_number_are_written() {
        for text in [
            "100000000000000000000",
            "10000000000000000000.000000000000000001",
            "1000000000000000000000000000000000000000",
        ] {
            assert_eq!(Volume::parse(text).expect("in range").to_string(), text);
        }
    }

    #[test]
    fn what_is_not_a_whole_count_of_units_is_refused() {
        for text in ["", ".5", "-1", "1e5", "0.0000000000000000001", "1_0", "a", &"9".repeat(80)] {
            assert_eq!(Volume::parse(text), None, "{text}");
        }
    }
}
