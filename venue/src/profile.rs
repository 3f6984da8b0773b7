//! What kind of market a generated ticker is: its price level, its digits, its pace.

use tape::Ticker;

use crate::chance;

/// How a generated ticker writes its quantities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notation {
    /// `0.01230000`
    Plain,
    /// Dust as `2E-7` and blocks as `1.5E+6` among plain ones.
    Exponent,
}

/// How often a generated ticker trades.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// So many trades in an average minute, in clumps and bursts.
    Lively {
        /// Trades in an average minute.
        per_minute: f64,
    },
    /// A few trades in one minute of [`QUIET_CYCLE`], then silence.
    Quiet,
}

/// Of so many minutes a quiet ticker trades in one.
pub const QUIET_CYCLE: i64 = 4;

/// The nature of a generated ticker.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The ticker.
    pub ticker: Ticker,
    /// The price around which it moves, in units of its last decimal.
    pub base_price: i64,
    /// Decimals of its prices.
    pub price_decimals: u32,
    /// A usual quantity, in units of its last decimal.
    pub usual_quantity: u64,
    /// Decimals of its quantities.
    pub quantity_decimals: u32,
    /// How quantities are written.
    pub notation: Notation,
    /// How often it trades.
    pub pace: Pace,
}

/// The tickers of a generated market unless others are named; the last is quiet.
pub const DEFAULT_TICKERS: [&str; 5] = ["BTC", "ETH", "SOL", "SHIB", "XMR"];

impl Profile {
    /// The profiles of a market that makes `rate` trades a second in all.
    /// Earlier tickers trade more than later ones.
    pub fn of_market(tickers: &[Ticker], quiet: &[Ticker], rate: f64) -> Vec<Self> {
        let lively = tickers.iter().filter(|ticker| !quiet.contains(ticker)).count();
        // Shares fall as 1/2, 1/3, 1/4 …, so that the first ticker leads without taking all.
        let total_share: f64 = (0..lively).map(share).sum();
        let mut rank = 0;
        let mut profiles = Vec::with_capacity(tickers.len());
        for ticker in tickers {
            let pace = if quiet.contains(ticker) {
                Pace::Quiet
            } else {
                rank += 1;
                Pace::Lively { per_minute: rate * 60.0 * share(rank - 1) / total_share }
            };
            profiles.push(Self::of(ticker, pace));
        }
        profiles
    }

    fn of(ticker: &Ticker, pace: Pace) -> Self {
        let (base_price, price_decimals, usual_quantity, quantity_decimals, notation) = match ticker.as_str() {
            "BTC" => (6_142_000, 2, 4_000_000, 8, Notation::Plain),
            "ETH" => (263_400, 2, 60_000, 5, Notation::Plain),
            "SOL" => (14_810, 2, 9_000, 3, Notation::Plain),
            "SHIB" => (171_234, 10, 80_000_000_000, 8, Notation::Exponent),
            "XMR" => (15_630, 2, 3_000, 4, Notation::Plain),
            other => {
                let hash = chance::hash(0, &[b"profile", other.as_bytes()]);
                let base_price = 10_000 + (hash % 5_000_000) as i64;
                let decimals = 2 + (hash >> 32) as u32 % 5;
                (base_price, decimals, 100 + (hash >> 40) % 100_000, 2 + (hash >> 24) as u32 % 7, Notation::Plain)
            }
        };
        Self { ticker: ticker.clone(), base_price, price_decimals, usual_quantity, quantity_decimals, notation, pace }
    }
}

fn share(rank: usize) -> f64 {
    1.0 / (rank as f64 + 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lively_tickers_share_the_rate_and_the_quiet_one_has_none_of_it() {
        let tickers = DEFAULT_TICKERS.map(|text| Ticker::new(text).expect("a ticker"));
        let profiles = Profile::of_market(&tickers, &tickers[4..], 20.0);

        let total: f64 = profiles
            .iter()
            .map(|profile| match profile.pace {
                Pace::Lively { per_minute } => per_minute,
                Pace::Quiet => 0.0,
            })
            .sum();
        assert!((total - 1200.0).abs() < 1e-6, "{total}");
        assert_eq!(profiles[4].pace, Pace::Quiet);
    }
}
