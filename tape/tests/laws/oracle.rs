//! What must come out, by plain scans in big integers.

use num_bigint::BigInt;
use tape::{EpochMs, Price, Quantity, Sums, Ticker, Trade, TradeId};

/// Count, volume and notional as big integers: units of 10^-18 and 10^-36.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plain {
    pub trades: u64,
    pub volume: BigInt,
    pub notional: BigInt,
}

/// A decimal of at most 18 decimals in units of 10^-18, read digit by digit
/// from its text.
pub fn units(text: &str) -> BigInt {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{whole}{fraction:0<18}");
    digits.parse().expect("digits")
}

pub fn price_units(trade: &Trade) -> BigInt {
    units(&trade.price.to_string())
}

/// The sums of the trades with `after < time ≤ until`.
pub fn scan<'a>(trades: impl IntoIterator<Item = &'a Trade>, after: i64, until: i64) -> Plain {
    let mut plain = Plain::default();
    for trade in trades {
        if after < trade.traded_at.ms() && trade.traded_at.ms() <= until {
            let quantity = units(&trade.quantity.to_string());
            plain.trades += 1;
            plain.notional += price_units(trade) * &quantity;
            plain.volume += quantity;
        }
    }
    plain
}

/// The sums of the code under test, in the oracle's terms.
pub fn plain(sums: Sums) -> Plain {
    let big = |units: String| units.parse().expect("digits");
    Plain {
        trades: sums.trades,
        volume: big(sums.volume.units().to_string()),
        notional: big(sums.notional.units().to_string()),
    }
}

pub fn trade(id: &str, traded_at: i64, price: &str, quantity: &str) -> Trade {
    Trade {
        ticker: Ticker::new("BTC").expect("ticker"),
        id: TradeId::new(id).expect("id"),
        traded_at: EpochMs::new(traded_at),
        price: Price::parse(price).expect("price"),
        quantity: Quantity::parse(quantity).expect("quantity"),
    }
}
