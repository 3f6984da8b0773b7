//! Times as markets print them, read down to the millisecond they began in.
//! Digits only: no float holds a nanosecond of our days.

/// Reads `2014-11-07T08:19:27.028459Z`, with none to nine fractional digits, in UTC or with an offset.
///
/// ```
/// assert_eq!(market::stamp::rfc3339_ms("1970-01-01T00:00:01.9999Z"), Some(1_999));
/// ```
pub fn rfc3339_ms(text: &str) -> Option<i64> {
    let (date, rest) = text.as_bytes().split_first_chunk::<8>()?;
    let (mut clock, rest) = rest.split_first_chunk::<8>().map(|(clock, rest)| (*clock, rest))?;
    if let [_, _, between @ (b't' | b' '), ..] = &mut clock {
        *between = b'T';
    }
    let [century, _, of_century, _, _, month, _, _] = pairs(*date, b"0000-00-")?;
    let [day, _, _, hour, _, _, minute, _] = pairs(clock, b"00T00:00")?;
    let [b':', tens, ones, rest @ ..] = rest else { return None };
    let second = pair(*tens, *ones)?;
    // A leap second is told as the 60th; it ends where the next minute begins.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = days(i64::from(century) * 100 + i64::from(of_century), usize::from(month), i64::from(day))?;
    let (fraction_ms, offset) = match rest {
        [b'.', rest @ ..] => {
            let (number, digits) = leading_digits(rest);
            (thousandths(number, digits)?, &rest[digits..])
        }
        _ => (0, rest),
    };
    let minutes = (days * 24 + i64::from(hour)) * 60 + i64::from(minute);
    let seconds = minutes * 60 + i64::from(second) - offset_seconds(offset)?;
    Some(seconds * 1_000 + fraction_ms)
}

/// Reads seconds since 1970 with none to nine decimals: `1762795433.9717445`.
pub fn decimal_seconds_ms(text: &str) -> Option<i64> {
    let (seconds, fraction_ms) = match text.split_once('.') {
        None => (text, 0),
        Some((seconds, fraction)) => {
            let (number, digits) = leading_digits(fraction.as_bytes());
            (seconds, thousandths(number, digits).filter(|_| digits == fraction.len())?)
        }
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

/// How many digits a text begins with, and the number they make if they are few enough to be decimals of a second.
#[inline]
fn leading_digits(text: &[u8]) -> (i64, usize) {
    let (mut number, mut count) = (0i64, 0);
    while let Some(digit @ b'0'..=b'9') = text.get(count) {
        number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        count += 1;
    }
    (number, count)
}

/// The milliseconds of one to nine decimals of a second.
#[inline]
fn thousandths(number: i64, decimals: usize) -> Option<i64> {
    match decimals {
        1 => Some(number * 100),
        2 => Some(number * 10),
        3..=9 => Some(number / TENS[decimals - 3]),
        _ => None,
    }
}

/// 10^0 to 10^6.
const TENS: [i64; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/// Numbers of two digits in a text of this form, in which zeros stand for digits: each where its first digit stands.
#[inline]
fn pairs(text: [u8; 8], form: &[u8; 8]) -> Option<[u8; 8]> {
    // Digits become their values, and what is as the form has it becomes zero.
    let word = u64::from_le_bytes(text) ^ u64::from_le_bytes(*form);
    let most = form.map(|byte| if byte == b'0' { 9 } else { 0 });
    // What is above the most it may be, carries into its high bit, and no further.
    let above = (word & !HIGH_BITS) + u64::from_le_bytes(most.map(|most| 0x7f - most));
    // No pair is above 99, so none touches its neighbor.
    ((above | word) & HIGH_BITS == 0).then(|| (word * 10 + (word >> 8)).to_le_bytes())
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The number of two digits.
#[inline]
fn pair(tens: u8, ones: u8) -> Option<u8> {
    let [tens, ones] = [tens, ones].map(|digit| digit.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| tens * 10 + ones)
}

/// The days of a year before each of its months, and before the next year: in years of 365 days, and of 366.
const DAYS_BEFORE: [[i64; 13]; 2] = [
    [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365],
    [0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366],
];

/// Days from 1970-01-01 to a date of the Gregorian calendar.
#[inline]
fn days(year: i64, month: usize, day: i64) -> Option<i64> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_before = &DAYS_BEFORE[usize::from(is_leap)];
    let (before, until) = (*days_before.get(month.checked_sub(1)?)?, *days_before.get(month)?);
    if day < 1 || until - before < day {
        return None;
    }
    // Leap days up to the end of a year, and of 1969.
    let leap_days = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before_the_year = (year - 1970) * 365 + leap_days(year - 1) - leap_days(1969);
    Some(before_the_year + before + day - 1)
}

/// `Z`, `+02:00`, `-05:30`.
#[inline]
fn offset_seconds(text: &[u8]) -> Option<i64> {
    let (sign, rest) = match text {
        [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let [tens, ones, b':', tens_of_minutes, minutes] = *rest else { return None };
    let (hours, minutes) = (pair(tens, ones)?, pair(tens_of_minutes, minutes)?);
    (hours < 24 && minutes < 60).then(|| sign * (i64::from(hours) * 60 + i64::from(minutes)) * 60)
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
    fn a_stamp_is_one_only_while_every_byte_is_what_its_place_asks_for() {
        let stamp = "2021-04-17T16:43:30.123456Z";
        for place in 0..stamp.len() {
            for byte in 0..=0x7f {
                let mut text = stamp.as_bytes().to_vec();
                let before = std::mem::replace(&mut text[place], byte);
                let text = String::from_utf8(text).expect("ascii");
                let read = rfc3339_ms(&text);
                if before.is_ascii_digit() && byte.is_ascii_digit() {
                    // It is refused, or it is what is printed for what was read, or a leap second.
                    let is_printed = |ms| chrono_free(ms)[..23] == text[..23];
                    assert!(read.is_none_or(is_printed) || &text[17..19] == "60", "{text}");
                } else {
                    let is_alike = byte == before || [(10, b't'), (10, b' '), (26, b'z')].contains(&(place, byte));
                    assert_eq!(read.is_some(), is_alike, "{text}");
                }
            }
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
