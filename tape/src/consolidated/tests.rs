use ethnum::U256;
use proptest::prelude::*;

use super::*;
use crate::{Notional, Price, Quantity, Volume};

fn sums(trades: &[(&str, &str)]) -> Sums {
    let read = |(price, quantity): &(&str, &str)| {
        Sums::of(Price::parse(price).expect("a price"), Quantity::parse(quantity).expect("a quantity"))
    };
    trades.iter().map(read).sum()
}

fn settled(sums: Sums) -> Part {
    Part {
        sums,
        price: sums.vwap(),
        confirmed_trades: sums.trades,
        quarantined_trades: 0,
        is_final: true,
        is_kept: true,
        revision: Some(0),
        final_at: Some(EpochMs::new(1_000)),
        bound: None,
    }
}

fn bounded(bps: &str, tail_ms: i64) -> PartBound {
    let deviation = Deviation::from_basis_points(crate::Fixed::parse(bps).expect("basis points"));
    PartBound { deviation: Ok(deviation.expect("in bounds")), coverage: Coverage::DEFAULT, tail_ms }
}

fn provisional(sums: Sums, bound: Option<PartBound>) -> Part {
    Part { is_final: false, revision: Some(0), final_at: None, bound, ..settled(sums) }
}

fn of(parts: &[Option<Part>]) -> Consolidated {
    Consolidated::of(parts).expect("small sums")
}

fn vwap(text: &str) -> Vwap {
    Vwap::parse(text).expect("a price")
}

#[test]
fn the_price_is_the_quotient_of_all_sums_and_no_mean_of_prices() {
    let whole = of(&[Some(settled(sums(&[("100", "3")]))), Some(settled(sums(&[("200", "1"), ("300", "2")])))]);

    assert_eq!(whole.price, Some(vwap("183.333333333333333333333333")));
    assert_eq!((whole.sums.volume.to_string(), whole.sums.notional.to_string()), ("6".into(), "1100".into()));
    assert_eq!((whole.sums.trades, whole.confirmed_trades), (3, 3));
}

#[test]
fn it_is_final_only_when_every_exchange_is_and_has_a_figure() {
    let (done, open) = (settled(sums(&[("10", "1")])), provisional(sums(&[("12", "1")]), None));

    assert!(of(&[Some(done), Some(done)]).is_final);
    assert!(!of(&[Some(done), Some(open)]).is_final);
    assert!(!of(&[Some(done), None]).is_final && !of(&[None]).is_final && !of(&[]).is_final);
    assert_eq!(of(&[Some(done), None]).sums, done.sums);
}

#[test]
fn an_exchange_without_trades_weighs_nothing_and_none_at_all_have_no_price() {
    let (quiet, done) = (settled(Sums::EMPTY), settled(sums(&[("10", "1")])));

    assert_eq!(of(&[Some(quiet), Some(done)]).price, done.price);
    let silent = of(&[Some(quiet), Some(quiet)]);
    assert_eq!((silent.price, silent.is_final), (None, true));
}

#[test]
fn revisions_add_up_and_it_became_final_with_the_last_part() {
    let part = |revision, final_at: i64| Part {
        revision,
        final_at: Some(EpochMs::new(final_at)),
        ..settled(sums(&[("10", "1")]))
    };
    let whole = of(&[Some(part(Some(2), 5_000)), Some(part(Some(1), 9_000))]);
    assert_eq!((whole.revision, whole.final_at), (Some(3), Some(EpochMs::new(9_000))));

    let computed = Part { final_at: None, is_kept: false, ..part(None, 0) };
    let whole = of(&[Some(part(Some(2), 5_000)), Some(computed)]);
    assert_eq!((whole.revision, whole.final_at, whole.is_kept), (None, None, false));
    let half_done = of(&[Some(part(Some(2), 5_000)), Some(Part { is_final: false, ..part(Some(0), 9_000) })]);
    assert_eq!((half_done.revision, half_done.final_at), (Some(2), None));
    assert_eq!(of(&[Some(part(Some(u32::MAX), 1)), Some(part(Some(1), 1))]).revision, None, "beyond counting");
}

