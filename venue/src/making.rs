//! How trades are made out of what happened: under which ids, and how far their
//! times may go back behind those made before.

use std::collections::HashMap;

use rand::RngExt;
use tape::{EpochMs, Ticker, TradeId};

use crate::chance;
use crate::dialect::numbering::{Numbering, Series};
use crate::true_trade::TrueTrade;

/// How far back a time may go behind the moment at which its trade becomes known.
pub const DISORDER_MS: i64 = 300;

/// How trades are made.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Making {
    /// In which manner they are numbered; none where they keep their ids.
    pub numbering: Option<Numbering>,
    /// Which fraction claims a time before that of the trade made before it.
    pub disorder: f64,
}

/// A trade, and when it became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// When.
    pub at: EpochMs,
    /// The trade.
    pub trade: TrueTrade,
}

impl Made {
    /// The trade, when it becomes known at another instant: as far back as it was.
    pub fn happening_at(self, at: EpochMs) -> TrueTrade {
        let back = self.at.ms_since(self.trade.traded_at);
        self.trade.at(at.minus_ms(back))
    }
}

impl Making {
    /// Begins to make trades. `before` says how many each series had already; one
    /// named twice had both.
    pub fn begin(self, seed: u64, before: Vec<(Series, u64)>) -> Maker {
        let mut places: HashMap<Series, u64> = HashMap::new();
        for (series, count) in before {
            *places.entry(series).or_default() += count;
        }
        Maker { making: self, seed, places, previous: HashMap::new() }
    }

    /// Makes trades that happened in this order, the first of all.
    pub fn make(self, seed: u64, trades: Vec<TrueTrade>) -> Vec<Made> {
        let mut maker = self.begin(seed, Vec::new());
        trades.into_iter().map(|trade| maker.make(trade)).collect()
    }
}

/// Makes trades in the order in which they happened.
#[derive(Debug)]
pub struct Maker {
    making: Making,
    seed: u64,
    /// How many each series had.
    places: HashMap<Series, u64>,
    /// When the trade before happened, where times go back behind it.
    previous: HashMap<Ticker, EpochMs>,
}

impl Maker {
    /// Makes the next one.
    pub fn make(&mut self, mut trade: TrueTrade) -> Made {
        if let Some(numbering) = self.making.numbering {
            let series = numbering.series_of(&trade.ticker);
            let place = self.places.entry(series.clone()).or_default();
            if let Ok(id) = TradeId::new(&series.id(*place).to_string()) {
                trade = trade.under(id);
            }
            *place += 1;
        }
        let at = trade.traded_at;
        if self.making.disorder > 0.0
            && let Some(previous) = self.previous.insert(trade.ticker.clone(), at)
        {
            trade = self.disordered(trade, previous);
        }
        Made { at, trade }
    }

    fn disordered(&self, trade: TrueTrade, previous: EpochMs) -> TrueTrade {
        let name: [&[u8]; 3] = [b"disorder", trade.ticker.as_str().as_bytes(), trade.id.as_str().as_bytes()];
        let mut rng = chance::stream(self.seed, &name);
        // However quiet the ticker was before, nothing becomes known later than that.
        let earliest = trade.traded_at.minus_ms(DISORDER_MS);
        let room_ms = previous.ms_since(earliest);
        if room_ms > 0 && rng.random::<f64>() < self.making.disorder {
            trade.at(previous.minus_ms(rng.random_range(1..=room_ms)))
        } else {
            trade
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trades(count: i64) -> Vec<TrueTrade> {
        let ticker = |n: i64| if n % 3 == 0 { "ETH/USDT" } else { "BTC/USDT" };
        (0..count).map(|n| TrueTrade::new(ticker(n), 10_000 + n, "1", "1", &n.to_string()).expect("a trade")).collect()
    }

    #[test]
    fn a_shared_counter_leaves_holes_in_each_ticker_and_a_dense_one_does_not() {
        for (numbering, is_dense) in [(Numbering::Dense, true), (Numbering::Shared, false)] {
            let making = Making { numbering: Some(numbering), disorder: 0.0 };
            let made = making.make(1, trades(100));
            let btc: Vec<u64> = made
                .iter()
                .filter(|made| made.trade.ticker.as_str() == "BTC/USDT")
                .filter_map(|made| made.trade.number())
                .collect();
            assert!(btc.is_sorted());
            assert_eq!(btc.windows(2).all(|pair| pair[0] + 1 == pair[1]), is_dense);
        }
    }

    #[test]
    fn disorder_takes_times_back_behind_the_trade_before_and_keeps_the_order_of_making() {
        let making = Making { numbering: Some(Numbering::Dense), disorder: 0.5 };
        let made = making.make(1, trades(1_000));
        let back = made.iter().filter(|made| made.trade.traded_at < made.at).count();
        assert!((350..650).contains(&back), "{back}");
        assert!(made.is_sorted_by_key(|made| made.at));
        assert!(made.iter().all(|made| made.at.ms_since(made.trade.traded_at) <= DISORDER_MS));
    }
}
