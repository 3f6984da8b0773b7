//! Many trades in one millisecond, with a venue that can page inside it and
//! with one that cannot.

use tape::EpochMs;
use testkit::eventually;
use venue::{RestConfig, Running, TrueTrade, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric};
use crate::stage::{PATIENCE, Stage, now, number};

const BACK: [(&str, &str); 2] = [("TICKERS", "BTC"), ("BACKFILL_FROM", "-10s")];

/// A burst of one millisecond and a few trades around it.
fn burst(at: EpochMs, count: usize) -> Vec<TrueTrade> {
    let trade = |at: EpochMs, id: String| TrueTrade::new("BTC", at.ms(), "61556.04", "0.00012", &id).expect("a trade");
    let mut trades = vec![trade(at.minus_ms(700), "before".to_owned())];
    // Ids in an order of their own: neither counting up nor down.
    trades.extend((0..count).map(|index| trade(at, format!("{}", index * 7919 % 10_007))));
    trades.push(trade(at.plus_ms(1), "after".to_owned()));
    trades
}

#[tokio::test(flavor = "multi_thread")]
async fn seven_hundred_and_thirty_five_trades_of_one_millisecond_page_through_with_pages_of_a_hundred() {
    let at = now().minus_ms(3_000);
    let past = |venue: &Running| {
        for trade in burst(at, 735) {
            venue.truth_only(trade);
        }
    };
    let stage = Stage::start_after(VenueConfig::scripted(&["BTC"]), &BACK, past).await;
    let client = stage.database.client().await;

    stage.settled("BTC", at.plus_ms(2_000)).await;

    let trades =
        confirmed_trades_are_the_truth(&client, &stage.venue, "BTC", at.minus_ms(5_000), at.plus_ms(1_000)).await;
    assert_eq!(trades, 737);
    finals_equal_numeric(&client, "BTC", at.minus_ms(5_000), at.plus_ms(1_000)).await;
    assert_eq!(number(&client, "select count(*) from incidents").await, 0);
    // By then the planner was told what is in the tables; what Postgres finds out by itself is counted elsewhere.
    let told = "select analyze_count from pg_stat_user_tables where relname = 'transactions'";
    eventually("the tables to be analyzed", PATIENCE, || async { (number(&client, told).await > 0).then_some(()) })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_millisecond_that_cannot_be_paged_is_recorded_as_an_incident_and_reading_goes_on() {
    let rest = RestConfig { after_id: false, ..RestConfig::default() };
    let market = VenueConfig { rest, ..VenueConfig::scripted(&["BTC"]) };
    let at = now().minus_ms(3_000);
    let past = |venue: &Running| {
        for trade in burst(at, 735) {
            venue.truth_only(trade);
        }
    };
    let stage = Stage::start_after(market, &BACK, past).await;
    let client = stage.database.client().await;

    stage.settled("BTC", at.plus_ms(2_000)).await;

    let incident = client.query_one("select kind, from_ts, to_ts from incidents", &[]).await.expect("one incident");
    assert_eq!(incident.get::<_, &str>(0), "unpageable_millisecond");
    assert_eq!((incident.get::<_, i64>(1), incident.get::<_, i64>(2)), (at.ms(), at.ms()));
    let after = "select count(*) from transactions where tradeid = 'after' and is_validated";
    assert_eq!(number(&client, after).await, 1, "what follows is read");
    let read = number(&client, &format!("select count(*) from transactions where ts = {}", at.ms())).await;
    assert_eq!(read, 100, "as many as a page holds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_less_than_a_page_needs_no_help_of_the_venue() {
    let rest = RestConfig { after_id: false, ..RestConfig::default() };
    let market = VenueConfig { rest, ..VenueConfig::scripted(&["BTC"]) };
    let at = now().minus_ms(4_000);
    let past = |venue: &Running| {
        for (offset, index) in (0..5).flat_map(|offset| (0..60).map(move |index| (offset, index))) {
            let (at, id) = (at.plus_ms(offset * 3), format!("{offset}-{index}"));
            venue.truth_only(TrueTrade::new("BTC", at.ms(), "1.5", "2", &id).expect("a trade"));
        }
    };
    let stage = Stage::start_after(market, &BACK, past).await;
    let client = stage.database.client().await;

    stage.settled("BTC", at.plus_ms(2_000)).await;

    let trades = confirmed_trades_are_the_truth(&client, &stage.venue, "BTC", at.minus_ms(1), at.plus_ms(1_000)).await;
    assert_eq!(trades, 300);
    assert_eq!(number(&client, "select count(*) from incidents").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trade_far_in_the_past_of_a_long_silence_is_reached_in_steps() {
    let until = now();
    let past = |venue: &Running| {
        venue.truth_only(TrueTrade::new("BTC", until.minus_ms(60_000).ms(), "1.5", "2", "a").expect("a trade"));
    };
    let more = [("TICKERS", "BTC"), ("BACKFILL_FROM", "-6h")];
    let stage = Stage::start_after(VenueConfig::scripted(&["BTC"]), &more, past).await;
    let client = stage.database.client().await;

    stage.settled("BTC", until).await;

    let marks = number(&client, "select count(*) from vwap_history where is_validated").await;
    assert!(marks >= 6 * 3600 - 1, "{marks} marks are final");
    eventually("the trade", PATIENCE, || async {
        (number(&client, "select count(*) from transactions where is_validated").await == 1).then_some(())
    })
    .await;
}
