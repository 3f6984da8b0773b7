//! Kraken's `Trades`: oldest first, from a nanosecond on.
//!
//! Whether `since` is exclusive to the nanosecond, and whether a page may end
//! between trades of one instant, is not documented; and a trade may be numbered
//! after another that was made later. So it is asked from a second before the
//! last trade known, and the ids tell what is new.

use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tape::{EpochMs, Ticker};

use crate::adapter::NotAPage;
use crate::field::{self, Parts};
use crate::raw::Raw;
use crate::reading::{About, Anchor, ById, NumberedRow, Question, Shows, Trouble};
use crate::said::Decoded;

/// How long before the last trade's millisecond each way asks from, in nanoseconds: as long as
/// times may fall; not at all, where a page does not hold a second; and longer.
const EARLIER_NS: [i64; 3] = [1_000_000_000, 1, 10_000_000_000];

/// A lockout does not say for how long.
const LOCKED_OUT: Duration = Duration::from_secs(900);

pub(super) struct History;

#[derive(Deserialize)]
struct Envelope<'json> {
    #[serde(default)]
    error: Vec<String>,
    #[serde(borrow, default)]
    result: Option<&'json RawValue>,
}

impl ById for History {
    fn after(&self, about: About<'_>, anchor: Anchor, way: usize) -> Option<Question> {
        let earlier_ns = EARLIER_NS.get(way)?;
        Some(trades(about, Some(nanoseconds(anchor.traded_at) - earlier_ns)))
    }

    fn shows(&self) -> Shows {
        Shows::TheAnchorAndOn
    }

    fn older(&self, about: About<'_>, before: Option<u64>) -> Option<Question> {
        before.is_none().then(|| trades(about, None))
    }

    fn seek(&self, about: About<'_>, from: EpochMs) -> Option<Question> {
        Some(trades(about, Some(nanoseconds(from) - 1)))
    }

    fn sought(&self, body: &str) -> Result<Option<u64>, NotAPage> {
        let ids: Option<Vec<u64>> =
            rows(body)?.into_iter().map(|row| field::number_of(cells(row)?.get(ID).copied())).collect();
        let ids = ids.ok_or_else(|| NotAPage("a row without a number for its id".to_owned()))?;
        // The lowest, since ids may rise while times fall.
        Ok(ids.into_iter().min().map(|first| first.saturating_sub(1)))
    }

    fn rows<'b>(&self, body: &'b str, ticker: &Ticker) -> Result<Vec<NumberedRow<'b>>, NotAPage> {
        let rows = rows(body)?.into_iter();
        Ok(rows.map(|raw| field::numbered(raw, |_| decode(raw, ticker))).collect())
    }
}

/// `BTC/USD` is `XBTUSD` there.
fn pair(ticker: &str) -> String {
    let of = |code: &str| match code {
        "BTC" => "XBT".to_owned(),
        "DOGE" => "XDG".to_owned(),
        other => other.to_owned(),
    };
    ticker.to_uppercase().split('/').map(of).collect()
}

fn nanoseconds(at: EpochMs) -> i64 {
    // Instants of ours end before 2200: 7.3e18 fits.
    at.ms() * 1_000_000
}

fn trades(about: About<'_>, since_ns: Option<i64>) -> Question {
    let mut url = field::at(about.base, "0/public/Trades");
    url.query_pairs_mut()
        .append_pair("pair", &pair(about.ticker.as_str()))
        .append_pair("count", &about.page_limit.to_string());
    if let Some(since_ns) = since_ns {
        url.query_pairs_mut().append_pair("since", &since_ns.max(0).to_string());
    }
    Question { url, weight: 1 }
}

/// The rows stand under the market's own name of the pair: whatever is not `last`.
fn rows(body: &str) -> Result<Vec<&RawValue>, NotAPage> {
    let not_a_page = |error: serde_json::Error| NotAPage(error.to_string());
    let envelope: Envelope<'_> = serde_json::from_str(body).map_err(not_a_page)?;
    let result = envelope.result.ok_or_else(|| NotAPage("an answer without a result".to_owned()))?;
    let result: HashMap<String, &RawValue> = serde_json::from_str(result.get()).map_err(not_a_page)?;
    let mut lists = result.into_iter().filter(|(key, _)| key != "last");
    match (lists.next(), lists.next()) {
        (Some((_, list)), None) => field::array(list.get()),
        _ => Err(NotAPage("an answer with other than one list of trades".to_owned())),
    }
}

// Where what stands in a row.
const PRICE: usize = 0;
const VOLUME: usize = 1;
const TIME: usize = 2;
const ID: usize = 6;

fn cells(row: &RawValue) -> Option<Vec<Raw<'_>>> {
    serde_json::from_str(row.get()).ok()
}

fn decode(row: &RawValue, ticker: &Ticker) -> (Option<u64>, Decoded) {
    let Some(cells) = cells(row) else {
        let rejection = tape::Rejection::Malformed("not a JSON array".to_owned());
        return (None, Err(crate::said::Refusal::of(rejection)));
    };
    let cell = |index: usize| cells.get(index);
    let parts = Parts {
        ticker: Ok(ticker.clone()),
        traded_at: field::decimal_seconds("time", cell(TIME)),
        id: field::number_id("trade_id", cell(ID)),
        quantity: field::quantity("volume", cell(VOLUME)),
        price: field::price("price", cell(PRICE)),
    };
    (field::number_of(cell(ID).copied()), parts.trade())
}

/// Errors stand in the body, mostly of an answer that is HTTP 200 otherwise.
pub(super) fn trouble(status: u16, body: &str) -> Option<Trouble> {
    let envelope: Option<Envelope<'_>> = serde_json::from_str(body).ok();
    let Some(error) = envelope.and_then(|envelope| envelope.error.into_iter().next()) else {
        return (status == 429).then_some(Trouble::TooOften(None));
    };
    let says = |words: &str| error.contains(words);
    if says("Throttled") {
        return Some(throttled(&error));
    }
    if says("Temporary lockout") {
        return Some(Trouble::TooOften(Some(LOCKED_OUT)));
    }
    if says("Rate limit exceeded") || says("Too many requests") {
        return Some(Trouble::TooOften(None));
    }
    if says("Unknown asset pair") {
        return Some(Trouble::UnknownTicker);
    }
    if error.starts_with("EService") || says("Internal error") {
        return Some(Trouble::Unavailable(error));
    }
    Some(Trouble::Refused(error))
}

/// `EService: Throttled: 1700000000`, the second from which on it answers again.
fn throttled(error: &str) -> Trouble {
    let until = error.rsplit(':').next().and_then(|text| text.trim().parse::<i64>().ok());
    match until.and_then(|seconds| seconds.checked_mul(1_000)) {
        Some(ms) => Trouble::AwayUntil(EpochMs::new(ms)),
        None => Trouble::TooOften(None),
    }
}
