//! What a request asks for: its parameters, read or refused by name.

use std::collections::HashMap;

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::Response;
use tape::{EpochMs, Ticker, TradeId};

use super::problem;
use crate::config::parse_instant;
use crate::market::Market;

/// The parameters of a request.
pub type Parameters = Query<HashMap<String, String>>;

/// Reads parameters.
pub struct Asked(pub HashMap<String, String>);

/// A refusal, boxed because it is large and rare.
pub type Refusal = Box<Response>;

impl Asked {
    /// The text of a parameter; an empty one counts as absent.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The `ticker`, which must be given.
    pub fn ticker(&self) -> Result<Ticker, Refusal> {
        self.optional_ticker()?.ok_or_else(|| refused("ticker is missing: ask as ?ticker=BTC"))
    }

    /// The `ticker`, if one is given.
    pub fn optional_ticker(&self) -> Result<Option<Ticker>, Refusal> {
        let Some(text) = self.text("ticker") else {
            return Ok(None);
        };
        Ticker::new(text).map(Some).map_err(|rejection| refused(&rejection.to_string()))
    }

    /// An instant, as epoch milliseconds or RFC 3339; `absent` when it is not given.
    pub fn instant(&self, name: &str, absent: EpochMs) -> Result<EpochMs, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(absent);
        };
        parse_instant(text)
            .ok_or_else(|| refused(&format!("{name} must be epoch milliseconds or an RFC 3339 time, not {text:?}")))
    }

    /// `startTime`, as epoch milliseconds: the beginning of time unless given.
    pub fn start_time(&self) -> Result<EpochMs, Refusal> {
        let Some(text) = self.text("startTime") else {
            return Ok(EpochMs::new(i64::MIN));
        };
        let ms = text.parse().map_err(|_| refused(&format!("startTime must be epoch milliseconds, not {text:?}")))?;
        Ok(EpochMs::new(ms))
    }

    /// `afterId`: the trade to go on after.
    pub fn after_id(&self) -> Result<Option<TradeId>, Refusal> {
        let id = self.text("afterId").map(TradeId::new).transpose();
        id.map_err(|rejection| refused(&format!("afterId: {rejection}")))
    }

    /// A length of time, as milliseconds or with a unit; `absent` when it is not given.
    pub fn duration_ms(&self, name: &str, absent: i64) -> Result<i64, Refusal> {
        let Some(text) = self.text(name) else {
            return Ok(absent);
        };
        tape::time::parse_duration_ms(text)
            .ok_or_else(|| refused(&format!("{name} must be a length of time such as 300000 or 5m, not {text:?}")))
    }

    /// The span `(from, to]`, all of time unless given.
    pub fn span(&self) -> Result<(EpochMs, EpochMs), Refusal> {
        let from = self.instant("from", EpochMs::new(i64::MIN))?;
        Ok((from, self.instant("to", EpochMs::MAX)?))
    }
}

/// Refuses a ticker the market does not know.
pub fn check_known(market: &Market, ticker: Option<&Ticker>) -> Result<(), Refusal> {
    match ticker {
        Some(ticker) if !market.knows(ticker) => Err(unknown(ticker)),
        _ => Ok(()),
    }
}

/// The refusal of a ticker the market does not know.
pub fn unknown(ticker: &Ticker) -> Refusal {
    let message = format!("there is no ticker {ticker} here; GET /truth/tickers lists them");
    Box::new(problem(StatusCode::NOT_FOUND, &message))
}

/// A refusal of a bad parameter.
pub fn refused(message: &str) -> Refusal {
    Box::new(problem(StatusCode::BAD_REQUEST, message))
}
