//! Asking a market that answers, with all kinds of rows.

use market::Answer;
use tape::{EpochMs, RejectionKind, TradeId, Watermark};

use crate::scripted_rest::{Asking, btc, reply, rows, through};
use crate::{soon, stopped_clock, wire_trade};

/// Our time in these tests; the allowed skew is a second.
const NOW: i64 = 1_684_065_600_000;

async fn asking() -> Asking {
    Asking::start(stopped_clock(NOW), |_| {}).await
}

/// The page after `watermark` when the market answers with `bytes`.
async fn page(watermark: &Watermark, bytes: String) -> Answer {
    let (asking, ticker) = (asking().await, btc());
    let (page, _) = soon(async { tokio::join!(asking.client.page(&ticker, watermark), asking.answer(bytes)) }).await;
    page.expect("a page")
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.page.trades.iter().map(|trade| trade.id.as_str()).collect()
}

fn kinds(answer: &Answer) -> Vec<RejectionKind> {
    answer.rejected.iter().map(|(rejection, _)| rejection.kind()).collect()
}

#[tokio::test]
async fn the_question_names_the_ticker_the_moment_and_the_last_id_if_there_is_one() {
    let asking = asking().await;
    let within = Watermark::Within { at: EpochMs::new(1_000), last: TradeId::new("a-7").expect("id") };
    let (ticker, watermark) = (btc(), through(999));

    let (_, head) =
        soon(async { tokio::join!(asking.client.page(&ticker, &watermark), asking.answer(rows(&[]))) }).await;
    assert!(head.starts_with("GET /trades?ticker=BTC&startTime=1000 HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("user-agent: truetape/"), "{head}");
    assert!(!head.contains("content-length"), "a question has no body: {head}");

    let (_, head) = soon(async { tokio::join!(asking.client.page(&ticker, &within), asking.answer(rows(&[]))) }).await;
    assert!(head.starts_with("GET /trades?ticker=BTC&startTime=1000&afterId=a-7 HTTP/1.1\r\n"), "{head}");
}

#[tokio::test]
async fn good_rows_are_kept_whatever_stands_between_them() {
    let bad_rows = [
        r#"{"ticker":"BTC","ts":2,"quantity":true,"price":1,"tradeid":"x"}"#,
        r#"{"ticker":"BTC","ts":2,"quantity":1,"price":0,"tradeid":"x"}"#,
        r#"{"ticker":"BTC","ts":2,"quantity":1,"price":1,"tradeid":""}"#,
        r#"{"ticker":"B C","ts":2,"quantity":1,"price":1,"tradeid":"x"}"#,
        r#"{"ticker":"BTC","ts":2,"quantity":1e-40,"price":1,"tradeid":"x"}"#,
        r#"{"ticker":"ETH","ts":2,"quantity":1,"price":1,"tradeid":"x"}"#,
        r#"["BTC",2,1,1,"x"]"#,
        "null",
        "7",
    ];
    let mut all = vec![wire_trade("first", 1)];
    all.extend(bad_rows.map(str::to_owned));
    all.push(wire_trade("last", 3));

    let answer = page(&through(0), rows(&all)).await;

    assert_eq!(ids(&answer), ["first", "last"]);
    use RejectionKind::{BadTicker, Malformed, NoTradeId, NotExact, NotPositive, WrongType};
    let expected = [WrongType, NotPositive, NoTradeId, BadTicker, NotExact, Malformed, Malformed, Malformed, Malformed];
    assert_eq!(kinds(&answer), expected);
    let texts: Vec<_> = answer.rejected.iter().map(|(_, row)| row.as_str()).collect();
    assert_eq!(texts, bad_rows);
    assert!(!answer.page.is_full);
}

#[tokio::test]
async fn ids_may_be_numbers_and_digits_survive() {
    let row = r#"{"tradeId":9007199254740993,"price":"0.123456789012345678","quantity":1000000000000,"ts":"5","ticker":"BTC"}"#;

    let answer = page(&through(0), rows(&[row.to_owned()])).await;

    let trade = &answer.page.trades[0];
    assert_eq!(trade.id.as_str(), "9007199254740993");
    assert_eq!(
        (trade.price.to_string(), trade.quantity.to_string()),
        ("0.123456789012345678".into(), "1000000000000".into())
    );
}

#[tokio::test]
async fn unsorted_rows_are_sorted_and_doubled_ones_left_for_the_reconciliation() {
    let unsorted = [wire_trade("c", 3), wire_trade("a", 1), wire_trade("b", 2), wire_trade("a", 1)];

    let answer = page(&through(0), rows(&unsorted)).await;

    assert_eq!(ids(&answer), ["a", "a", "b", "c"]);
    assert_eq!(answer.page.latest_row_at, Some(EpochMs::new(3)));
}

#[tokio::test]
async fn a_hundred_rows_are_a_full_page_and_ninety_nine_are_not() {
    for count in [99, 100, 101] {
        let many: Vec<_> = (0..count).map(|index| wire_trade(&index.to_string(), 1)).collect();

        let answer = page(&through(0), rows(&many)).await;

        assert_eq!(answer.page.trades.len(), count);
        assert_eq!(answer.page.is_full, 100 <= count);
    }
}

#[tokio::test]
async fn a_market_that_ignores_the_moment_asked_for_brings_nothing_old_back() {
    let answer = page(&through(2), rows(&[wire_trade("a", 1), wire_trade("b", 2), wire_trade("c", 3)])).await;

    assert_eq!(ids(&answer), ["c"]);
    assert_eq!(answer.rows_before, 2);
}

#[tokio::test]
async fn an_empty_array_is_an_empty_page() {
    let answer = page(&through(0), reply("200 OK", "", " [ ] \n")).await;

    assert!(answer.page.trades.is_empty() && !answer.page.is_full);
    assert_eq!(answer.page.latest_row_at, None);
}

#[tokio::test]
async fn the_markets_present_is_its_own_word_then_the_date_then_our_clock_less_the_skew() {
    let told = NOW - 123;
    let date = "Date: Sun, 14 May 2023 11:59:58 GMT\n";

    let own_word = page(&through(0), reply("200 OK", &format!("{date}X-Market-Time: {told}\n"), "[]")).await;
    let dated = page(&through(0), reply("200 OK", date, "[]")).await;
    let clockless = page(&through(0), reply("200 OK", "", "[]")).await;

    assert_eq!(own_word.page.market_time.ms(), told);
    assert_eq!(dated.page.market_time.ms(), NOW - 2_000);
    assert_eq!(clockless.page.market_time.ms(), NOW - 1_000);
}

#[tokio::test]
async fn rows_from_the_future_are_refused_and_move_nothing() {
    let present = format!("X-Market-Time: {}\n", NOW - 5_000);
    let body = format!("[{},{}]", wire_trade("a", NOW - 4_000), wire_trade("b", NOW - 3_999));

    let answer = page(&through(0), reply("200 OK", &present, &body)).await;

    assert_eq!(ids(&answer), ["a"]);
    assert_eq!(kinds(&answer), [RejectionKind::Future]);
    assert_eq!(answer.page.latest_row_at, Some(EpochMs::new(NOW - 4_000)));
}

#[tokio::test]
async fn an_answer_in_pieces_and_without_a_length_is_read_to_its_end() {
    let row = wire_trade("a", 1);
    let (one, two) = row.split_at(30);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n1\r\n]\r\n0\r\n\r\n",
        one.len(),
        two.len(),
    );

    assert_eq!(ids(&page(&through(0), chunked).await), ["a"]);
    assert_eq!(ids(&page(&through(0), format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n[{row}]")).await), ["a"]);
}
