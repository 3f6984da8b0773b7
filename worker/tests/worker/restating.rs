//! A market that changes its mind about settled trades: exactly the figures
//! whose windows hold one of them change, once, with an entry that says why.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tape::EpochMs;
use testkit::{eventually, id};
use tokio_postgres::Client;
use venue::{Change, Revision, Running, TrueTrade, VenueConfig, WindowTruth};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric, finals_equal_the_truth};
use crate::stage::{PATIENCE, Stage, now, number, ticker};

const WINDOW_MS: i64 = 10_000;

/// A tape of 40 seconds, read again all the time.
const AUDITED: [(&str, &str); 5] =
    [("TICKERS", "BTC"), ("INTERVAL", "10s"), ("BACKFILL_FROM", "-45s"), ("AUDIT_SHARE", "1"), ("AUDIT_EVERY", "10ms")];

/// Two trades a second for 35 seconds, and one later that proves them complete.
fn tape(until: EpochMs) -> Vec<TrueTrade> {
    let trade = |index: i64| {
        let at = until.minus_ms(38_000 - index * 500).ms();
        TrueTrade::new("BTC", at, &format!("{}.25", 27_000 + index), "0.5", &format!("t{index}")).expect("a trade")
    };
    (0..70).map(trade).collect()
}

/// A settled tape, and the whole second it is counted from.
async fn settled_stage() -> (Stage, Client, i64) {
    let until = now();
    let past = |venue: &Running| {
        for trade in tape(until) {
            assert!(venue.truth_only(trade));
        }
    };
    let stage = Stage::start_after(VenueConfig::scripted(&["BTC"]), &AUDITED, past).await;
    stage.settled("BTC", until).await;
    let client = stage.database.client().await;
    (stage, client, until.ms())
}

/// Every final figure as it stands, by mark: its revision and all that is said of it.
async fn figures(client: &Client, until: i64) -> BTreeMap<i64, (i32, String)> {
    let sql = "select ts, revision, row(price, volume, notional, trades, confirmed_trades, entry, link, final_at)::text
        from vwap_history where ticker = 'BTC' and is_validated and ts <= $1";
    let rows = client.query(sql, &[&until]).await.expect("the figures");
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}

fn truths(venue: &Running, marks: impl Iterator<Item = i64>) -> BTreeMap<i64, WindowTruth> {
    let truth = |mark| venue.window(&ticker("BTC"), EpochMs::new(mark), WINDOW_MS).expect("a known ticker");
    marks.map(|mark| (mark, truth(mark))).collect()
}

fn revision(of: &str, change: Change) -> Revision {
    Revision { ticker: ticker("BTC"), id: id(of), change }
}

fn alter(traded_at: Option<i64>, price: Option<&str>, quantity: Option<&str>) -> Change {
    Change::Alter {
        traded_at: traded_at.map(EpochMs::new),
        price: price.map(str::to_owned),
        quantity: quantity.map(str::to_owned),
    }
}

fn mark_at_or_after(ms: i64) -> i64 {
    (ms + 999).div_euclid(1_000) * 1_000
}

async fn corrections(client: &Client, count: i64) {
    eventually(&format!("{count} corrections"), PATIENCE, || async {
        (number(client, "select count(*) from trade_corrections").await == count).then_some(())
    })
    .await;
}

async fn metric(stage: &Stage, name: &str) -> u64 {
    let (_, text) = stage.worker.as_ref().expect("it runs").get("/metrics").await.expect("an answer");
    let line =
        text.lines().find(|line| line.starts_with(&format!("{name}{{"))).unwrap_or_else(|| panic!("{name} in {text}"));
    line.rsplit(' ').next().and_then(|value| value.parse().ok()).expect("a count")
}

