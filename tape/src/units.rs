//! Price and quantity: positive decimals, held exactly or refused.
//!
//! Both have at most [`DECIMALS`] decimals and a bounded size, so that the
//! 256-bit sums of [`crate::Sums`] hold more than 2^36 of the largest trades
//! without overflow.

use rust_decimal::Decimal;

use crate::Rejection;
use crate::digits::Digits;

/// The most decimals a price or quantity may have.
pub const DECIMALS: u32 = 18;

/// Prices are below 10^14.
const PRICE_BELOW_POWER: u32 = 14;

/// Quantities are below 10^16.
const QUANTITY_BELOW_POWER: u32 = 16;

/// No decimal we can hold needs more text than this, exponent forms included.
const TEXT_LIMIT: usize = 64;

/// A traded price: strictly positive, at most 18 decimals, below 10^14.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(Decimal);

/// A traded quantity: strictly positive, at most 18 decimals, below 10^16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(Decimal);

macro_rules! unit {
    ($unit:ident, $field:literal, $below:expr) => {
        impl $unit {
            /// Reads plain or exponent notation (`27000.12`, `2E-7`) without rounding.
            ///
            /// # Errors
            /// Refuses what is not a number, not positive, or cannot be held exactly.
            pub fn parse(text: &str) -> Result<Self, Rejection> {
                parse($field, text, $below).map(Self)
            }

            /// Takes digits as they were read: whatever they are, they are within bounds.
            #[inline]
            pub fn of(digits: Digits) -> Self {
                Self(held(digits.shortened()))
            }

            /// Accepts a positive decimal that can be held exactly, refuses anything else.
            ///
            /// # Errors
            /// Refuses a value that is not positive or out of bounds.
            pub fn new(value: Decimal) -> Result<Self, Rejection> {
                Self::parse(&value.to_string())
            }

            /// The value, without closing zeros.
            pub fn value(self) -> Decimal {
                self.0
            }

            /// The value as a count of 10^-18.
            pub fn units(self) -> u128 {
                // The constructor bounds the value below 10^16, so this is below 10^34.
                self.0.mantissa().unsigned_abs() * POWERS_OF_TEN[(DECIMALS - self.0.scale()) as usize]
            }
        }

        impl std::fmt::Display for $unit {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

unit!(Price, "price", PRICE_BELOW_POWER);
unit!(Quantity, "quantity", QUANTITY_BELOW_POWER);

/// 10^0 to 10^18.
const POWERS_OF_TEN: [u128; 19] = {
    let mut powers = [1; 19];
    let mut power = 1;
    while power < powers.len() {
        powers[power] = powers[power - 1] * 10;
        power += 1;
    }
    powers
};

/// Why a text is not a decimal we hold.
enum NotHeld {
    Garbled,
    ZeroOrBelow,
    Inexact,
}

fn parse(field: &'static str, text: &str, below_power: u32) -> Result<Decimal, Rejection> {
    if let Some(decimal) = parse_plain(text) {
        return Ok(decimal);
    }
    parse_positive(text, below_power).map_err(|not_held| {
        let value: String = text.chars().take(TEXT_LIMIT).collect();
        match not_held {
            NotHeld::Garbled => Rejection::WrongType { field, found: value },
            NotHeld::ZeroOrBelow => Rejection::NotPositive { field, value },
            NotHeld::Inexact => Rejection::NotExact { field, value },
        }
    })
}

/// What feeds send nearly always. Whatever is not read here, [`parse_positive`]
/// reads, or says why nobody can.
fn parse_plain(text: &str) -> Option<Decimal> {
    Digits::of(text).map(held)
}

/// Digits without closing zeros. They are below 10^14, as every price and quantity may be.
#[inline]
fn held(digits: Digits) -> Decimal {
    let [low, high] = [digits.mantissa(), digits.mantissa() >> 32].map(|word| (word & u64::from(u32::MAX)) as u32);
    Decimal::from_parts(low, high, 0, false, digits.scale())
}

/// Reads a decimal by its digits: rust_decimal's own readers round or refuse
/// exponents, and real feeds print `2E-7` and `1.000000000000000000000000000000`.
fn parse_positive(text: &str, below_power: u32) -> Result<Decimal, NotHeld> {
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut digits = whole.bytes().chain(fraction.bytes());
    if whole.is_empty() && fraction.is_empty() || !digits.all(|digit| digit.is_ascii_digit()) {
        return Err(NotHeld::Garbled);
    }
    if negative {
        return Err(NotHeld::ZeroOrBelow);
    }

    let mut mantissa: u128 = 0;
    let mut pending_zeros: u32 = 0;
    let mut exponent = exponent - i64::try_from(fraction.len()).map_err(|_| NotHeld::Inexact)?;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if digit == b'0' {
            pending_zeros = pending_zeros.saturating_add(1);
            continue;
        }
        mantissa = if mantissa == 0 {
            u128::from(digit - b'0')
        } else {
            10u128
                .checked_pow(pending_zeros + 1)
                .and_then(|shift| mantissa.checked_mul(shift))
                .and_then(|shifted| shifted.checked_add(u128::from(digit - b'0')))
                .ok_or(NotHeld::Inexact)?
        };
        pending_zeros = 0;
    }
    if mantissa == 0 {
        return Err(NotHeld::ZeroOrBelow);
    }
    exponent += i64::from(pending_zeros);

    let (mantissa, scale) = match u32::try_from(exponent) {
        Ok(shift) => {
            let shifted = 10u128.checked_pow(shift).and_then(|shift| mantissa.checked_mul(shift));
            (shifted.ok_or(NotHeld::Inexact)?, 0)
        }
        Err(_) => (mantissa, u32::try_from(-exponent).map_err(|_| NotHeld::Inexact)?),
    };
    if scale > DECIMALS || mantissa >= 10u128.pow(below_power + scale) {
        return Err(NotHeld::Inexact);
    }
    let mantissa = i128::try_from(mantissa).map_err(|_| NotHeld::Inexact)?;
    Decimal::try_from_i128_with_scale(mantissa, scale).map_err(|_| NotHeld::Inexact)
}

/// Reads an exponent, capped where no text is long enough to bring its digits
/// back within bounds.
fn parse_exponent(text: &str) -> Result<i64, NotHeld> {
    const CAP: i64 = 1 << 60;
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(NotHeld::Garbled);
    }
    let magnitude = digits.parse().map_or(CAP, |magnitude: i64| magnitude.min(CAP));
    Ok(if is_negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::RejectionKind;

    fn price(text: &str) -> String {
        Price::parse(text).map_or_else(|rejection| rejection.kind().as_str().to_owned(), |price| price.to_string())
    }

    #[test]
    fn plain_and_exponent_forms_are_read_digit_by_digit() {
        assert_eq!(price("27000.12"), "27000.12");
        assert_eq!(price("27000.1200"), "27000.12");
        assert_eq!(price("1402000.0"), "1402000");
        assert_eq!(price("2E-7"), "0.0000002");
        assert_eq!(price("1e-08"), "0.00000001");
        assert_eq!(price("1.5e3"), "1500");
        assert_eq!(price("1.5e+0000000003"), "1500");
        assert_eq!(price("1500000e-0000000003"), "1500");
        assert_eq!(price("0.000000000000000001"), "0.000000000000000001");
        assert_eq!(price("1.000000000000000000000000000000000000"), "1");
        assert_eq!(price("99999999999999"), "99999999999999");
    }

    #[test]
    fn what_cannot_be_held_exactly_is_refused_and_never_rounded() {
        for text in [
            "0.1234567890123456789",
            "1E-19",
            "1e400",
            "1e99999999999",
            "1e-99999999999",
            "1e99999999999999999999",
            "100000000000000",
            "12345678901234.123456789012345678",
            "123456789012345678901234567890123456789012345678901234567890",
        ] {
            assert_eq!(price(text), RejectionKind::NotExact.as_str(), "{text}");
        }
    }

    #[test]
    fn what_feeds_send_nearly_always_is_read_the_plain_way() {
        let plain = |text: &str| parse_plain(text).map(|decimal| decimal.to_string());

        for text in ["1402000", "27000.12", "0.5", "99999.999999999", "99999999999999.9999", "0.00000000000000001"] {
            assert_eq!(plain(text).as_deref(), Some(text));
        }
        for (text, read) in
            [("27000.1200", "27000.12"), ("1402000.0", "1402000"), ("0.1000000000", "0.1"), (".5", "0.5"), ("5.", "5")]
        {
            assert_eq!(plain(text).as_deref(), Some(read), "{text}");
        }
        for text in ["", ".", "0", "0.00", "2E-7", "100000000000000", "0.000000000000000001", "1.2.3", "1\0"] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn what_is_read_the_plain_way_is_read_alike_by_its_digits(
            text in prop_oneof!["[0-9]{0,16}[.]?[0-9]{0,12}", "[0-9]{1,7}[.][0-9]{1,4}0{0,6}", "[0-9.]{0,26}"],
        ) {
            for below_power in [PRICE_BELOW_POWER, QUANTITY_BELOW_POWER] {
                if let Some(plain) = parse_plain(&text) {
                    let long = parse_positive(&text, below_power).ok();
                    prop_assert_eq!(Some((plain.mantissa(), plain.scale())), long.map(|it| (it.mantissa(), it.scale())));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn digits_that_were_read_elsewhere_are_held_as_their_text_is(
            text in prop_oneof!["[0-9]{0,15}[.]?[0-9]{0,12}", "[0-9]{1,7}[.][0-9]{1,4}0{0,6}", "[0-9]{1,14}0{0,6}"],
        ) {
            let followed = format!("{text},\"side\":\"buy\"");
            for read in [Digits::at(followed.as_bytes(), 0), Digits::shortened_at(followed.as_bytes(), 0)] {
                let Some((digits, end)) = read else { continue };
                prop_assert_eq!(end, text.len());
                let parsed = (Price::parse(&text).expect("a price"), Quantity::parse(&text).expect("a quantity"));
                let held = (Price::of(digits), Quantity::of(digits));
                prop_assert_eq!(held, parsed);
                prop_assert_eq!(held.0.value().scale(), parsed.0.value().scale(), "without closing zeros");
            }
        }
    }

    #[test]
    fn zero_and_negative_values_are_refused_as_not_positive() {
        let longest = format!("-{}", "9".repeat(50));
        for text in ["0", "0.000", "-1", "-0", "0e5", "0e9999999", "0e99999999999999999999", "-2E-7", "-1e99", &longest]
        {
            assert_eq!(price(text), RejectionKind::NotPositive.as_str(), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused_as_a_wrong_type() {
        for text in [
            "",
            ".",
            "abc",
            "1,5",
            "1.2.3",
            "NaN",
            "Infinity",
            "0x10",
            "1e",
            "e5",
            "1e5e5",
            "1:",
            " 1",
            "1 ",
            "--1",
            "١",
            "abce9999999",
            "-",
            "-e1",
            "1e-",
            "1e+-1",
        ] {
            assert_eq!(price(text), RejectionKind::WrongType.as_str(), "{text:?}");
        }
    }

    #[test]
    fn quantities_of_ten_to_the_fifteenth_are_held_with_their_unit_count() {
        let quantity = Quantity::parse("1e15").expect("within bounds");

        assert_eq!(quantity.units(), 10u128.pow(33));
        assert_eq!(Quantity::parse("0.5").expect("half").units(), 5 * 10u128.pow(17));
        assert!(Quantity::parse("1e16").is_err());
    }

    #[test]
    fn a_decimal_made_elsewhere_passes_the_same_door() {
        assert_eq!(Price::new(Decimal::new(125, 1)).expect("12.5").to_string(), "12.5");
        assert!(Price::new(Decimal::ZERO).is_err());
    }
}
