//! Times as markets print them, read down to the millisecond they began in.
//! Digits only: no float holds a nanosecond of our days.

/// Reads `2014-11-07T08:19:27.028459Z`, with none to nine fractional digits, in UTC or with an offset.
///
/// ```
/// assert_eq!(market::stamp::rfc3339_ms("1970-01-01T00:00:01.9999Z"), Some(1_999));
/// ```
pub fn rfc3339_ms(text: &str) -> Option<i64> {
    let (date, rest) = (text.get(..10)?, text.get(10..)?);
    let time = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, rest) = (time.get(..8)?, time.get(8..)?);
    let days = days(fixed::<4, 10>(date, b'-')?)?;
    let [hour, minute, second] = fixed::<2, 8>(clock, b':')?;
    // A leap second is told as the 60th; it ends where the next minute begins.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (fraction_ms, offset) = match rest.strip_prefix('.') {
        None => (0, rest),
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            (thousandths(&rest[..digits])?, &rest[digits..])
        }
    };
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset_seconds(offset)?;
    Some(seconds * 1_000 + fraction_ms)
}

/// Reads seconds since 1970 with none to nine decimals: `1762795433.9717445`.
pub fn decimal_seconds_ms(text: &str) -> Option<i64> {
    let (seconds, fraction_ms) = match text.split_once('.') {
        None => (text, 0),
        Some((seconds, fraction)) => (seconds, thousandths(fraction)?),
    };
    signed_digits(seconds)?.checked_mul(1_000)?.checked_add(fraction_ms)
}

/// Reads microseconds since 1970.
pub fn microseconds_ms(text: &str) -> Option<i64> {
    signed_digits(text).map(|us| us / 1_000)
}

/// So many digits fit, whatever they are.
const DIGITS_THAT_FIT: usize = 19;

/// A number of digits and nothing else, that fits.
#[inline]
pub(crate) fn digits(text: &str) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    if text.len() > DIGITS_THAT_FIT {
        let is_plain = text.bytes().all(|digit| digit.is_ascii_digit());
        return if is_plain { text.parse().ok() } else { None };
    }
    let (eights, rest) = text.as_bytes().as_chunks();
    let (mut number, mut is_plain) = (0u64, true);
    for eight in eights {
        let (eight, are_digits) = eight_digits(*eight);
        is_plain &= are_digits;
        number = number * 100_000_000 + eight;
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        is_plain &= digit < 10;
        number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    is_plain.then_some(number)
}

