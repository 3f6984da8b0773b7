//! Whole numbers, however they are printed: `1684083600123.0` and `1.684e12` are whole too.

use crate::stamp;

/// The whole number a decimal text stands for, capped to 64 bits; `None` when
/// it is no number or not whole.
pub fn whole(text: &str) -> Option<i64> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let magnitude = match stamp::signed_digits(unsigned) {
        Some(magnitude) => magnitude,
        None => whole_from_parts(unsigned)?,
    };
    Some(if is_negative { -magnitude } else { magnitude })
}

fn whole_from_parts(unsigned: &str) -> Option<i64> {
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if integer.is_empty() || !is_digits(integer) || !is_digits(fraction) {
        return None;
    }

    let digits = format!("{integer}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let point = i64::try_from(integer.len()).ok()? + i64::from(exponent);
    let zeros = point - i64::try_from(significant.len()).ok()?;
    if zeros < 0 {
        return None;
    }
    let shift = u32::try_from(zeros).ok().and_then(|zeros| 10i64.checked_pow(zeros));
    let value = significant.parse::<i64>().ok().zip(shift).and_then(|(value, shift)| value.checked_mul(shift));
    // A number this large is a time, only none of ours: the time door refuses it.
    Some(value.unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_whole_milliseconds_however_they_are_printed() {
        for text in ["1684083600123", "1684083600123.0", "1684083600123.000", "1.684083600123e12", "16840836001230E-1"]
        {
            assert_eq!(whole(text), Some(1_684_083_600_123), "{text}");
        }
        assert_eq!(whole("1.684e12"), Some(1_684_000_000_000));
        assert_eq!(whole("-5"), Some(-5));
        assert_eq!(whole("0.000"), Some(0));
        assert_eq!(whole("0e5"), Some(0));
    }

    #[test]
    fn times_that_are_not_whole_or_no_numbers_are_refused() {
        for text in ["1684083600123.5", "1e-3", "", "-", "+5", "--5", ".5", "1e", "1e99999999999", "12a", "1 ", "٥"] {
            assert_eq!(whole(text), None, "{text:?}");
        }
    }

    #[test]
    fn times_beyond_all_bounds_stay_times_so_that_the_time_door_names_them() {
        assert_eq!(whole("99999999999999999999"), Some(i64::MAX));
        assert_eq!(whole("1e300"), Some(i64::MAX));
        assert_eq!(whole("-1e300"), Some(-i64::MAX));
    }

    proptest! {
        #[test]
        fn every_whole_number_reads_as_itself_in_every_notation(ms in -9_000_000_000_000_000i64..9_000_000_000_000_000, zeros in 0usize..5) {
            let fraction = "0".repeat(zeros);
            prop_assert_eq!(whole(&ms.to_string()), Some(ms));
            prop_assert_eq!(whole(&format!("{ms}.{fraction}")), Some(ms));
            prop_assert_eq!(whole(&format!("{ms}{fraction}e-{zeros}")), Some(ms));
            prop_assert_eq!(whole(&format!("{ms}e2")), Some(ms * 100));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.eE]{0,40}|\\PC{0,20}") {
            whole(&text);
        }
    }
}
