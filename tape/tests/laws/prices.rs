//! A price is the exact quotient, rounded once, half to even, and never leaves
//! the prices it is made of.

use num_bigint::BigInt;
use proptest::prelude::*;
use tape::{Sums, Trade};

use crate::oracle::{price_units, scan, trade};

/// Decimals of every size that can be held: up to `digits` before the point
/// and 18 after it, no more than 28 digits in all.
fn decimal(digits: u32) -> impl Strategy<Value = String> {
    (1u64..=u64::MAX, 0u32..=18).prop_map(move |(mantissa, scale)| {
        let most = 10u128.pow((digits + scale).min(19)) - 1;
        let mantissa = (u128::from(mantissa) % most) + 1;
        format!("{mantissa}e-{scale}")
    })
}

fn any_trade() -> impl Strategy<Value = Trade> {
    (decimal(14), decimal(16)).prop_map(|(price, quantity)| trade("1", 0, &price, &quantity))
}

/// Prices next to each other at the last digit, so that rounding has to decide.
fn close_trades() -> impl Strategy<Value = Vec<Trade>> {
    let near = (0u64..3, 1u64..9).prop_map(|(above, quantity)| {
        trade("1", 0, &format!("{}e-18", 1_000_000_000_000_000_000 + above), &format!("{quantity}e-18"))
    });
    prop::collection::vec(near, 1..9)
}

fn check(trades: &[Trade]) -> Result<(), TestCaseError> {
    let sums: Sums = trades.iter().map(|trade| Sums::of(trade.price, trade.quantity)).sum();
    let expected = scan(trades, -1, 0);
    prop_assert_eq!(&crate::oracle::plain(sums), &expected);

    let vwap: BigInt = sums.vwap().expect("trades").units().to_string().parse().expect("digits");
    // Both sides in units of 10^-42: the price has 24 decimals, the notional 36.
    let error: BigInt = &vwap * &expected.volume - &expected.notional * BigInt::from(1_000_000);
    let twice = if error < BigInt::from(0) { -error } else { error } * BigInt::from(2);
    prop_assert!(twice <= expected.volume, "off by more than half a unit");
    if twice == expected.volume {
        prop_assert_eq!(&vwap % BigInt::from(2), BigInt::from(0), "a half goes to the even one");
    }
    let scaled = |units: Option<BigInt>| units.expect("trades") * BigInt::from(1_000_000);
    prop_assert!(scaled(trades.iter().map(price_units).min()) <= vwap);
    prop_assert!(vwap <= scaled(trades.iter().map(price_units).max()));
    Ok(())
}

proptest! {
    #[test]
    fn a_price_of_any_scale_is_the_quotient_and_lies_between_the_lowest_and_the_highest(
        trades in prop::collection::vec(any_trade(), 1..30),
    ) {
        check(&trades)?;
    }

    #[test]
    fn a_price_between_two_that_differ_in_the_last_digit_lies_between_them(trades in close_trades()) {
        check(&trades)?;
    }

    #[test]
    fn a_price_halfway_between_two_last_digits_goes_to_the_even_one(above in 1u64..1_000, part in 1u64..128) {
        // A volume of 2^7 units halves 10^6 steps once too often.
        let pair = [(above, part), (above + 1, 128 - part)];
        let make = |(price, quantity)| trade("1", 0, &format!("{price}e-18"), &format!("{quantity}e-18"));
        check(&pair.map(make))?;
    }

    #[test]
    fn equal_prices_have_that_very_price_whatever_the_quantities(
        price in decimal(14),
        quantities in prop::collection::vec(decimal(16), 1..30),
    ) {
        let trades: Vec<Trade> = quantities.iter().map(|quantity| trade("1", 0, &price, quantity)).collect();
        let sums: Sums = trades.iter().map(|trade| Sums::of(trade.price, trade.quantity)).sum();
        prop_assert_eq!(sums.vwap().expect("trades").to_string(), trades[0].price.to_string());
    }
}
