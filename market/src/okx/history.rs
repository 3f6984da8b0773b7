//! OKX's `history-trades`: newest first, those before an id or a moment by `after`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tape::{EpochMs, Rejection, Ticker};

use super::Okx;
use crate::adapter::{Adapter as _, NotAPage};
use crate::field::{self, Parts};
use crate::plain::fields;
use crate::raw::Raw;
use crate::reading::{About, Anchor, ById, NumberedRow, Question, Shows, Trouble};
use crate::said::{Decoded, Refusal};

/// The window in which questions are counted.
const WINDOW: Duration = Duration::from_secs(2);

/// `type`: whether `after` is an id or a moment.
const BY_ID: &str = "1";
const BY_TIME: &str = "2";

pub(super) struct History;

#[derive(Deserialize)]
struct Envelope<'json> {
    code: String,
    #[serde(default)]
    msg: String,
    #[serde(borrow, default)]
    data: Option<&'json RawValue>,
}

fields! {
    struct RestTrade {
        instrument: "instId",
        id: "tradeId" as Numeral,
        px: "px" as Decimal,
        sz: "sz" as Decimal,
        ts: "ts" as Whole,
    }
}

impl ById for History {
    /// `after` means older than: a page before the id that lies a page and one ahead
    /// is the page that follows. `before` alone answers with the newest.
    fn after(&self, about: About<'_>, anchor: Anchor, way: usize) -> Option<Question> {
        let after = field::page_ahead(anchor.id, about.page_limit).to_string();
        (way == 0).then(|| trades(about, BY_ID, Some(&after)))
    }

    fn shows(&self) -> Shows {
        Shows::TheNextIds
    }

    fn older(&self, about: About<'_>, before: Option<u64>) -> Option<Question> {
        Some(trades(about, BY_ID, before.map(|id| id.to_string()).as_deref()))
    }

    fn seek(&self, about: About<'_>, from: EpochMs) -> Option<Question> {
        Some(trades(about, BY_TIME, Some(&from.ms().to_string())))
    }

    fn sought(&self, body: &str) -> Result<Option<u64>, NotAPage> {
        let ids: Option<Vec<u64>> = list(body)?
            .into_iter()
            .map(|raw| field::number_of(serde_json::from_str::<RestTrade<'_>>(raw.get()).ok()?.id))
            .collect();
        let ids = ids.ok_or_else(|| NotAPage("a row without a number for its id".to_owned()))?;
        Ok(ids.into_iter().max())
    }

    fn rows<'b>(&self, body: &'b str, ticker: &Ticker) -> Result<Vec<NumberedRow<'b>>, NotAPage> {
        let rows = list(body)?.into_iter();
        Ok(rows.map(|raw| field::numbered(raw, |json| decode(json, ticker))).collect())
    }
}

fn trades(about: About<'_>, kind: &str, after: Option<&str>) -> Question {
    let mut url = field::at(about.base, "api/v5/market/history-trades");
    url.query_pairs_mut()
        .append_pair("instId", &Okx.symbol(about.ticker.as_str()))
        .append_pair("type", kind)
        .append_pair("limit", &about.page_limit.to_string());
    if let Some(after) = after {
        url.query_pairs_mut().append_pair("after", after);
    }
    Question { url, weight: 1 }
}

fn list(body: &str) -> Result<Vec<&RawValue>, NotAPage> {
    let envelope: Envelope<'_> = serde_json::from_str(body).map_err(|error| NotAPage(error.to_string()))?;
    let data = envelope.data.ok_or_else(|| NotAPage("an answer without data".to_owned()))?;
    field::array(data.get())
}

fn decode(json: &str, ticker: &Ticker) -> (Option<u64>, Decoded) {
    let wire: RestTrade<'_> = match field::object(json) {
        Ok(wire) => wire,
        Err(refusal) => return (None, Err(refusal)),
    };
    let is_of_ticker = |raw: Raw<'_>| raw.get().trim_matches('"') == Okx.symbol(ticker.as_str());
    if !wire.instrument.is_none_or(is_of_ticker) {
        let rejection = Rejection::Malformed(format!("a row of another instrument on a page of {ticker}"));
        return (None, Err(Refusal::of(rejection)));
    }
    let parts = Parts {
        ticker: Ok(ticker.clone()),
        traded_at: field::epoch_ms("ts", wire.ts.as_ref()),
        id: field::number_id("tradeId", wire.id.as_ref()),
        quantity: field::quantity("sz", wire.sz.as_ref()),
        price: field::price("px", wire.px.as_ref()),
    };
    (field::number_of(wire.id), parts.trade())
}

/// Errors have a `code` other than 0, some of them in an answer that is HTTP 200 otherwise.
pub(super) fn trouble(status: u16, body: &str) -> Option<Trouble> {
    let envelope: Option<Envelope<'_>> = serde_json::from_str(body).ok();
    if status == 429 {
        return Some(Trouble::TooOften(Some(WINDOW)));
    }
    let Envelope { code, msg, .. } = envelope?;
    match code.as_str() {
        "0" => None,
        "50011" => Some(Trouble::TooOften(Some(WINDOW))),
        "50001" | "50013" | "50026" => Some(Trouble::Unavailable(msg)),
        "51001" => Some(Trouble::UnknownTicker),
        _ if status >= 500 => Some(Trouble::Unavailable(msg)),
        _ => Some(Trouble::Refused(format!("{code}: {msg}"))),
    }
}
