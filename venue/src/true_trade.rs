//! A trade as it really happened, in the venue's own decimal text.
//!
//! The text is kept digit by digit (`2E-7`, `61837.63000000`), because a venue
//! says what it says: what a reader makes of it is the reader's affair.

use serde_json::value::RawValue;
use tape::{EpochMs, Price, Quantity, Rejection, Ticker, Trade, TradeId};

/// A true trade. Its price and quantity are positive and written as JSON numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrueTrade {
    /// What was traded.
    pub ticker: Ticker,
    /// The venue's name for the trade, unique within the ticker only.
    pub id: TradeId,
    /// When it was traded.
    pub traded_at: EpochMs,
    price: Box<str>,
    quantity: Box<str>,
}

impl TrueTrade {
    /// A trade from the texts of its fields.
    ///
    /// # Errors
    /// Whatever `tape` would refuse: the truth holds only trades that can be held exactly.
    pub fn new(ticker: &str, traded_at_ms: i64, price: &str, quantity: &str, id: &str) -> Result<Self, Rejection> {
        Ok(Self {
            ticker: Ticker::new(ticker)?,
            id: TradeId::new(id)?,
            traded_at: EpochMs::new(traded_at_ms),
            price: as_json_number(price, Price::parse(price)?),
            quantity: as_json_number(quantity, Quantity::parse(quantity)?),
        })
    }

    /// The price in the venue's own digits.
    pub fn price(&self) -> &str {
        &self.price
    }

    /// The quantity in the venue's own digits.
    pub fn quantity(&self) -> &str {
        &self.quantity
    }

    /// The id as a number, where it is one.
    pub fn number(&self) -> Option<u64> {
        self.id.as_str().parse().ok()
    }

    /// The price without an exponent.
    pub fn plain_price(&self) -> String {
        if is_plain(&self.price) { self.price.to_string() } else { self.to_trade().price.to_string() }
    }

    /// The quantity without an exponent.
    pub fn plain_quantity(&self) -> String {
        if is_plain(&self.quantity) { self.quantity.to_string() } else { self.to_trade().quantity.to_string() }
    }

    /// The same trade at another price and in another quantity, as far as trades can have them.
    pub(crate) fn valued(&self, price: &str, quantity: &str) -> Self {
        let other = Self::new(self.ticker.as_str(), self.traded_at.ms(), price, quantity, self.id.as_str());
        other.unwrap_or_else(|_| self.clone())
    }

    /// The same trade under another id.
    pub fn under(self, id: TradeId) -> Self {
        Self { id, ..self }
    }

    /// The same trade at another time.
    pub fn at(self, traded_at: EpochMs) -> Self {
        Self { traded_at, ..self }
    }

    /// The JSON object in which both channels of the generic protocol report it.
    pub fn json(&self) -> String {
        crate::dialect::generic::row(self).json()
    }

    /// The trade in the domain's types, in which digits have one form only.
    pub fn to_trade(&self) -> Trade {
        const HELD: &str = "the constructor read these digits";
        Trade {
            ticker: self.ticker.clone(),
            id: self.id.clone(),
            traded_at: self.traded_at,
            price: Price::parse(&self.price).expect(HELD),
            quantity: Quantity::parse(&self.quantity).expect(HELD),
        }
    }
}

impl From<&Trade> for TrueTrade {
    fn from(trade: &Trade) -> Self {
        Self {
            ticker: trade.ticker.clone(),
            id: trade.id.clone(),
            traded_at: trade.traded_at,
            price: trade.price.to_string().into(),
            quantity: trade.quantity.to_string().into(),
        }
    }
}

/// The text itself where it is a JSON number, else the number in plain digits:
/// recordings also contain `.5` and `+1`, which JSON does not know.
fn as_json_number(text: &str, value: impl std::fmt::Display) -> Box<str> {
    if serde_json::from_str::<&RawValue>(text).is_ok() { text.into() } else { value.to_string().into() }
}

fn is_plain(digits: &str) -> bool {
    !digits.contains(['e', 'E'])
}

/// A text as a JSON string.
pub(crate) fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_carries_the_digits_of_the_tape_as_json_numbers() {
        let trade = TrueTrade::new("XRP/ETH", 7, "61837.63000000", "2E-7", "a\"1").expect("a trade");

        assert_eq!(
            trade.json(),
            r#"{"ticker":"XRP/ETH","ts":7,"quantity":2E-7,"price":61837.63000000,"tradeid":"a\"1"}"#
        );
        assert_eq!(trade.to_trade().quantity.to_string(), "0.0000002");
    }

    #[test]
    fn digits_that_json_does_not_know_are_written_plainly() {
        let trade = TrueTrade::new("BTC", 7, "+1.50", "007", "1").expect("a trade");

        assert_eq!((trade.price(), trade.quantity()), ("1.5", "7"));
    }

    #[test]
    fn the_truth_refuses_what_cannot_be_held() {
        assert!(TrueTrade::new("BTC", 7, "0", "1", "1").is_err());
        assert!(TrueTrade::new("BTC", 7, "1", "NaN", "1").is_err());
        assert!(TrueTrade::new("BTC", 7, "1", "1", "").is_err());
    }
}
