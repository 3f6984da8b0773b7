//! Bitstamp's `transactions`: all of the last minute, hour or day, newest first.

use std::time::Duration;

use serde::Deserialize;
use tape::Ticker;
use url::Url;

use super::Bitstamp;
use crate::adapter::{Adapter as _, NotAPage};
use crate::field::{self, Parts};
use crate::plain::fields;
use crate::reading::{ByOverlap, NumberedRow, Question, Trouble};
use crate::said::Decoded;

/// The spans that can be asked for, and how long they are.
const SPANS: [(&str, Duration); 3] =
    [("minute", Duration::from_secs(60)), ("hour", Duration::from_secs(3_600)), ("day", Duration::from_secs(86_400))];

/// It tells whole seconds.
pub(super) const TIME_GRAIN_MS: i64 = 1_000;

pub(super) struct History;

fields! {
    struct RestTrade {
        tid: "tid" as Numeral,
        date: "date",
        price: "price" as Decimal,
        amount: "amount" as Decimal,
    }
}

/// Errors have had several forms over the years.
#[derive(Deserialize)]
struct RestError {
    #[serde(default, alias = "response_code")]
    code: Option<String>,
    #[serde(default, alias = "response_explanation", alias = "error")]
    reason: Option<serde_json::Value>,
}

impl ByOverlap for History {
    fn newest(&self, base: &Url, ticker: &Ticker, way: usize) -> Option<Question> {
        let (span, _) = SPANS.get(way)?;
        let mut url = field::at(base, &format!("api/v2/transactions/{}/", Bitstamp.symbol(ticker.as_str())));
        url.query_pairs_mut().append_pair("time", span);
        Some(Question { url, weight: 1 })
    }

    fn reaches_back(&self, way: usize) -> Option<Duration> {
        SPANS.get(way).map(|(_, length)| *length)
    }

    fn rows<'b>(&self, body: &'b str, ticker: &Ticker) -> Result<Vec<NumberedRow<'b>>, NotAPage> {
        let rows = field::array(body)?;
        Ok(rows.into_iter().map(|raw| field::numbered(raw, |json| decode(json, ticker))).collect())
    }

    fn time_grain_ms(&self) -> i64 {
        TIME_GRAIN_MS
    }
}

fn decode(json: &str, ticker: &Ticker) -> (Option<u64>, Decoded) {
    let wire: RestTrade<'_> = match field::object(json) {
        Ok(wire) => wire,
        Err(refusal) => return (None, Err(refusal)),
    };
    let parts = Parts {
        ticker: Ok(ticker.clone()),
        traded_at: field::whole_seconds("date", wire.date.as_ref()),
        id: field::number_id("tid", wire.tid.as_ref()),
        quantity: field::quantity("amount", wire.amount.as_ref()),
        price: field::price("price", wire.price.as_ref()),
    };
    (field::number_of(wire.tid), parts.trade())
}

/// 400.002, 400.067 and 400.068 are limits, 404.003 and 400.003 unknown pairs.
pub(super) fn trouble(status: u16, body: &str) -> Option<Trouble> {
    let error: Option<RestError> =
        if body.trim_ascii_start().starts_with('{') { serde_json::from_str(body).ok() } else { None };
    if status == 429 {
        return Some(Trouble::TooOften(None));
    }
    let RestError { code, reason } = error?;
    match code.as_deref() {
        Some("400.002" | "400.067" | "400.068") => return Some(Trouble::TooOften(None)),
        Some("404.003" | "400.003") => return Some(Trouble::UnknownTicker),
        Some(_) | None => {}
    }
    if status == 404 {
        return Some(Trouble::UnknownTicker);
    }
    let words = format!("{} {}", code.unwrap_or_default(), reason.map(|words| words.to_string()).unwrap_or_default());
    let words = words.trim().to_owned();
    Some(if status >= 500 { Trouble::Unavailable(words) } else { Trouble::Refused(words) })
}
