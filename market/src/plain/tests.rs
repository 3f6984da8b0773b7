use proptest::prelude::*;

use super::*;

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
        rows: "rows",
        ts: "ts",
    }
}

type Said<'json> = [Option<&'json str>; 2];

fn said<'json>(inner: &Inner<'json>) -> Said<'json> {
    [inner.price, inner.id].map(|field| field.map(Raw::get))
}

/// One object, in one pass.
fn in_one_pass(json: &str) -> Option<Said<'_>> {
    object::<Inner<'_>>(json).map(|inner| said(&inner))
}

/// One object, as `serde_json` reads it.
fn by_serde(json: &str) -> Option<Said<'_>> {
    serde_json::from_str::<Inner<'_>>(json).ok().map(|inner| said(&inner))
}

/// An object with a list in it, both ways.
fn listed(json: &str) -> Option<(Option<&str>, Vec<Said<'_>>)> {
    let mut rows = Rows::default();
    let outer: Outer<'_> = object_beside(json, |plain, name| match name {
        "rows" => plain.rows(&mut rows),
        _ => Some(Reader::Plain),
    })?;
    Some((outer.kind.map(Raw::get), rows.if_any()?.into_iter().map(|inner| said(&inner)).collect()))
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
    for json in [r#"{"rows":[]}"#, r#"{"rows":[{"id":1},null]}"#, r#"{"rows":[{"id":1}],"rows":[{"id":1}]}"#, "{}"] {
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

#[test]
fn each_byte_of_eight_is_told_by_itself() {
    for byte in 0..=u8::MAX {
        for place in 0..8 {
            for other in [b' ', b'0', b'9', b'z', 0xff] {
                let mut eight = [other; 8];
                eight[place] = byte;
                let first = |in_eight: fn(u64) -> u64| {
                    ((in_eight(u64::from_le_bytes(eight)) & HIGH_BITS).trailing_zeros() / 8) as usize
                };
                let expected = |is_it: fn(u8) -> bool| eight.iter().position(|byte| is_it(*byte)).unwrap_or(8);
                assert_eq!(first(stops_in), expected(is_stop), "{eight:?}");
                assert_eq!(first(others_in), expected(|byte| !byte.is_ascii_digit()), "{eight:?}");
            }
        }
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
    fn any_text_is_read_alike_or_left(json in "\\{(\"(price|id|.)\":[-+0-9.eE\"\\\\a-z{}\\[\\], ]{0,9},?){0,3}\\}?") {
        if let Some(said) = in_one_pass(&json) {
            prop_assert_eq!(Some(said), by_serde(&json));
        }
    }
}
