//! Instants as questions write them and answers show them.

use chrono::{DateTime, SecondsFormat};
use tape::EpochMs;

/// What an instant may look like, for error messages.
pub const ACCEPTED: &str =
    "epoch milliseconds such as 1684083600123, or RFC 3339 such as 2023-05-14T17:00:00.123Z, from 1970 to 2200";

/// An instant as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedInstant {
    /// The instant.
    pub at: EpochMs,
    /// Whether it was written with ten digits: as milliseconds that is the
    /// beginning of 1970, as seconds it is about now.
    pub looks_like_seconds: bool,
}

/// Reads epoch milliseconds or RFC 3339.
///
/// # Errors
/// Says why the text is no instant.
pub fn parse(text: &str) -> Result<AskedInstant, String> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return parse_ms(text);
    }
    if text.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("it is before 1970".to_owned());
    }
    // A plus sign that was not percent-encoded arrives as a space.
    let with_offset = text.rfind(' ').filter(|at| *at >= 19).map(|at| format!("{}+{}", &text[..at], &text[at + 1..]));
    let text = with_offset.as_deref().unwrap_or(text);
    let instant = DateTime::parse_from_rfc3339(text)
        .map_err(|error| format!("it is neither a whole number nor RFC 3339 ({error})"))?;
    if is_finer_than_a_millisecond(text) {
        return Err("it is finer than a millisecond, which no answer is".to_owned());
    }
    let ms = instant.timestamp_millis();
    if !(0..=EpochMs::MAX.ms()).contains(&ms) {
        return Err("it is outside 1970 to 2200".to_owned());
    }
    Ok(AskedInstant { at: EpochMs::new(ms), looks_like_seconds: false })
}

/// By the digits themselves: chrono leaves out those after the ninth.
fn is_finer_than_a_millisecond(rfc3339: &str) -> bool {
    let fraction = rfc3339.split_once('.').map_or("", |(_, rest)| rest);
    fraction.bytes().take_while(u8::is_ascii_digit).skip(3).any(|digit| digit != b'0')
}

fn parse_ms(digits: &str) -> Result<AskedInstant, String> {
    let in_range = |ms: &i64| *ms <= EpochMs::MAX.ms();
    let Some(ms) = digits.parse().ok().filter(in_range) else {
        return Err(match digits.len() {
            16 => "it looks like microseconds: leave out the last three digits".to_owned(),
            19 => "it looks like nanoseconds: leave out the last six digits".to_owned(),
            _ => "it is after the year 2200".to_owned(),
        });
    };
    Ok(AskedInstant { at: EpochMs::new(ms), looks_like_seconds: digits.len() == 10 })
}

/// RFC 3339 in UTC with milliseconds: `2023-05-14T17:00:00.123Z`.
pub fn rfc3339(instant: EpochMs) -> String {
    let time = DateTime::from_timestamp_millis(instant.ms()).unwrap_or(DateTime::UNIX_EPOCH);
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Result<i64, String> {
        parse(text).map(|asked| asked.at.ms())
    }

    #[test]
    fn one_instant_is_read_however_it_is_written() {
        for text in [
            "1684083600123",
            "2023-05-14T17:00:00.123Z",
            "2023-05-14t17:00:00.123000z",
            "2023-05-14T17:00:00.123000000000Z",
            "2023-05-14 17:00:00.123Z",
            "2023-05-14T19:00:00.123+02:00",
            "2023-05-14T19:00:00.123 02:00",
        ] {
            assert_eq!(ms(text), Ok(1_684_083_600_123), "{text}");
        }
        assert_eq!(rfc3339(EpochMs::new(1_684_083_600_123)), "2023-05-14T17:00:00.123Z");
    }

    #[test]
    fn a_unit_mixed_up_is_named() {
        assert!(parse("1684083600").expect("readable").looks_like_seconds);
        assert!(!parse("1684083600123").expect("readable").looks_like_seconds);
        assert!(ms("1684083600123456").expect_err("µs").contains("microseconds"));
        assert!(ms("1684083600123456789").expect_err("ns").contains("nanoseconds"));
    }

    #[test]
    fn what_is_no_instant_is_refused_with_the_reason() {
        for text in [
            "-1",
            "yesterday",
            "1e12",
            "1684083600123.5",
            "2023-05-14",
            "2023-05-14T17:00:00",
            "99999999999999",
            "９",
            "2023-05-14T17:00:00.1234567Z",
            "2023-05-14T17:00:00.123000000001Z",
            "1969-12-31T23:59:59Z",
            "2201-01-01T00:00:00Z",
            "é 2023-05-14T17:00:00Z",
            "99999999999999999999999999",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
