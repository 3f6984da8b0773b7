//! Laws of decoding: nothing panics, no digit is lost, and what was written is read.

use market::{Conversation, Decoded, Market};
use proptest::prelude::*;
use tape::Trade;

fn decode(frame: &str) -> Decoded {
    let mut all = Vec::new();
    let generic = Market::GENERIC.adapter();
    generic.decode(frame, &mut Conversation::default(), &mut |decoded| all.push(decoded));
    assert_eq!(all.len(), 1, "one frame is one trade or one refusal");
    all.remove(0)
}

/// A trade as any correct writer of the protocol may print it.
fn print(trade: &Trade, numbers_as_strings: bool, id_name: &str) -> String {
    let Trade { ticker, id, traded_at, price, quantity } = trade;
    let quote = if numbers_as_strings { "\"" } else { "" };
    let id = serde_json::to_string(id.as_str()).expect("a string");
    format!(
        r#"{{"{id_name}":{id},"price":{quote}{price}{quote},"quantity":{quote}{quantity}{quote},"ts":{quote}{traded_at}{quote},"ticker":"{ticker}"}}"#
    )
}

/// A positive decimal text that fits, without closing zeros.
fn decimal(most_whole_digits: usize) -> impl Strategy<Value = String> {
    let whole = prop::string::string_regex(&format!("[1-9][0-9]{{0,{}}}", most_whole_digits - 1)).expect("a pattern");
    (whole, "([0-9]{0,13}[1-9])?").prop_map(|(whole, fraction)| match fraction.as_str() {
        "" => whole,
        _ => format!("{whole}.{fraction}"),
    })
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(frame in "\\PC{0,200}") {
        let _ = decode(&frame);
        let _ = market::generic::decode_page(&frame);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let frame = String::from_utf8_lossy(&bytes);
        let _ = decode(&frame);
        let _ = market::generic::decode_page(&frame);
    }

    #[test]
    fn a_frame_with_a_byte_changed_or_cut_never_panics(position in 0usize..90, byte in 0u8..128, cut: bool) {
        let mut frame = br#"{"ticker":"BTC","ts":1684083600123,"quantity":0.5,"price":"27000.12","tradeid":"a\u0062c"}"#.to_vec();
        let position = position.min(frame.len() - 1);
        frame[position] = byte;
        if cut {
            frame.truncate(position);
        }
        let _ = decode(str::from_utf8(&frame).expect("ascii"));
    }

    #[test]
    fn any_json_in_any_field_is_a_trade_or_a_refusal(
        field in prop::sample::select(vec!["ticker", "ts", "quantity", "price", "tradeid"]),
        value in prop::sample::select(vec!["null", "true", "[]", "{}", "\"\"", "\"\\u0000\"", "-0", "1e999999999", "0.0", "[[[[", "\"\\ud800\"", "NaN", "1E+2"]),
    ) {
        let fields = ["ticker", "ts", "quantity", "price", "tradeid"];
        let pairs = fields.map(|name| format!("\"{name}\":{}", if name == field { value } else { "\"1\"" }));
        let _ = decode(&format!("{{{}}}", pairs.join(",")));
    }

    #[test]
    fn digits_survive_exactly_as_numbers_and_as_strings(price in decimal(14), quantity in decimal(14), as_strings: bool) {
        let quote = if as_strings { "\"" } else { "" };
        let frame = format!(r#"{{"ticker":"BTC","ts":1,"quantity":{quote}{quantity}{quote},"price":{quote}{price}{quote},"tradeid":1}}"#);
        let trade = decode(&frame).expect("a trade");
        prop_assert_eq!(trade.price.to_string(), price);
        prop_assert_eq!(trade.quantity.to_string(), quantity);
    }

    #[test]
    fn what_was_printed_is_read_back(
        ticker in "[A-Za-z0-9/_.:-]{1,32}",
        id in "[!-~]{1,64}",
        ts in 0i64..4_000_000_000_000,
        price in decimal(14),
        quantity in decimal(14),
        numbers_as_strings: bool,
        id_name in prop::sample::select(vec!["tradeid", "tradeId"]),
    ) {
        let trade = Trade {
            ticker: tape::Ticker::new(&ticker).expect("ticker"),
            id: tape::TradeId::new(&id).expect("id"),
            traded_at: tape::EpochMs::new(ts),
            price: tape::Price::parse(&price).expect("price"),
            quantity: tape::Quantity::parse(&quantity).expect("quantity"),
        };
        let printed = print(&trade, numbers_as_strings, id_name);
        prop_assert_eq!(decode(&printed), Ok(trade.clone()));
        let page = format!("[{printed}]");
        let rows = market::generic::decode_page(&page).expect("a page");
        prop_assert_eq!(&rows[0].decoded, &Ok(trade));
        prop_assert_eq!(rows[0].text, printed.as_str());
    }
}
