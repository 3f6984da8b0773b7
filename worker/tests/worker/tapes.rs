//! Real recorded trades with exact reference figures, where they are at hand:
//! served as they were, backfilled from before the first trade, and asked for
//! over HTTP, point by point.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tape::{EpochMs, Ticker};
use testkit::eventually;
use tokio_util::sync::CancellationToken;
use venue::VenueConfig;

use crate::bench_of_truth::finals_equal_numeric;
use crate::stage::{PATIENCE, Stage, get, number};

fn tapes() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tapes");
    if !folder.is_dir() {
        eprintln!("SKIPPED: there are no recorded tapes at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// An api on the stage's database.
struct Api {
    url: String,
    shutdown: CancellationToken,
}

impl Api {
    fn start(pg_string: String) -> Self {
        let config = api::Config::from_vars([("PG_STRING".to_owned(), pg_string)]).expect("a valid configuration");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        tokio::spawn(async move { api::run(listener, &config, api::Clock::Wall, token).await });
        Self { url, shutdown }
    }

    async fn historical(&self, ticker: &Ticker, at: i64) -> Value {
        let ticker = ticker.as_str().replace('/', "%2F");
        let url = format!("{}/historical?ticker={ticker}&ts={at}", self.url);
        let (_, text) = get(&url).await.expect("an answer");
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{url} answers {text}"))
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// Backfills a tape and holds `/historical` against every reference point.
async fn backfill(name: &str) {
    let Some(folder) = tapes() else { return };
    let reference = std::fs::read_to_string(folder.join(format!("{name}.reference.json"))).expect("a reference");
    let reference: Value = serde_json::from_str(&reference).expect("JSON");
    let ticker = Ticker::new(reference["ticker"].as_str().expect("a ticker")).expect("a ticker");
    let points = reference["points"].as_array().expect("points");
    let first = points.iter().filter_map(|point| point["t"].as_i64()).min().expect("a point");
    // No tape begins a day before its first reference point.
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
    let present = stage.venue.state().present;
    eventually("the whole tape to be settled", PATIENCE * 3, || async {
        let sql = "select coalesce(max(validated_until), 0) from tickers_validation_timestamp";
        (present - 2_000 <= number(&client, sql).await).then_some(())
    })
    .await;

    let trades = reference["distinct_trades"].as_i64().expect("a count");
    assert_eq!(number(&client, "select count(*) from transactions where is_validated").await, trades);
    let last = EpochMs::new(present - 2_000);
    finals_equal_numeric(&client, ticker.as_str(), last.minus_ms(300_000), last).await;
    let every = "select (max(ts) - min(ts)) / 1000 + 1 - count(*) from vwap_history where is_validated";
    assert_eq!(number(&client, every).await, 0, "every mark from the first to the last is final");
    let api = Api::start(stage.database.url());
    for point in points {
        let at = point["t"].as_i64().expect("a time");
        let answer = api.historical(&ticker, at).await;
        assert_eq!(answer["trades"].as_i64(), point["count"].as_i64(), "trades at {at}: {answer}");
        assert_eq!(answer["volume"], trimmed(&point["volume"]), "volume at {at}");
        assert_eq!(answer["notional"], trimmed(&point["notional"]), "notional at {at}");
        assert_eq!(answer["is_validated"], at <= last.ms(), "finality at {at}");
        match (answer["price"].as_str(), point["vwap"].as_str()) {
            (Some(price), Some(quotient)) => {
                // The reference has 18 significant digits, half to even: ours has more of them.
                let decimals = quotient.split_once('.').map_or(0, |(_, decimals)| decimals.len());
                let sql = format!("select round($1::text::numeric, {decimals}) = $2::text::numeric");
                let agrees: bool = client.query_one(&sql, &[&price, &quotient]).await.expect("numeric").get(0);
                assert!(agrees, "{price} is not {quotient} at {at}");
            }
            (price, quotient) => assert_eq!((price, quotient), (None, None), "price at {at}"),
        }
    }
}

fn trimmed(text: &Value) -> String {
    let text = text.as_str().expect("a decimal");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_of_contiguous_ids_and_bursts_is_answered_exactly() {
    backfill("binance-spot-btcusdt-20240808").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_tape_with_empty_windows_is_answered_exactly() {
    backfill("binance-spot-xrpeth-agg-20191011").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tape_of_microseconds_is_answered_exactly() {
    backfill("binance-spot-trxusdt-20250304").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dense_tape_without_ids_is_answered_exactly() {
    backfill("us-equity-spy-20131008").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_untidy_tape_of_four_days_is_answered_exactly() {
    backfill("bitflyer-btc_jpy-20180121-20180124").await;
}
