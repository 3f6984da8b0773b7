//! Whatever is spoiled in a message, it is refused or gives nothing; nothing panics.

use market::reading::Reads;
use market::{Decoded, Market, Notice};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{conversation, decode, market, ticker};

/// A good message of one exchange and where its fields stand.
struct Good {
    exchange: &'static str,
    ticker: &'static str,
    frame: &'static str,
    page: &'static str,
    /// Places that hold the same field are spoiled together.
    in_frame: [&'static [&'static str]; 5],
    /// Without the symbol, which no page needs.
    in_page: [&'static [&'static str]; 4],
}

/// The fields, in the order of [`Good`].
#[derive(Clone, Copy, PartialEq, Debug)]
enum Field {
    Id,
    Price,
    Quantity,
    Time,
    Symbol,
}

const FIELDS: [Field; 5] = [Field::Id, Field::Price, Field::Quantity, Field::Time, Field::Symbol];

const ALL: [Good; 6] = [
    Good {
        exchange: "binance",
        ticker: "BTC/USDT",
        frame: r#"{"e":"trade","E":1700000000123,"s":"BTCUSDT","t":12345,"p":"0.5","q":"100","T":1700000000123,"m":true}"#,
        page: r#"[{"id":7,"price":"0.5","qty":"2","quoteQty":"1","time":1700000000123,"isBuyerMaker":true}]"#,
        in_frame: [&["/t"], &["/p"], &["/q"], &["/T"], &["/s"]],
        in_page: [&["/0/id"], &["/0/price"], &["/0/qty"], &["/0/time"]],
    },
    Good {
        exchange: "bybit",
        ticker: "BTC/USDT",
        frame: r#"{"topic":"publicTrade.BTCUSDT","ts":1,"type":"snapshot","data":[{"T":1700000000123,"s":"BTCUSDT","S":"Buy","v":"2","p":"0.5","i":"2290000001189048101"}]}"#,
        page: r#"{"retCode":0,"result":{"list":[{"execId":"2290000001189048101","symbol":"BTCUSDT","price":"0.5","size":"2","time":"1700000000123"}]}}"#,
        in_frame: [&["/data/0/i"], &["/data/0/p"], &["/data/0/v"], &["/data/0/T"], &["/data/0/s"]],
        in_page: [
            &["/result/list/0/execId"],
            &["/result/list/0/price"],
            &["/result/list/0/size"],
            &["/result/list/0/time"],
        ],
    },
    Good {
        exchange: "coinbase",
        ticker: "BTC/USD",
        frame: r#"{"type":"match","trade_id":10,"time":"2023-11-14T22:13:20.123456Z","product_id":"BTC-USD","size":"5.2","price":"400.23","side":"sell"}"#,
        page: r#"[{"trade_id":"74","side":"buy","size":"0.01","price":"10.0","time":"2023-11-14T22:13:20Z"}]"#,
        in_frame: [&["/trade_id"], &["/price"], &["/size"], &["/time"], &["/product_id"]],
        in_page: [&["/0/trade_id"], &["/0/price"], &["/0/size"], &["/0/time"]],
    },
    Good {
        exchange: "kraken",
        ticker: "BTC/USD",
        frame: r#"{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":109601.2,"qty":0.04561994,"ord_type":"market","trade_id":83449369,"timestamp":"2025-05-27T11:24:03.847761Z"}]}"#,
        page: r#"{"error":[],"result":{"XXBTZUSD":[["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952]],"last":"1688669597827736900"}}"#,
        in_frame: [
            &["/data/0/trade_id"],
            &["/data/0/price"],
            &["/data/0/qty"],
            &["/data/0/timestamp"],
            &["/data/0/symbol"],
        ],
        in_page: [
            &["/result/XXBTZUSD/0/6"],
            &["/result/XXBTZUSD/0/0"],
            &["/result/XXBTZUSD/0/1"],
            &["/result/XXBTZUSD/0/2"],
        ],
    },
    Good {
        exchange: "okx",
        ticker: "BTC/USDT",
        frame: r#"{"arg":{"channel":"trades-all","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","tradeId":"130639474","px":"42219.9","sz":"0.12060306","side":"buy","ts":"1700000000123"}]}"#,
        page: r#"{"code":"0","msg":"","data":[{"instId":"BTC-USDT","side":"sell","sz":"0.00001","px":"29963.2","tradeId":"242720720","ts":"1700000000123"}]}"#,
        in_frame: [&["/data/0/tradeId"], &["/data/0/px"], &["/data/0/sz"], &["/data/0/ts"], &["/data/0/instId"]],
        in_page: [&["/data/0/tradeId"], &["/data/0/px"], &["/data/0/sz"], &["/data/0/ts"]],
    },
    Good {
        exchange: "bitstamp",
        ticker: "BTC/USD",
        frame: r#"{"channel":"live_trades_btcusd","data":{"amount":1e-08,"amount_str":"1E-8","id":158457579,"microtimestamp":"1700000000123000","price":57748.8,"price_str":"57748.80","timestamp":"1700000000","type":0},"event":"trade"}"#,
        page: r#"[{"date":"1700000000","tid":"90574283","price":"8194.79","type":"1","amount":"0.00288599"}]"#,
        in_frame: [
            &["/data/id"],
            &["/data/price", "/data/price_str"],
            &["/data/amount", "/data/amount_str"],
            &["/data/microtimestamp"],
            &["/channel"],
        ],
        in_page: [&["/0/tid"], &["/0/price"], &["/0/amount"], &["/0/date"]],
    },
];

