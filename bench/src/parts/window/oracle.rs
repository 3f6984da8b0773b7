//! What the figures must be, by plain sums of whole numbers.

use std::collections::HashMap;

use anyhow::{Context as _, ensure};
use num_bigint::BigUint;
use tape::{Sums, Ticker};

use crate::made::{BEGINS_AT_MS, Made, Plan, ticker_name};

/// One figure in this many is also divided anew.
const DIVIDED_EVERY: usize = 97;

/// Holds what was said against the tape: every mark once, with these very sums.
///
/// # Errors
/// When a figure is missing or wrong.
pub fn hold(tape: &[Made], plan: Plan, window: i64, said: &[(Ticker, i64, Sums)]) -> anyhow::Result<()> {
    let mut expected = HashMap::new();
    for number in 0..plan.tickers {
        let trades: Vec<&Made> = tape.iter().filter(|made| made.ticker == number).collect();
        let mut upto = vec![(0u64, 0u128, 0u128)];
        for made in &trades {
            let (count, volume, notional) = upto[upto.len() - 1];
            let price = u128::from(made.price) * 10u128.pow(8 - made.price_decimals);
            let quantity = u128::from(made.quantity);
            upto.push((count + 1, volume + quantity, notional + price * quantity));
        }
        for second in 1..=plan.seconds {
            let closes_at = BEGINS_AT_MS + 1000 * second;
            let until = upto[trades.partition_point(|made| made.traded_at_ms <= closes_at)];
            let before = upto[trades.partition_point(|made| made.traded_at_ms <= closes_at - 1000 * window)];
            let sums = (until.0 - before.0, until.1 - before.1, until.2 - before.2);
            expected.insert((ticker_name(number), closes_at), sums);
        }
    }
    ensure!(said.len() == expected.len(), "{} figures were said, not {}", said.len(), expected.len());
    for (index, (ticker, at, sums)) in said.iter().enumerate() {
        let key = (ticker.as_str().to_owned(), *at);
        let (count, volume, notional) =
            expected.remove(&key).with_context(|| format!("{ticker} was said twice at {at}"))?;
        let agrees = sums.trades == count
            && sums.volume.units().to_string() == shifted(volume, 10)
            && sums.notional.units().to_string() == shifted(notional, 20);
        ensure!(agrees, "{ticker} at {at}: {sums:?} is not {count}, {volume}e-8, {notional}e-16");
        if index % DIVIDED_EVERY == 0 {
            let price = sums.vwap().map(|price| price.units().to_string());
            ensure!(price == divided(notional, volume), "{ticker} at {at}: {price:?}");
        }
    }
    Ok(())
}

fn shifted(units: u128, zeros: usize) -> String {
    if units == 0 { "0".to_owned() } else { format!("{units}{}", "0".repeat(zeros)) }
}

/// Notional in 10^-16 over volume in 10^-8, half to even, in 10^-24.
fn divided(notional: u128, volume: u128) -> Option<String> {
    if volume == 0 {
        return None;
    }
    let (dividend, divisor) = (BigUint::from(notional) * BigUint::from(10u32).pow(16), BigUint::from(volume));
    let (floor, left) = (&dividend / &divisor, &dividend % &divisor);
    let twice = left * 2u32;
    let is_odd = &floor % 2u32 == BigUint::from(1u32);
    let rounds_up = twice > divisor || (twice == divisor && is_odd);
    Some((floor + u32::from(rounds_up)).to_string())
}
