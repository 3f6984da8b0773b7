//! What a second reading of settled trades reads and writes.

use store::AskedHoldings;
use tape::audit::Holdings;
use tape::{Finding, Known, Mark, Standing, TimeToFinal, Trade};
use testkit::{at, heard, id, ticker, trade};

use crate::figures::{figure, finalize};
use crate::scene::{Scene, VENUE, name, scene, through};

async fn settled() -> (Scene, Vec<Trade>) {
    let scene = scene().await;
    let trades: Vec<Trade> =
        (1..=5).map(|n| trade("BTC", &format!("t{n}"), n * 1_000, &format!("{n}.5"), "1")).collect();
    scene.confirm(&trades).await;
    scene.hear(&[heard(trade("BTC", "h", 9_000, "1", "1"), 9_001)]).await;
    scene.advance("BTC", through(0), through(6_000)).await;
    (scene, trades)
}

async fn holdings(scene: &Scene, after: i64, until: i64, names: &[&str]) -> Option<Holdings> {
    let names: Vec<_> = names.iter().map(|name| id(name)).collect();
    let (ticker, after, until) = (&ticker("BTC"), at(after), at(until));
    scene.store.holdings(VENUE, AskedHoldings { ticker, after, until, names: &names }).await.expect("read")
}

fn confirmed(trade: &Trade) -> Known {
    Known { trade: trade.clone(), standing: Standing::Confirmed { was_heard: false } }
}

#[tokio::test]
async fn holdings_are_the_settled_trades_of_the_span_and_whatever_has_the_names() {
    let (scene, trades) = settled().await;

    let held = holdings(&scene, 1_000, 3_000, &["t3", "t5", "h", "x"]).await.expect("followed");

    assert_eq!((held.tape_from, held.settled_until), (at(0), at(6_000)));
    let heard = Known {
        trade: trade("BTC", "h", 9_000, "1", "1"),
        standing: Standing::Heard { received_at: at(9_001), suspicion: None },
    };
    assert_eq!(held.trades, [confirmed(&trades[1]), confirmed(&trades[2]), confirmed(&trades[4]), heard]);
    let beyond = holdings(&scene, 5_000, 50_000, &[]).await.expect("followed");
    assert_eq!(beyond.trades, [], "what is not settled is none of its business");
    let unknown = AskedHoldings { ticker: &ticker("XYZ"), after: at(0), until: at(9), names: &[] };
    assert_eq!(scene.store.holdings(VENUE, unknown).await.expect("read"), None);
}

#[tokio::test]
async fn of_a_span_that_is_too_long_the_beginning_is_told_and_whatever_has_the_names() {
    let (scene, _) = settled().await;
    let fill = "insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated)
        select 'generic', 'BTC', 'n' || n, 10000 + n, 1, 1, true from generate_series(1, 25000) as n";
    scene.client.batch_execute(fill).await.expect("filled");
    scene.advance("BTC", through(6_000), through(90_000)).await;

    let held = holdings(&scene, 10_000, 90_000, &["n25000"]).await.expect("followed").trades;

    let ids = [0, 1_001, 1_002].map(|place: usize| held[place].trade.id.to_string());
    assert_eq!((held.len(), ids), (1_003, ["n1", "n1002", "n25000"].map(str::to_owned)));
}

#[tokio::test]
async fn what_was_let_go_of_is_not_held_and_the_tape_says_so_in_the_same_moment() {
    let (scene, trades) = settled().await;
    scene.store.retention(VENUE).let_go(at(3_000), 100).await.expect("written");

    let held = holdings(&scene, 0, 9_000, &[]).await.expect("followed");

    assert_eq!(held.tape_from, at(3_000));
    assert_eq!(held.trades, [confirmed(&trades[3]), confirmed(&trades[4])]);
}

#[tokio::test]
async fn while_a_correction_is_under_way_nothing_of_the_tape_is_let_go_of() {
    let (scene, _) = settled().await;
    let txn = scene.begin().await;
    let asked = AskedHoldings { ticker: &ticker("BTC"), after: at(0), until: at(9_000), names: &[] };
    assert_eq!(txn.holdings_hold(asked).await.expect("read").expect("followed").trades.len(), 5);

    let mut retention = scene.store.retention(VENUE);
    let retaining = tokio::spawn(async move { retention.let_go(at(3_000), 100).await });
    scene.someone_waits("the retention to wait").await;
    assert_eq!(scene.number("select count(*) from transactions where is_validated").await, 5);

    txn.commit().await.expect("committed");
    assert_eq!(retaining.await.expect("no panic").expect("written"), 3);
}

