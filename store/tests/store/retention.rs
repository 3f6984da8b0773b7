//! Letting go of the old, in batches, and of nothing else.

use testkit::{at, heard, trade};

use crate::figures::{figure, finalize};
use crate::scene::{Scene, VENUE, scene, through};

const DAY: i64 = 86_400_000;

async fn retain_all(scene: &Scene, before: i64, batch: u32) -> Vec<u64> {
    let mut batches = Vec::new();
    let mut retention = scene.store.retention(VENUE);
    loop {
        let rows = retention.let_go(at(before), batch).await.expect("written");
        if rows == 0 {
            return batches;
        }
        batches.push(rows);
        assert!(batches.len() < 1_000, "it never ends");
    }
}

#[tokio::test]
async fn old_trades_go_in_bounded_batches_and_the_tape_says_from_when_it_is_kept() {
    let scene = scene().await;
    let trades: Vec<_> = (1..=25).map(|n| trade("BTC", &n.to_string(), n * 1_000, "1", "1")).collect();
    scene.confirm(&trades).await;
    scene.confirm(&[trade("ETH", "e", 10_000, "1", "1")]).await;
    scene.advance("BTC", through(0), through(25_000)).await;
    scene.advance("ETH", through(0), through(25_000)).await;

    let first = scene.store.retention(VENUE).let_go(at(20_000), 8).await.expect("written");
    assert_eq!(first, 8);
    let states = scene.store.watermarks(VENUE).await.expect("read");
    assert_eq!(states[0].tape_from, at(20_000), "it rises before the first trade goes");

    assert_eq!(retain_all(&scene, 20_000, 8).await, [8, 5]);
    assert_eq!(scene.number("select min(ts) from transactions").await, 21_000);
    assert_eq!(scene.number("select count(*) from transactions").await, 5);
}

#[tokio::test]
async fn trades_of_one_millisecond_go_all_whatever_the_batch() {
    let scene = scene().await;
    let trades: Vec<_> = (1..=5).map(|n| trade("BTC", &n.to_string(), 1_000, "1", "1")).collect();
    scene.confirm(&trades).await;
    scene.advance("BTC", through(0), through(2_000)).await;

    assert_eq!(retain_all(&scene, 2_000, 2).await, [2, 2, 1]);
}

#[tokio::test]
async fn what_is_not_settled_stays_however_old() {
    let scene = scene().await;
    scene.confirm(&[trade("BTC", "a", 1_000, "1", "1"), trade("BTC", "b", 2_000, "1", "1")]).await;
    scene.hear(&[heard(trade("BTC", "c", 3_000, "1", "1"), 3_001)]).await;
    let txn = scene.begin().await;
    let aside = [heard(trade("BTC", "old", 500, "1", "1"), 900), heard(trade("BTC", "open", 500, "1", "1"), 9_000)];
    txn.trades_insert_unplaced(&aside).await.expect("written");
    txn.commit().await.expect("committed");
    scene.advance("BTC", through(0), through(1_500)).await;

    retain_all(&scene, 50_000, 100).await;

    let left = scene.text("select string_agg(tradeid, ' ' order by tradeid) from transactions").await;
    assert_eq!(left.as_deref(), Some("b c"));
    let left = scene.text("select string_agg(tradeid, ' ' order by tradeid) from unplaced_trades").await;
    assert_eq!(left.as_deref(), Some("open"), "it may yet be confirmed at another time");
    let states = scene.store.watermarks(VENUE).await.expect("read");
    assert_eq!((&states[0].watermark, states[0].tape_from), (&through(1_500), at(1_500)));
}

#[tokio::test]
async fn days_of_history_go_whole_and_may_come_back() {
    let scene = scene().await;
    let figures = [figure(DAY / 2, None), figure(DAY, None), figure(DAY + 1_000, None)];
    finalize(&scene, &figures, at(1)).await;

    assert_eq!(retain_all(&scene, DAY - 1, 100).await, [], "the day has not ended");
    assert_eq!(retain_all(&scene, DAY, 100).await, [1]);
    assert_eq!(scene.number("select min(ts) from vwap_history").await, DAY, "midnight belongs to the next day");

    finalize(&scene, &figures[..1], at(1)).await;
    assert_eq!(scene.number("select count(*) from vwap_history").await, 3);
}