#[test]
fn sums_too_large_together_are_an_error() {
    let huge = |notional: U256, volume: U256| {
        let sums = Sums { trades: 1, volume: Volume::from_units(volume), notional: Notional::from_units(notional) };
        Part { sums, price: None, ..settled(Sums::EMPTY) }
    };
    let half = U256::MAX / 2 + U256::ONE;

    assert_eq!(Consolidated::of(&[Some(huge(half, U256::ONE)), Some(huge(half, U256::ONE))]), Err(TooLarge));
    assert_eq!(Consolidated::of(&[Some(huge(U256::ONE, half)), Some(huge(U256::ONE, half))]), Err(TooLarge));
    assert_eq!(Consolidated::of(&[Some(huge(U256::MAX, U256::ONE))]), Err(TooLarge), "it could not be divided");
    let uncounted = Part { confirmed_trades: u64::MAX, ..settled(Sums::EMPTY) };
    assert_eq!(Consolidated::of(&[Some(uncounted), Some(uncounted)]), Err(TooLarge));
    let uncounted = Part { quarantined_trades: u64::MAX, ..settled(Sums::EMPTY) };
    assert_eq!(Consolidated::of(&[Some(uncounted), Some(uncounted)]), Err(TooLarge));
}

#[test]
fn the_bound_spans_the_parts_bounds_and_may_miss_what_they_miss_together() {
    let low = provisional(sums(&[("100", "1")]), Some(bounded("100", 700)));
    let high = provisional(sums(&[("200", "3")]), Some(bounded("50", 900)));

    let bound = of(&[Some(low), Some(high)]).bound.expect("both say something");

    let range = bound.within.expect("finite");
    assert_eq!((range.lowest, range.highest), (vwap("99"), vwap("201")));
    assert_eq!((range.coverage.to_string(), bound.tail_ms), ("0.98".to_owned(), 900));
    // 99 is further from the 175 of both than 201 is.
    assert_eq!(range.deviation.to_string(), "4342.857143");

    let settled_one = of(&[Some(settled(sums(&[("100", "1")]))), Some(high)]).bound.expect("said");
    let range = settled_one.within.expect("finite");
    assert_eq!((range.lowest, range.coverage), (vwap("100"), Coverage::DEFAULT), "what is final misses nothing");
}

#[test]
fn there_is_no_bound_where_a_part_that_can_change_has_none() {
    let (price, said) = (sums(&[("100", "1")]), Some(bounded("1", 700)));
    let sure = provisional(price, said);
    let with = |other: Option<Part>| of(&[Some(sure), other]).bound;
    let within = |other| with(Some(other)).expect("something is said").within;
    let missing = Unsaid::NotEnoughEvidence { marks: 3, needed: 1_000 };
    let unsure = PartBound { deviation: Err(missing), ..bounded("1", 1) };

    assert_eq!(with(Some(provisional(price, None))), None, "it was summed just now");
    assert_eq!(with(None), None, "it has no figure");
    assert_eq!(within(provisional(price, Some(unsure))), Err(missing));
    assert_eq!(within(provisional(Sums::EMPTY, said)), Err(Unsaid::NoPrice), "a trade may yet come, at any price");
    assert!(within(settled(Sums::EMPTY)).is_ok(), "none can come");
    assert_eq!(of(&[Some(settled(price)), Some(settled(price))]).bound, None, "it is exact");
    // Sixty parts that may miss one in a hundred each promise less than a half.
    assert_eq!(of(&[Some(sure); 60]).bound.expect("said").within, Err(Unsaid::NoFiniteBound));
}

