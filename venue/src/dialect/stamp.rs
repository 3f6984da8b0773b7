//! Times as exchanges write them, and what they know of a trade beyond the
//! ledger: its side and its time within the millisecond. Both follow from the
//! trade alone.

use chrono::{DateTime, Utc};
use tape::EpochMs;

use crate::chance;
use crate::true_trade::TrueTrade;

/// Who took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taker {
    /// The buyer.
    Buyer,
    /// The seller.
    Seller,
}

impl Taker {
    /// The taker of a trade. What is altered about a trade never changes it.
    pub fn of(trade: &TrueTrade) -> Self {
        let name: [&[u8]; 3] = [b"side", trade.ticker.as_str().as_bytes(), trade.id.as_str().as_bytes()];
        if chance::hash(0, &name).count_ones().is_multiple_of(2) { Self::Buyer } else { Self::Seller }
    }

    /// One of two words.
    pub fn say<T>(self, buyer: T, seller: T) -> T {
        match self {
            Self::Buyer => buyer,
            Self::Seller => seller,
        }
    }
}

/// Nanoseconds since 1970. All trades of one ticker in one millisecond have the same.
pub fn nanos(trade: &TrueTrade) -> i64 {
    let ms = trade.traded_at.ms();
    let hash = chance::hash(0, &[b"nanos", trade.ticker.as_str().as_bytes(), &ms.to_le_bytes()]);
    // Well inside the millisecond, so that no rounding leads out of it; some are even tenths
    // of one, which are printed with fewer digits.
    let part = (hash / 8 % 1_600_000) as i64;
    let inside = if hash.is_multiple_of(8) { (1 + part % 8) * 100_000 } else { 100_000 + part % 800_000 };
    ms.saturating_mul(1_000_000).saturating_add(inside)
}

/// RFC 3339 with microseconds.
pub fn rfc3339_micros(trade: &TrueTrade) -> String {
    rfc3339(nanos(trade) / 1_000)
}

/// RFC 3339 with microseconds, of an instant.
pub fn rfc3339_of(at: EpochMs) -> String {
    rfc3339(at.ms().saturating_mul(1_000))
}

fn rfc3339(micros: i64) -> String {
    let time = DateTime::<Utc>::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC);
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// A number that looks like an identifier, drawn from a text.
pub fn identifier(text: &str) -> u64 {
    chance::hash(0, &[b"identifier", text.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trade(id: &str, ts: i64) -> TrueTrade {
        TrueTrade::new("BTC/USDT", ts, "1", "1", id).expect("a trade")
    }

    #[test]
    fn the_time_within_the_millisecond_is_one_for_all_and_stays_inside() {
        let times: Vec<i64> = (1..50).map(|id| nanos(&trade(&id.to_string(), 1_700_000_000_123))).collect();
        assert!(times.iter().all(|time| *time == times[0] && time / 1_000_000 == 1_700_000_000_123));
        assert!(rfc3339_micros(&trade("1", 1_700_000_000_123)).starts_with("2023-11-14T22:13:20.123"));
        assert_eq!(rfc3339_of(EpochMs::new(0)), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn about_half_of_all_takers_buy() {
        let buyers = (0..1_000).filter(|id| Taker::of(&trade(&id.to_string(), 1)) == Taker::Buyer).count();
        assert!((400..600).contains(&buyers), "{buyers}");
    }
}
