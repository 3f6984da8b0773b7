//! Exact non-negative fixed-point numbers in 256 bits: sums and figures.

use ethnum::U256;

/// The product, which always fits: one word times another, four times.
#[inline]
pub(crate) fn product(a: u128, b: u128) -> U256 {
    const LOW: u128 = u64::MAX as u128;
    let (a_high, a_low, b_high, b_low) = (a >> 64, a & LOW, b >> 64, b & LOW);
    let lowest = a_low * b_low;
    // None of these sums leaves 128 bits: (2^64 - 1)^2 leaves room for two more words.
    let middle = a_high * b_low + (lowest >> 64);
    let other = a_low * b_high + (middle & LOW);
    U256::from_words(a_high * b_high + (middle >> 64) + (other >> 64), (other << 64) | (lowest & LOW))
}

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
        let written = write_digits(self.0, &mut text[1..]);
        let whole_until = text.len() - SCALE as usize;
        let is_digit = |digit: &u8| *digit != b'0';
        // All before what was written is zeros.
        let unwritten = text.len() - written;
        let first = text[unwritten..].iter().position(is_digit).map_or(whole_until, |first| unwritten + first);
        let first = first.min(whole_until - 1);
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

/// Writes a number to the end of a text of zeros, and returns how much of it was written.
fn write_digits(number: U256, text: &mut [u8]) -> usize {
    let (high, low) = number.into_words();
    // The number, the highest word first.
    let mut words = [(high >> 64) as u64, high as u64, (low >> 64) as u64, low as u64];
    let mut written = 0;
    for digits_text in text.rchunks_exact_mut(DIGITS_OF_A_WORD) {
        if words == [0; 4] {
            break;
        }
        let digits = divide(&mut words);
        let (upper, lowest) = (digits / 100_000_000, digits % 100_000_000);
        digits_text[11..].copy_from_slice(&eight_digits(lowest));
        digits_text[3..11].copy_from_slice(&eight_digits(upper % 100_000_000));
        digits_text[..3].copy_from_slice(&eight_digits(upper / 100_000_000)[5..]);
        written += DIGITS_OF_A_WORD;
    }
    written
}

/// The text of a number of up to eight digits, all of them at once: fours, then
/// pairs, then single ones, each in bytes of its own.
#[inline]
fn eight_digits(number: u64) -> [u8; 8] {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    // n × 10486 >> 20 is n / 100 below 10,000, and n × 103 >> 10 is n / 10 below 100.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | ((fours - hundreds * 100) << 16);
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | ((pairs - tens * 10) << 8);
    (ones | u64::from_ne_bytes([b'0'; 8])).to_le_bytes()
}

/// So many digits always fit a machine word.
const DIGITS_OF_A_WORD: usize = 19;

/// Divides a number of four words, the highest first, by 10^19, and returns what is left over.
fn divide(words: &mut [u64; 4]) -> u64 {
    let mut left = 0;
    for word in words.iter_mut().skip_while(|word| **word == 0) {
        (*word, left) = divide_two(left, *word);
    }
    left
}

/// Divides two words, the higher one below 10^19, by 10^19: by multiplying with
/// its inverse, since processors are slow to divide (Möller and Granlund 2011).
/// Returns the quotient and what is left over.
#[inline]
fn divide_two(high: u64, low: u64) -> (u64, u64) {
    const DIVISOR: u64 = 10u64.pow(DIGITS_OF_A_WORD as u32);
    // The divisor's highest bit is set, so its inverse is that word above 2^64.
    const INVERSE: u64 = (u128::MAX / DIVISOR as u128 - (1 << 64)) as u64;
    let estimate = u128::from(INVERSE) * u128::from(high) + ((u128::from(high) << 64) | u128::from(low));
    let mut quotient = ((estimate >> 64) as u64).wrapping_add(1);
    let mut left = low.wrapping_sub(quotient.wrapping_mul(DIVISOR));
    if left > estimate as u64 {
        quotient = quotient.wrapping_sub(1);
        left = left.wrapping_add(DIVISOR);
    }
    if left >= DIVISOR {
        (quotient, left) = (quotient + 1, left - DIVISOR);
    }
    (quotient, left)
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

    #[test]
    fn eight_digits_are_those_of_the_number() {
        for number in (0..100_000_000).step_by(977).chain(0..20_000).chain([99_999_999, 99_990_000, 9_999, 10_000]) {
            assert_eq!(std::str::from_utf8(&eight_digits(number)).expect("digits"), format!("{number:08}"));
        }
    }

    #[test]
    fn two_words_are_divided_as_wide_numbers_are() {
        let divisor = 10u128.pow(19);
        let words = [0, 1, 10u64.pow(19) - 1, 10u64.pow(19), u64::MAX, u64::MAX / 2, 10u64.pow(19) / 2, 12_345];
        for high in words.into_iter().filter(|high| u128::from(*high) < divisor) {
            for low in words {
                let number = (u128::from(high) << 64) | u128::from(low);
                let (quotient, left) = divide_two(high, low);
                assert_eq!((u128::from(quotient), u128::from(left)), (number / divisor, number % divisor));
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_product_of_words_is_that_of_wide_numbers(a in proptest::num::u128::ANY, b in proptest::num::u128::ANY, zeros in 0u32..128) {
            for (a, b) in [(a, b), (a >> zeros, b), (a, u128::MAX), (u128::MAX, u128::MAX)] {
                proptest::prop_assert_eq!(product(a, b), U256::new(a) * U256::new(b));
            }
        }

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
