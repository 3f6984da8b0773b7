//! What the headers of an HTTP answer say about time.

use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use tape::EpochMs;

/// The market's own present, in epoch milliseconds.
const X_MARKET_TIME: HeaderName = HeaderName::from_static("x-market-time");

/// How far the `Date` header, which counts seconds, may lie behind.
const DATE_RESOLUTION_MS: i64 = 999;

/// The market's present at the time of an answer, as well as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketTime {
    /// It is at least this late there.
    pub present: EpochMs,
    /// A row later than this is from the future.
    pub latest: EpochMs,
}

impl MarketTime {
    /// Reads the best clock the answer has: `X-Market-Time`, else `Date`, else
    /// our own less the allowed skew.
    ///
    /// A market whose clock runs ahead of ours by more than the allowed skew
    /// is not believed: what it calls past might not have happened yet.
    pub fn of(headers: &HeaderMap, asked_at: EpochMs, answered_at: EpochMs, allowed_skew_ms: i64) -> Self {
        let (present, latest) = match (market_time(headers), http_date(headers, &DATE)) {
            (Some(told), _) => (told, told),
            (None, Some(date)) => (date, date.plus_ms(DATE_RESOLUTION_MS)),
            (None, None) => (asked_at.minus_ms(allowed_skew_ms), answered_at),
        };
        let believable = answered_at.plus_ms(allowed_skew_ms);
        Self { present: present.min(believable), latest: latest.min(believable).plus_ms(allowed_skew_ms) }
    }
}

/// How long the answer asks us to stay away, at most `cap`.
pub fn retry_after(headers: &HeaderMap, now: EpochMs, cap: Duration) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        // More digits than fit mean longer than any cap.
        let seconds = text.parse().unwrap_or(u64::MAX);
        return Some(Duration::from_secs(seconds).min(cap));
    }
    // A date is told by the clock of the one who tells it.
    let until = http_date(headers, &RETRY_AFTER)?;
    let now = http_date(headers, &DATE).unwrap_or(now);
    let ms = u64::try_from(until.ms_since(now)).unwrap_or(0);
    Some(Duration::from_millis(ms).min(cap))
}

/// How long the answer asks us to stay away in a header of the market's own, which names the
/// moment from when on it may be asked again. By the answer's own clock, if it has one.
pub fn reset_after(headers: &HeaderMap, name: &str, now: EpochMs) -> Option<Duration> {
    let until = epoch_ms(headers.get(name)?.to_str().ok()?)?;
    let now = http_date(headers, &DATE).unwrap_or(now);
    u64::try_from(until.ms_since(now)).ok().map(Duration::from_millis)
}

fn market_time(headers: &HeaderMap) -> Option<EpochMs> {
    epoch_ms(headers.get(X_MARKET_TIME)?.to_str().ok()?)
}

fn epoch_ms(text: &str) -> Option<EpochMs> {
    let text = text.trim();
    // Without a sign: what is a time is written in digits.
    let ms = text.parse::<i64>().ok().filter(|ms| *ms > 0 && !text.starts_with('+'));
    ms.map(EpochMs::new)
}

fn http_date(headers: &HeaderMap, name: &HeaderName) -> Option<EpochMs> {
    let date = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
    let since_epoch = date.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_millis()).ok().map(EpochMs::new)
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    const NOON: &str = "Sun, 14 May 2023 12:00:00 GMT";
    const NOON_MS: i64 = 1_684_065_600_000;
    const CAP: Duration = Duration::from_secs(300);
    const SKEW_MS: i64 = 500;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).expect("header value");
        pairs.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
    }

    fn time(pairs: &[(&'static str, &str)], now: i64) -> (i64, i64) {
        let (asked_at, answered_at) = (EpochMs::new(now), EpochMs::new(now + 100));
        let time = MarketTime::of(&headers(pairs), asked_at, answered_at, SKEW_MS);
        (time.present.ms(), time.latest.ms())
    }

    #[test]
    fn the_markets_own_clock_counts_first_then_the_date_then_ours() {
        let told = (NOON_MS + 123).to_string();

        assert_eq!(time(&[("x-market-time", &told), ("date", NOON)], NOON_MS), (NOON_MS + 123, NOON_MS + 623));
        assert_eq!(time(&[("date", NOON)], NOON_MS + 50_000), (NOON_MS, NOON_MS + 1_499));
        assert_eq!(time(&[], NOON_MS), (NOON_MS - 500, NOON_MS + 600));
    }

    #[test]
    fn a_clock_that_cannot_be_read_is_as_good_as_none() {
        for garbled in ["", "soon", "1.5", "-1", "+1684065600123", "99999999999999999999"] {
            let pairs = [("x-market-time", garbled), ("date", NOON)];
            assert_eq!(time(&pairs, NOON_MS + 50_000).0, NOON_MS, "{garbled:?}");
        }
        assert_eq!(time(&[("date", "yesterday")], NOON_MS).0, NOON_MS - 500);
    }

    #[test]
    fn a_market_that_runs_ahead_is_believed_up_to_the_allowed_skew() {
        let told = (NOON_MS + 3_600_000).to_string();

        assert_eq!(time(&[("x-market-time", &told)], NOON_MS), (NOON_MS + 600, NOON_MS + 1_100));
    }

    #[test]
    fn a_market_that_replays_the_past_is_believed() {
        assert_eq!(time(&[("x-market-time", "1500000000000")], NOON_MS).0, 1_500_000_000_000);
    }

    #[test]
    fn a_moment_to_ask_again_is_told_by_the_markets_own_clock_and_one_that_is_past_says_nothing() {
        let reset = |pairs: &[(&'static str, &str)]| reset_after(&headers(pairs), "x-reset", EpochMs::new(NOON_MS));
        let in_seven_seconds = (NOON_MS + 7_000).to_string();

        assert_eq!(reset(&[("x-reset", &in_seven_seconds)]), Some(Duration::from_secs(7)));
        let date = ("date", "Sun, 14 May 2023 12:00:02 GMT");
        assert_eq!(reset(&[("x-reset", &in_seven_seconds), date]), Some(Duration::from_secs(5)));
        for garbled in ["", "soon", "-1", "1684065599999"] {
            assert_eq!(reset(&[("x-reset", garbled)]), None, "{garbled:?}");
        }
        assert_eq!(reset(&[]), None);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_longer_than_the_cap() {
        let asked = |pairs: &[(&'static str, &str)]| retry_after(&headers(pairs), EpochMs::new(NOON_MS - 7_000), CAP);
        let in_a_minute = "Sun, 14 May 2023 12:01:00 GMT";

        assert_eq!(asked(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
        assert_eq!(asked(&[("retry-after", "0")]), Some(Duration::ZERO));
        assert_eq!(asked(&[("retry-after", "86400")]), Some(CAP));
        assert_eq!(asked(&[("retry-after", "99999999999999999999999")]), Some(CAP));
        assert_eq!(asked(&[("retry-after", in_a_minute), ("date", NOON)]), Some(Duration::from_secs(60)));
        assert_eq!(asked(&[("retry-after", in_a_minute)]), Some(Duration::from_secs(67)));
        assert_eq!(asked(&[("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")]), Some(Duration::ZERO));
        for garbled in ["", "soon", "-1", "1.5"] {
            assert_eq!(asked(&[("retry-after", garbled)]), None, "{garbled:?}");
        }
        assert_eq!(asked(&[]), None);
    }
}