async fn read_again(stage: &Stage, trades: u64) {
    let before = metric(stage, "truetape_audited_trades_total").await;
    eventually("trades to be read again", PATIENCE, || async {
        (before + trades <= metric(stage, "truetape_audited_trades_total").await).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_change_restates_exactly_the_marks_whose_window_holds_the_trade() {
    let (stage, client, until) = settled_stage().await;
    let venue = &stage.venue;
    let time_of = |index: i64| until - 38_000 + index * 500;
    let insert = Change::Insert {
        traded_at: EpochMs::new(time_of(20) + 7),
        price: "26000.125".to_owned(),
        quantity: "3".to_owned(),
    };
    let changes = [
        ("t10", alter(None, Some("27999.5"), None)),
        ("t12", alter(None, None, Some("0.75"))),
        ("t14", alter(Some(time_of(14) + 2_000), None, None)),
        ("t16", alter(Some(time_of(16) + 25_000), None, None)),
        ("t18", Change::Withdraw),
        ("new", insert),
    ];
    let mut seen = 0;
    for (index, (name, change)) in changes.into_iter().enumerate() {
        let before = figures(&client, until).await;
        let truth_before = truths(venue, before.keys().copied());

        let revised = venue.revise(revision(name, change)).expect("the past");
        corrections(&client, i64::try_from(index).expect("few") + 1).await;

        let after = figures(&client, until).await;
        let truth_after = truths(venue, before.keys().copied());
        let times = [&revised.was, &revised.now].map(|side| side.as_ref().map(|trade| trade.traded_at.ms()));
        // The chain tells of a second whose trades changed, even where no sum did.
        let seconds: BTreeSet<i64> = times.into_iter().flatten().map(mark_at_or_after).collect();
        let is_concerned = |mark: &&i64| truth_before[*mark] != truth_after[*mark] || seconds.contains(*mark);
        let expected: BTreeSet<i64> = before.keys().filter(is_concerned).copied().collect();
        if times[0] == times[1] {
            let first = mark_at_or_after(times[0].expect("a time"));
            assert_eq!(expected, (0..10).map(|second| first + second * 1_000).collect(), "{name}");
        }
        let restated: BTreeSet<i64> = before.keys().filter(|mark| before[*mark] != after[*mark]).copied().collect();
        assert_eq!(restated, expected, "{name}");
        for mark in &restated {
            assert_eq!(after[mark].0, before[mark].0 + 1, "{name} {mark}");
        }

        let log = "select count(*) filter (where ts <= $3), count(*),
                count(*) filter (where reason like '%trade ' || $1 || '%')
            from restatements where restated_at > $2";
        let row = client.query_one(log, &[&name, &seen, &until]).await.expect("the log");
        assert_eq!(row.get::<_, i64>(0), i64::try_from(expected.len()).expect("few"), "{name}");
        let entries: i64 = row.get(1);
        assert_eq!(row.get::<_, i64>(2), entries, "{name}");
        let kept = format!("select restated from trade_corrections where tradeid = '{name}'");
        assert_eq!(number(&client, &kept).await, entries, "{name}");
        seen = number(&client, "select max(restated_at) from restatements").await;
        let stale = "select count(*) from restatements as entry join vwap_history as figure
                using (exchange, ticker, interval, ts)
            where entry.revision = figure.revision
                and (entry.new_price, entry.new_volume, entry.new_notional, entry.new_trades)
                    is distinct from (figure.price, figure.volume, figure.notional, figure.trades)";
        assert_eq!(number(&client, stale).await, 0, "{name}: the last entry is what stands");
    }

    let (after, until) = (EpochMs::new(until - 40_000), EpochMs::new(until));
    confirmed_trades_are_the_truth(&client, venue, "BTC", after, until).await;
    finals_equal_numeric(&client, "BTC", after, until).await;
    finals_equal_the_truth(&client, venue, "BTC", after, until).await;

    // Whatever is read again from here on is as it is held.
    let log = number(&client, "select count(*) from restatements").await;
    read_again(&stage, 300).await;
    assert_eq!(number(&client, "select count(*) from restatements").await, log, "nothing is restated twice");
    let audited = "select coalesce(sum(trades), 0)::bigint from feed_counts where kind = 'audited'";
    eventually("what was read again to be counted", PATIENCE, || async {
        (number(&client, audited).await > 300).then_some(())
    })
    .await;
    // The books are in step: figures that become final now are the truth too.
    let later = now();
    stage.settled("BTC", later).await;
    finals_equal_numeric(&client, "BTC", until, later).await;
    assert!(
        stage.worker.expect("never stopped").get("/health").await.expect("an answer").1.contains("\"sessions_lost\":0")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_rest_tells_once_and_takes_back_restates_nothing() {
    let (stage, client, until) = settled_stage().await;
    let before = figures(&client, until).await;

    stage.venue.revise(revision("t10", alter(None, Some("1"), None))).expect("the past");
    eventually("it to be read", PATIENCE, || async {
        (metric(&stage, "truetape_audit_suspicions_total").await > 0).then_some(())
    })
    .await;
    stage.venue.revise(revision("t10", alter(None, Some("27010.25"), None))).expect("the past");

    eventually("the second reading", PATIENCE, || async {
        (metric(&stage, "truetape_audit_unconfirmed_total").await > 0).then_some(())
    })
    .await;
    read_again(&stage, 100).await;
    assert_eq!(figures(&client, until).await, before);
    assert_eq!(number(&client, "select count(*) from restatements").await, 0);
    assert_eq!(number(&client, "select count(*) from trade_corrections").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_market_that_forgets_its_past_withdraws_nothing() {
    let (stage, client, until) = settled_stage().await;
    let before = figures(&client, until).await;

    for forgotten in 0..10 {
        stage.venue.revise(revision(&format!("t{forgotten}"), Change::Withdraw)).expect("the past");
    }
    eventually("it to be read", PATIENCE, || async {
        (metric(&stage, "truetape_audit_suspicions_total").await > 0).then_some(())
    })
    .await;
    read_again(&stage, 500).await;
    assert_eq!(figures(&client, until).await, before);
    assert_eq!(number(&client, "select count(*) from trade_corrections").await, 0);

    stage.venue.revise(revision("t30", Change::Withdraw)).expect("the past");
    corrections(&client, 1).await;
    assert_eq!(number(&client, "select count(*) from restatements").await, 10, "what lies within is withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_a_restatement_nothing_has_changed_and_the_next_worker_restates_it() {
    let (mut stage, client, until) = settled_stage().await;
    let before = figures(&client, until).await;
    let held = "select string_agg(concat_ws(' ', tradeid, ts, price, quantity), ';' order by tradeid) from transactions
        where is_validated and ts <= $1";
    let trades_before: String = client.query_one(held, &[&until]).await.expect("the trades").get(0);
    let mut blocker = stage.database.client().await;
    let block = blocker.transaction().await.expect("a transaction");
    block.batch_execute("lock table trade_corrections in share mode").await.expect("locked");

    stage.venue.revise(revision("t10", Change::Withdraw)).expect("the past");
    let waiting =
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
    eventually("the restatement to be half-way", PATIENCE, || async {
        (number(&client, waiting).await > 0).then_some(())
    })
    .await;
    stage.worker.take().expect("it runs").kill();
    block.rollback().await.expect("unlocked");
    eventually("the worker's statements to end", PATIENCE, || async {
        (number(&client, waiting).await == 0).then_some(())
    })
    .await;

    assert_eq!(figures(&client, until).await, before);
    let trades: String = client.query_one(held, &[&until]).await.expect("the trades").get(0);
    assert_eq!(trades, trades_before);
    assert_eq!(number(&client, "select count(*) from restatements").await, 0);

    let worker = stage.another_worker().await;
    corrections(&client, 1).await;
    assert_eq!(number(&client, "select count(*) from restatements").await, 10);
    let (after, until) = (EpochMs::new(until - 40_000), EpochMs::new(until));
    confirmed_trades_are_the_truth(&client, &stage.venue, "BTC", after, until).await;
    finals_equal_the_truth(&client, &stage.venue, "BTC", after, until).await;
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_moved_beyond_the_watermark_is_withdrawn_here_and_confirmed_there() {
    let (stage, client, until) = settled_stage().await;

    let moved_to = now();
    stage.venue.revise(revision("t10", alter(Some(moved_to.ms()), None, None))).expect("the present");
    corrections(&client, 1).await;
    stage.settled("BTC", moved_to.plus_ms(1_000)).await;

    let kind = "select count(*) from trade_corrections where kind in ('withdrawn', 'altered')";
    assert_eq!(number(&client, kind).await, 1);
    let after = EpochMs::new(until - 40_000);
    confirmed_trades_are_the_truth(&client, &stage.venue, "BTC", after, moved_to).await;
    finals_equal_the_truth(&client, &stage.venue, "BTC", after, moved_to.plus_ms(1_000)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_to_final_is_measured_over_live_marks_only_and_holds_for_those_that_follow() {
    let more = [("TICKERS", "BTC"), ("BACKFILL_FROM", "-20m"), ("INTERVAL", "10s"), ("AUDIT_SHARE", "0")];
    let stage = Stage::start(VenueConfig::scripted(&["BTC"]), &more).await;
    let client = stage.database.client().await;
    let measured = "select time_to_final_p50_ms, time_to_final_p99_ms, time_to_final_marks
        from tickers_validation_timestamp where ticker = 'BTC'";
    let (p50, p99) = eventually("five live marks", PATIENCE, || async {
        let row = client.query_opt(measured, &[]).await.ok()??;
        let marks = row.get::<_, Option<i32>>(2)?;
        (marks >= 5).then(|| (row.get::<_, i64>(0), row.get::<_, i64>(1)))
    })
    .await;

    // The settle delay is two seconds: no mark is final sooner.
    assert!(2_000 <= p50 && p50 <= p99 && p99 < 30_000, "{p50} {p99}");
    assert!(metric(&stage, "truetape_final_figures_total").await > 1_000);
    assert!(metric(&stage, "truetape_time_to_final_seconds_count").await < 100, "a backfill is not waited for");
    assert_eq!(metric(&stage, "truetape_audits_total").await, 0, "no share, no reading again");
    let until = now();
    stage.settled("BTC", until).await;
    let span = format!("is_validated and ts > {} and provisional_trades is not null", until.minus_ms(5_000).ms());
    let late = format!("select count(*) from vwap_history where {span} and final_at - ts > {}", p99 + 2_000);
    assert!(number(&client, &format!("select count(*) from vwap_history where {span}")).await > 0);
    assert_eq!(number(&client, &late).await, 0, "expected within {p99} ms");
    tokio::time::timeout(Duration::from_secs(5), stage.worker.expect("never stopped").stop())
        .await
        .expect("in time")
        .expect("a clean end");
}
