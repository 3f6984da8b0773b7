//! What is wrong is named with its line, however far into the file it is.

use std::io::Write as _;

use replay::Limits;

use crate::stage::{HEADER, replay, replay_within, since_1970};

fn complaint(content: impl AsRef<[u8]>) -> String {
    replay(content, 300).expect_err("no tape")
}

#[test]
fn what_is_wrong_is_named_with_file_and_line() {
    for (rows, said) in [
        ("A,,1,1,x\n", "tape.csv:2: ts must be epoch milliseconds, not \"\""),
        ("A,1,1,1,x\nA,2,0,1,y\n", "tape.csv:3: quantity is not positive: 0"),
        ("A,1,1,1,x\r\n\r\nA,2,1,abc,y\r\n", "tape.csv:4: price has the wrong type: abc"),
        ("A,1,1,0.1234567890123456789,x\n", "tape.csv:2: price cannot be held exactly: 0.1234567890123456789"),
        ("A,1,1,1\n", "tape.csv:2: 4 fields where the header has 5"),
        ("A,1,1,1,x,\n", "tape.csv:2: 6 fields where the header has 5"),
        ("A,1,1,1,\n", "tape.csv:2: no usable trade id: \"\""),
        ("A B,1,1,1,x\n", "tape.csv:2: not a ticker: \"A B\""),
        ("A,1,1,1,\"x\n", "tape.csv:2: a quoted field does not end in this line"),
        ("A,1,1,1,x\nA,2,1,1,\"y\" \n", "tape.csv:3: a quoted field does not end in this line"),
        ("", "tape.csv: the tape has no trades"),
        ("\n\n", "tape.csv: the tape has no trades"),
    ] {
        assert_eq!(complaint(format!("{HEADER}{rows}")), said);
    }
    assert_eq!(complaint([HEADER.as_bytes(), b"A,1,1,1,x\nA,2,1,1,\xff\n"].concat()), "tape.csv:3: not UTF-8");
    let lacking = "tape.csv:1: no column named quantity; a tape needs ticker, ts, quantity, price and tradeid";
    assert_eq!(complaint("ticker,ts,price,tradeid\n"), lacking);
    assert!(complaint("").contains("no column named ticker"));
}

/// So many good rows, some megabytes.
fn good_rows(count: usize) -> String {
    (0..count).map(|row| format!("A,{},1,1,{row}\n", 1_000_000 + row)).collect()
}

#[test]
fn the_first_wrong_line_of_a_large_file_is_named_though_others_are_found_earlier() {
    let content = format!("{HEADER}{}A,1,1,x,y\n{}A,x,1,1,y\nA\n", good_rows(200_000), good_rows(100_000));

    assert_eq!(complaint(content), "tape.csv:200002: price has the wrong type: x");
}

#[test]
fn a_line_without_end_is_refused_before_it_fills_the_memory() {
    let endless = "7".repeat(8 << 20);
    let too_long = "longer than 65536 bytes, which no row of a tape is";

    assert_eq!(complaint(&endless), format!("tape.csv:1: {too_long}"));
    assert_eq!(
        complaint(format!("{HEADER}{}A,1,1,1,{endless}", good_rows(60_000))),
        format!("tape.csv:60002: {too_long}")
    );
}

#[test]
fn a_compressed_tape_that_breaks_off_is_refused() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(format!("{HEADER}{}", good_rows(100_000)).as_bytes()).expect("compresses");
    let whole = gzip.finish().expect("compresses");

    assert_eq!(complaint(&whole[..whole.len() - 12]), "could not read tape.csv");
}

#[test]
fn a_tape_that_would_take_too_much_memory_is_refused() {
    let tickers = Limits { tickers: 1, ..since_1970() };
    let seconds = Limits { seconds: 10, ..since_1970() };
    let rows: String = (1..=20).map(|second| format!("A,{second}000,1,1,{second}\n")).collect();

    let refused = replay_within(format!("{HEADER}A,1,1,1,x\nB,1,1,1,x\n"), 300, tickers).expect_err("too many");
    assert_eq!(refused, "tape.csv:3: more than 1 tickers; cut the tape into parts");
    let refused = replay_within(format!("{HEADER}{rows}"), 300, seconds).expect_err("too many");
    assert_eq!(refused, "tape.csv:21: more than 10 seconds with trades; cut the tape into parts");
}

#[test]
fn times_told_in_seconds_are_refused() {
    let content = format!("{HEADER}A,1700000000000,1,1,x\nB,1700000000,1,1,y\n");

    let refused = replay_within(&content, 300, Limits::default()).expect_err("a trade of 1970");

    let said = "tape.csv: B begins at 1700000000, which is in 1970; ts must be epoch milliseconds, and this looks like seconds";
    assert_eq!(refused, said);
    assert!(replay_within(content.replace("B,1700000000,", "B,1700000000000,"), 300, Limits::default()).is_ok());
}
