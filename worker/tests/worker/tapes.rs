//! Real recorded trades with exact reference figures, where they are at hand.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tape::{EpochMs, Ticker};
use testkit::eventually;
use tokio_postgres::Client;
use venue::VenueConfig;

use crate::stage::{PATIENCE, Stage, number, settled};

fn tapes() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tapes");
    if !folder.is_dir() {
        eprintln!("SKIPPED: there are no recorded tapes at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Backfills a tape served as recorded and holds every mark among its
/// reference points against the final figure.
async fn backfill(name: &str) {
    let Some(folder) = tapes() else { return };
    let reference = std::fs::read_to_string(folder.join(format!("{name}.reference.json"))).expect("a reference");
    let reference: Value = serde_json::from_str(&reference).expect("JSON");
    let ticker = Ticker::new(reference["ticker"].as_str().expect("a ticker")).expect("a ticker");
    let points = reference["points"].as_array().expect("points");
    let first = points.iter().filter_map(|point| point["t"].as_i64()).min().expect("a point");
    let from = (first - 86_400_000).to_string();

    let market = VenueConfig::recorded(folder.join(format!("{name}.csv.gz")));
    let more = [
        ("TICKERS", ticker.as_str()),
        ("BACKFILL_FROM", &from),
        ("MARKET_CLOCK", "market"),
        ("RETENTION", "forever"),
        ("REST_RATE", "10000"),
    ];
    let stage = Stage::start(market, &more).await;
    let client = stage.database.client().await;
    let last = points.iter().filter_map(|point| point["t"].as_i64()).max().expect("a point");
    let trades = reference["distinct_trades"].as_i64().expect("a count");
    eventually("every trade to be confirmed", PATIENCE, || async {
        (number(&client, "select count(*) from transactions where is_validated").await == trades).then_some(())
    })
    .await;
    settled(&client, ticker.as_str(), EpochMs::new(last.min(settled_at_most(&client).await))).await;

    let mut held = 0;
    for point in points {
        held += i32::from(is_as_referenced(&client, point).await);
    }
    assert!(held >= 10, "only {held} reference points are marks");
}

/// The market's present less the settle delay: where the watermark comes to rest.
async fn settled_at_most(client: &Client) -> i64 {
    number(client, "select market_time - 2000 from tickers_validation_timestamp").await
}

/// Whether the point is a mark; asserts that its figure is as the reference says.
async fn is_as_referenced(client: &Client, point: &Value) -> bool {
    let at = point["t"].as_i64().expect("a time");
    let sql = "select trades, trim_scale(volume)::text, trim_scale(notional)::text, price::text, is_validated
        from vwap_history where ts = $1";
    let Some(row) = client.query_opt(sql, &[&at]).await.expect("a figure") else { return false };
    assert_eq!(row.get::<_, i64>(0), point["count"].as_i64().expect("a count"), "trades at {at}");
    assert_eq!(row.get::<_, String>(1), trimmed(&point["volume"]), "volume at {at}");
    assert_eq!(row.get::<_, String>(2), trimmed(&point["notional"]), "notional at {at}");
    assert!(row.get::<_, bool>(4), "the figure at {at} is final");
    let price: Option<String> = row.get(3);
    match (price, point["vwap"].as_str()) {
        (Some(price), Some(quotient)) => {
            // The reference has 18 significant digits; one unit of its last one is half to spare.
            let decimals = quotient.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let sql = format!("select (round($1::text::numeric, {decimals}) = $2::text::numeric)");
            let agrees: bool = client.query_one(&sql, &[&price, &quotient]).await.expect("numeric").get(0);
            assert!(agrees, "{price} is not {quotient} at {at}");
        }
        (price, quotient) => assert_eq!((price, quotient), (None, None), "price at {at}"),
    }
    true
}

fn trimmed(text: &Value) -> String {
    let text = text.as_str().expect("a decimal");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_of_contiguous_ids_and_bursts_is_backfilled_exactly() {
    backfill("binance-spot-btcusdt-20240808").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_tape_with_empty_windows_is_backfilled_exactly() {
    backfill("binance-spot-xrpeth-agg-20191011").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_of_microseconds_is_backfilled_exactly() {
    backfill("binance-spot-trxusdt-20250304").await;
}
