//! A past of fifty trades a second, read page after page: without a gap or a
//! duplicate, and inside of every limit the exchange documents, as the exchange
//! itself counts. Minutes of it as a test; an hour with `TRUETAPE_BACKFILL=1h`
//! and `--no-capture`, which prints what it cost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tape::EpochMs;
use testkit::eventually;
use tokio_postgres::Client;
use venue::{FaultRates, Running, VenueConfig};

use crate::six::{BTC, end_of_second, incidents, is_the_truth, lively, on_each};
use crate::stage::{Stage, now, number, ticker};

const TRADES_A_SECOND: f64 = 50.0;

/// What REST can tell of the past at this pace: of Bybit the last sixty trades, and of Bitstamp
/// what one answer may hold.
fn can_be_read(exchange: &str, past: Duration) -> bool {
    match exchange {
        "bybit" => false,
        "bitstamp" => past < Duration::from_secs(600),
        _ => true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_past_is_read_whole_and_inside_of_the_documented_limits() {
    let asked = std::env::var("TRUETAPE_BACKFILL").unwrap_or_else(|_| "4m".to_owned());
    let past_ms = tape::time::parse_duration_ms(&asked).expect("TRUETAPE_BACKFILL is a length of time");
    let past = Duration::from_millis(past_ms.unsigned_abs());
    on_each(move |exchange| async move {
        let history = past + Duration::from_secs(30);
        let market = venue::MarketKind::Generated {
            tickers: vec![BTC.to_owned()],
            quiet: Vec::new(),
            rate: TRADES_A_SECOND,
            history,
        };
        let market = VenueConfig { market, faults: FaultRates::NONE, ..lively(exchange) };
        let (from, began) = (now().minus_ms(past_ms), Instant::now());
        let more = [("INTERVAL", "3s"), ("TICKERS", BTC), ("BACKFILL_FROM", &format!("-{past_ms}ms"))];
        let stage = Stage::start(market, &more).await;
        let client = stage.database.client().await;
        let until = end_of_second(now());
        // Some minutes are read faster than they passed, and an hour by far.
        settled_within(&client, until, past.min(Duration::from_secs(140)).max(past / 4)).await;
        let took = began.elapsed();
        keeps_to_the_limits(exchange, &stage.venue, took);

        if can_be_read(exchange, past) {
            let trades = is_the_truth(&stage.venue, &client, BTC, until).await;
            assert!(trades as f64 > past.as_secs_f64() * TRADES_A_SECOND * 0.8, "{exchange}: {trades} trades");
            assert_eq!(incidents(&client).await, [""; 0], "{exchange}");
        } else {
            what_is_missing_is_named(exchange, &stage.venue, &client, from, until).await;
        }
    })
    .await;
}

async fn settled_within(client: &Client, until: EpochMs, patience: Duration) {
    let sql = "select count(*) from tickers_validation_timestamp where validated_until >= ";
    eventually("the past to be settled", patience, || async {
        (number(client, &format!("{sql}{until}")).await == 1).then_some(())
    })
    .await;
}

/// Holds every limit against the most that was ever used of it, and prints both.
fn keeps_to_the_limits(exchange: &str, venue: &Running, took: Duration) {
    let asked = venue.asked();
    println!("{exchange}: {} questions in {:.1} s", asked["requests"], took.as_secs_f64());
    assert_eq!(asked["refused"], 0, "{exchange}: {asked}");
    for quota in asked["quotas"].as_array().expect("quotas") {
        println!("{exchange}:   {} at most of {} allowed: {}", quota["highest"], quota["limit"], quota["quota"]);
        // A bucket may be emptied at once; that it never ran dry is said above.
        assert!(quota["highest"].as_u64() <= quota["at_once"].as_u64(), "{exchange}: {quota}");
    }
}

/// What REST cannot tell any more is named as a gap from the beginning on, and further ones where
/// a busy machine asked too late; whatever is outside of them is confirmed, and nothing else is.
async fn what_is_missing_is_named(exchange: &str, venue: &Running, client: &Client, from: EpochMs, until: EpochMs) {
    let rows = client.query("select kind, from_ts, to_ts from incidents order by from_ts", &[]).await.expect("gaps");
    assert!(rows.iter().all(|row| row.get::<_, String>(0) == "gap"), "{exchange}");
    // One of them counts in whole seconds.
    let gaps: Vec<_> = rows.iter().map(|row| row.get::<_, i64>(1) - 1_000..=row.get::<_, i64>(2) + 1_000).collect();
    assert!(
        gaps.first().is_some_and(|gap| gap.contains(&(from.ms() + 5_000))),
        "{exchange}: asked from {from}: {gaps:?}"
    );

    let rows = client.query("select tradeid from transactions where is_validated", &[]).await.expect("the trades");
    let confirmed: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(!confirmed.is_empty(), "{exchange}");
    let truth = venue.truth(&ticker(BTC), EpochMs::new(0), EpochMs::MAX);
    let true_ids: BTreeSet<String> = truth.iter().map(|(trade, _)| trade.id.to_string()).collect();
    assert!(confirmed.is_subset(&true_ids), "{exchange}: what is confirmed is true");
    let is_told = |at: i64| from.ms() + 5_000 < at && at <= until.ms() && !gaps.iter().any(|gap| gap.contains(&at));
    for (trade, _) in truth.iter().filter(|(trade, _)| is_told(trade.traded_at.ms())) {
        assert!(confirmed.contains(trade.id.as_str()), "{exchange}: {trade:?} is in no gap: {gaps:?}");
    }
}
