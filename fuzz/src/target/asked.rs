//! The query of a request to the practice venue.

use num_bigint::BigUint;
use tape::EpochMs;
use venue::http::asked::Asked;

use crate::oracle::{calendar, name, span};

pub(super) const WORDS: &[&str] = &[
    "ticker=BTC",
    "&startTime=",
    "1684083600123",
    "&afterId=",
    "&from=",
    "&to=",
    "&for=5m",
    "-1",
    "2023-05-14T17:00:00Z",
    "%20",
    "+",
];

pub(super) fn check(bytes: &[u8]) {
    let given: std::collections::HashMap<String, String> = url::form_urlencoded::parse(bytes).into_owned().collect();
    let text = |name: &str| given.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let asked = Asked(given.clone());

    let ticker = asked.optional_ticker().ok();
    assert_eq!(ticker.is_some(), text("ticker").is_none_or(name::is_ticker), "{given:?}");
    assert_eq!(
        ticker.flatten().as_ref().map(tape::Ticker::as_str),
        text("ticker").filter(|text| name::is_ticker(text))
    );
    assert_eq!(asked.ticker().is_ok(), text("ticker").is_some_and(name::is_ticker), "{given:?}");

    let after = asked.after_id().ok();
    assert_eq!(after.is_some(), text("afterId").is_none_or(name::is_trade_id), "{given:?}");
    assert_eq!(after.flatten().as_ref().map(tape::TradeId::as_str), text("afterId").filter(|id| name::is_trade_id(id)));

    let start = asked.start_time().ok();
    let expected = text("startTime").map_or(Some(EpochMs::new(i64::MIN)), whole);
    assert_eq!(start, expected, "{given:?}");

    let expected = text("for").map_or(Some(7), |text| span::milliseconds(text).and_then(|ms| i64::try_from(ms).ok()));
    assert_eq!(asked.duration_ms("for", 7).ok(), expected, "{given:?}");

    if let Ok((from, to)) = asked.span() {
        for (text, read) in [(text("from"), from), (text("to"), to)] {
            let Some(text) = text else { continue };
            let written = calendar::read(text).map(|written| written.seconds);
            let expected =
                whole(text).or(written.map(|seconds| EpochMs::new(seconds * 1_000 + read.ms().rem_euclid(1_000))));
            assert_eq!(Some(read), expected, "{text:?}");
        }
    }
}

/// Milliseconds, signed or not, that fit 64 bits.
fn whole(text: &str) -> Option<EpochMs> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms = num_bigint::BigInt::from(BigUint::parse_bytes(digits.as_bytes(), 10)?);
    i64::try_from(if is_negative { -ms } else { ms }).ok().map(EpochMs::new)
}
