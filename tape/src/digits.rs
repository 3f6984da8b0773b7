//! Numbers as tapes nearly always write them, eight bytes at a time: plain
//! digits with at most one point. Whatever is not read here is no mistake: it is
//! read, or refused, digit by digit (see [`crate::Price::parse`]).
//!
//! Eight bytes are one number to the processor. So a text is read without a
//! branch per digit, however long it is: branches that no one can foresee are
//! what reading decimals costs.

use crate::units::DECIMALS;

/// How many bytes are looked at together.
const WORD: usize = 8;

/// Room for a text that is read whole, and for what is looked at behind it.
const LOOKED_AT: usize = 32;

/// The same byte eight times.
const fn every(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; WORD])
}

/// What the next eight bytes are worth as digits, and how many of them are digits.
#[inline(always)]
fn digits_at(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let values = u64::from_le_bytes(*text.get(at..)?.first_chunk()?) ^ every(b'0');
    // The highest bit of each byte that is no digit. No byte touches its
    // neighbor: what is left of 0x7f and 0x76 stay within eight bits.
    let strangers = (((values & every(0x7f)) + every(0x76)) | values) & every(0x80);
    Some((values, strangers.trailing_zeros() as usize / WORD))
}

/// How many of so many digits, one to eight, are zeros behind all others.
#[inline(always)]
fn closing_zeros(values: u64, count: usize) -> usize {
    let aligned = values << (8 * (WORD - count) as u32 % u64::BITS);
    count.min(aligned.leading_zeros() as usize / WORD)
}

/// The number that so many digits make, up to eight, the first one lowest.
#[inline(always)]
fn number(values: u64, count: usize) -> u64 {
    const OUTER: u64 = 0x0000_00ff_0000_00ff;
    const BY_100_AND_1_000_000: u64 = 100 + (1_000_000 << 32);
    const BY_1_AND_10_000: u64 = 1 + (10_000 << 32);
    // Zeros come in front of the digits, and what followed them is gone.
    let values = values.checked_shl(8 * (WORD - count) as u32).unwrap_or(0);
    // Pairs, then fours, then all. What wraps lies above the numbers that are kept.
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let firsts = (pairs & OUTER).wrapping_mul(BY_100_AND_1_000_000);
    let seconds = ((pairs >> 16) & OUTER).wrapping_mul(BY_1_AND_10_000);
    firsts.wrapping_add(seconds) >> 32
}

/// A positive decimal: a whole number of 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits {
    /// Below 10^18, and not zero; what it stands for is below 10^14.
    mantissa: u64,
    /// Up to 18.
    scale: u32,
}

/// 10^0 to 10^18.
const POWERS_OF_TEN: [u64; 19] = {
    let mut powers = [1; 19];
    let mut power = 1;
    while power < powers.len() {
        powers[power] = powers[power - 1] * 10;
        power += 1;
    }
    powers
};

impl Digits {
    /// How many decimals it is written with: closing zeros included, but by [`Self::of`] and [`Self::shortened_at`].
    #[inline]
    pub fn scale(self) -> u32 {
        self.scale
    }

    /// The value as a count of 10^-18.
    #[inline]
    pub fn units(self) -> u128 {
        u128::from(self.mantissa) * u128::from(POWERS_OF_TEN[(DECIMALS - self.scale) as usize])
    }

    /// The value as a count of 10^-`scale`, if that is as fine as its own
    /// decimals, and the count a machine word.
    #[inline]
    pub fn in_steps_of(self, scale: u32) -> Option<u64> {
        let power = POWERS_OF_TEN.get(scale.checked_sub(self.scale)? as usize)?;
        self.mantissa.checked_mul(*power)
    }

    /// Reads a whole text, without the closing zeros of its fraction.
    ///
    /// ```
    /// use tape::digits::Digits;
    /// assert_eq!(Digits::of("27000.120").map(Digits::scale), Some(2));
    /// ```
    #[inline]
    pub fn of(text: &str) -> Option<Self> {
        let mut followed = [0; LOOKED_AT];
        followed[..LOOKED_AT - WORD].get_mut(..text.len())?.copy_from_slice(text.as_bytes());
        let (read, end) = Self::read::<true>(&followed, 0)?;
        (end == text.len()).then_some(read)
    }