/// What may stand where a field should; none is its absence.
fn spoils(field: Field) -> Vec<Option<Value>> {
    let mut spoils = vec![None];
    spoils.extend(
        [
            json!(null),
            json!(true),
            json!({}),
            json!([]),
            json!([1]),
            json!(""),
            json!("abc"),
            json!("\u{0}"),
            json!(" 1"),
        ]
        .map(Some),
    );
    match field {
        Field::Price | Field::Quantity => {
            let numbers = [
                json!(0),
                json!("0"),
                json!("0.000"),
                json!(-1),
                json!("-1"),
                json!("1,5"),
                json!("1e-40"),
                json!("1e40"),
            ];
            spoils.extend(numbers.map(Some));
            spoils.extend(
                [json!("0.1234567890123456789"), json!("12345678901234567890"), json!("NaN"), json!("0x10")].map(Some),
            );
        }
        Field::Id => spoils.extend(
            [json!(1.5), json!(-1), json!("-1"), json!("1.5"), json!("+5"), json!("007"), json!("20f43950-d8dd")]
                .map(Some),
        ),
        Field::Time => {
            spoils.extend(
                [json!("1.5e"), json!("soon"), json!("2023-11-14"), json!("2023-13-14T22:13:20Z"), json!(0.25)]
                    .map(Some),
            );
        }
        Field::Symbol => {
            spoils.extend([json!("DOGE"), json!("BTC"), json!(1), json!("live_trades_"), json!("BTC USD")].map(Some))
        }
    }
    spoils
}

/// The message with something else, or nothing, in these places.
fn spoiled(message: &str, places: &[&str], spoil: Option<&Value>) -> String {
    let mut message: Value = serde_json::from_str(message).expect("JSON");
    for place in places {
        if let Some(value) = spoil {
            *message.pointer_mut(place).expect(place) = value.clone();
            continue;
        }
        let (parent, key) = place.rsplit_once('/').expect("a pointer");
        match message.pointer_mut(parent).expect(parent) {
            Value::Object(fields) => drop(fields.remove(key).expect(key)),
            Value::Array(items) => {
                items.remove(key.parse::<usize>().expect("an index"));
            }
            other => panic!("{other} holds no fields"),
        }
    }
    message.to_string()
}

fn hear(good: &Good, frame: &str) -> (Vec<Decoded>, Notice) {
    let market = market(good.exchange);
    decode(market, &mut conversation(market, &[good.ticker]), frame)
}

/// The rows of a page, or none where it is none.
fn page(good: &Good, body: &str) -> Option<Vec<(Option<u64>, Decoded)>> {
    let (market, ticker): (Market, _) = (market(good.exchange), ticker(good.ticker));
    let rows = match market.adapter().reads() {
        Reads::ById(by_id) => by_id.rows(body, &ticker),
        Reads::ByOverlap(by_overlap) => by_overlap.rows(body, &ticker),
        Reads::ByTime(_) => panic!("no exchange is read by time"),
    };
    Some(rows.ok()?.into_iter().map(|numbered| (numbered.id, numbered.row.decoded)).collect())
}

#[test]
fn what_is_not_spoiled_is_a_trade() {
    for good in &ALL {
        let (heard, notice) = hear(good, good.frame);
        assert!(heard.len() == 1 && heard[0].is_ok() && notice == Notice::None, "{}: {heard:?}", good.exchange);
        let page = page(good, good.page).expect("a page");
        assert!(page.len() == 1 && page[0].1.is_ok() && page[0].0.is_some(), "{}: {page:?}", good.exchange);
    }
}

#[test]
fn a_frame_with_any_field_spoiled_is_refused() {
    for good in &ALL {
        for (field, places) in FIELDS.into_iter().zip(good.in_frame) {
            for spoil in spoils(field) {
                let frame = spoiled(good.frame, places, spoil.as_ref());
                let (heard, notice) = hear(good, &frame);
                assert_eq!(notice, Notice::None, "{frame}");
                assert!(heard.len() == 1 && heard[0].is_err(), "{}, {field:?}: {heard:?} of {frame}", good.exchange);
            }
        }
    }
}

#[test]
fn a_row_with_any_field_spoiled_is_refused_and_one_without_an_id_has_no_number() {
    for good in &ALL {
        for (field, places) in FIELDS.into_iter().zip(good.in_page) {
            for spoil in spoils(field) {
                let body = spoiled(good.page, places, spoil.as_ref());
                let Some(rows) = page(good, &body) else { panic!("{}: no page: {body}", good.exchange) };
                assert!(rows.len() == 1 && rows[0].1.is_err(), "{}, {field:?}: {rows:?} of {body}", good.exchange);
                assert!(field != Field::Id || rows[0].0.is_none(), "{}: {rows:?} of {body}", good.exchange);
            }
        }
    }
}

