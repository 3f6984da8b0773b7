//! What was truly traded, with all the shapes that are hard to read: many trades
//! in one millisecond, ids in no order, quiet spells.

use std::collections::BTreeMap;

use tape::{EpochMs, Price, Quantity, Ticker, Trade, TradeId};

use crate::chance::Chance;
use crate::scenario::{BEGINS_AT, Part, Scenario, ticker_name};

/// Trades of one ticker at most, so that no run takes for ever.
const TRADES_PER_TICKER: usize = 2_500;

/// A trade as it was.
#[derive(Debug, Clone)]
pub struct TrueTrade {
    /// The trade.
    pub trade: Trade,
    /// From when on REST knows it.
    pub visible_at: i64,
}

/// Every trade, per ticker, in the market's own order.
#[derive(Debug, Default, Clone)]
pub struct Truth {
    /// The trades of each ticker.
    pub trades: BTreeMap<Ticker, Vec<TrueTrade>>,
}

impl Truth {
    /// Draws the trades of a scenario.
    pub fn of(scenario: &Scenario) -> Self {
        let has = |part| !scenario.plan.without.contains(&part);
        let mut truth = Self::default();
        for number in 0..scenario.tickers {
            let name = ticker_name(number);
            let ticker = Ticker::new(&name).expect("a ticker");
            let mut chance = Chance::of(scenario.plan.seed, &format!("trades of {name}"));
            let trades = Draft { ticker: &ticker, has_bursts: has(Part::Bursts), has_lag: has(Part::RestLag) }
                .trades(&mut chance, scenario);
            truth.trades.insert(ticker, trades);
        }
        truth
    }

    /// The trade of this name, if there is one.
    pub fn find(&self, ticker: &Ticker, id: &TradeId) -> Option<&Trade> {
        self.trades.get(ticker)?.iter().map(|it| &it.trade).find(|trade| trade.id == *id)
    }
}

struct Draft<'a> {
    ticker: &'a Ticker,
    has_bursts: bool,
    has_lag: bool,
}

impl Draft<'_> {
    fn trades(&self, chance: &mut Chance, scenario: &Scenario) -> Vec<TrueTrade> {
        let span_ms = (scenario.seconds + scenario.past_seconds) * 1_000;
        let usual_gap_ms = (*chance.pick(&[40, 400, 1_500, 6_000])).max(span_ms / 1_500);
        let decimals = *chance.pick(&[0, 2, 8, 18]);
        let mut at = BEGINS_AT - scenario.past_seconds * 1_000;
        let mut trades: Vec<TrueTrade> = Vec::new();
        while trades.len() < TRADES_PER_TICKER {
            let is_quiet = chance.per_mille(10);
            at += if is_quiet { chance.between(0, span_ms / 3) } else { chance.between(0, usual_gap_ms * 2) };
            // Edges are where windows go wrong: trades love whole seconds.
            if chance.per_mille(80) {
                at += (1_000 - at.rem_euclid(1_000)) % 1_000 + chance.between(0, 1);
            }
            if scenario.calm_from() <= at {
                break;
            }
            let drawn = if chance.per_mille(30) { chance.between(2, 30) } else { 1 };
            let together = if self.has_bursts { drawn } else { 1 };
            for _ in 0..together {
                let lag = if self.has_lag { chance.between(0, 1_900) } else { 0 };
                let trade = self.trade(chance, at, trades.len(), decimals);
                trades.push(TrueTrade { trade, visible_at: at + lag });
            }
        }
        trades
    }

    fn trade(&self, chance: &mut Chance, at: i64, nth: usize, decimals: u32) -> Trade {
        // Unique because of its end, in no order because of its beginning.
        let id = format!("{:03x}-{nth}", chance.bits() & 0xfff);
        Trade {
            ticker: self.ticker.clone(),
            id: TradeId::new(&id).expect("an id"),
            traded_at: EpochMs::new(at),
            price: Price::parse(&decimal(chance, 60_000, decimals)).expect("a price"),
            quantity: Quantity::parse(&decimal(chance, 30, decimals)).expect("a quantity"),
        }
    }
}

/// A positive decimal below a whole number.
pub(super) fn decimal(chance: &mut Chance, below: i64, decimals: u32) -> String {
    let whole = chance.between(1, below - 1);
    if decimals == 0 {
        return whole.to_string();
    }
    let fraction = chance.between(0, 10i64.pow(decimals) - 1);
    format!("{whole}.{fraction:0width$}", width = decimals as usize)
}
