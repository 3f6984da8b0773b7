//! Bounds of provisional figures: said of each, held against what it became,
//! and not forgotten by a kill.

use std::time::Duration;

use testkit::eventually;
use tokio_postgres::Client;
use venue::{FaultKind, FaultRates, VenueConfig};

use crate::stage::{PATIENCE, Stage, now, number};

const LENIENT: [(&str, &str); 4] =
    [("INTERVAL", "10s"), ("TICKERS", "BTC"), ("BOUND_COVERAGE", "0.5"), ("BOUND_MIN_MARKS", "3")];

fn faulty() -> VenueConfig {
    let faults = FaultRates::only(FaultKind::AlterPrice, 0.1).with(FaultKind::Drop, 0.1);
    VenueConfig { faults, ..VenueConfig::generated(60.0, Duration::from_secs(20)) }
}

/// Waits until so many bounds were put to the test.
async fn tested(client: &Client, bounds: i64) {
    eventually("bounds that were put to the test", PATIENCE, || async {
        let sql = "select coalesce(sum(kept + broken), 0)::bigint from bound_outcomes where ticker = 'BTC'";
        (bounds <= number(client, sql).await).then_some(())
    })
    .await;
}

/// What was said and what became of it, counted by Postgres from the figures alone.
async fn agrees_with_the_figures(client: &Client) {
    let sql = "with figure as (
            select *, abs(price - provisional_price) * 10000 <= provisional_bound_bps * provisional_price as is_kept
            from vwap_history
            where ticker = 'BTC' and is_validated and provisional_price is not null and provisional_class is not null
        ), said as (
            select count(*) as marks, count(*) filter (where coalesce(is_kept, provisional_bound_bps is null)) as held,
                count(*) filter (where provisional_bound_bps is not null and is_kept) as kept,
                count(*) filter (where provisional_bound_bps is not null and is_kept is not true) as broken,
                count(*) filter (where provisional_bound_bps is null) as unsaid
            from figure
        ), counted as (
            select sum(kept) as kept, sum(broken) as broken, sum(unsaid) as unsaid from bound_outcomes where ticker = 'BTC'
        ), known as (select sum(marks) as marks from bound_evidence where ticker = 'BTC')
        select concat_ws(' ', said.marks, said.kept, said.broken, said.unsaid),
            concat_ws(' ', known.marks, counted.kept, counted.broken, counted.unsaid)
        from said, counted, known";
    let row = client.query_one(sql, &[]).await.expect("an answer");
    assert_eq!(row.get::<_, String>(1), row.get::<_, String>(0), "marks, kept, broken, unsaid");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_of_bounds_is_what_the_figures_themselves_say_across_a_kill_too() {
    let mut stage = Stage::start(faulty(), &LENIENT).await;
    let client = stage.database.client().await;
    tested(&client, 5).await;
    agrees_with_the_figures(&client).await;

    stage.worker.take().expect("a worker").kill();
    agrees_with_the_figures(&client).await;
    let before = number(&client, "select coalesce(sum(kept + broken), 0)::bigint from bound_outcomes").await;
    stage.worker = Some(stage.another_worker().await);

    tested(&client, before + 4).await;
    agrees_with_the_figures(&client).await;
    // The new worker goes on from what the old one knew: it says bounds from its first mark on.
    let first = "select count(*) from vwap_history
        where ticker = 'BTC' and provisional_unsaid = 'not_enough_evidence'
            and ts > (select min(ts) from vwap_history where ticker = 'BTC' and provisional_bound_bps is not null) + 20000";
    assert!(number(&client, first).await <= 6, "only kinds of tails that are new have no bound");
    let day = number(&client, "select bound_kept + bound_broken from latest_vwap_history where ticker = 'BTC'").await;
    assert!(before <= day, "the day's account goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_that_were_never_said_before_they_were_final_teach_nothing() {
    let stage = Stage::start(faulty(), &[("INTERVAL", "10s"), ("TICKERS", "BTC"), ("BACKFILL_FROM", "-20s")]).await;
    let client = stage.database.client().await;
    stage.settled("BTC", now().plus_ms(2_000)).await;

    let backfilled = "select count(*) from vwap_history
        where ticker = 'BTC' and is_validated and provisional_trades is null";
    assert!(10 <= number(&client, backfilled).await, "there was a backfill");
    agrees_with_the_figures(&client).await;
    let unsaid = number(&client, "select count(*) from bound_outcomes where kept + broken > 0").await;
    assert_eq!(unsaid, 0, "a thousand marks are needed before anything is said");
    let reason = "select bound_unsaid = 'not_enough_evidence' and bound_marks_needed = 1000 and bound_bps is null
        from latest_vwap_history where ticker = 'BTC' and not is_validated";
    let says_so: bool = client.query_one(reason, &[]).await.expect("the latest").get(0);
    assert!(says_so);
}
