//! Windows share nothing and leave nothing out, whatever the order of arrival.

use proptest::prelude::*;
use tape::{EpochMs, Interval, Mark, Rolling, Sums, Trade, Window};

use crate::oracle::{Plain, plain, scan, trade};

const SPAN_MS: i64 = 40_000;

fn trades() -> impl Strategy<Value = Vec<Trade>> {
    let one = (1i64..=SPAN_MS / 100, 0i64..3, 1u64..1_000, 1u64..1_000);
    prop::collection::vec(one, 0..60).prop_map(|trades| {
        let make = |(index, (tenth, off, price, quantity)): (usize, (i64, i64, u64, u64))| {
            // Often on a second or a millisecond beside it.
            let at = tenth * 100 + off - 1;
            trade(&index.to_string(), at.max(1), &format!("{price}.25"), &format!("{quantity}e-3"))
        };
        trades.into_iter().enumerate().map(make).collect()
    })
}

fn add(rolling: &mut Rolling, trade: &Trade) {
    rolling.add(trade.traded_at, Sums::of(trade.price, trade.quantity));
}

fn mark(second: i64) -> Mark {
    Mark::at_or_before(EpochMs::new(second * 1_000))
}

proptest! {
    #[test]
    fn neighboring_windows_hold_each_trade_of_their_span_once(trades in trades(), seconds in 1i64..9) {
        let mut rolling = Rolling::new(seconds, mark(0));
        for trade in &trades {
            add(&mut rolling, trade);
        }
        let mut total = Plain::default();
        let mut closes_at = 0;
        while closes_at * 1_000 < SPAN_MS {
            closes_at += seconds;
            let held = plain(rolling.advance_to(mark(closes_at)));
            prop_assert_eq!(&held, &scan(&trades, (closes_at - seconds) * 1_000, closes_at * 1_000));
            total.trades += held.trades;
            total.volume += held.volume;
            total.notional += held.notional;
        }
        prop_assert_eq!(total, scan(&trades, 0, closes_at * 1_000));
    }

    #[test]
    fn shuffling_the_order_of_arrival_changes_no_figure(
        (trades, shuffled) in trades().prop_flat_map(|trades| (Just(trades.clone()), Just(trades).prop_shuffle())),
        seconds in 1i64..9,
    ) {
        let (mut in_order, mut in_disorder) = (Rolling::new(seconds, mark(0)), Rolling::new(seconds, mark(0)));
        for (one, other) in trades.iter().zip(&shuffled) {
            add(&mut in_order, one);
            add(&mut in_disorder, other);
        }
        for second in 1..=SPAN_MS / 1_000 + seconds {
            let figure = in_disorder.advance_to(mark(second));
            prop_assert_eq!(figure, in_order.advance_to(mark(second)));
            prop_assert_eq!(plain(figure), scan(&trades, (second - seconds) * 1_000, second * 1_000));
        }
    }

    #[test]
    fn the_windows_that_hold_a_trade_are_those_of_the_marks_from_it_on_as_many_as_the_interval_has_seconds(
        at in -20_000i64..20_000,
        seconds in 1i64..30,
    ) {
        let interval = Interval::from_ms(seconds * 1_000).expect("an interval");
        let holding: Vec<i64> = (-60..=60)
            .filter(|second| Window::closing_at(EpochMs::new(second * 1_000), interval).contains(EpochMs::new(at)))
            .collect();
        let first = Mark::at_or_after(EpochMs::new(at)).at().ms() / 1_000;

        prop_assert_eq!(holding.len(), seconds.unsigned_abs() as usize);
        prop_assert_eq!(holding, (first..first + seconds).collect::<Vec<_>>());
        prop_assert!(first * 1_000 >= at && first * 1_000 - at < 1_000);
    }
}
