//! Lengths of time, read into big integers.

use num_bigint::BigUint;

/// The milliseconds of digits with one of the units `ms s m min h d`, or none.
pub fn milliseconds(text: &str) -> Option<BigUint> {
    const UNITS: [(&str, u32); 7] =
        [("min", 60_000), ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("", 1)];
    UNITS.into_iter().find_map(|(unit, ms)| {
        let digits = text.strip_suffix(unit)?;
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| BigUint::parse_bytes(digits.as_bytes(), 10).expect("digits") * ms)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_counts_its_milliseconds() {
        for (text, ms) in [("7", 7), ("7ms", 7), ("2s", 2_000), ("3m", 180_000), ("3min", 180_000), ("1h", 3_600_000)] {
            assert_eq!(milliseconds(text), Some(BigUint::from(ms as u32)), "{text}");
        }
        assert_eq!(milliseconds("s"), None);
    }
}
