//! Bybit's `recent-trade`: the newest 60 trades, and nothing else.

use std::time::Duration;

use serde::Deserialize;
use tape::{Rejection, Ticker};
use url::Url;

use super::Bybit;
use crate::adapter::{Adapter as _, NotAPage};
use crate::field::{self, Parts};
use crate::plain::fields;
use crate::raw::Raw;
use crate::reading::{ByOverlap, NumberedRow, Question, Trouble};
use crate::said::{Decoded, Refusal};

/// Whoever asks too often by far is kept out for so long.
const KEPT_OUT: Duration = Duration::from_secs(600);

pub(super) struct History;

#[derive(Deserialize)]
struct Envelope<'json> {
    #[serde(rename = "retCode")]
    code: i64,
    #[serde(default, rename = "retMsg")]
    message: String,
    #[serde(borrow, default)]
    result: Option<Listed<'json>>,
}

fields! {
    struct Listed {
        list: "list",
    }
}

fields! {
    struct RestTrade {
        id: "execId" as Numeral,
        symbol: "symbol",
        price: "price" as Decimal,
        size: "size" as Decimal,
        time: "time" as Whole,
    }
}

impl ByOverlap for History {
    fn newest(&self, base: &Url, ticker: &Ticker, way: usize) -> Option<Question> {
        let mut url = field::at(base, "v5/market/recent-trade");
        url.query_pairs_mut()
            .append_pair("category", "spot")
            .append_pair("symbol", &Bybit.symbol(ticker.as_str()))
            .append_pair("limit", "60");
        (way == 0).then_some(Question { url, weight: 1 })
    }

    fn reaches_back(&self, _way: usize) -> Option<Duration> {
        None
    }

    fn rows<'b>(&self, body: &'b str, ticker: &Ticker) -> Result<Vec<NumberedRow<'b>>, NotAPage> {
        let envelope: Envelope<'_> = serde_json::from_str(body).map_err(|error| NotAPage(error.to_string()))?;
        let list = envelope.result.and_then(|result| result.list);
        let list = list.ok_or_else(|| NotAPage("an answer without a list of trades".to_owned()))?;
        let rows = field::array(list.get())?;
        Ok(rows.into_iter().map(|raw| field::numbered(raw, |json| decode(json, ticker))).collect())
    }
}

fn decode(json: &str, ticker: &Ticker) -> (Option<u64>, Decoded) {
    let wire: RestTrade<'_> = match field::object(json) {
        Ok(wire) => wire,
        Err(refusal) => return (None, Err(refusal)),
    };
    let is_of_ticker = |symbol: Raw<'_>| symbol.get().trim_matches('"') == Bybit.symbol(ticker.as_str());
    if !wire.symbol.is_none_or(is_of_ticker) {
        let rejection = Rejection::Malformed(format!("a row of another symbol on a page of {ticker}"));
        return (None, Err(Refusal::of(rejection)));
    }
    let parts = Parts {
        ticker: Ok(ticker.clone()),
        traded_at: field::epoch_ms("time", wire.time.as_ref()),
        id: field::number_id("execId", wire.id.as_ref()),
        quantity: field::quantity("size", wire.size.as_ref()),
        price: field::price("price", wire.price.as_ref()),
    };
    (field::number_of(wire.id), parts.trade())
}

/// 403 keeps an address out for ten minutes; 10006 is the limit of the endpoint and 10429 of
/// the system, both also inside HTTP 200.
pub(super) fn trouble(status: u16, body: &str) -> Option<Trouble> {
    let envelope: Option<Envelope<'_>> = serde_json::from_str(body).ok();
    match (status, envelope) {
        (403, _) => Some(Trouble::TooOften(Some(KEPT_OUT))),
        (429, _) | (_, Some(Envelope { code: 10006 | 10429, .. })) => Some(Trouble::TooOften(None)),
        (200, Some(Envelope { code: 0, .. })) | (_, None) => None,
        (_, Some(Envelope { code: 10029, .. })) => Some(Trouble::UnknownTicker),
        (_, Some(Envelope { code: 10016, message, .. })) => Some(Trouble::Unavailable(message)),
        (_, Some(Envelope { code: 10001, message, .. })) if message.to_lowercase().contains("symbol") => {
            Some(Trouble::UnknownTicker)
        }
        (_, Some(Envelope { message, .. })) => Some(Trouble::Refused(message)),
    }
}