#[tokio::test]
async fn a_reader_of_the_history_is_not_waited_for_long() {
    let mut scene = scene().await;
    finalize(&scene, &[figure(1_000, None)], at(1)).await;
    let reader = scene.client.transaction().await.expect("begun");
    reader.query("select * from vwap_history", &[]).await.expect("reading");

    let error = scene.store.retention(VENUE).let_go(at(DAY), 100).await.expect_err("a reader is in the way");

    assert!(error.is_transient(), "{error:?}");
    reader.commit().await.expect("done reading");
    assert_eq!(retain_all(&scene, DAY, 100).await, [1]);
}

#[tokio::test]
async fn a_reader_in_the_way_of_a_day_keeps_no_trade() {
    let mut scene = scene().await;
    finalize(&scene, &[figure(1_000, None)], at(1)).await;
    scene.confirm(&(1..=3).map(|n| trade("BTC", &n.to_string(), n * 1_000, "1", "1")).collect::<Vec<_>>()).await;
    scene.advance("BTC", through(0), through(DAY)).await;
    let reader = scene.client.transaction().await.expect("begun");
    reader.query("select * from vwap_history", &[]).await.expect("reading");

    let mut let_go = Vec::new();
    let mut retention = scene.store.retention(VENUE);
    while let Ok(rows) = retention.let_go(at(DAY), 2).await {
        let_go.push(rows);
        assert!(let_go.len() < 10, "the day cannot go");
    }

    assert_eq!(let_go, [2, 1]);
    reader.commit().await.expect("done reading");
    assert_eq!(retain_all(&scene, DAY, 2).await, [1]);
}

#[tokio::test]
async fn who_settles_does_not_wait_for_trades_to_be_let_go_of() {
    let scene = scene().await;
    let trades = [1_000, 2_000].map(|ts| trade("BTC", &ts.to_string(), ts, "1", "1"));
    scene.confirm(&trades).await;
    scene.advance("BTC", through(0), through(10_000)).await;
    let in_the_way = scene.begin().await;
    assert_eq!(in_the_way.trades_correct(&[trade("BTC", "1000", 1_000, "2", "1")]).await.expect("written"), 1);
    let mut retention = scene.store.retention(VENUE);
    let retaining = tokio::spawn(async move { (retention.let_go(at(2_000), 100).await, retention) });
    scene.someone_waits("the retention to wait").await;

    scene.advance("BTC", through(10_000), through(11_000)).await;

    in_the_way.commit().await.expect("committed");
    let (let_go, mut retention) = retaining.await.expect("no panic");
    // What was written meanwhile is left by some versions of Postgres, and goes then.
    let later = retention.let_go(at(2_000), 100).await.expect("written");
    assert_eq!(let_go.expect("written") + later, 2);
}

#[tokio::test]
async fn the_old_part_of_every_ledger_goes() {
    let scene = scene().await;
    scene.advance("BTC", through(0), through(10 * DAY)).await;
    let fill = "
        insert into feed_faults (exchange, ticker, tradeid, kind, ts, found_at)
        select 'generic', 'BTC', n::text, 'missing', n * 43200000, 0 from generate_series(1, 4) as n;
        insert into feed_counts select 'generic', ticker, n * 43200000, 'matched', 1
        from generate_series(0, 3) as n, unnest(array['', 'BTC']) as ticker;
        insert into incidents (exchange, ticker, kind, from_ts, to_ts, detail, found_at)
        select 'generic', 'BTC', 'gap', 0 + n, n * 43200000, '', 0 from generate_series(1, 4) as n;
        insert into rejections (exchange, channel, kind, reason, frame, received_at)
        select 'generic', 'rest', 'malformed', '', '', n * 43200000 from generate_series(1, 4) as n;
        insert into restatements
        select 'generic', 'BTC', 300000, n * 43200000, 1, '', null, 0, 0, 0, null, 0, 0, 0, 0 from generate_series(1, 4) as n;
        insert into rejections (exchange, channel, kind, reason, frame, received_at)
        values ('elsewhere', 'rest', 'malformed', '', '', 0);";
    scene.client.batch_execute(fill).await.expect("filled");

    retain_all(&scene, DAY, 3).await;

    for (table, left) in
        [("feed_faults", 2), ("feed_counts", 4), ("incidents", 2), ("rejections", 3), ("restatements", 2)]
    {
        assert_eq!(scene.number(&format!("select count(*) from {table}")).await, left, "{table}");
    }
}