    /// How many steps of 10^-`scale` it is.
    #[inline]
    pub fn mantissa(self) -> u64 {
        self.mantissa
    }

    /// The same number without the closing zeros of its fraction.
    #[inline]
    pub fn shortened(self) -> Self {
        let Self { mut mantissa, mut scale } = self;
        while scale > 0 && mantissa.is_multiple_of(10) {
            (mantissa, scale) = (mantissa / 10, scale - 1);
        }
        Self { mantissa, scale }
    }

    /// Reads the decimal that begins at a place, up to the first byte that
    /// cannot belong to it. Returns where that is too.
    ///
    /// ```
    /// use tape::digits::Digits;
    /// let (read, end) = Digits::at(b"27000.120,...........", 0).expect("short");
    /// assert_eq!((read.in_steps_of(3), end), (Some(27_000_120), 9));
    /// ```
    #[inline(always)]
    pub fn at(text: &[u8], at: usize) -> Option<(Self, usize)> {
        Self::read::<false>(text, at)
    }

    /// The same, without the closing zeros of its fraction.
    ///
    /// ```
    /// use tape::digits::Digits;
    /// let (read, end) = Digits::shortened_at(b"27000.120,...........", 0).expect("short");
    /// assert_eq!((read.scale(), end), (2, 9));
    /// ```
    #[inline(always)]
    pub fn shortened_at(text: &[u8], at: usize) -> Option<(Self, usize)> {
        Self::read::<true>(text, at)
    }

    #[inline(always)]
    fn read<const IS_SHORTENED: bool>(text: &[u8], at: usize) -> Option<(Self, usize)> {
        let (values, count) = digits_at(text, at)?;
        if count == 0 || count == WORD {
            return Self::digit_by_digit::<IS_SHORTENED>(text, at);
        }
        let (whole, point) = (number(values, count), at + count);
        if text[point] != b'.' {
            return (whole > 0).then_some((Self { mantissa: whole, scale: 0 }, point));
        }
        let (values, count) = digits_at(text, point + 1)?;
        let end = point + 1 + count;
        if count == 0 || text.get(end)?.is_ascii_digit() {
            return Self::digit_by_digit::<IS_SHORTENED>(text, at);
        }
        let decimals = if IS_SHORTENED { count - closing_zeros(values, count) } else { count };
        let mantissa = whole * POWERS_OF_TEN[decimals] + number(values, decimals);
        (mantissa > 0).then_some((Self { mantissa, scale: decimals as u32 }, end))
    }

    /// Reads one whose whole part or fraction is longer than eight digits, or nothing.
    #[cold]
    fn digit_by_digit<const IS_SHORTENED: bool>(text: &[u8], at: usize) -> Option<(Self, usize)> {
        const DIGITS_MOST: usize = 18;
        const WHOLE_MOST: usize = 14;
        let (mut mantissa, mut count, mut point) = (0u64, 0, None);
        for (end, byte) in text.iter().enumerate().skip(at) {
            match byte {
                b'0'..=b'9' if count < DIGITS_MOST => {
                    mantissa = mantissa * 10 + u64::from(byte - b'0');
                    count += 1;
                }
                b'.' if point.is_none() => point = Some(count),
                b'0'..=b'9' | b'.' => return None,
                _ => {
                    let whole = point.unwrap_or(count);
                    let is_held = mantissa > 0 && whole <= WHOLE_MOST;
                    let read = Self { mantissa, scale: (count - whole) as u32 };
                    return is_held.then(|| (if IS_SHORTENED { read.shortened() } else { read }, end));
                }
            }
        }
        None
    }
}

