//! What the trades of a window add up to, by arithmetic of our own.

use crate::exact::Exact;

/// The exact sums of some trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// How many.
    pub trades: u64,
    /// The sum of their quantities.
    pub volume: Exact,
    /// The sum of price times quantity.
    pub notional: Exact,
}

/// One trade, as far as sums need it.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// When it was made.
    pub at_ms: i64,
    /// Its price.
    pub price: Exact,
    /// Its quantity.
    pub quantity: Exact,
}

/// The trades of a ticker, ready to be added up over any window.
#[derive(Debug)]
pub struct Tape {
    /// When each was made, in order.
    times: Vec<i64>,
    /// What those before each add up to, and all of them last.
    before: Vec<Sums>,
}

impl Sums {
    /// Of no trade.
    pub fn none() -> Self {
        Self { trades: 0, volume: Exact::zero(), notional: Exact::zero() }
    }

    /// The price; none without trades.
    pub fn price(&self) -> Option<Exact> {
        (self.trades > 0).then(|| self.notional.over(&self.volume))
    }

    fn with(&self, trade: &Weighed) -> Self {
        Self {
            trades: self.trades + 1,
            volume: self.volume.plus(&trade.quantity),
            notional: self.notional.plus(&trade.price.times(&trade.quantity)),
        }
    }

    fn without(&self, others: &Self) -> Self {
        Self {
            trades: self.trades - others.trades,
            volume: self.volume.minus(&others.volume),
            notional: self.notional.minus(&others.notional),
        }
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} trades, volume {}, notional {}", self.trades, self.volume, self.notional)
    }
}

impl Tape {
    /// A tape of trades in any order.
    pub fn new(mut trades: Vec<Weighed>) -> Self {
        trades.sort_by_key(|trade| trade.at_ms);
        let mut before = vec![Sums::none()];
        for trade in &trades {
            before.push(before[before.len() - 1].with(trade));
        }
        Self { times: trades.iter().map(|trade| trade.at_ms).collect(), before }
    }

    /// The sums of the trades with `after_ms < time ≤ until_ms`.
    pub fn window(&self, after_ms: i64, until_ms: i64) -> Sums {
        let end_of = |ms: i64| self.times.partition_point(|at_ms| *at_ms <= ms);
        let (from, to) = (end_of(after_ms), end_of(until_ms));
        if to <= from { Sums::none() } else { self.before[to].without(&self.before[from]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(text: &str) -> Exact {
        Exact::read(text).expect("a decimal")
    }

    #[test]
    fn a_window_is_open_on_the_left_and_closed_on_the_right() {
        let weighed = |at_ms, price: &str| Weighed { at_ms, price: exact(price), quantity: exact("2") };
        let tape = Tape::new(vec![weighed(30, "5"), weighed(10, "1"), weighed(20, "3"), weighed(20, "3.5")]);

        let sums = tape.window(10, 30);
        assert_eq!((sums.trades, sums.volume.clone(), sums.notional.clone()), (3, exact("6"), exact("23")));
        assert_eq!(sums.price(), Some(exact("3.833333333333333333333333")));
        assert_eq!(tape.window(9, 10).trades, 1);
        assert_eq!((tape.window(30, 99), tape.window(30, 10)), (Sums::none(), Sums::none()));
        assert_eq!(Sums::none().price(), None);
    }
}
