//! Recorded tapes: the bytes of a file, plain or compressed.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;

use tape::RejectionKind;
use venue::TrueTrade;
use venue::tape_file::TapeFile;

use super::decimal;
use crate::oracle::name;
use crate::oracle::number::Number;

pub(super) const WORDS: &[&str] = &[
    "ticker,ts,quantity,price,tradeid\n",
    "BTC,1684083600123,0.5,27000.12,abc-1\n",
    ",",
    "\n",
    "\r\n",
    "\"",
    "2E-7",
    "\u{feff}",
    "0",
];

pub(super) fn check(bytes: &[u8]) {
    let tape = match read(bytes) {
        Ok(tape) => tape,
        Err(why) => {
            assert!(why.len() < 2_000, "{why}");
            assert!(expected(bytes).is_none(), "{:?} is a tape and refused: {why}", String::from_utf8_lossy(bytes));
            return;
        }
    };
    assert_eq!(tape.rows, tape.trades.len() as u64 + tape.repeats);
    assert!(tape.trades.is_sorted_by_key(|trade| trade.traded_at));
    let ids: HashSet<_> = tape.trades.iter().map(|trade| (&trade.ticker, &trade.id)).collect();
    assert_eq!(ids.len(), tape.trades.len(), "an id occurs twice");
    let told = fields(&tape.trades);
    if let Some(expected) = expected(bytes) {
        assert_eq!((tape.rows, &told), (expected.0, &expected.1));
    }
    for trade in &tape.trades {
        for text in [trade.price(), trade.quantity()] {
            assert!(serde_json::from_str::<serde_json::Number>(text).is_ok(), "{text:?} is no JSON number");
        }
        assert!(serde_json::from_str::<serde_json::Value>(&trade.json()).is_ok(), "{}", trade.json());
    }

    let written = write(&tape.trades);
    let again = [written.clone(), gzip(&written), zstd::encode_all(&written[..], 1).expect("compresses")];
    for bytes in again {
        let tape = read(&bytes).expect("what was read can be written and read again");
        assert_eq!(fields(&tape.trades), told);
    }
}

fn read(bytes: &[u8]) -> Result<TapeFile, String> {
    TapeFile::read_bytes(bytes, Path::new("some.csv")).map_err(|error| error.to_string())
}

/// A trade as it is compared: ticker, time, quantity, price, id.
type Fields = (String, i64, Number, Number, String);

fn fields(trades: &[TrueTrade]) -> Vec<Fields> {
    let number = |text: &str| Number::read(text).expect("it was accepted");
    let fields = |trade: &TrueTrade| {
        let (quantity, price) = (number(trade.quantity()), number(trade.price()));
        (trade.ticker.to_string(), trade.traded_at.ms(), quantity, price, trade.id.to_string())
    };
    trades.iter().map(fields).collect()
}

/// How many rows a file has and its distinct trades by time, when it is plain
/// and simple: no quotes, nothing compressed.
fn expected(bytes: &[u8]) -> Option<(u64, Vec<Fields>)> {
    let text = str::from_utf8(bytes).ok().filter(|text| !text.contains('"'))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.split(['\n', '\r']).filter(|line| !line.is_empty()).map(|line| line.split(',').collect());
    let header: Vec<&str> = lines.next()?;
    let column = |name: &str| header.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
    let columns = [column("ticker")?, column("ts")?, column("quantity")?, column("price")?, column("tradeid")?];
    let (mut rows, mut known, mut trades) = (0, HashSet::new(), Vec::new());
    for line in lines {
        let line: Vec<&str> = line;
        if line.len() != header.len() {
            return None;
        }
        rows += 1;
        let [ticker, ts, quantity, price, id] = columns.map(|column| line[column]);
        let ts: i64 = ts.parse().ok().filter(|ms| (1..tape::EpochMs::MAX.ms()).contains(ms))?;
        let (quantity, price) = (Number::read(quantity)?, Number::read(price)?);
        let held = |number: &Number, power| -> Result<_, RejectionKind> { decimal::expected(Some(number), power) };
        let is_trade = name::is_ticker(ticker) && name::is_trade_id(id);
        if !is_trade || held(&quantity, 16).is_err() || held(&price, 14).is_err() {
            return None;
        }
        if known.insert((ticker, id)) {
            trades.push((ticker.to_owned(), ts, quantity, price, id.to_owned()));
        }
    }
    trades.sort_by_key(|trade| trade.1);
    (rows > 0).then_some((rows, trades))
}

/// The trades as a file of ours; every field in quotes, as an id may hold anything that prints.
fn write(trades: &[TrueTrade]) -> Vec<u8> {
    let mut text = String::from("ticker,ts,quantity,price,tradeid\n");
    for trade in trades {
        let id = trade.id.as_str().replace('"', "\"\"");
        let (ts, quantity, price) = (trade.traded_at, trade.quantity(), trade.price());
        text.push_str(&format!("{},{ts},{quantity},{price},\"{id}\"\n", trade.ticker));
    }
    text.into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).and_then(|()| gzip.finish()).expect("memory takes everything")
}
