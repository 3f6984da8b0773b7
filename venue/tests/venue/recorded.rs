//! A tape served as past, and the real tapes where they are at hand.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tape::EpochMs;
use tempfile::NamedTempFile;
use venue::{MarketKind, VenueConfig};

use crate::support::{EVER, get, start, ticker};

fn small_tape() -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    let rows =
        "ticker,ts,quantity,price,tradeid\nBTC,3000,1,3,c\nBTC,1000,1,1,a\nBTC,2000,2E-7,2.50,b\nBTC,1000,1,1,a\n";
    file.write_all(rows.as_bytes()).expect("writes");
    file
}

#[tokio::test]
async fn all_of_a_recorded_tape_is_history_and_the_present_stands_still() {
    let file = small_tape();
    let running = start(VenueConfig::recorded(file.path())).await;

    let page = get(&running, "/trades?ticker=BTC&startTime=0").await;
    assert_eq!(page.ids().concat(), "abc");
    assert!(page.body.contains(r#""quantity":2E-7,"price":2.50"#));
    assert_eq!(page.complete_until(), 63_000);
    assert_eq!(page.header("date"), Some("Thu, 01 Jan 1970 00:01:03 GMT"));
    let summary = running.summary(None, EVER.0, EVER.1);
    let expected = &summary.expected;
    assert_eq!((summary.trades, summary.delivery["past"], expected.missing, expected.unheard), (3, 3, 3, 3));
}

#[tokio::test]
async fn what_lies_after_the_chosen_present_has_not_happened() {
    let file = small_tape();
    let market = MarketKind::Recorded { tape: file.path().to_owned(), present: Some(EpochMs::new(2_000)) };
    let running = start(VenueConfig { market, ..VenueConfig::default() }).await;

    let page = get(&running, "/trades?ticker=BTC&startTime=0").await;
    assert_eq!((page.ids().concat(), page.complete_until()), ("ab".to_owned(), 2_000));
}

/// The folder of real tapes, where there is one beside the workspace.
fn real_tapes() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/tapes");
    folder.is_dir().then_some(folder)
}

#[tokio::test]
async fn the_exact_windows_of_real_tapes_are_those_of_their_references() {
    let Some(folder) = real_tapes() else {
        println!("SKIPPED: there are no real tapes beside the workspace");
        return;
    };
    let mut points_checked = 0;
    for name in ["binance-spot-btcusdt-20240808", "binance-spot-xrpeth-agg-20191011", "binance-spot-trxusdt-20250304"] {
        let reference = std::fs::read_to_string(folder.join(format!("{name}.reference.json"))).expect("a reference");
        let reference: Value = serde_json::from_str(&reference).expect("JSON");
        let running = start(VenueConfig::recorded(folder.join(format!("{name}.csv.gz")))).await;
        let ticker = ticker(reference["ticker"].as_str().expect("a ticker"));
        for point in reference["points"].as_array().expect("points") {
            let at = EpochMs::new(point["t"].as_i64().expect("an instant"));
            let truth = running.window(&ticker, at, 300_000).expect("a known ticker");
            assert_eq!(Some(truth.count), point["count"].as_u64(), "{point}");
            assert_eq!(Some(truth.volume.as_str()), point["volume"].as_str(), "{point}");
            assert_eq!(Some(truth.notional.as_str()), point["notional"].as_str(), "{point}");
            points_checked += 1;
        }
    }
    assert!(points_checked >= 3 * 48);
}

#[tokio::test]
async fn the_real_crowd_of_one_millisecond_is_paged_through() {
    let Some(folder) = real_tapes() else {
        println!("SKIPPED: there are no real tapes beside the workspace");
        return;
    };
    let running = start(VenueConfig::recorded(folder.join("binance-spot-btcusdt-20240808.csv.gz"))).await;
    let (mut read, mut after) = (0, String::new());
    loop {
        let path = format!("/trades?ticker=BTCUSDT&startTime=1723161515302{after}");
        let page = get(&running, &path).await.trades();
        let of_crowd = page.iter().filter(|trade| trade.traded_at.ms() == 1_723_161_515_302).count();
        read += of_crowd;
        if of_crowd < page.len() || page.is_empty() {
            break;
        }
        after = format!("&afterId={}", page[page.len() - 1].id);
    }
    assert_eq!(read, 735);
}
