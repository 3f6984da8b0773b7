//! Durations and intervals.

use num_bigint::BigUint;
use tape::Interval;
use tape::time::parse_duration_ms;

use crate::oracle::span;

pub(super) const WORDS: &[&str] =
    &["ms", "s", "m", "min", "h", "d", "300000", "9223372036854775807", "106751991167", "0"];

pub(super) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let expected = span::milliseconds(text).filter(|ms| *ms <= BigUint::from(i64::MAX.unsigned_abs()));
    let read = parse_duration_ms(text);
    assert_eq!(read.map(|ms| ms.to_string()), expected.as_ref().map(BigUint::to_string), "{text:?}");

    let longest = BigUint::from(7u32 * 86_400_000);
    let expected = expected.filter(|ms| (BigUint::from(1u32)..=longest).contains(ms));
    let interval = Interval::parse(text);
    assert_eq!(interval.map(|interval| interval.to_string()), expected.map(|ms| ms.to_string()), "{text:?}");
    if let Some(interval) = interval {
        assert_eq!(Interval::parse(&interval.to_string()), Some(interval));
        assert_eq!(Interval::from_ms(interval.ms()), Some(interval));
    }
}
