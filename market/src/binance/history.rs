//! Binance's `historicalTrades`: ascending from `fromId`, at most 1,000 rows, weight 25.

use serde::Deserialize;
use tape::{EpochMs, Ticker};

use super::Binance;
use crate::adapter::{Adapter as _, NotAPage};
use crate::field::{self, Parts};
use crate::plain::fields;
use crate::reading::{About, Anchor, ById, NumberedRow, Question, Shows, Trouble};
use crate::said::Decoded;

/// What a page of trades weighs.
pub(super) const TRADES_WEIGHT: u32 = 25;

/// What a page of aggregated trades weighs.
const AGGREGATES_WEIGHT: u32 = 4;

pub(super) struct History;

fields! {
    struct RestTrade {
        id: "id" as Numeral,
        price: "price" as Decimal,
        qty: "qty" as Decimal,
        time: "time" as Whole,
    }
}

#[derive(Deserialize)]
struct Aggregate {
    /// The first of the trades it stands for.
    f: u64,
}

#[derive(Deserialize)]
struct RestError {
    code: i64,
    #[serde(default)]
    msg: String,
}

impl ById for History {
    /// From the anchor itself on: an answer that does not know it knows less than was told.
    fn after(&self, about: About<'_>, anchor: Anchor, way: usize) -> Option<Question> {
        (way == 0).then(|| trades(about, Some(anchor.id)))
    }

    fn shows(&self) -> Shows {
        Shows::TheAnchorAndOn
    }

    fn older(&self, about: About<'_>, before: Option<u64>) -> Option<Question> {
        before.is_none().then(|| trades(about, None))
    }

    /// The aggregates since then name their first trades.
    fn seek(&self, about: About<'_>, from: EpochMs) -> Option<Question> {
        let mut url = field::at(about.base, "api/v3/aggTrades");
        let symbol = Binance.symbol(about.ticker.as_str());
        url.query_pairs_mut()
            .append_pair("symbol", &symbol)
            .append_pair("startTime", &from.ms().to_string())
            .append_pair("limit", "1000");
        Some(Question { url, weight: AGGREGATES_WEIGHT })
    }

    fn sought(&self, body: &str) -> Result<Option<u64>, NotAPage> {
        let aggregates: Vec<Aggregate> = serde_json::from_str(body).map_err(|error| NotAPage(error.to_string()))?;
        // The lowest, since ids may rise while times fall.
        let first = aggregates.iter().map(|aggregate| aggregate.f).min();
        Ok(first.map(|first| first.saturating_sub(1)))
    }

    fn rows<'b>(&self, body: &'b str, ticker: &Ticker) -> Result<Vec<NumberedRow<'b>>, NotAPage> {
        let rows = field::array(body)?;
        Ok(rows.into_iter().map(|raw| field::numbered(raw, |json| decode(json, ticker))).collect())
    }
}

fn trades(about: About<'_>, from_id: Option<u64>) -> Question {
    let mut url = field::at(about.base, "api/v3/historicalTrades");
    url.query_pairs_mut()
        .append_pair("symbol", &Binance.symbol(about.ticker.as_str()))
        .append_pair("limit", &about.page_limit.to_string());
    if let Some(from_id) = from_id {
        url.query_pairs_mut().append_pair("fromId", &from_id.to_string());
    }
    Question { url, weight: TRADES_WEIGHT }
}

fn decode(json: &str, ticker: &Ticker) -> (Option<u64>, Decoded) {
    let wire: RestTrade<'_> = match field::object(json) {
        Ok(wire) => wire,
        Err(refusal) => return (None, Err(refusal)),
    };
    let parts = Parts {
        ticker: Ok(ticker.clone()),
        traded_at: field::epoch_ms("time", wire.time.as_ref()),
        id: field::number_id("id", wire.id.as_ref()),
        quantity: field::quantity("qty", wire.qty.as_ref()),
        price: field::price("price", wire.price.as_ref()),
    };
    (field::number_of(wire.id), parts.trade())
}

/// 418 is a ban for going on after 429; 403 the firewall; 451 a country that is not served.
pub(super) fn trouble(status: u16, body: &str) -> Option<Trouble> {
    let error: Option<RestError> = serde_json::from_str(body).ok();
    match (status, error) {
        (200, None) => None,
        (418 | 429, _) => Some(Trouble::TooOften(None)),
        (_, Some(RestError { code: -1003, .. })) => Some(Trouble::TooOften(None)),
        (_, Some(RestError { code: -1121, .. })) => Some(Trouble::UnknownTicker),
        (500.., Some(RestError { msg, .. })) => Some(Trouble::Unavailable(msg)),
        (_, Some(RestError { msg, .. })) => Some(Trouble::Refused(msg)),
        (_, None) => None,
    }
}