/// Long division, digit by digit, to 24 decimals, half to even: units of 10^-18 each.
fn divided(notional_e16: u128, volume_e8: u128) -> String {
    let (mut digits, mut rest) = (Vec::new(), notional_e16);
    let whole = rest / (volume_e8 * 100_000_000);
    let divisor = volume_e8 * 100_000_000;
    rest %= divisor;
    for _ in 0..24 {
        rest *= 10;
        digits.push(rest / divisor);
        rest %= divisor;
    }
    let is_up = rest * 2 > divisor || (rest * 2 == divisor && digits[23] % 2 == 1);
    let mut whole = whole;
    if is_up {
        let mut at = 24;
        loop {
            if at == 0 {
                whole += 1;
                break;
            }
            at -= 1;
            if digits[at] < 9 {
                digits[at] += 1;
                break;
            }
            digits[at] = 0;
        }
    }
    let fraction: String = digits.iter().map(|digit| char::from(b'0' + *digit as u8)).collect();
    format!("{whole}.{fraction}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

type Cents = (u64, u64);

fn any_trades() -> impl Strategy<Value = Vec<Cents>> {
    prop::collection::vec((1u64..1_000_000_000, 1u64..1_000_000_000), 0..6)
}

fn sums_of(trades: &[Cents]) -> Sums {
    let one = |(price, quantity): &Cents| sums(&[(format!("{price}e-8").as_str(), format!("{quantity}e-8").as_str())]);
    trades.iter().map(one).sum()
}

proptest! {
    #[test]
    fn it_equals_long_division_of_plain_integers_however_trades_lie_on_exchanges(exchanges in prop::collection::vec(any_trades(), 1..5)) {
        let parts: Vec<Option<Part>> = exchanges.iter().map(|trades| Some(settled(sums_of(trades)))).collect();
        let whole = of(&parts);
        let all = || exchanges.iter().flatten();
        let volume: u128 = all().map(|trade| u128::from(trade.1)).sum();
        let notional: u128 = all().map(|trade| u128::from(trade.0) * u128::from(trade.1)).sum();
        prop_assert_eq!(whole.sums.trades, all().count() as u64);
        prop_assert_eq!(whole.sums.volume.units(), U256::new(volume) * U256::new(10u128.pow(10)));
        prop_assert_eq!(whole.sums.notional.units(), U256::new(notional) * U256::new(10u128.pow(20)));
        let expected = (volume > 0).then(|| divided(notional, volume));
        prop_assert_eq!(whole.price.map(|price| price.to_string()), expected);
    }

    #[test]
    fn while_every_part_stays_within_its_bound_the_whole_stays_within_the_hull(
        parts in prop::collection::vec((1u64..1_000_000_000, 1u64..1_000_000_000, 0u64..100_000_000_000, 0u64..=1_000_000, 0u64..1_000_000_000, any::<bool>()), 1..5),
    ) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (price, quantity, bound, reach, other_quantity, is_up) in parts {
            let said = provisional(sums_of(&[(price, quantity)]), None);
            let deviation = Deviation::from_units(bound).unwrap();
            let (low, high) = deviation.around(said.price.unwrap());
            // Anywhere within the bound, its edges included, at any volume, none included.
            let edge = if is_up { high } else { low };
            let far = edge.units().abs_diff(said.price.unwrap().units()) * U256::from(reach) / U256::from(1_000_000u64);
            let units = if is_up { said.price.unwrap().units() + far } else { said.price.unwrap().units() - far };
            let volume = U256::from(other_quantity) * U256::new(10u128.pow(10));
            // Units of 10^-24 and of 10^-18 give 10^-42: what is not whole is left out, rounded into the bound.
            let notional = units * volume / U256::from(1_000_000u64);
            let final_sums = Sums { trades: 1, volume: Volume::from_units(volume), notional: Notional::from_units(notional) };
            let is_within = |price: Vwap| Deviation::between(said.price.unwrap(), Some(price)).is_some_and(|it| it <= deviation);
            prop_assume!(final_sums.vwap().is_none_or(is_within));
            let bound = PartBound { deviation: Ok(deviation), coverage: Coverage::DEFAULT, tail_ms: 1 };
            before.push(Some(Part { bound: Some(bound), ..said }));
            after.push(Some(settled(final_sums)));
        }
        let whole = of(&before);
        let range = whole.bound.unwrap().within.unwrap();
        if let Some(price) = of(&after).price {
            prop_assert!(range.lowest <= price && price <= range.highest);
            prop_assert!(Deviation::between(whole.price.unwrap(), Some(price)).unwrap() <= range.deviation);
        }
    }
}
