//! The query of a question to the api.

use api::historical::HistoricalQuestion;
use api::latest::LatestQuestion;
use api::parameters::{Parameters, Question};
use api::problem::Problem;
use api::quality::QualityQuestion;
use api::series::SeriesQuestion;
use api::tickers::TickersQuestion;
use num_bigint::BigUint;
use tape::EpochMs;

use super::instant;
use crate::oracle::{name, query, span};

pub(super) const WORDS: &[&str] = &[
    "ticker=BTC",
    "exchange=practice",
    "ts=1684083600123",
    "from=",
    "to=",
    "step=5m",
    "limit=500",
    "cursor=",
    "interval=90s",
    "&",
    "=",
    "%2F",
    "%",
    "+",
    "2023-05-14T17:00:00Z",
    "10000",
    "10001",
    "86400000",
    "min_state=",
    "final",
];

/// The longest query that is read, in bytes.
const LONGEST: usize = 2_048;

type Pairs = [(String, String)];

pub(super) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let names = SeriesQuestion::PARAMETERS;
    let expected = query::pairs(text).filter(|pairs| text.len() <= LONGEST && is_well_formed(pairs, names));
    let read = Parameters::read(text, names);
    if let Err(problem) = &read {
        is_brief(problem);
    }
    match (expected, read) {
        (Some(pairs), Ok(parameters)) => {
            for name in names {
                assert_eq!(parameters.optional(name), value(&pairs, name), "{name} of {text:?}");
            }
            is_read_right(&pairs, &parameters, text);
        }
        (None, Err(_)) => {}
        (expected, read) => panic!("{text:?} should be {expected:?} and is {read:?}"),
    }
    let is_state = |text: &str| ["provisional", "final"].contains(&text);
    question::<LatestQuestion>(text, |pairs| {
        has(pairs, "ticker", is_name) && may(pairs, "exchange", is_name) && may(pairs, "min_state", is_state)
    });
    question::<TickersQuestion>(text, |pairs| may(pairs, "exchange", is_name));
    question::<QualityQuestion>(text, |pairs| {
        may(pairs, "ticker", is_name) && may(pairs, "exchange", is_name) && is_span(pairs)
    });
    question::<SeriesQuestion>(text, |pairs| {
        let whole_seconds =
            |text: &str| within(span::milliseconds(text), 1, 86_400_000).is_some_and(|ms| ms % 1_000 == 0);
        let count = |text: &str| within(number(text), 1, 10_000).is_some();
        let cursor = |text: &str| within(number(text), 0, EpochMs::MAX.ms()).is_some();
        has(pairs, "ticker", is_name)
            && may(pairs, "exchange", is_name)
            && is_span(pairs)
            && may(pairs, "step", whole_seconds)
            && may(pairs, "limit", count)
            && may(pairs, "cursor", cursor)
            && may(pairs, "min_state", is_state)
    });
    question::<HistoricalQuestion>(text, |pairs| {
        let interval = |text: &str| within(span::milliseconds(text), 1, 86_400_000).is_some();
        let is_instant = |text: &str| instant::expected(text).is_some();
        has(pairs, "ticker", is_name)
            && may(pairs, "exchange", is_name)
            && has(pairs, "ts", is_instant)
            && may(pairs, "interval", interval)
            && may(pairs, "min_state", is_state)
    });
}

/// Each parameter read one by one.
fn is_read_right(pairs: &Pairs, parameters: &Parameters, text: &str) {
    let ticker = parameters.optional_ticker();
    match value(pairs, "ticker") {
        Some(name) if name::is_ticker(name) => {
            assert_eq!(ticker.expect("a ticker").expect("given").as_str(), name, "{text:?}");
        }
        Some(_) => assert!(ticker.is_err(), "{text:?}"),
        None => assert_eq!(ticker, Ok(None), "{text:?}"),
    }
    let limit = value(pairs, "limit").map(|text| within(number(text), 1, 10_000));
    let read = parameters.count("limit", 10_000);
    match limit {
        Some(Some(limit)) => assert_eq!(read.expect("a count"), usize::try_from(limit).ok(), "{text:?}"),
        Some(None) => is_brief(&read.expect_err("no count")),
        None => assert_eq!(read, Ok(None), "{text:?}"),
    }
    if let Some(from) = value(pairs, "from") {
        instant::asked(from);
    }
}

/// Whether a question is taken exactly when it should be.
fn question<Q: Question>(text: &str, is_sound: impl Fn(&Pairs) -> bool) {
    let expected = query::pairs(text).filter(|pairs| text.len() <= LONGEST && is_well_formed(pairs, Q::PARAMETERS));
    let is_expected = expected.is_some_and(|pairs| is_sound(&pairs));
    let is_odd = is_oddly_timed(text);
    match Parameters::read(text, Q::PARAMETERS).and_then(|parameters| Q::read(&parameters)) {
        Ok(_) => assert!(is_expected || is_odd, "{text:?} is taken"),
        Err(problem) => {
            is_brief(&problem);
            assert!(!is_expected || is_odd, "{text:?} is refused: {problem}");
        }
    }
}

/// Instants in spellings that may be read or refused: leap seconds, small letters, blanks.
fn is_oddly_timed(text: &str) -> bool {
    let Some(pairs) = query::pairs(text) else { return false };
    let is_odd = |text: &str| instant::expected(text).is_some_and(|expected| expected.may_be_refused);
    pairs.iter().any(|(_, value)| is_odd(value))
}

fn is_well_formed(pairs: &Pairs, names: &[&str]) -> bool {
    let is_known = |(name, value): &(String, String)| names.contains(&name.as_str()) && !value.is_empty();
    let is_once = |(name, _): &(String, String)| pairs.iter().filter(|pair| pair.0 == *name).count() == 1;
    pairs.iter().all(|pair| is_known(pair) && is_once(pair))
}

fn is_brief(problem: &Problem) {
    assert!(problem.detail().len() < 2_000, "{problem}");
    assert!(problem.code.status().is_client_error(), "{problem}");
}

fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str())
}

fn has(pairs: &Pairs, name: &str, is: impl Fn(&str) -> bool) -> bool {
    value(pairs, name).is_some_and(is)
}

fn may(pairs: &Pairs, name: &str, is: impl Fn(&str) -> bool) -> bool {
    value(pairs, name).is_none_or(is)
}

fn is_name(text: &str) -> bool {
    name::is_ticker(text)
}

/// Both ends are instants that are not in seconds, and in order.
fn is_span(pairs: &Pairs) -> bool {
    let is_instant = |text: &str| instant::expected(text).is_some() && !is_ten_digits(text);
    let ms = |name: &str| value(pairs, name).and_then(instant::expected).map(|expected| expected.ms);
    let is_in_order = ms("from").zip(ms("to")).is_none_or(|(from, to)| from <= to);
    may(pairs, "from", is_instant) && may(pairs, "to", is_instant) && is_in_order
}

fn is_ten_digits(text: &str) -> bool {
    text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn number(text: &str) -> Option<BigUint> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| BigUint::parse_bytes(text.as_bytes(), 10)).flatten()
}

fn within(number: Option<BigUint>, least: i64, most: i64) -> Option<i64> {
    number.and_then(|number| i64::try_from(number).ok()).filter(|number| (least..=most).contains(number))
}
