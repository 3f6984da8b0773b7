//! `POST /control/revise`: the market changes its mind about its past.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use tape::{EpochMs, Ticker, TradeId};

use super::asked::{Refusal, refused};
use super::control::{Command, respond};
use crate::clock;
use crate::revision::{Change, Revised, Revision};
use crate::shared::Shared;
use crate::true_trade::TrueTrade;

/// `POST /control/revise`: alters, withdraws or inserts one true trade.
pub async fn revise(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    respond(change_its_mind(&shared, &body))
}

fn change_its_mind(shared: &Shared, body: &[u8]) -> Result<Value, Refusal> {
    let command = Command::read(body, &["ticker", "tradeid", "ts", "price", "quantity", "withdraw", "insert"])?;
    let revision = command.revision()?;
    let now = clock::now();
    let mut market = shared.market();
    market.advance(now);
    let revised = market.revise(revision, now).map_err(|error| refused(&error.to_string()))?;
    drop(market);
    shared.note_change();
    let Revised { was, now } = revised;
    Ok(json!({ "was": was.as_ref().map(values), "now": now.as_ref().map(values) }))
}

fn values(trade: &TrueTrade) -> Value {
    json!({
        "ticker": trade.ticker.as_str(),
        "tradeid": trade.id.as_str(),
        "ts": trade.traded_at.ms(),
        "price": trade.price(),
        "quantity": trade.quantity(),
    })
}

impl Command {
    fn revision(&self) -> Result<Revision, Refusal> {
        let ticker = Ticker::new(&self.required("ticker")?).map_err(|rejection| refused(&rejection.to_string()))?;
        let id = TradeId::new(&self.required("tradeid")?).map_err(|rejection| refused(&rejection.to_string()))?;
        let (withdraw, insert) = (self.flag("withdraw")?, self.flag("insert")?);
        let traded_at = self.milliseconds("ts")?.map(EpochMs::new);
        let (price, quantity) = (self.digits("price")?, self.digits("quantity")?);
        let has_values = traded_at.is_some() || price.is_some() || quantity.is_some();
        let change = match (withdraw, insert) {
            (true, true) => return Err(refused("withdraw and insert cannot both be true")),
            (true, false) if has_values => return Err(refused("a trade that is withdrawn has no new values")),
            (true, false) => Change::Withdraw,
            (false, true) => {
                let (Some(traded_at), Some(price), Some(quantity)) = (traded_at, price, quantity) else {
                    return Err(refused("a trade to insert needs ts, price and quantity"));
                };
                Change::Insert { traded_at, price, quantity }
            }
            (false, false) if !has_values => {
                return Err(refused("nothing to change: give ts, price or quantity, or withdraw or insert as true"));
            }
            (false, false) => Change::Alter { traded_at, price, quantity },
        };
        Ok(Revision { ticker, id, change })
    }

    fn required(&self, name: &str) -> Result<String, Refusal> {
        let text = self.0.get(name).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| refused(&format!("{name} must be given, as a text")))
    }

    fn flag(&self, name: &str) -> Result<bool, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(false) };
        value.as_bool().ok_or_else(|| refused(&format!("{name} must be true or false, not {value}")))
    }

    /// A number in digits. A JSON number is refused: reading it might lose some of them.
    fn digits(&self, name: &str) -> Result<Option<String>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let text = value.as_str().map(str::to_owned);
        text.map(Some).ok_or_else(|| refused(&format!("{name} must be given in digits, as a text, not {value}")))
    }
}