#[tokio::test]
async fn a_withdrawal_takes_confirmed_trades_only_and_the_ledger_has_both_sides() {
    let (scene, trades) = settled().await;
    let now = trade("BTC", "t2", 2_500, "9", "2");
    let findings = [
        Finding::Withdrawn { was: trades[0].clone() },
        Finding::Altered { was: trades[1].clone(), now: now.clone() },
        Finding::Added { now: trade("BTC", "n", 4_500, "7", "1") },
    ];

    let txn = scene.begin().await;
    let heard_too = [name(&trades[0]), (ticker("BTC"), id("h"))];
    assert_eq!(txn.trades_withdraw(&heard_too).await.expect("written"), 1);
    txn.corrections_insert(&findings, 7, at(99)).await.expect("written");
    txn.commit().await.expect("committed");

    assert_eq!(scene.number("select count(*) from transactions where tradeid in ('t1', 'h')").await, 1);
    let ledger = scene
        .text("select string_agg(concat_ws(' ', tradeid, kind, ts, coalesce(old_price::text, '-'), coalesce(new_price::text, '-'), restated, found_at), '; ' order by ts) from trade_corrections")
        .await;
    assert_eq!(
        ledger.as_deref(),
        Some("t1 withdrawn 1000 1.5 - 7 99; t2 altered 2500 2.5 9 7 99; n added 4500 - 7 7 99")
    );
    let reason = scene.text("select reason from trade_corrections where tradeid = 't1'").await;
    assert_eq!(reason.as_deref(), Some("the exchange withdrew trade t1, 1.5 x 1 at 1000"));
    scene.store.retention(VENUE).let_go(at(2_500), 100).await.expect("written");
    assert_eq!(scene.number("select count(*) from trade_corrections").await, 1, "it goes with its trades");
}

#[tokio::test]
async fn final_figures_are_read_with_their_exact_sums_and_provisional_ones_are_not() {
    let scene = scene().await;
    finalize(&scene, &[figure(1_000, Some("10")), figure(2_000, None)], at(90)).await;
    let txn = scene.begin().await;
    txn.figures_insert_provisional(&[figure(3_000, Some("10"))], at(90)).await.expect("written");

    let mark = |ms| Mark::at_or_before(at(ms));
    let interval = figure(1_000, None).interval;
    let held = txn.finals_held(&ticker("BTC"), interval, mark(1_000), mark(9_000)).await.expect("read");

    let expected = [figure(1_000, Some("10")), figure(2_000, None)];
    let sums: Vec<_> = held.iter().map(|it| (it.mark, it.sums, it.revision)).collect();
    assert_eq!(sums, expected.each_ref().map(|figure| (figure.mark, figure.sums, 0)));
}

#[tokio::test]
async fn a_measured_time_to_final_stays_until_it_is_measured_anew() {
    let scene = scene().await;
    let kept = "select concat_ws(' ', time_to_final_p50_ms, time_to_final_p99_ms, time_to_final_marks)
        from tickers_validation_timestamp where ticker = 'BTC'";
    let step = async |from: i64, to: i64, time_to_final| {
        let (ticker, from, to) = (ticker("BTC"), through(from), through(to));
        let advance = store::Advance { ticker, from, to, market_time: at(1), time_to_final };
        let txn = scene.begin().await;
        txn.watermarks_advance(&[advance], at(1)).await.expect("moved");
        txn.commit().await.expect("committed");
    };

    step(0, 1_000, None).await;
    assert_eq!(scene.text(kept).await.as_deref(), Some(""));
    step(1_000, 2_000, Some(TimeToFinal { p50_ms: 2_100, p99_ms: 3_000, marks: 7 })).await;
    step(2_000, 3_000, None).await;
    assert_eq!(scene.text(kept).await.as_deref(), Some("2100 3000 7"));
}
