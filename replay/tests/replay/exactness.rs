//! Whatever the order, the repeats and the gaps: every line is the one that big
//! integers make.

use std::collections::HashMap;
use std::io::Write as _;

use proptest::prelude::*;

use crate::oracle::{self, Row};
use crate::stage::{HEADER, replay};

const TICKERS: [&str; 3] = ["BTC", "XRP/ETH", "T.1"];

/// A row and how it is written.
type Written = (Row, String);

fn written(ticker: &str, ts: i64, quantity: &str, price: &str, id: &str) -> Written {
    (Row::new(ticker, ts, quantity, price, id), Row::line(ticker, ts, quantity, price, id))
}

/// Blocks of billions beside dust, ids that come again with the same or other values.
fn any_row() -> impl Strategy<Value = Written> {
    let ts = prop_oneof![1_000_000i64..1_020_000, 1_000_000i64..1_200_000].prop_map(|ts| ts / 250 * 250);
    let quantity = prop_oneof![Just("9000000000"), Just("0.00000001"), Just("1.50"), Just("0.123456789012345678")];
    let price = prop_oneof![Just("27000.12"), Just("0.00000893"), Just("99999999999999"), Just("3")];
    let id = prop_oneof![(0u32..60).prop_map(|id| id.to_string()), "[a-b]{1,2}"];
    (0usize..3, ts, quantity, price, id)
        .prop_map(|(ticker, ts, quantity, price, id)| written(TICKERS[ticker], ts, quantity, price, &id))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_line_is_that_of_a_plain_scan(rows in prop::collection::vec(any_row(), 1..120), seconds in 1i64..30) {
        let text: String = std::iter::once(HEADER).chain(rows.iter().map(|row| row.1.as_str())).collect();
        let rows: Vec<Row> = rows.into_iter().map(|row| row.0).collect();

        let (marks, summary) = replay(text, seconds).expect("a tape");

        prop_assert_eq!(&marks, &oracle::marks(&rows, seconds));
        prop_assert_eq!(summary.rows, rows.len() as u64);
        prop_assert_eq!(summary.repeats, (rows.len() - oracle::distinct(&rows).len()) as u64);
        prop_assert_eq!(summary.marks, marks.lines().count() as u64 - 1);
    }
}

/// Rows for several megabytes, that is many pieces: now in order, now far from
/// it, and with copies of rows long past.
fn large() -> Vec<Written> {
    let mut state = 7u64;
    let mut below = move |limit: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % limit
    };
    let mut rows: Vec<Written> = Vec::new();
    for number in 0..120_000u64 {
        if number > 10 && below(500) == 0 {
            let copied = below(number / 2) as usize;
            rows.push(rows[copied].clone());
            continue;
        }
        let disorder = if number % 20_000 < 5_000 { below(400_000) } else { below(3) };
        let ts = 1_700_000_000_000 + (number * 5 + disorder) as i64;
        let quantity =
            if below(3_000) == 0 { "9000000000.5".to_owned() } else { format!("0.{:08}", 1 + below(99_999_999)) };
        let price = format!("{}.{:02}", 60_000 + below(900), below(100));
        let id = if number % 7 == 0 { format!("x-{number}") } else { (1_000_000 + number).to_string() };
        rows.push(written(TICKERS[below(3) as usize], ts, &quantity, &price, &id));
    }
    rows
}

#[test]
fn a_tape_of_many_pieces_out_of_order_and_with_distant_repeats_comes_out_exact() {
    let rows = large();
    let text: String = std::iter::once(HEADER).chain(rows.iter().map(|row| row.1.as_str())).collect();
    assert!(text.len() > 5 << 20);
    let rows: Vec<Row> = rows.into_iter().map(|row| row.0).collect();
    let distinct = oracle::distinct(&rows);

    let (marks, summary) = replay(text, 300).expect("a tape");

    assert!(summary.repeats > 100);
    assert_eq!(summary.repeats, (rows.len() - distinct.len()) as u64);
    let mut by_ticker: HashMap<&str, Vec<&Row>> = HashMap::new();
    distinct.iter().for_each(|row| by_ticker.entry(&row.ticker).or_default().push(row));
    let lines: Vec<&str> = marks.lines().skip(1).collect();
    assert!(lines.len() > 2_000);
    for line in lines.iter().step_by(37) {
        let (ticker, rest) = line.split_once(',').expect("a ticker");
        let mark = rest.split(',').next().and_then(|ts| ts.parse::<i64>().ok()).expect("a mark") / 1_000;
        assert_eq!(oracle::line(ticker, mark, &by_ticker[ticker], 300), format!("{line}\n"));
    }
}

