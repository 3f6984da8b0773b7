//! What must come out, by a plain scan per mark in big integers. It shares
//! nothing with `tape`: it has its own idea of decimals, windows and rounding.

use std::collections::{BTreeMap, HashSet};

use num_bigint::BigInt;

/// One row in units of 10^-18.
#[derive(Debug, Clone)]
pub struct Row {
    pub ticker: String,
    pub ts: i64,
    pub quantity: BigInt,
    pub price: BigInt,
    pub id: String,
}

impl Row {
    pub fn new(ticker: &str, ts: i64, quantity: &str, price: &str, id: &str) -> Self {
        let (ticker, id) = (ticker.to_owned(), id.to_owned());
        Self { ticker, ts, quantity: units(quantity), price: units(price), id }
    }

    /// The row as it stands in a file with the usual columns.
    pub fn line(ticker: &str, ts: i64, quantity: &str, price: &str, id: &str) -> String {
        format!("{ticker},{ts},{quantity},{price},{id}\n")
    }
}

fn units(text: &str) -> BigInt {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{fraction:0<18}").parse().expect("digits")
}

/// The trades that count: the first of each ticker and id.
pub fn distinct(rows: &[Row]) -> Vec<Row> {
    let mut seen = HashSet::new();
    rows.iter().filter(|row| seen.insert((&row.ticker, &row.id))).cloned().collect()
}

/// All lines that must be written, header included.
pub fn marks(rows: &[Row], seconds: i64) -> String {
    let rows = distinct(rows);
    let mark = |row: &Row| row.ts.div_euclid(1_000) + i64::from(row.ts.rem_euclid(1_000) != 0);
    let last = rows.iter().map(mark).max().expect("a row");
    let mut tickers: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        tickers.entry(&row.ticker).or_default().push(row);
    }
    let mut text = String::from("ticker,ts,price,volume,notional,trades\n");
    for (ticker, rows) in tickers {
        let first = rows.iter().map(|row| mark(row)).min().expect("a row");
        for at in first..=last {
            text.push_str(&line(ticker, at, &rows, seconds));
        }
    }
    text
}

/// The line of one mark.
pub fn line(ticker: &str, mark: i64, rows: &[&Row], seconds: i64) -> String {
    let closes_at = mark * 1_000;
    let inside = rows.iter().filter(|row| closes_at - seconds * 1_000 < row.ts && row.ts <= closes_at);
    let (mut trades, mut volume, mut notional) = (0, BigInt::ZERO, BigInt::ZERO);
    for row in inside {
        trades += 1;
        volume += &row.quantity;
        notional += &row.quantity * &row.price;
    }
    let price = if trades == 0 { String::new() } else { decimal(&quotient(&notional, &volume), 24) };
    format!("{ticker},{closes_at},{price},{},{},{trades}\n", decimal(&volume, 18), decimal(&notional, 36))
}

/// In 10^-24, half to even.
fn quotient(notional: &BigInt, volume: &BigInt) -> BigInt {
    let dividend = notional * BigInt::from(1_000_000);
    let (floor, twice) = (&dividend / volume, (&dividend % volume) * 2);
    let is_odd = &floor % 2 == BigInt::from(1);
    if &twice > volume || (&twice == volume && is_odd) { floor + 1 } else { floor }
}

fn decimal(units: &BigInt, scale: usize) -> String {
    let digits = format!("{:0>width$}", units.to_string(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let text = format!("{whole}.{fraction}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
