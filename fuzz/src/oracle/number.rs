//! Decimal texts, read into big integers.

use num_bigint::{BigInt, BigUint};

/// A decimal number in its only form: `±digits × 10^exponent`, where digits do
/// not end in zero. Zero has no digits and no exponent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Whether there is a minus before it; kept for zero too.
    pub is_negative: bool,
    /// The digits between the first and the last that is not zero.
    pub digits: String,
    /// What power of ten the last of them counts.
    pub exponent: BigInt,
}

impl Number {
    /// Reads `[+-] digits [. digits] [e [+-] digits]`, where either side of the
    /// point may be absent but not both.
    pub fn read(text: &str) -> Option<Self> {
        let mut rest = text.as_bytes();
        let sign = take(&mut rest, |byte| byte == b'-' || byte == b'+', 1);
        let whole = take(&mut rest, |byte| byte.is_ascii_digit(), usize::MAX);
        let point = take(&mut rest, |byte| byte == b'.', 1);
        let fraction =
            if point.is_empty() { &[][..] } else { take(&mut rest, |byte| byte.is_ascii_digit(), usize::MAX) };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut exponent = BigInt::ZERO;
        if !take(&mut rest, |byte| byte == b'e' || byte == b'E', 1).is_empty() {
            let sign = take(&mut rest, |byte| byte == b'-' || byte == b'+', 1);
            let digits = take(&mut rest, |byte| byte.is_ascii_digit(), usize::MAX);
            exponent = BigInt::parse_bytes(digits, 10)?;
            if sign == b"-" {
                exponent = -exponent;
            }
        }
        if !rest.is_empty() {
            return None;
        }
        let all = String::from_utf8([whole, fraction].concat()).expect("ASCII digits");
        let digits = all.trim_end_matches('0');
        let exponent = exponent - BigInt::from(fraction.len()) + BigInt::from(all.len() - digits.len());
        let digits = digits.trim_start_matches('0').to_owned();
        let exponent = if digits.is_empty() { BigInt::ZERO } else { exponent };
        Some(Self { is_negative: sign == b"-", digits, exponent })
    }

    /// Whether it is zero, of whatever sign.
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether it is above zero.
    pub fn is_positive(&self) -> bool {
        !self.is_zero() && !self.is_negative
    }

    /// Whether its magnitude is below a power of ten.
    pub fn is_below_ten_to(&self, power: usize) -> bool {
        BigInt::from(self.digits.len()) + &self.exponent <= BigInt::from(power) || self.is_zero()
    }

    /// Its magnitude as a count of `10^-decimals`, when it is whole and the
    /// number small enough to be written out.
    pub fn count_of(&self, decimals: usize) -> Option<BigUint> {
        if self.is_zero() {
            return Some(BigUint::ZERO);
        }
        let power = usize::try_from(&self.exponent + BigInt::from(decimals)).ok().filter(|power| *power < 1_000)?;
        BigUint::parse_bytes(self.digits.as_bytes(), 10).map(|digits| digits * BigUint::from(10u32).pow(power as u32))
    }
}

/// Takes bytes off the front while they are accepted.
fn take<'a>(rest: &mut &'a [u8], accept: impl Fn(u8) -> bool, most: usize) -> &'a [u8] {
    let length = rest.iter().take(most).take_while(|byte| accept(**byte)).count();
    let (taken, left) = rest.split_at(length);
    *rest = left;
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<String> {
        Number::read(text).map(|number| format!("{}e{}", number.digits, number.exponent))
    }

    #[test]
    fn one_value_has_one_form_however_it_is_written() {
        for text in ["27000.12", "+27000.1200", "027000.12", "2.700012e4", "2700012E-0000002"] {
            assert_eq!(written(text).as_deref(), Some("2700012e-2"), "{text}");
        }
        assert_eq!(written("0.000").as_deref(), Some("e0"));
        assert_eq!(written("100").as_deref(), Some("1e2"));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", ".", "-", "e5", "1e", "1e+", "1 ", " 1", "1.2.3", "0x1", "--1", "٣"] {
            assert_eq!(written(text), None, "{text:?}");
        }
    }
}
