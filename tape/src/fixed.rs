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

impl<const SCALE: u32> std::fmt::Display for Fixed<SCALE> {
    /// Plain decimal text without closing zeros: `27000.12`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scale = SCALE as usize;
        let digits = format!("{:0>width$}", self.0.to_string(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            return f.write_str(whole);
        }
        write!(f, "{whole}.{fraction}")
    }
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
        assert_eq!(Volume::parse("1.500").expect("in range").to_string(), "1.5");
    }

    #[test]
    fn what_is_not_a_whole_count_of_units_is_refused() {
        for text in ["", ".5", "-1", "1e5", "0.0000000000000000001", "1_0", "a", &"9".repeat(80)] {
            assert_eq!(Volume::parse(text), None, "{text}");
        }
    }
}
