//! Real trades with figures computed elsewhere: every point must be answered
//! exactly. The tapes are not part of this repository.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use serde_json::Value;
use testkit::{TestDatabase, database};

use crate::running::Running;

const TAPES: [&str; 5] = [
    "binance-spot-btcusdt-20240808",
    "binance-spot-xrpeth-agg-20191011",
    "binance-spot-trxusdt-20250304",
    "us-equity-spy-20131008",
    "bitflyer-btc_jpy-20180121-20180124",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tapes")
}

#[tokio::test]
async fn every_point_of_a_tapes_reference_is_answered_exactly() {
    for tape in TAPES {
        let reference = folder().join(format!("{tape}.reference.json"));
        if !reference.exists() {
            println!("SKIPPED: there is no {}", reference.display());
            continue;
        }
        let text = std::fs::read_to_string(reference).expect("readable");
        hold_against(tape, &serde_json::from_str(&text).expect("JSON")).await;
    }
}

async fn hold_against(tape: &str, reference: &Value) {
    let database = database().await;
    let (first, last) = load(&database, tape).await;
    let ticker = reference["ticker"].as_str().expect("a ticker").replace('/', "%2F");
    let standing = "insert into tickers_validation_timestamp (exchange, ticker, validated_until, tape_from)
        values ('generic', $1, $2, $3)";
    let row: [&(dyn tokio_postgres::types::ToSql + Sync); 3] =
        [&reference["ticker"].as_str(), &(last + 600_000), &(first - 600_001)];
    database.client().await.execute(standing, &row).await.expect("a ticker");
    let api = Running::standing_at(&database, last + 3_600_000);

    let points = reference["points"].as_array().expect("points");
    for point in points {
        let answer = api.json(&format!("/historical?ticker={ticker}&ts={}", point["t"])).await;
        assert_eq!(answer["trades"], point["count"], "{tape} {point}");
        assert_eq!(answer["volume"], point["volume"], "{tape} {point}");
        assert_eq!(answer["notional"], point["notional"], "{tape} {point}");
        let price = answer["price"].as_str().map(eighteen_digits);
        let expected = point["vwap"].as_str().map(eighteen_digits);
        assert_eq!(price, expected, "{tape} {point}");
        assert_eq!((&answer["state"], &answer["complete"]), (&"final".into(), &true.into()), "{tape} {point}");
    }
    println!("{tape}: {} points agree", points.len());
}

/// Loads the trades of a tape as confirmed rows, each id once; the first and the last moment.
async fn load(database: &TestDatabase, tape: &str) -> (i64, i64) {
    let mut text = String::new();
    let file = std::fs::File::open(folder().join(format!("{tape}.csv.gz"))).expect("the tape");
    GzDecoder::new(file).read_to_string(&mut text).expect("gzip");
    let client = database.client().await;
    let mut moments = Vec::new();
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
    for batch in rows.chunks(5_000) {
        let column = |index: usize| batch.iter().map(|row| row[index]).collect::<Vec<&str>>();
        let times: Vec<i64> = batch.iter().map(|row| row[1].parse().expect("a time")).collect();
        let insert = "insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated)
            select 'generic', ticker, tradeid, ts, price::numeric, quantity::numeric, true
            from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[]) as row (ticker, tradeid, ts, price, quantity)
            on conflict do nothing";
        client.execute(insert, &[&column(0), &column(4), &times, &column(3), &column(2)]).await.expect("trades");
        moments.extend(times);
    }
    (*moments.iter().min().expect("trades"), *moments.iter().max().expect("trades"))
}

/// The first 18 significant digits, half to even, as an integer and its power of ten.
fn eighteen_digits(text: &str) -> (u64, usize) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = [whole, fraction].concat();
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let significant = digits[leading..].to_owned() + "0000000000000000000";
    let (kept, rest) = significant.split_at(18);
    let kept: u64 = kept.parse().expect("digits");
    let half = "5".to_owned() + &"0".repeat(rest.len() - 1);
    let rounds_up = rest > half.as_str() || (rest == half && kept % 2 == 1);
    (kept + u64::from(rounds_up), whole.len() + 18 + leading)
}
