//! Numbers as exchanges print them, from the digits alone.

use rust_decimal::Decimal;

/// The digits with at least so many decimals: some exchanges fill up with zeros.
pub fn padded(digits: &str, decimals: usize) -> String {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    format!("{whole}.{fraction:0<decimals$}")
}

/// The digits without the zeros that end them.
pub fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// Price times quantity with eight decimals, cut off; nothing is computed with it.
pub fn notional(price: &str, quantity: &str) -> String {
    let product = || {
        let (price, quantity) = (Decimal::from_str_exact(price).ok()?, Decimal::from_str_exact(quantity).ok()?);
        let units = price.mantissa().checked_mul(quantity.mantissa())?;
        let scale = price.scale() + quantity.scale();
        let units = if scale > 8 { units / 10_i128.checked_pow(scale - 8)? } else { units };
        Decimal::try_from_i128_with_scale(units, scale.min(8)).ok()
    };
    padded(&product().unwrap_or_default().to_string(), 8)
}

/// The least step of a number with so many decimals: `0.001`.
pub fn step(decimals: usize) -> String {
    if decimals == 0 { "1".to_owned() } else { format!("0.{:0>decimals$}", 1) }
}

/// The digits as Java prints them: what is below a millionth has an exponent.
pub fn java(digits: &str) -> String {
    let is_tiny = digits.strip_prefix("0.").is_some_and(|fraction| fraction.starts_with("000000"));
    let Some(fraction) = digits.strip_prefix("0.").filter(|_| is_tiny) else { return digits.to_owned() };
    let significant = fraction.trim_start_matches('0');
    if significant.is_empty() {
        return digits.to_owned();
    }
    let exponent = fraction.len() - significant.len() + 1;
    let (first, rest) = significant.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}E-{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_filled_up_trimmed_and_stepped() {
        assert_eq!((padded("1.5", 8), padded("7", 2)), ("1.50000000".to_owned(), "7.00".to_owned()));
        assert_eq!(padded("1.123456789", 8), "1.123456789");
        assert_eq!((trimmed("1.500"), trimmed("10"), trimmed("2.0")), ("1.5", "10", "2"));
        assert_eq!((step(0), step(3)), ("1".to_owned(), "0.001".to_owned()));
    }

    #[test]
    fn dust_has_an_exponent() {
        let printed = ["0.00000001", "0.000000230", "0.000001", "0.5", "12"].map(java);
        assert_eq!(printed, ["1E-8", "2.30E-7", "0.000001", "0.5", "12"]);
    }

    #[test]
    fn the_notional_has_eight_decimals() {
        assert_eq!(notional("60814.78000000", "0.00034000"), "20.67702520");
        assert_eq!(notional("3", "2"), "6.00000000");
    }
}
