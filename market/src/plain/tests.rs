use proptest::prelude::*;

use super::*;
use crate::field;
use crate::raw::Read;

fields! {
    #[derive(Debug)]
    struct Inner {
        price: "price",
        id: "id" | "ID",
    }
}

fields! {
    #[derive(Debug)]
    struct Outer {
        kind: "type",
        rows: "rows" as Objects,
        ts: "ts",
    }
}

fields! {
    struct Numbers {
        price: "price" as Decimal,
        _: "side",
        _: "maker",
        ts: "ts" as Whole,
        id: "id" | "ID" as Numeral,
    }
}

type Said<'json> = [Option<&'json str>; 2];

fn said<'json>(inner: &Inner<'json>) -> Said<'json> {
    [inner.price, inner.id].map(|field| field.map(Raw::get))
}

/// One object, in one pass.
fn in_one_pass(json: &str) -> Option<Said<'_>> {
    let mut inner = Inner::default();
    object(json, &mut inner).map(|()| said(&inner))
}

/// One object, as `serde_json` reads it.
fn by_serde(json: &str) -> Option<Said<'_>> {
    serde_json::from_str::<Inner<'_>>(json).ok().map(|inner| said(&inner))
}

/// An object with a list in it, both ways.
fn listed(json: &str) -> Option<(Option<&str>, Vec<Said<'_>>)> {
    let (mut outer, mut rows) = (Outer::default(), Rows::default());
    object_beside(json, &mut outer, |plain, name| match name {
        "rows" => plain.rows(&mut rows),
        _ => Some(Reader::Plain),
    })?;
    let mut inner = Vec::new();
    rows.if_any()?.for_each(|row| inner.push(said(row)));
    Some((outer.kind.map(Raw::get), inner))
}

fn listed_by_serde(json: &str) -> Option<(Option<&str>, Vec<Said<'_>>)> {
    let outer: Outer<'_> = serde_json::from_str(json).ok()?;
    let rows: Vec<Inner<'_>> = serde_json::from_str(outer.rows?.get()).ok()?;
    Some((outer.kind.map(Raw::get), rows.iter().map(said).collect()))
}