/// Reads the whole number that begins at a place, up to the first byte that is
/// no digit. Returns where that is too; none when that is nothing, or more than
/// 15 digits.
#[inline(always)]
pub fn whole_at(text: &[u8], at: usize) -> Option<(u64, usize)> {
    let (values, count) = digits_at(text, at)?;
    if count == 0 {
        return None;
    }
    let first = number(values, count);
    if count < WORD {
        return Some((first, at + count));
    }
    let (values, count) = digits_at(text, at + WORD)?;
    match count {
        0 => Some((first, at + WORD)),
        WORD => None,
        count => Some((first * POWERS_OF_TEN[count] + number(values, count), at + WORD + count)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Price, Quantity};

    /// A text and what follows it, enough to be looked at.
    fn followed(text: &str, by: &[u8]) -> Vec<u8> {
        [b"7.", text.as_bytes(), by, b",2000001,ETH,1700000000"].concat()
    }

    #[test]
    fn numbers_of_every_length_are_read_to_where_they_end() {
        for length in 1..=20 {
            let text = &"12345678901234567890"[..length];
            let bytes = followed(text, b"");
            let end = 2 + length;

            let expected = (length <= 15).then(|| (text.parse().expect("digits"), end));
            assert_eq!(whole_at(&bytes, 2), expected);
            let expected = (length <= 14).then(|| (Price::parse(text).expect("digits").units(), end));
            assert_eq!(Digits::at(&bytes, 2).map(|(read, end)| (read.units(), end)), expected);
            let bytes = followed(&format!("0.{text}"), b"");
            let units = || Price::parse(&format!("0.{text}")).expect("digits").units();
            let expected = (length <= 17).then(|| (units(), 2 + end));
            assert_eq!(Digits::at(&bytes, 2).map(|(read, end)| (read.units(), end)), expected);
        }
        assert_eq!(whole_at(b"1234567,", 0), Some((1_234_567, 7)));
        for (text, at) in [(&b"1234567"[..], 0), (b"12345678,", 0), (b"12345678,", 9), (b"12345678,", 10)] {
            assert_eq!(whole_at(text, at), None, "what ends early is not looked at");
            assert_eq!(Digits::at(text, at).map(|read| read.1), (text.len() == 9 && at == 0).then_some(8));
        }
        assert_eq!(Digits::at(b"1.2345678", 0), None);
        assert_eq!(Digits::at(b"123456789012.3", 0), None);
    }

    #[test]
    fn what_is_not_plain_or_not_positive_is_left_to_others() {
        for text in ["", ".", "0", "0.00", "-1", "+1", " 1", "a", "\"1\"", "..1", "1..2", "100000000000000"] {
            assert_eq!(Digits::at(&followed(text, b""), 2), None, "{text}");
        }
        for (text, length) in [("2E-7", 1), ("1.5e3", 3), ("1-", 1)] {
            let end = Digits::at(&followed(text, b""), 2).map(|read| read.1);
            assert_eq!(end, Some(2 + length), "no comma follows, and so nobody takes {text} for a number");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn what_is_read_here_is_what_prices_and_quantities_are(
            text in prop_oneof!["[0-9]{0,14}[.]?[0-9]{0,12}", "[0-9]{1,7}[.][0-9]{1,8}", "0[.]0{0,9}[0-9]{1,8}"],
            by in any::<[u8; 8]>().prop_filter("goes on", |by| !by[0].is_ascii_digit() && by[0] != b'.'),
        ) {
            let held = Price::parse(&text).ok().zip(Quantity::parse(&text).ok());
            let held = held.map(|(price, quantity)| (price.units(), quantity.units(), 2 + text.len()));
            let read = Digits::at(&followed(&text, &by), 2);
            let whole = text.split('.').next().map_or(0, str::len);
            let is_short = whole <= 14 && text.len() - usize::from(text.contains('.')) <= 18;
            prop_assert_eq!(read.map(|(read, end)| (read.units(), read.units(), end)), held.filter(|_| is_short));
        }

        #[test]
        fn any_bytes_are_either_not_read_or_read_as_far_as_they_are_a_number(text in any::<[u8; 24]>(), digits in "[0-9.,]{24}") {
            for text in [&text[..], digits.as_bytes()] {
                let until = |end: usize| std::str::from_utf8(&text[..end]).expect("digits");
                if let Some((number, end)) = whole_at(text, 0) {
                    prop_assert_eq!(until(end).parse::<u64>().ok(), Some(number));
                    prop_assert!(!text[end].is_ascii_digit());
                }
                if let Some((read, end)) = Digits::at(text, 0) {
                    prop_assert_eq!(Price::parse(until(end)).ok().map(Price::units), Some(read.units()));
                    prop_assert!(!text[end].is_ascii_digit());
                }
            }
        }
    }
}
