//! The Gregorian calendar by counting days, and RFC 3339 by scanning.

/// An instant as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Seconds since 1970, in UTC.
    pub seconds: i64,
    /// The digits after the point.
    pub fraction: String,
    /// Whether every character is one that nobody could refuse: `T`, `Z`, an
    /// ASCII sign, seconds below 60.
    pub is_plain: bool,
}

impl Written {
    /// Milliseconds since 1970, when it is not finer than that.
    pub fn milliseconds(&self) -> Option<i64> {
        let (kept, finer) = self.fraction.split_at(self.fraction.len().min(3));
        let is_whole = finer.bytes().all(|digit| digit == b'0');
        is_whole.then(|| self.seconds * 1_000 + format!("{kept:0<3}").parse::<i64>().expect("three digits"))
    }
}

/// Reads `2023-05-14T17:00:00.123+02:00`, also with `t`, a blank or `z`.
pub fn read(text: &str) -> Option<Written> {
    let date = text.get(..10)?;
    let (year, month, day) = (field(date, 0, 4)?, field(date, 5, 2)?, field(date, 8, 2)?);
    let time = text.get(11..19)?;
    let (hour, minute, second) = (field(time, 0, 2)?, field(time, 3, 2)?, field(time, 6, 2)?);
    let between = text.get(10..11)?;
    let marks = [&date[4..5], &date[7..8], &time[2..3], &time[5..6]];
    if marks != ["-", "-", ":", ":"] || !["T", "t", " "].contains(&between) {
        return None;
    }
    let is_date = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let rest = text.get(19..)?;
    let (fraction, zone) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()),
        None => ("", rest),
    };
    if rest.starts_with('.') && fraction.is_empty() {
        return None;
    }
    let (offset, is_plain_zone) = offset_seconds(zone)?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset;
    let is_plain = is_plain_zone && between == "T" && second < 60;
    Some(Written { seconds, fraction: fraction.to_owned(), is_plain })
}

/// How far a zone is ahead of UTC, and whether it is written plainly.
fn offset_seconds(zone: &str) -> Option<(i64, bool)> {
    if zone.eq_ignore_ascii_case("z") {
        return Some((0, zone == "Z"));
    }
    // The minus sign of typographers is understood by some readers.
    let (sign, is_plain, rest) = match zone.chars().next()? {
        '+' => (1, true, &zone[1..]),
        '-' => (-1, true, &zone[1..]),
        '\u{2212}' => (-1, false, &zone['\u{2212}'.len_utf8()..]),
        _ => return None,
    };
    if rest.len() != 5 || rest.get(2..3)? != ":" {
        return None;
    }
    let (hours, minutes) = (field(rest, 0, 2)?, field(rest, 3, 2)?);
    (hours <= 23 && minutes <= 59).then_some((sign * (hours * 3_600 + minutes * 60), is_plain))
}

fn field(text: &str, at: usize, digits: usize) -> Option<i64> {
    let text = text.get(at..at + digits)?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().expect("a few digits"))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts whole years, then whole months, then days.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let leap_days_before = |year: i64| {
        let last = year - 1;
        last.div_euclid(4) - last.div_euclid(100) + last.div_euclid(400)
    };
    let years = (year - 1970) * 365 + leap_days_before(year) - leap_days_before(1970);
    let months: i64 = (1..month).map(|month| days_in(year, month)).sum();
    years + months + day - 1
}

/// Writes an instant in UTC as `2023-05-14T17:00:00.123Z`, by trying days.
pub fn write(ms: i64) -> String {
    let (day, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let mut year = 1970 + day.div_euclid(366);
    while days_since_1970(year + 1, 1, 1) <= day {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days_since_1970(year, month + 1, 1) <= day {
        month += 1;
    }
    let day = day - days_since_1970(year, month, 1) + 1;
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, ms) = (in_day / 1_000 % 60, in_day % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_everybody_knows_are_where_they_belong() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2023-05-14T19:00:00+02:00", 1_684_083_600),
            ("1969-12-31T23:59:59Z", -1),
            ("2200-01-01T00:00:00Z", 7_258_118_400),
        ] {
            assert_eq!(read(text).map(|written| written.seconds), Some(seconds), "{text}");
        }
        assert_eq!(read("2023-02-29T00:00:00Z"), None);
        assert_eq!(read("1900-02-29T00:00:00Z"), None);
        assert_eq!(write(1_684_083_600_123), "2023-05-14T17:00:00.123Z");
        assert_eq!(write(951_782_400_000), "2000-02-29T00:00:00.000Z");
    }
}
