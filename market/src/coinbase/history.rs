//! Coinbase's `products/<id>/trades`: newest first, those before an id by `after`.

use serde::Deserialize;
use tape::{EpochMs, Ticker};

use super::Coinbase;
use crate::adapter::{Adapter as _, NotAPage};
use crate::field::{self, Parts};
use crate::plain::fields;
use crate::reading::{About, Anchor, ById, NumberedRow, Question, Shows, Trouble};
use crate::said::Decoded;

pub(super) struct History;

fields! {
    struct RestTrade {
        trade_id: "trade_id" as Numeral,
        size: "size" as Decimal,
        price: "price" as Decimal,
        time: "time",
    }
}

#[derive(Deserialize)]
struct RestError {
    message: String,
}

impl ById for History {
    /// `after` means older than: a page before the id that lies a page and one ahead
    /// is the page that follows. What `before` answers with is not documented.
    fn after(&self, about: About<'_>, anchor: Anchor, way: usize) -> Option<Question> {
        (way == 0).then(|| trades(about, Some(field::page_ahead(anchor.id, about.page_limit))))
    }

    fn shows(&self) -> Shows {
        Shows::TheNextIds
    }

    fn older(&self, about: About<'_>, before: Option<u64>) -> Option<Question> {
        Some(trades(about, before))
    }

    /// It cannot be asked for a time.
    fn seek(&self, _about: About<'_>, _from: EpochMs) -> Option<Question> {
        None
    }

    fn sought(&self, _body: &str) -> Result<Option<u64>, NotAPage> {
        Ok(None)
    }

    fn rows<'b>(&self, body: &'b str, ticker: &Ticker) -> Result<Vec<NumberedRow<'b>>, NotAPage> {
        let rows = field::array(body)?;
        Ok(rows.into_iter().map(|raw| field::numbered(raw, |json| decode(json, ticker))).collect())
    }
}

fn trades(about: About<'_>, after: Option<u64>) -> Question {
    let product = Coinbase.symbol(about.ticker.as_str());
    let mut url = field::at(about.base, &format!("products/{product}/trades"));
    url.query_pairs_mut().append_pair("limit", &about.page_limit.to_string());
    if let Some(after) = after {
        url.query_pairs_mut().append_pair("after", &after.to_string());
    }
    Question { url, weight: 1 }
}

fn decode(json: &str, ticker: &Ticker) -> (Option<u64>, Decoded) {
    let wire: RestTrade<'_> = match field::object(json) {
        Ok(wire) => wire,
        Err(refusal) => return (None, Err(refusal)),
    };
    let parts = Parts {
        ticker: Ok(ticker.clone()),
        traded_at: field::rfc3339("time", wire.time.as_ref()),
        id: field::number_id("trade_id", wire.trade_id.as_ref()),
        quantity: field::quantity("size", wire.size.as_ref()),
        price: field::price("price", wire.price.as_ref()),
    };
    (field::number_of(wire.trade_id), parts.trade())
}

/// Every error is an object with a `message`, and the status says what kind.
pub(super) fn trouble(status: u16, body: &str) -> Option<Trouble> {
    let message = || serde_json::from_str(body).map_or_else(|_| String::new(), |error: RestError| error.message);
    match status {
        200..=299 => None,
        404 => Some(Trouble::UnknownTicker),
        429 => Some(Trouble::TooOften(None)),
        400 => Some(Trouble::Refused(message())),
        500.. => Some(Trouble::Unavailable(message())),
        _ => None,
    }
}