/// The number of eight digits, and whether they all are.
#[inline]
fn eight_digits(eight: [u8; 8]) -> (u64, bool) {
    let word = u64::from_le_bytes(eight) ^ 0x3030_3030_3030_3030;
    // Each byte is a digit's value now, and one that is none carries into its high bit.
    let others = (word.wrapping_add(0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080;
    // Neighbors are put together: to two digits, to four, to eight.
    let twos = word.wrapping_mul(10).wrapping_add(word >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = twos.wrapping_mul(100).wrapping_add(twos >> 16) & 0x0000_ffff_0000_ffff;
    (fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff, others == 0)
}

/// The same, where it fits with a sign.
#[inline]
pub(crate) fn signed_digits(text: &str) -> Option<i64> {
    digits(text)?.try_into().ok()
}

/// The milliseconds of one to nine decimals of a second.
fn thousandths(fraction: &str) -> Option<i64> {
    if fraction.len() > 9 {
        return None;
    }
    let number = signed_digits(fraction)?;
    Some(match fraction.len() {
        1 => number * 100,
        2 => number * 10,
        decimals => number / TENS[decimals - 3],
    })
}

/// 10^0 to 10^6.
const TENS: [i64; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/// Three numbers of fixed places, with this between them.
#[inline]
fn fixed<const FIRST: usize, const LENGTH: usize>(text: &str, between: u8) -> Option<[i64; 3]> {
    let text: &[u8; LENGTH] = text.as_bytes().try_into().ok()?;
    let (mut number, mut is_plain) = ([0; 3], true);
    for (place, byte) in text.iter().enumerate() {
        // Behind the first number, each two digits have a separator before them.
        match place.checked_sub(FIRST).map(|place| (place / 3, place % 3)) {
            Some((_, 0)) => is_plain &= *byte == between,
            at => {
                let digit = byte.wrapping_sub(b'0');
                is_plain &= digit < 10;
                let number = &mut number[at.map_or(0, |(which, _)| which + 1)];
                *number = *number * 10 + i64::from(digit);
            }
        }
    }
    is_plain.then_some(number)
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
fn days([year, month, day]: [i64; 3]) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let leap_day = i64::from(is_leap);
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
    let month = usize::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
    // Of this month and of the next one.
    let [before, until] = [month, month + 1].map(|month| before[month - 1] + if month > 2 { leap_day } else { 0 });
    if day < 1 || until - before < day {
        return None;
    }
    // Leap days up to the end of a year, and of 1969.
    let leap_days = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_the_year = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    Some(before_the_year + before + day - 1)
}

/// `Z`, `+02:00`, `-05:30`.
fn offset_seconds(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let [hours, minutes, _] = fixed::<2, 5>(rest, b':')?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fractions_of_none_to_nine_digits_are_cut_down_to_milliseconds() {
        let base = 1_618_677_810_000;
        for (fraction, ms) in [
            ("", 0),
            (".2", 200),
            (".24", 240),
            (".244", 244),
            (".2440", 244),
            (".244075", 244),
            (".999999999", 999),
            (".000999", 0),
        ] {
            let text = format!("2021-04-17T16:43:30{fraction}Z");
            assert_eq!(rfc3339_ms(&text), Some(base + ms), "{text}");
        }
        assert_eq!(rfc3339_ms("2021-04-17T18:43:30+02:00"), Some(base));
        assert_eq!(rfc3339_ms("2021-04-17T11:13:30.5-05:30"), Some(base + 500));
    }

    #[test]
    fn the_calendar_knows_its_leap_years() {
        // By `date -u -d … +%s`.
        for (date, days) in [("1970-01-01", 0), ("2000-02-29", 11_016), ("2000-03-01", 11_017), ("2100-03-01", 47_541)]
        {
            assert_eq!(rfc3339_ms(&format!("{date}T00:00:00Z")), Some(days * 86_400_000), "{date}");
        }
        assert_eq!(rfc3339_ms("0001-01-01T00:00:00.000000Z"), Some(-62_135_596_800_000));
        assert_eq!(rfc3339_ms("2100-02-29T00:00:00Z"), None);
        assert_eq!(rfc3339_ms("2023-02-29T00:00:00Z"), None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2021-04-17",
            "2021-04-17T16:43:30",
            "2021-04-17T16:43Z",
            "2021-4-17T16:43:30Z",
            "2021-13-17T16:43:30Z",
            "2021-00-17T16:43:30Z",
            "2021-04-31T16:43:30Z",
            "2021-04-17T24:43:30Z",
            "2021-04-17T16:60:30Z",
            "2021-04-17T16:43:61Z",
            "2021-04-17T16:43:30.Z",
            "2021-04-17T16:43:30.1234567890Z",
            "2021-04-17T16:43:30.12x4Z",
            "2021-04-17T16:43:30+2:00",
            "2021-04-17T16:43:30+02:00Z",
            "2021-04-17T16:43:30ZZ",
            "-021-04-17T16:43:30Z",
            "２021-04-17T16:43:30Z",
        ] {
            assert_eq!(rfc3339_ms(text), None, "{text:?}");
        }
    }

    #[test]
    fn seconds_with_decimals_and_microseconds_are_cut_down_too() {
        assert_eq!(decimal_seconds_ms("1762795433.9717445"), Some(1_762_795_433_971));
        assert_eq!(decimal_seconds_ms("1688669602.698379"), Some(1_688_669_602_698));
        assert_eq!(decimal_seconds_ms("1762820035.999999999"), Some(1_762_820_035_999));
        assert_eq!(decimal_seconds_ms("1560481868"), Some(1_560_481_868_000));
        assert_eq!(decimal_seconds_ms("0.5"), Some(500));
        assert_eq!(microseconds_ms("1641343699596999"), Some(1_641_343_699_596));
        for text in ["", ".5", "5.", "-1", "+1", "1e9", "1.5e9", "1.1234567890", "99999999999999999999", " 1"] {
            assert_eq!(decimal_seconds_ms(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_moment_of_four_centuries_reads_as_itself(ms in -6_000_000_000_000i64..7_258_118_400_000) {
            let at = chrono_free(ms);
            prop_assert_eq!(rfc3339_ms(&at), Some(ms), "{}", at);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}|[0-9TZ:.+-]{0,40}") {
            rfc3339_ms(&text);
            decimal_seconds_ms(&text);
            microseconds_ms(&text);
        }
    }

    /// Prints a moment by counting days one year and one month at a time.
    fn chrono_free(ms: i64) -> String {
        let (mut days, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
        let mut year = 1970;
        let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let of_year = |year: i64| if is_leap(year) { 366 } else { 365 };
        while days < 0 {
            year -= 1;
            days += of_year(year);
        }
        while of_year(year) <= days {
            days -= of_year(year);
            year += 1;
        }
        let mut month = 1;
        loop {
            let length = match month {
                2 if is_leap(year) => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        let (hour, minute, second) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60);
        format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", days + 1, of_day % 1_000)
    }
}
