//! Short names for the words of the tape. What is malformed panics.

use tape::{EpochMs, Heard, Price, Quantity, Ticker, Trade, TradeId};

/// A ticker.
pub fn ticker(text: &str) -> Ticker {
    Ticker::new(text).expect("a ticker")
}

/// A trade id.
pub fn id(text: &str) -> TradeId {
    TradeId::new(text).expect("a trade id")
}

/// A price.
pub fn price(text: &str) -> Price {
    Price::parse(text).expect("a price")
}

/// A quantity.
pub fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).expect("a quantity")
}

/// An instant.
pub const fn at(ms: i64) -> EpochMs {
    EpochMs::new(ms)
}

/// A trade: `trade("BTC", "a1", 1_684_083_600_123, "27000.12", "0.5")`.
pub fn trade(of: &str, named: &str, traded_at: i64, price_text: &str, quantity_text: &str) -> Trade {
    Trade {
        ticker: ticker(of),
        id: id(named),
        traded_at: at(traded_at),
        price: price(price_text),
        quantity: quantity(quantity_text),
    }
}

/// A trade the socket brought at an instant of ours.
pub fn heard(trade: Trade, received_at: i64) -> Heard {
    Heard { trade, received_at: at(received_at), suspicion: None }
}
