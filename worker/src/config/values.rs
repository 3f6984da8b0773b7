//! How the text of each variable is read. None is what is not accepted.

use chrono::DateTime;
use tape::{EpochMs, Interval, Ticker};

use super::{BackfillFrom, LogFormat, MarketClock, VARIABLES};

/// The value given, or the default when it is absent or blank.
pub(super) fn text(name: &str, value: Option<String>) -> String {
    let given = value.filter(|text| !text.trim().is_empty());
    given.unwrap_or_else(|| {
        let variable = VARIABLES.iter().find(|variable| variable.0 == name);
        variable.map(|variable| variable.1.to_owned()).unwrap_or_default()
    })
}

pub(super) fn venue_name(text: &str) -> Option<String> {
    Ticker::new(text).ok().map(|name| name.to_string())
}

pub(super) fn tickers(text: &str) -> Option<Vec<Ticker>> {
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| Ticker::new(name).ok()).collect()
}

pub(super) fn interval(text: &str) -> Option<Interval> {
    let interval = Interval::parse(text)?;
    let seconds = interval.whole_seconds()?;
    (seconds <= 86_400).then_some(interval)
}

pub(super) fn backfill_from(text: &str) -> Option<BackfillFrom> {
    if text.eq_ignore_ascii_case("now") {
        return Some(BackfillFrom::Now);
    }
    if let Some(back) = text.strip_prefix('-') {
        return tape::time::parse_duration_ms(back).map(BackfillFrom::Back);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Ten digits are seconds, and 1970 is nobody's tape.
        return text.parse().ok().filter(|ms| *ms >= 100_000_000_000).map(|ms| BackfillFrom::At(EpochMs::new(ms)));
    }
    let instant = DateTime::parse_from_rfc3339(text).ok()?;
    Some(BackfillFrom::At(EpochMs::new(instant.timestamp_millis())))
}

/// The value given, or what the market says when it is absent or blank.
pub(super) fn or(value: Option<String>, of_market: impl ToString) -> Option<String> {
    value.filter(|text| !text.trim().is_empty()).or_else(|| Some(of_market.to_string()))
}

/// Reads `off` as none, and anything else as `read` does.
pub(super) fn or_off<T>(read: impl Fn(&str) -> Option<T>) -> impl Fn(&str) -> Option<Option<T>> {
    move |text| if text.eq_ignore_ascii_case("off") { Some(None) } else { read(text).map(Some) }
}

pub(super) fn retention(text: &str) -> Option<Option<i64>> {
    if text.eq_ignore_ascii_case("forever") {
        return Some(None);
    }
    tape::time::parse_duration_ms(text).filter(|ms| *ms >= 3_600_000).map(Some)
}

pub(super) fn share(text: &str) -> Option<f64> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share))
}

pub(super) fn market_clock(text: &str) -> Option<MarketClock> {
    match text.to_ascii_lowercase().as_str() {
        "wall" => Some(MarketClock::Wall),
        "market" => Some(MarketClock::Market),
        _ => None,
    }
}

pub(super) fn log_format(text: &str) -> Option<LogFormat> {
    match text.to_ascii_lowercase().as_str() {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}
