//! Instants, as the api and the practice venue read them.

use api::instant;
use num_bigint::BigUint;
use tape::EpochMs;

use crate::oracle::calendar;

pub(super) const WORDS: &[&str] = &[
    "1684083600123",
    "1684083600",
    "T",
    "t",
    " ",
    "Z",
    "+02:00",
    "-23:59",
    ".123",
    "000",
    "2023-05-14",
    "23:59:60",
    "-",
];

pub(super) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    asked(text);
    let venue = venue::config::parse_instant(text);
    if let (Some(at), Some(written)) = (venue, calendar::read(text)) {
        assert_eq!(at, EpochMs::new(written.seconds * 1_000 + at.ms().rem_euclid(1_000)), "{text:?}");
    }
}

/// What the api must make of an instant.
pub(super) fn asked(text: &str) {
    let read = instant::parse(text);
    match (expected(text), &read) {
        (Some(expected), Ok(asked)) => assert_eq!(asked.at.ms(), expected.ms, "{text:?}"),
        (Some(Expected { may_be_refused: true, .. }) | None, Err(why)) => assert!(why.len() < 200, "{why}"),
        (expected, read) => panic!("{text:?} should be {expected:?} and is {read:?}"),
    }
    if let Ok(asked) = read {
        let is_ten_digits = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit());
        assert_eq!(asked.looks_like_seconds, is_ten_digits, "{text:?}");
        let shown = instant::rfc3339(asked.at);
        assert_eq!(shown, calendar::write(asked.at.ms()), "{text:?}");
        assert_eq!(instant::parse(&shown).map(|again| again.at), Ok(asked.at), "{shown} is not read back");
    }
}

/// The milliseconds an instant stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    /// They themselves.
    pub ms: i64,
    /// Whether the spelling is so odd that a refusal is right too.
    pub may_be_refused: bool,
}

/// What a text stands for: digits, or RFC 3339 in which `+` may have become a blank.
pub(super) fn expected(text: &str) -> Option<Expected> {
    let in_range = |ms: &i64| (0..=EpochMs::MAX.ms()).contains(ms);
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let ms = BigUint::parse_bytes(text.as_bytes(), 10).and_then(|ms| i64::try_from(ms).ok());
        return ms.filter(in_range).map(|ms| Expected { ms, may_be_refused: false });
    }
    let with_plus = text.char_indices().rfind(|(at, char)| *char == ' ' && *at >= 19);
    let text = match with_plus {
        Some((at, _)) => format!("{}+{}", &text[..at], &text[at + 1..]),
        None => text.to_owned(),
    };
    let written = calendar::read(&text)?;
    let ms = written.milliseconds().filter(in_range)?;
    Some(Expected { ms, may_be_refused: !written.is_plain || with_plus.is_some() })
}
