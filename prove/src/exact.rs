//! Exact decimals for holding figures against the truth: big integers over the
//! texts, and no code shared with the system under test.

use std::cmp::Ordering;

use num_bigint::BigInt;

/// Decimals of a price.
const PRICE_DECIMALS: u32 = 24;

/// A decimal: `digits` × 10^-`scale`. Equal when the values are.
#[derive(Debug, Clone)]
pub struct Exact {
    digits: BigInt,
    scale: u32,
}

impl Exact {
    /// Nothing.
    pub fn zero() -> Self {
        Self { digits: BigInt::ZERO, scale: 0 }
    }

    /// Reads `1`, `-1.50`, `2E-7`, `1.5e+6`; none when it is no decimal, or
    /// one of a size no market writes.
    pub fn read(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let magnitude = whole.strip_prefix('-').unwrap_or(whole);
        if magnitude.is_empty() || !are_digits(magnitude) || !are_digits(fraction) {
            return None;
        }
        let digits: BigInt = format!("{whole}{fraction}").parse().ok()?;
        let decimals = i64::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        if decimals.abs() > 10_000 {
            return None;
        }
        let power = u32::try_from(decimals.abs()).ok()?;
        if decimals < 0 {
            return Some(Self { digits: digits * ten_to(power), scale: 0 });
        }
        Some(Self { digits, scale: power })
    }

    /// The sum.
    pub fn plus(&self, other: &Self) -> Self {
        let scale = self.scale.max(other.scale);
        Self { digits: self.digits_at(scale) + other.digits_at(scale), scale }
    }

    /// The difference.
    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&Self { digits: -other.digits.clone(), scale: other.scale })
    }

    /// The product.
    pub fn times(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, scale: self.scale + other.scale }
    }

    /// The quotient of two positive decimals, rounded once, half to even, as
    /// prices are.
    pub fn over(&self, divisor: &Self) -> Self {
        let dividend = &self.digits * ten_to(PRICE_DECIMALS + divisor.scale);
        let divisor = &divisor.digits * ten_to(self.scale);
        let mut quotient = &dividend / &divisor;
        let twice_rest: BigInt = (dividend % &divisor) * 2;
        if twice_rest > divisor || (twice_rest == divisor && quotient.bit(0)) {
            quotient += 1;
        }
        Self { digits: quotient, scale: PRICE_DECIMALS }
    }

    fn digits_at(&self, scale: u32) -> BigInt {
        &self.digits * ten_to(scale - self.scale)
    }
}

impl PartialEq for Exact {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Exact {}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        self.digits_at(scale).cmp(&other.digits_at(scale))
    }
}

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.digits.to_string();
        let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
        let width = self.scale as usize + 1;
        let padded = format!("{digits:0>width$}");
        let (whole, fraction) = padded.split_at(padded.len() - self.scale as usize);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(f, "{sign}{whole}{point}{fraction}")
    }
}

fn ten_to(power: u32) -> BigInt {
    BigInt::from(10).pow(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::read(text).expect("a decimal")
    }

    #[test]
    fn a_value_is_the_same_however_it_is_written() {
        for (one, other) in [("1.50", "1.5"), ("2E-7", "0.0000002"), ("1.5e+6", "1500000"), ("0", "0.000")] {
            assert_eq!(exact(one), exact(other));
        }
        assert!(exact("0.1") < exact("0.11") && exact("-2") < exact("-1.5"));
        for text in ["", "-", ".5", "1.2.3", "1e", "NaN", "1_0", "0x1", "1e99999"] {
            assert_eq!(Exact::read(text), None, "{text}");
        }
    }

    #[test]
    fn sums_and_products_lose_nothing() {
        let sum = exact("99999999999999.999999999999999999").plus(&exact("0.000000000000000001"));
        assert_eq!(sum.to_string(), "100000000000000");
        assert_eq!(exact("27000.12").times(&exact("2E-7")).to_string(), "0.005400024");
        assert_eq!(exact("1").minus(&exact("1.25")).to_string(), "-0.25");
    }

    #[test]
    fn a_quotient_is_rounded_once_half_to_even() {
        assert_eq!(exact("5").over(&exact("3")).to_string(), "1.666666666666666666666667");
        // Exactly half a unit of the 24th decimal: down to the even digit, and up to it.
        let half = "0.0000000000000000000000005";
        assert_eq!(exact(half).over(&exact("1")).to_string(), "0");
        assert_eq!(exact(half).times(&exact("3")).over(&exact("1")).to_string(), "0.000000000000000000000002");
    }
}
