//! Window sums and prices by plain addition of big integers over the truth:
//! nothing of `tape`'s sums, fixed-point numbers or division is used.

use num_bigint::BigUint;
use tape::Trade;

/// Price and quantity as counts of 10^-18.
const DECIMALS: usize = 18;

/// The exact sums of a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// How many trades.
    pub trades: usize,
    /// The sum of quantities, in 10^-18.
    pub volume: BigUint,
    /// The sum of price times quantity, in 10^-36.
    pub notional: BigUint,
}

/// The trades of one ticker, and the sums of all up to each.
pub struct Oracle {
    times: Vec<i64>,
    sums: Vec<Window>,
}

impl Oracle {
    /// Adds up trades that are in order of time.
    pub fn new<'a>(trades: impl Iterator<Item = &'a Trade>) -> Self {
        let mut sum = Window { trades: 0, volume: BigUint::ZERO, notional: BigUint::ZERO };
        let mut oracle = Self { times: Vec::new(), sums: vec![sum.clone()] };
        for trade in trades {
            let (price, quantity) = (units(&trade.price.to_string()), units(&trade.quantity.to_string()));
            sum.trades += 1;
            sum.notional += price * &quantity;
            sum.volume += quantity;
            oracle.times.push(trade.traded_at.ms());
            oracle.sums.push(sum.clone());
        }
        oracle
    }

    /// The sums of the trades in `(closes_at - interval, closes_at]`.
    pub fn window(&self, closes_at: i64, interval: i64) -> Window {
        let from = self.times.partition_point(|at| *at <= closes_at - interval);
        let to = self.times.partition_point(|at| *at <= closes_at);
        let (before, all) = (&self.sums[from], &self.sums[to]);
        Window {
            trades: all.trades - before.trades,
            volume: &all.volume - &before.volume,
            notional: &all.notional - &before.notional,
        }
    }
}

impl Window {
    /// Notional by volume in 10^-24, rounded half to even.
    pub fn price(&self) -> Option<BigUint> {
        if self.trades == 0 {
            return None;
        }
        let scaled = &self.notional * BigUint::from(10u32).pow(6);
        let (floor, left) = (&scaled / &self.volume, &scaled % &self.volume);
        let twice: BigUint = left * 2u32;
        let rounds_up = twice > self.volume || twice == self.volume && floor.bit(0);
        Some(if rounds_up { floor + 1u32 } else { floor })
    }
}

/// A plain decimal as a count of 10^-18.
fn units(text: &str) -> BigUint {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<DECIMALS$}").parse().expect("a plain decimal")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_is_rounded_to_the_even_neighbor() {
        let window =
            |notional: u64, volume: u32| Window { trades: 1, volume: volume.into(), notional: BigUint::from(notional) };

        assert_eq!(window(1, 2_000_000).price(), Some(0u32.into()));
        assert_eq!(window(3, 2_000_000).price(), Some(2u32.into()));
        assert_eq!(window(3, 1_000_000).price(), Some(3u32.into()));
        assert_eq!(units("1.5"), BigUint::from(1_500_000_000_000_000_000u64));
    }
}