#[test]
fn what_markets_send_is_read_in_one_pass_whatever_the_order_and_the_blanks() {
    for json in [
        r#"{"price":27000.12,"id":"abc-1"}"#,
        r#"{"id":"abc-1","price":27000.12}"#,
        r#"{"ID":"abc-1","side":"buy","price":27000.12,"maker":true,"rpi":false}"#,
        " {\t\"price\" : 27000.12 ,\r\n \"id\": \"abc-1\" } ",
    ] {
        assert_eq!(in_one_pass(json), Some([Some("27000.12"), Some(r#""abc-1""#)]), "{json}");
    }
    for number in ["0", "-0", "7", "-7.25", "1e5", "1E-08", "0.5e+3", "123456789012345678901234567890.5"] {
        let json = format!(r#"{{"price":{number}}}"#);
        assert_eq!(in_one_pass(&json), Some([Some(number), None]), "{json}");
    }
    for text in ["", "a", "sieben!", "acht!!!!", "neun!!!!!", "ä", "sieben ä!!", "€€€€€€€€", "\u{7f}"]
    {
        let quoted = format!("\"{text}\"");
        let json = format!(r#"{{"id":{quoted}}}"#);
        assert_eq!(in_one_pass(&json), Some([None, Some(quoted.as_str())]), "{json}");
    }
    let json = r#"{"type":"update","ts":1,"rows":[{"price":1,"id":2},{"id":3}]}"#;
    let rows = vec![[Some("1"), Some("2")], [None, Some("3")]];
    assert_eq!(listed(json), Some((Some(r#""update""#), rows)));
}

#[test]
fn what_is_not_plain_is_left_to_serde_json() {
    for json in [
        r#"{"price":null}"#,
        r#"{"side":null}"#,
        r#"{"price":[1]}"#,
        r#"{"side":{}}"#,
        r#"{"id":"a\u0062"}"#,
        r#"{"\u0069d":"a"}"#,
        r#"{"id":"a\"b"}"#,
        r#"{"price":1,"price":1}"#,
        r#"{"id":1,"price":2,"id":1}"#,
        r#"{"id":1,"ID":1}"#,
        "{}",
    ] {
        assert_eq!(in_one_pass(json), None, "{json}");
    }
    for json in [
        r#"{"rows":[]}"#,
        r#"{"rows":[{"id":1},null]}"#,
        r#"{"rows":[{"id":1}],"rows":[{"id":1}]}"#,
        r#"{"rows":1,"rows":[{"id":1}]}"#,
        r#"{"rows":[{"id":1}],"rows":1}"#,
        "{}",
    ] {
        assert_eq!(listed(json), None, "{json}");
    }
}

#[test]
fn what_is_no_json_is_not_read() {
    for json in [
        "",
        "{",
        r#"{"id""#,
        r#"{"id":"#,
        r#"{"id":1"#,
        r#"{"id":"1"#,
        r#"{"id":1}}"#,
        r#"{"id":1},"#,
        r#"{"id":1,}"#,
        r#"{,"id":1}"#,
        r#"{"id"1}"#,
        r#"{id:1}"#,
        r#"{"id":01}"#,
        r#"{"id":-01}"#,
        r#"{"id":-}"#,
        r#"{"id":1.}"#,
        r#"{"id":.5}"#,
        r#"{"id":1e}"#,
        r#"{"id":1e+}"#,
        r#"{"id":+1}"#,
        r#"{"id":1x}"#,
        r#"{"id":tru}"#,
        r#"{"id":truest}"#,
        r#"{"id":falsy}"#,
        "{\"id\":\"a\nb\"}",
        "{\"i\td\":1}",
        "{\"id\":1}\u{c}",
        "\u{c}{\"id\":1}",
    ] {
        assert_eq!(in_one_pass(json), None, "{json:?}");
        assert_eq!(by_serde(json), None, "{json:?}");
    }
}

/// What is made of numbers: of what was read where it stood, and of what `serde_json` cut out.
type Made = (Vec<Option<String>>, String);

fn made(numbers: &Numbers<'_>) -> Made {
    let Numbers { price, ts, id } = numbers;
    let texts = [price, ts, id].map(|field| field.map(|raw| raw.get().to_owned()));
    let decimals = (field::price("price", price.as_ref()), field::quantity("price", price.as_ref()));
    let times = (field::epoch_ms("ts", ts.as_ref()), field::microseconds("ts", ts.as_ref()));
    let ids = (field::number_id("id", id.as_ref()), field::number_of(*id), field::trade_id("id", id.as_ref()));
    (texts.to_vec(), format!("{decimals:?} {times:?} {ids:?}"))
}

/// What is known of each of the numbers, read in one pass.
fn known(json: &str) -> Option<(Made, [bool; 3])> {
    let mut numbers = Numbers::default();
    object(json, &mut numbers)?;
    let is_known = [
        numbers.price.is_some_and(|raw| matches!(raw.read(), Read::Decimal(_))),
        numbers.ts.is_some_and(|raw| matches!(raw.read(), Read::Whole(_))),
        numbers.id.is_some_and(|raw| matches!(raw.read(), Read::Numeral)),
    ];
    Some((made(&numbers), is_known))
}

fn made_by_serde(json: &str) -> Option<Made> {
    serde_json::from_str::<Numbers<'_>>(json).ok().map(|numbers| made(&numbers))
}

/// A frame in which each of the numbers is this, and something follows that is looked at with it.
fn frame_of(number: &str) -> String {
    format!(r#"{{"price":{number},"ts":{number},"id":{number},"side":"buy","maker":true}}"#)
}

#[test]
fn usual_numbers_are_read_where_they_stand_and_others_by_their_text() {
    for (number, is_known) in [
        ("27000.12", [true, false, false]),
        ("0.00012345", [true, false, false]),
        ("1402000.000", [true, false, false]),
        ("1684083600123", [true, true, true]),
        ("7", [true, true, true]),
        ("0", [false, true, true]),
        ("999999999999999", [false, true, true]),
        ("1234567890123456", [false, false, true]),
        ("9999999999999999999", [false, false, true]),
        ("18446744073709551615", [false, false, false]),
        ("0.0", [false, false, false]),
        ("2E-7", [false, false, false]),
        ("1e5", [false, false, false]),
        ("1.5e3", [false, false, false]),
        ("-1", [false, false, false]),
        ("-0", [false, false, false]),
        ("0.1234567890123456789", [false, false, false]),
        ("100000000000000", [false, true, true]),
    ] {
        for number in [number.to_owned(), format!("\"{number}\""), format!(" {number} ")] {
            let json = frame_of(&number);
            let (made, known) = known(&json).expect("plain");
            assert_eq!(known, is_known, "{json}");
            assert_eq!(Some(made), made_by_serde(&json), "{json}");
        }
    }
    for number in ["", "07", "00.5", ".5", "5.", "+5", "1.2.3", "1x", "1.x", "1e", "1-2", "x", "0x10", "\u{0661}"] {
        for field in ["price", "ts", "id"] {
            let json = format!(r#"{{"{field}":{number},"side":"buy","maker":true}}"#);
            assert_eq!(known(&json), None, "{json}");
            assert_eq!(made_by_serde(&json), None, "{json}");
        }
        let json = frame_of(&format!("\"{number}\""));
        let (made, _) = known(&json).expect("plain");
        assert_eq!(Some(made), made_by_serde(&json), "{json}");
    }
}

#[test]
fn a_number_with_which_the_text_ends_is_read_too() {
    for json in [r#"{"id":1}"#, r#"{"price":1}"#, r#"{"ts":12}"#, r#"{"id":"12345678"}"#, r#"{"price":"1.23456789"}"#] {
        assert_eq!(known(json).map(|(made, _)| made), made_by_serde(json), "{json}");
    }
}

#[test]
fn fields_that_are_ignored_may_stand_anywhere_and_be_of_any_plain_kind() {
    for json in [
        r#"{"side":"sell","price":1,"ts":2,"id":3}"#,
        r#"{"price":1,"side":"sell","maker":false,"ts":2,"id":3}"#,
        r#"{"price":1,"maker":-1.5e3,"side":"a","side":7,"ts":2,"other":true,"maker":0,"id":3}"#,
        r#"{ "price": 1, "side": "sell", "ts": 2, "maker": true, "id": 3 }"#,
        r#"{"ID":3,"maker":1,"ts":2,"side":1,"price":1}"#,
    ] {
        let (made, _) = known(json).expect("plain");
        assert_eq!(made.0, ["1", "2", "3"].map(|text| Some(text.to_owned())), "{json}");
        assert_eq!(Some(made), made_by_serde(json), "{json}");
    }
    for json in [
        r#"{"price":1,"side":}"#,
        r#"{"price":1,"side":nul}"#,
        r#"{"price":1,"side":"a\n"}"#,
        r#"{"price":1,"side":{}}"#,
        r#"{"price":1,"side":1,"price":2}"#,
        r#"{"price":1,"side":1 "maker":2}"#,
    ] {
        assert_eq!(known(json), None, "{json}");
    }
}

/// Texts that are objects, and texts that nearly are.
fn nearly_objects() -> impl Strategy<Value = String> {
    let names = ["price", "id", "ID", "side", "i", "", "type", "rows", "\\u0069d", "pri\u{1}ce"];
    let values = [
        "1",
        "-0.5",
        "1e5",
        "00",
        "1.",
        "\"abc\"",
        "\"\"",
        "\"0123456789abcdef\"",
        "\"a\\n\"",
        "\"ä€\"",
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[1]",
        "\"a",
        "tru",
        "\"\u{1}\"",
        "{\"id\":1}",
        "[{\"id\":2}]",
        "[{\"id\":2},{\"price\":\"3\"}]",
    ];
    let blanks = ["", "", "", " ", "\t\r\n", "\u{c}", "x", ",", "\""];
    let field = (
        prop::sample::select(names.to_vec()),
        prop::sample::select(values.to_vec()),
        prop::sample::select(blanks.to_vec()),
    );
    let objects = (prop::collection::vec(field, 0..5), prop::sample::select(blanks.to_vec()));
    objects.prop_map(|(fields, end)| {
        let field = |(name, value, blank): &(&str, &str, &str)| format!("{blank}\"{name}\"{blank}:{value}");
        let fields: Vec<String> = fields.iter().map(field).collect();
        format!("{{{}}}{end}", fields.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_read_in_one_pass_serde_json_reads_alike(json in nearly_objects()) {
        if let Some(said) = in_one_pass(&json) {
            prop_assert_eq!(Some(said), by_serde(&json));
        }
        if let Some(said) = listed(&json) {
            prop_assert_eq!(Some(said), listed_by_serde(&json));
        }
    }

    #[test]
    fn whatever_stands_where_a_number_is_expected_is_made_the_same_of_as_of_its_text(
        number in "-?[0-9]{0,21}[.]?[0-9]{0,20}([eE][-+]?[0-9]{0,3})?|[-+0-9.eE \"]{0,12}|[0-9]{0,9}\\PC[0-9]{0,9}",
        is_quoted in any::<bool>(),
        is_last in any::<bool>(),
    ) {
        let number = if is_quoted { format!("\"{number}\"") } else { number };
        let json = if is_last { format!(r#"{{"price":{number}}}"#) } else { frame_of(&number) };
        if let Some((made, _)) = known(&json) {
            prop_assert_eq!(Some(made), made_by_serde(&json));
        }
    }

    #[test]
    fn any_text_is_read_alike_or_left(json in "\\{(\"(price|id|.)\":[-+0-9.eE\"\\\\a-z{}\\[\\], ]{0,9},?){0,3}\\}?") {
        if let Some(said) = in_one_pass(&json) {
            prop_assert_eq!(Some(said), by_serde(&json));
        }
    }
}
