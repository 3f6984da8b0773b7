//! The headers of a REST answer that tell the time: three lines, of which the
//! first is `X-Market-Time`, the second `Date` and the third `Retry-After`.

use std::time::Duration;

use market::headers::{MarketTime, retry_after};
use num_bigint::BigUint;
use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use tape::EpochMs;

use crate::oracle::calendar;

pub(super) const WORDS: &[&str] =
    &["1684065600123", "Sun, 14 May 2023 12:00:00 GMT", "Sunday, 14-May-23 12:00:00 GMT", "\n", "120", "+1", "-1", " "];

const NOON: i64 = 1_684_065_600_000;
const SKEW: i64 = 500;
const CAP: Duration = Duration::from_secs(300);

pub(super) fn check(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    let mut texts = ["", "", ""];
    let names = [reqwest::header::HeaderName::from_static("x-market-time"), DATE, RETRY_AFTER];
    for (name, text) in names.into_iter().zip(&mut texts) {
        let line = lines.next().unwrap_or_default();
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        *text = str::from_utf8(line).ok().filter(|line| line.is_ascii()).unwrap_or_default();
        headers.insert(name, value);
    }
    let [market_time, date, after] = texts;

    let (asked_at, answered_at) = (EpochMs::new(NOON), EpochMs::new(NOON + 100));
    let told = digits(market_time).filter(|ms| *ms > BigUint::ZERO);
    let told = told.and_then(|ms| i64::try_from(ms).ok()).map(|ms| ms.min(EpochMs::MAX.ms()));
    let time = MarketTime::of(&headers, asked_at, answered_at, SKEW);
    let believable = NOON + 100 + SKEW;
    let expected = match (told, imf_date(date)) {
        (Some(told), _) => Some((told, told)),
        (None, Some(date)) => Some((date, date + 999)),
        // Two older forms of a date are understood too: they are not read again here.
        (None, None) if date.contains(':') => None,
        (None, None) => Some((NOON - SKEW, NOON + 100)),
    };
    if let Some((present, latest)) = expected {
        assert_eq!(time.present.ms(), present.min(believable), "{texts:?}");
        assert_eq!(time.latest.ms(), latest.min(believable) + SKEW, "{texts:?}");
    }
    assert!(time.present < time.latest && time.present.ms() <= believable, "{texts:?}");

    let pause = retry_after(&headers, asked_at, CAP);
    assert!(pause.is_none_or(|pause| pause <= CAP), "{texts:?}");
    let now = if date.contains(':') { imf_date(date) } else { Some(NOON) };
    let expected = match (digits(after), imf_date(after), now) {
        (Some(seconds), _, _) => Some(u64::try_from(seconds).unwrap_or(u64::MAX).min(300) * 1_000),
        (None, Some(until), Some(now)) => Some((until - now).clamp(0, 300_000).unsigned_abs()),
        _ => None,
    };
    if let Some(expected) = expected {
        assert_eq!(pause, Some(Duration::from_millis(expected)), "{texts:?}");
    } else if !after.contains(':') {
        assert_eq!(pause, None, "{texts:?}");
    }
}

/// A whole number with nothing but blanks around it.
fn digits(text: &str) -> Option<BigUint> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| BigUint::parse_bytes(text.as_bytes(), 10).expect("digits"))
}

/// `Sun, 14 May 2023 12:00:00 GMT`, when it is exactly that and its weekday right.
fn imf_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let month = MONTHS.iter().position(|month| text.get(8..11) == Some(month))? + 1;
    let (day, year, time) = (text.get(5..7)?, text.get(12..16)?, text.get(17..25)?);
    let seconds = calendar::read(&format!("{year}-{month:02}-{day}T{time}Z")).filter(|read| read.is_plain)?.seconds;
    let weekday = DAYS[usize::try_from(seconds.div_euclid(86_400).rem_euclid(7)).expect("below 7")];
    let is_it = text == format!("{weekday}, {day} {} {year} {time} GMT", MONTHS[month - 1]);
    (is_it && seconds >= 0).then(|| (seconds * 1_000).min(EpochMs::MAX.ms()))
}
