//! The body of a REST answer, and the page made of it.

use market::Decoded;
use market::headers::MarketTime;
use market::rest::Request;
use market::said::KEPT_BYTES;
use serde_json::Value;
use tape::{EpochMs, Ticker};

use super::frame;

pub(super) const WORDS: &[&str] = &[
    r#"{"ticker":"BTC","ts":1500,"quantity":0.5,"price":27000.12,"tradeid":"abc-1"}"#,
    r#"{"ticker":"ETH","ts":999,"quantity":1,"price":"0","tradeid":7}"#,
    "[",
    "]",
    ",",
    "9500",
    "9501",
    "1000",
    "999",
    "null",
    "1e400",
];

const ASKED_FROM: i64 = 1_000;
const PRESENT: i64 = 9_000;
const LATEST: i64 = 9_500;
const PAGE_LIMIT: usize = 3;

pub(super) fn check(bytes: &[u8]) {
    let Ok(body) = str::from_utf8(bytes) else { return };
    let value = serde_json::from_str::<Value>(body);
    let rows = match (market::generic::decode_page(body), &value) {
        (Ok(rows), Ok(Value::Array(values))) => {
            assert_eq!(rows.len(), values.len(), "{body:?}");
            for (row, value) in rows.iter().zip(values) {
                assert_eq!(serde_json::from_str::<Value>(row.text).ok().as_ref(), Some(value), "{body:?}");
            }
            rows
        }
        (Err(_), Ok(Value::Array(_))) => panic!("{body:?} is an array and no page"),
        (Ok(_), Ok(_)) => panic!("{body:?} is no array and a page"),
        (Ok(rows), Err(_)) => rows,
        (Err(_), _) => return,
    };
    for row in &rows {
        frame::against_serde_json(row.text, &row.decoded);
    }
    let decoded: Vec<Decoded> = rows.iter().map(|row| row.decoded.clone()).collect();

    let ticker = Ticker::new("BTC").expect("a ticker");
    let market_time = MarketTime { present: EpochMs::new(PRESENT), latest: EpochMs::new(LATEST) };
    let question = Request { ticker: &ticker, ask_from: EpochMs::new(ASKED_FROM), page_limit: PAGE_LIMIT, market_time };
    let answer = question.answer(rows);

    let (accepted, rejected) = (answer.page.trades.len(), answer.rejected.len());
    assert_eq!(accepted + rejected + answer.rows_before, decoded.len(), "every row is counted once: {body:?}");
    assert_eq!(answer.page.is_full, decoded.len() >= PAGE_LIMIT);
    assert_eq!(answer.page.market_time, EpochMs::new(PRESENT));
    assert!(answer.rejected.iter().all(|(_, text)| text.len() <= KEPT_BYTES));

    let mut expected: Vec<_> = decoded.iter().flatten().cloned().collect();
    expected.retain(|trade| trade.ticker == ticker && (ASKED_FROM..=LATEST).contains(&trade.traded_at.ms()));
    expected.sort_by_key(|trade| trade.traded_at);
    assert_eq!(answer.page.trades, expected, "{body:?}");
    let reach = answer.page.latest_row_at.map(EpochMs::ms);
    assert!(reach.is_none_or(|reach| (ASKED_FROM..=LATEST).contains(&reach)), "{reach:?}: {body:?}");
    assert!(expected.last().map(|last| last.traded_at.ms()) <= reach, "{body:?}");
}