#[test]
fn a_message_cut_anywhere_or_in_a_list_is_refused() {
    for good in &ALL {
        for end in 0..good.frame.len() {
            let (heard, _) = hear(good, &good.frame[..end]);
            assert!(heard.len() == 1 && heard[0].is_err(), "{}: {heard:?} of {}", good.exchange, &good.frame[..end]);
        }
        for end in 0..good.page.len() {
            assert!(page(good, &good.page[..end]).is_none(), "{}: {}", good.exchange, &good.page[..end]);
        }
        for frame in [format!("[{}]", good.frame), "[]".to_owned(), "7".to_owned(), "null".to_owned(), String::new()] {
            let (heard, _) = hear(good, &frame);
            assert!(heard.len() == 1 && heard[0].is_err(), "{}: {heard:?} of {frame}", good.exchange);
        }
        for body in ["{}", "null", "7", "\"\"", "<html>", r#"{"data":{}}"#] {
            assert!(page(good, body).is_none(), "{}: {body}", good.exchange);
        }
    }
}

#[test]
fn rows_that_are_no_rows_are_refused_and_the_others_are_read() {
    for good in &ALL {
        let row_at = good.in_page[0][0].rsplit_once('/').expect("a pointer").0;
        let list_at = row_at.rsplit_once('/').expect("a pointer").0;
        let mut body: Value = serde_json::from_str(good.page).expect("JSON");
        let list = body.pointer_mut(list_at).and_then(Value::as_array_mut).expect("a list");
        list.extend([json!(null), json!(7), json!("x"), json!([]), json!({})]);

        let rows = page(good, &body.to_string()).expect("a page");

        let are_read: Vec<bool> = rows.iter().map(|(_, decoded)| decoded.is_ok()).collect();
        assert_eq!(are_read, [true, false, false, false, false, false], "{}", good.exchange);
    }
}

#[test]
fn years_before_all_markets_are_refused_as_too_old() {
    for good in ALL.iter().filter(|good| ["coinbase", "kraken"].contains(&good.exchange)) {
        let frame = spoiled(good.frame, good.in_frame[3], Some(&json!("0001-01-01T00:00:00.000000Z")));
        let (heard, _) = hear(good, &frame);
        let refusal = heard[0].as_ref().expect_err("refused");
        assert_eq!(refusal.rejection.kind(), tape::RejectionKind::TooOld, "{refusal:?}");
    }
}

#[test]
fn the_first_push_of_each_instrument_of_okx_is_of_the_past() {
    let good = &ALL[4];
    let market = market(good.exchange);
    let symbols = conversation(market, &["BTC/USDT", "ETH/USDT"]).symbols;
    let mut conversation = market::Conversation::about(symbols);
    let other = good.frame.replace("BTC-USDT", "ETH-USDT");

    let heard: Vec<usize> = [good.frame, good.frame, &other, good.frame, &other]
        .map(|frame| decode(market, &mut conversation, frame).0.len())
        .to_vec();

    assert_eq!(heard, [0, 1, 0, 1, 1]);
    let unknown = good.frame.replace("BTC-USDT", "XYZ-USDT");
    assert!(decode(market, &mut conversation, &unknown).0[0].is_err());
    assert_eq!(conversation.greeted.len(), 2, "a lying market does not make it grow");
}

#[test]
fn of_the_twins_of_bitstamp_the_text_is_read() {
    let frame = ALL[5].frame.replace("57748.80", "57748.800000000000000001").replace("1E-8", "1.000000001E-8");

    let (heard, _) = hear(&ALL[5], &frame);

    let trade = heard[0].as_ref().expect("a trade");
    assert_eq!(
        (trade.price.to_string(), trade.quantity.to_string()),
        ("57748.800000000000000001".into(), "0.00000001000000001".into())
    );
}

#[test]
fn okx_says_that_it_wants_a_login() {
    let error = r#"{"event":"error","code":"60011","msg":"Please log in","connId":"a"}"#;
    let (_, notice) = hear(&ALL[4], error);

    assert!(
        matches!(&notice, Notice::Refused(words) if words.contains("60011") && words.contains("login")),
        "{notice:?}"
    );
}

proptest! {
    #[test]
    fn a_message_with_any_byte_changed_never_panics(which in 0usize..6, at in 0usize..400, byte in any::<u8>()) {
        let good = &ALL[which];
        for message in [good.frame, good.page] {
            let mut bytes = message.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let text = String::from_utf8_lossy(&bytes);
            hear(good, &text);
            page(good, &text);
            market(good.exchange).adapter().trouble(200, &text);
        }
    }

    #[test]
    fn no_text_panics(which in 0usize..6, text in "\\PC{0,60}") {
        let good = &ALL[which];
        hear(good, &text);
        page(good, &text);
        market(good.exchange).adapter().trouble(503, &text);
    }
}
