//! The object that stands for a trade in the generic protocol.

use crate::field::{self, Parts};
use crate::plain::fields;
use crate::said::Decoded;

fields! {
    /// Each field as the text it has on the wire; `null` is as good as absent.
    struct WireTrade {
        ticker: "ticker",
        ts: "ts" as Whole,
        quantity: "quantity" as Decimal,
        price: "price" as Decimal,
        tradeid: "tradeid" | "tradeId",
    }
}

/// Reads one object. Fields of other names are ignored.
pub(super) fn decode(json: &str) -> Decoded {
    let mut wire = WireTrade::default();
    field::object_into(json, &mut wire)?;
    Parts {
        ticker: field::ticker("ticker", wire.ticker.as_ref()),
        traded_at: field::epoch_ms("ts", wire.ts.as_ref()),
        id: field::trade_id("tradeid", wire.tradeid.as_ref()),
        quantity: field::quantity("quantity", wire.quantity.as_ref()),
        price: field::price("price", wire.price.as_ref()),
    }
    .trade()
}

#[cfg(test)]
mod tests {
    use tape::{RejectionKind, Trade};

    use super::*;

    const GOOD: &str = r#"{"ticker":"BTC","ts":1684083600123,"quantity":0.5,"price":27000.12,"tradeid":"abc-1"}"#;

    fn printed(json: &str) -> String {
        match decode(json) {
            Ok(Trade { ticker, id, traded_at, price, quantity }) => {
                format!("{ticker} {id} {traded_at} {price} {quantity}")
            }
            Err(refusal) => refusal.rejection.kind().as_str().to_owned(),
        }
    }

    fn with(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from));
        printed(&GOOD.replace(from, to))
    }

    #[test]
    fn a_trade_reads_alike_whether_numbers_are_numbers_or_strings() {
        let expected = "BTC abc-1 1684083600123 27000.12 0.5";

        assert_eq!(printed(GOOD), expected);
        assert_eq!(with("27000.12", r#""27000.12""#), expected);
        assert_eq!(with("0.5", r#""5e-1""#), expected);
        assert_eq!(with("1684083600123", r#""1684083600123""#), expected);
        assert_eq!(with("1684083600123", "1684083600123.0"), expected);
        assert_eq!(with("tradeid", "tradeId"), expected);
        assert_eq!(with("abc", r"\u0061bc"), expected);
        assert_eq!(with("{", "\n\t {  "), expected);
    }

    #[test]
    fn digits_no_float_could_hold_survive() {
        assert_eq!(
            with("27000.12", "12345678901.123456789012345678"),
            "BTC abc-1 1684083600123 12345678901.123456789012345678 0.5"
        );
        assert_eq!(with("0.5", "2E-7"), "BTC abc-1 1684083600123 27000.12 0.0000002");
        assert_eq!(with("27000.12", "0.1"), "BTC abc-1 1684083600123 0.1 0.5");
    }

    #[test]
    fn an_id_may_be_an_integer_of_any_length_and_nothing_else_that_is_bare() {
        assert!(with(r#""abc-1""#, "9007199254740993").starts_with("BTC 9007199254740993 "));
        assert!(with(r#""abc-1""#, "99999999999999999999999999").starts_with("BTC 99999999999999999999999999 "));
        for bare in ["1.0", "1e3", "true", "{}", "[1]"] {
            assert_eq!(with(r#""abc-1""#, bare), "wrong_type", "{bare}");
        }
    }

    #[test]
    fn unknown_fields_are_ignored_whatever_they_hold() {
        assert!(
            with("{", r#"{"side":"buy","deep":[[{"ticker":"ETH","n":null}]],"big":1e999,"#).starts_with("BTC abc-1")
        );
    }

    #[test]
    fn each_mistake_has_its_kind() {
        let cases = [
            (r#""price":27000.12,"#, "", "wrong_type"),
            ("27000.12", "null", "wrong_type"),
            ("27000.12", "true", "wrong_type"),
            ("27000.12", r#""27,000""#, "wrong_type"),
            ("27000.12", r#""NaN""#, "wrong_type"),
            ("27000.12", r#""""#, "wrong_type"),
            ("27000.12", r#""1\u0000""#, "wrong_type"),
            ("27000.12", "[27000.12]", "wrong_type"),
            ("27000.12", "0", "not_positive"),
            ("0.5", "-0.5", "not_positive"),
            ("0.5", "1e-30", "not_exact"),
            ("0.5", "0.1234567890123456789", "not_exact"),
            (r#""abc-1""#, r#""""#, "no_trade_id"),
            (r#""abc-1""#, "null", "no_trade_id"),
            (r#","tradeid":"abc-1""#, "", "no_trade_id"),
            (r#""abc-1""#, r#""a\u0000b""#, "no_trade_id"),
            (r#""abc-1""#, r#""\ud800""#, "no_trade_id"),
            (r#""BTC""#, r#""""#, "bad_ticker"),
            (r#""BTC""#, r#""B T C""#, "bad_ticker"),
            (r#""BTC""#, r#""\u0000""#, "bad_ticker"),
            (r#""BTC""#, "7", "wrong_type"),
            (r#""ticker":"BTC","#, "", "wrong_type"),
            ("1684083600123", "1684083600123.5", "wrong_type"),
            ("1684083600123", r#""2023-05-14T17:00:00Z""#, "wrong_type"),
            ("1684083600123", "null", "wrong_type"),
        ];
        for (from, to, kind) in cases {
            assert_eq!(with(from, to), kind, "{from} as {to}");
        }
    }

    #[test]
    fn what_is_not_one_object_is_malformed() {
        let doubled = GOOD.replace("{", r#"{"price":1,"#);
        let both_names = GOOD.replace("{", r#"{"tradeId":"x","#);
        let two = format!("{GOOD}{GOOD}");
        let in_array = format!("[{GOOD}]");
        let torn = &GOOD[..40];
        let with_nul = GOOD.replace("BTC", "B\0TC");
        let deep = "[".repeat(100_000);
        let fields_in_order = r#"["BTC",1,2,3,"id"]"#;
        for frame in [
            &doubled,
            &both_names,
            &two,
            &in_array,
            torn,
            &with_nul,
            &deep,
            fields_in_order,
            "",
            "null",
            "{",
            "\u{feff}{}",
            "oops",
        ] {
            assert_eq!(printed(frame), RejectionKind::Malformed.as_str(), "{}", &frame[..frame.len().min(90)]);
        }
    }

    #[test]
    fn a_refused_trade_still_tells_whose_it_was_and_when() {
        let refusal = decode(&GOOD.replace("27000.12", "0")).expect_err("no price");

        assert_eq!(refusal.ticker.map(|ticker| ticker.to_string()).as_deref(), Some("BTC"));
        assert_eq!(refusal.traded_at.map(|at| at.ms()), Some(1_684_083_600_123));
    }
}
