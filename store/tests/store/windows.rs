//! Rebuilding the windows after a restart, against sums made trade by trade.

use std::collections::BTreeMap;

use store::Figure;
use tape::{Bucket, Extremes, Heard, Interval, Mark, Sums, Suspicion, Trade};
use testkit::{at, heard, ticker, trade};

use crate::scene::{VENUE, scene};

fn sums(trade: &Trade) -> Sums {
    Sums::of(trade.price, trade.quantity)
}

fn bucket(second: i64, confirmed: &[&Trade], heard: &[&Trade]) -> Bucket {
    let sum = |trades: &[&Trade]| trades.iter().map(|trade| sums(trade)).sum();
    let ends = |trade: &&Trade| Extremes::of(trade.price, trade.quantity, trade.traded_at, None);
    Bucket {
        second: Mark::at_or_after(at(second)),
        confirmed: sum(confirmed),
        heard: sum(heard),
        quarantined: Sums::EMPTY,
        extremes: confirmed.iter().map(ends).reduce(Extremes::and),
    }
}

#[tokio::test]
async fn a_trade_on_the_second_belongs_to_it_and_one_on_the_opening_edge_is_left_out() {
    let scene = scene().await;
    let edge = trade("BTC", "edge", 10_000, "1", "1");
    let first = trade("BTC", "first", 10_001, "10.5", "2");
    let on = trade("BTC", "on", 11_000, "0.000000000000000001", "9999999999999999");
    let next = trade("BTC", "next", 11_001, "99999999999999", "0.000000000000000001");
    let said = trade("BTC", "said", 11_500, "7", "7");
    scene.confirm(&[edge, first.clone(), on.clone(), next.clone()]).await;
    scene.hear(&[heard(said.clone(), 1)]).await;

    let asked = [(ticker("BTC"), at(10_000)), (ticker("ETH"), at(0))];
    let buckets = scene.store.window_buckets(VENUE, &asked).await.expect("read");

    assert_eq!(buckets[&ticker("BTC")], [bucket(11_000, &[&first, &on], &[]), bucket(12_000, &[&next], &[&said])]);
    assert_eq!(buckets[&ticker("ETH")], []);
}

#[tokio::test]
async fn suspects_are_summed_apart_from_what_else_was_heard() {
    let scene = scene().await;
    let said = trade("BTC", "said", 10_500, "7", "7");
    let suspect = trade("BTC", "suspect", 10_600, "7000", "3");
    let suspicion = Some(Suspicion::Price);
    scene.hear(&[heard(said.clone(), 1), Heard { suspicion, ..heard(suspect.clone(), 1) }]).await;

    let buckets = scene.store.window_buckets(VENUE, &[(ticker("BTC"), at(10_000))]).await.expect("read");

    let expected = Bucket { quarantined: sums(&suspect), ..bucket(11_000, &[], &[&said]) };
    assert_eq!(buckets[&ticker("BTC")], [expected]);
}

#[tokio::test]
async fn the_sums_are_those_of_the_tape_to_the_last_digit() {
    let scene = scene().await;
    let trades: Vec<Trade> = (1i64..2_000)
        .map(|n| {
            trade(
                "BTC",
                &n.to_string(),
                n * 37,
                &format!("{}e-{}", n * n * 7_919 + 1, n % 14),
                &format!("{n}e-{}", n % 18),
            )
        })
        .collect();
    scene.confirm(&trades).await;
    let mut expected: BTreeMap<Mark, Sums> = BTreeMap::new();
    for trade in &trades {
        let second = expected.entry(Mark::at_or_after(trade.traded_at)).or_default();
        *second = second.plus(sums(trade));
    }

    let buckets = scene.store.window_buckets(VENUE, &[(ticker("BTC"), at(0))]).await.expect("read");

    let found: BTreeMap<Mark, Sums> =
        buckets[&ticker("BTC")].iter().map(|bucket| (bucket.second, bucket.confirmed)).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_last_marks_are_found_per_interval() {
    let scene = scene().await;
    let minute = Interval::from_ms(60_000).expect("an interval");
    let figure = |of: &str, interval, mark| Figure {
        ticker: ticker(of),
        interval,
        mark: Mark::at_or_before(at(mark)),
        sums: Sums::EMPTY,
        confirmed_trades: 0,
        quarantined_trades: 0,
        chained: None,
        bound: None,
    };
    let txn = scene.begin().await;
    let figures = [figure("BTC", Interval::DEFAULT, 9_000), figure("BTC", minute, 8_000), figure("ETH", minute, 7_000)];
    txn.latest_upsert(&figures, false, at(1)).await.expect("written");
    txn.commit().await.expect("committed");

    let marks = scene.store.marks_latest(VENUE, minute).await.expect("read");

    let marks: Vec<_> = marks.iter().map(|(ticker, mark)| (ticker.as_str(), mark.at().ms())).collect();
    assert_eq!(marks, [("BTC", 8_000), ("ETH", 7_000)]);
}
