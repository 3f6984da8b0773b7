//! Whatever the socket does, the confirmed trades are the truth and every
//! final figure is exact.

use std::time::Duration;

use venue::{FaultKind, FaultRates, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric, finals_equal_the_truth};
use crate::stage::{PATIENCE, Stage, now, number, settled_until, tape_from, ticker};
use testkit::eventually;

#[tokio::test(flavor = "multi_thread")]
async fn with_every_fault_at_once_the_confirmed_trades_are_the_truth_and_every_final_figure_is_exact() {
    let market = VenueConfig {
        faults: FaultRates::all(0.05),
        silence_for: Duration::from_millis(500),
        ..VenueConfig::generated(150.0, Duration::from_secs(30))
    };
    let stage = Stage::start(market, &[("INTERVAL", "10s"), ("BACKFILL_FROM", "-20s")]).await;
    let client = stage.database.client().await;
    let until = now().plus_ms(12_000);
    let names = ["BTC", "ETH", "SOL", "SHIB"];
    for name in names {
        stage.settled(name, until).await;
    }

    for name in names {
        let from = tape_from(&client, name).await;
        let trades = confirmed_trades_are_the_truth(&client, &stage.venue, name, from, until).await;
        assert!(trades > 0, "{name} traded");
        let marks = finals_equal_numeric(&client, name, from, until).await;
        assert!(marks >= 30, "{name} has {marks} marks");
        // Windows that begin before the tape hold less than the truth.
        finals_equal_the_truth(&client, &stage.venue, name, from.plus_ms(10_000), until).await;
    }
    let leftovers = number(
        &client,
        "select count(*) from transactions join tickers_validation_timestamp using (exchange, ticker)
        where not is_validated and ts <= validated_until",
    );
    assert_eq!(leftovers.await, 0, "at or before the watermark everything is confirmed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_agrees_with_what_was_done_kind_by_kind() {
    // What is said between two terms of leadership is in no ledger: on a machine
    // so busy that a term ends by itself, it takes another go.
    for _ in 0..3 {
        if is_the_ledger_of_one_term_right().await {
            return;
        }
    }
    panic!("no term of leadership lasted");
}

/// Whether one term of leadership lasted throughout; then its ledger is held
/// against what was done.
async fn is_the_ledger_of_one_term_right() -> bool {
    let market = VenueConfig::generated(120.0, Duration::ZERO);
    let stage = Stage::start(market, &[("INTERVAL", "10s")]).await;
    let client = stage.database.client().await;
    // Every ticker must be followed before the lies begin.
    for name in ["BTC", "ETH", "SOL", "SHIB"] {
        stage.settled(name, now()).await;
    }
    let began = now();
    let faults = FaultRates::all(0.05).with(FaultKind::Silence, 0.0).with(FaultKind::Cut, 0.0);
    stage.venue.set_faults(faults).expect("rates");
    let enough = began.plus_ms(12_000);
    eventually("enough lies", PATIENCE, || async { (enough < now()).then_some(()) }).await;
    stage.venue.set_faults(FaultRates::NONE).expect("rates");
    let ended = now();
    // A delayed frame comes up to five seconds later, and is judged after that.
    for name in ["BTC", "ETH", "SOL", "SHIB"] {
        stage.settled(name, ended.plus_ms(12_000)).await;
    }
    assert_eq!(stage.venue.state().held, 0, "no frame is held back any more");

    if number(&client, "select epoch::bigint from leaders").await != 1 {
        return false;
    }
    let done = stage.venue.summary(None, began, ended).expected;
    let done_by_kind = [
        ("altered", done.altered),
        ("duplicate", done.duplicate),
        ("late", done.late),
        ("matched", done.matched),
        ("missing", done.missing),
        ("phantom", done.phantom),
    ];
    let mut found_by_kind = Vec::new();
    for (kind, _) in done_by_kind {
        let sql = match kind {
            "matched" => format!(
                "select count(*) from transactions where received_at is not null
                and ts > {} and ts <= {} and not exists (select from feed_faults as fault
                where fault.ticker = transactions.ticker and fault.tradeid = transactions.tradeid and kind = 'altered')",
                began.ms(),
                ended.ms()
            ),
            _ => format!(
                "select count(*) from feed_faults where kind = '{kind}' and ts > {} and ts <= {}",
                began.ms(),
                ended.ms()
            ),
        };
        found_by_kind.push((kind, number(&client, &sql).await.unsigned_abs()));
    }
    assert_eq!(found_by_kind, done_by_kind);
    for (kind, count) in done.rejected {
        let sql = format!("select count(*) from rejections where kind = '{kind}' and channel = 'socket'");
        let kept = number(&client, &sql).await.unsigned_abs();
        assert_eq!(kept, count, "rejected as {kind}");
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_heard_now_is_in_the_next_marks_figure_before_rest_knows_it() {
    let stage = Stage::start(VenueConfig::scripted(&["BTC"]), &[("TICKERS", "BTC"), ("SETTLE_DELAY", "60s")]).await;
    let client = stage.database.client().await;

    stage.venue.make_trade("BTC", "27000.12", "0.5").expect("a trade");

    let price = eventually("a figure with the trade in it", PATIENCE, || async {
        let sql = "select trim_scale(price)::text, confirmed_trades from latest_vwap_history where ticker = 'BTC' and trades = 1";
        client.query_opt(sql, &[]).await.expect("the latest").map(|row| (row.get::<_, String>(0), row.get::<_, i64>(1)))
    })
    .await;
    assert_eq!(price, ("27000.12".to_owned(), 0));
    let (trade, _) = stage.venue.truth(&ticker("BTC"), now().minus_ms(60_000), now()).remove(0);
    assert!(settled_until(&client, "BTC").await < trade.traded_at);
}
