//! What a window of true trades adds up to, by arithmetic of our own: big
//! integers over the texts, no code shared with the system under test.

use num_bigint::BigUint;

/// Decimals of the quotient.
const PRICE_DECIMALS: u32 = 24;

/// What the trades of a window add up to, as plain decimal texts without closing zeros.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct WindowTruth {
    /// How many trades.
    pub count: u64,
    /// The sum of quantities.
    pub volume: String,
    /// The sum of price times quantity.
    pub notional: String,
    /// Notional over volume to 24 decimals, half to even; none without trades.
    pub vwap: Option<String>,
}

impl WindowTruth {
    /// Adds up `(price, quantity)` texts, in plain or exponent form.
    pub fn of<'a>(trades: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut count = 0;
        let mut volume = Exact::zero();
        let mut notional = Exact::zero();
        for (price, quantity) in trades {
            let quantity = Exact::of_text(quantity);
            notional.add(Exact::of_text(price).times(&quantity));
            volume.add(quantity);
            count += 1;
        }
        let vwap = (count > 0).then(|| notional.over(&volume, PRICE_DECIMALS).to_string());
        Self { count, volume: volume.to_string(), notional: notional.to_string(), vwap }
    }
}

/// A non-negative number: `digits` × 10^-`scale`.
#[derive(Debug, Clone)]
struct Exact {
    digits: BigUint,
    scale: u32,
}

impl Exact {
    fn zero() -> Self {
        Self { digits: BigUint::ZERO, scale: 0 }
    }

    /// Reads a text that is known to be a decimal.
    fn of_text(text: &str) -> Self {
        let (number, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i64>().unwrap_or(0)),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = [whole, fraction].concat();
        let digits = BigUint::parse_bytes(digits.as_bytes(), 10).unwrap_or_default();
        let decimals = fraction.len() as i64 - exponent;
        match u32::try_from(decimals) {
            Ok(scale) => Self { digits, scale },
            Err(_) => Self { digits: digits * ten_to(decimals.unsigned_abs() as u32), scale: 0 },
        }
    }

    fn times(&self, other: &Self) -> Self {
        Self { digits: &self.digits * &other.digits, scale: self.scale + other.scale }
    }

    fn add(&mut self, mut other: Self) {
        let scale = self.scale.max(other.scale);
        self.rescale(scale);
        other.rescale(scale);
        self.digits += other.digits;
    }

    fn rescale(&mut self, scale: u32) {
        if self.scale < scale {
            self.digits *= ten_to(scale - self.scale);
            self.scale = scale;
        }
    }

    /// The quotient to so many decimals, half to even.
    fn over(&self, divisor: &Self, decimals: u32) -> Self {
        let dividend = &self.digits * ten_to(decimals + divisor.scale);
        let divisor = &divisor.digits * ten_to(self.scale);
        let mut quotient = &dividend / &divisor;
        let twice_rest = (dividend % &divisor) * 2u32;
        if twice_rest > divisor || (twice_rest == divisor && quotient.bit(0)) {
            quotient += 1u32;
        }
        Self { digits: quotient, scale: decimals }
    }
}

impl std::fmt::Display for Exact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let digits = self.digits.to_string();
        let width = self.scale as usize + 1;
        let padded = format!("{digits:0>width$}");
        let (whole, fraction) = padded.split_at(padded.len() - self.scale as usize);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { f.write_str(whole) } else { write!(f, "{whole}.{fraction}") }
    }
}

fn ten_to(power: u32) -> BigUint {
    BigUint::from(10u32).pow(power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_across_scales_and_exponent_forms() {
        let truth = WindowTruth::of([("27000.12", "0.50"), ("1e3", "2E-7"), ("0.000000000000000001", "1.5E+3")]);

        assert_eq!(truth.count, 3);
        assert_eq!(truth.volume, "1500.5000002");
        assert_eq!(truth.notional, "13500.0602000000000015");
    }

    #[test]
    fn the_quotient_is_rounded_once_half_to_even() {
        assert_eq!(WindowTruth::of([("1", "1"), ("2", "2")]).vwap.as_deref(), Some("1.666666666666666666666667"));
        assert_eq!(WindowTruth::of([("2.50", "4")]).vwap.as_deref(), Some("2.5"));
    }

    #[test]
    fn an_empty_window_has_no_price() {
        let truth = WindowTruth::of([]);

        assert_eq!((truth.count, truth.volume.as_str(), truth.vwap), (0, "0", None));
    }
}