#[test]
fn a_block_of_billions_leaves_no_trace_in_the_dust_that_follows() {
    let mut rows = vec![written("BTC", 1_000_000, "9000000000", "27000.12", "1")];
    rows.extend((0..400).map(|number| {
        let price = format!("0.0000{:04}", 1 + number * 7 % 9_000);
        written("BTC", 1_000_500 + number * 1_000, "0.00000001", &price, &(number + 2).to_string())
    }));
    let text: String = std::iter::once(HEADER).chain(rows.iter().map(|row| row.1.as_str())).collect();
    let rows: Vec<Row> = rows.into_iter().map(|row| row.0).collect();

    assert_eq!(replay(text, 60).expect("a tape").0, oracle::marks(&rows, 60));
}

#[test]
fn compressed_tapes_and_other_columns_orders_and_line_ends_are_the_same_tape() {
    let plain = "ticker,ts,quantity,price,tradeid\nA,1000,2E-7,2.50,x\nB,2500,1,3,x\n";
    let expected = replay(plain, 300).expect("a tape").0;
    assert_eq!(expected.lines().count(), 5);
    let other = "\u{feff}recv,tradeid,price,quantity,ts,ticker\r\n1,x,2.5,0.0000002,1000,A\r\n\r\n,x,3.0,1.0,2500,B";
    let quoted = "note,tradeid,price,quantity,ts,ticker\n\"a, \"\"b\"\"\",x,\"2.50\",2e-7,1000,\"A\"\n,x,3,1,2500,B\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain.as_bytes()).expect("compresses");
    let gzip = gzip.finish().expect("compresses");
    let zstd = zstd::encode_all(plain.as_bytes(), 1).expect("compresses");

    for content in [other.as_bytes(), quoted.as_bytes(), &gzip, &zstd] {
        assert_eq!(replay(content, 300).expect("a tape").0, expected);
    }
}

#[test]
fn the_same_id_of_another_ticker_is_another_trade_and_the_first_of_two_rows_counts() {
    let (marks, summary) =
        replay(format!("{HEADER}A,1000,1,1,x\nB,1000,1,1,x\nA,1000,1,1,x\nA,900,5,5,x\n"), 300).expect("a tape");

    assert_eq!((summary.rows, summary.repeats, summary.tickers), (4, 2, 2));
    assert_eq!(marks.lines().skip(1).collect::<Vec<_>>(), ["A,1000,1,1,1,1", "B,1000,1,1,1,1"]);
}

#[test]
fn rows_are_the_same_however_they_are_written_and_a_repeat_is_found_in_any_writing() {
    const HOUR: usize = 3_600;
    let (mut plain, mut mixed) = (HEADER.to_owned(), HEADER.to_owned());
    let mut rows = Vec::new();
    for number in 0..3 * HOUR {
        let ticker = ["BTC", "XRP/ETH", "1000SHIB/USDT:USDT"][number % 3];
        let (ts, id) = (1_000_000 + 100 * number as i64, (number * 7 % (2 * HOUR)).to_string());
        let (whole, cents, eighths) = (60_000 + number * 7 % 900, number * 31 % 100, 1 + number * 7_919 % 99_999_999);
        let (price, quantity) = (format!("{whole}.{cents:02}"), format!("{}.{eighths:08}", number % 3));
        let line = Row::line(ticker, ts, &quantity, &price, &id);
        mixed += &match number % 11 {
            0 => format!("\"{ticker}\",\"{ts}\",\"{quantity}\",\"{price}\",\"{id}\"\n"),
            1 => Row::line(ticker, ts, &quantity, &format!("{whole}{cents:02}E-2"), &id),
            2 => Row::line(ticker, ts, &format!("{quantity}0000000000"), &format!("{price}000"), &id),
            3 => line.replace('\n', "\r\n"),
            4 => Row::line(ticker, ts, &format!("+{quantity}"), &format!("0000{price}"), &id),
            5 => format!("{line}\n\r\n"),
            _ => line.clone(),
        };
        plain += &line;
        rows.push(Row::new(ticker, ts, &quantity, &price, &id));
    }

    let (marks, summary) = replay(&plain, 300).expect("a tape");
    assert!(summary.repeats > 0);
    assert_eq!(summary.rows - summary.repeats, oracle::distinct(&rows).len() as u64);
    assert_eq!(replay(mixed.trim_end(), 300).expect("a tape"), (marks, summary));
}
