//! One frame of the generic protocol.

use market::said::{KEPT_BYTES, shortened};
use market::{Conversation, Decoded, Market, Refusal};
use num_bigint::BigInt;
use serde_json::{Map, Value};
use tape::{EpochMs, Trade};

use super::decimal;
use crate::oracle::detour::with_escaped_names;
use crate::oracle::number::Number;
use crate::oracle::{json, name};

pub(super) const WORDS: &[&str] = &[
    r#"{"ticker":"BTC","ts":1684083600123,"quantity":0.5,"price":27000.12,"tradeid":"abc-1"}"#,
    r#""ticker":"#,
    r#""ts":"#,
    r#""quantity":"#,
    r#""price":"#,
    r#""tradeid":"#,
    r#""tradeId":"#,
    "null",
    "true",
    "1e400",
    r"\u0061",
    r"\ud800",
    "2E-7",
    ",",
    "{",
    "}",
    "[",
    "\"",
];

pub(super) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let decoded = decode(text);
    against_serde_json(text, &decoded);
    alike(text, std::slice::from_ref(&decoded), &[decode(&with_escaped_names(text))]);
    let kept = shortened(text);
    assert!(kept.len() <= KEPT_BYTES && !kept.contains('\0'));
    match decoded {
        Ok(trade) => {
            let printed = print(&trade);
            assert_eq!(decode(&printed), Ok(trade), "{printed} is not read back");
        }
        Err(refusal) => {
            let why = refusal.rejection.to_string();
            assert!(why.len() < 1_000, "{why}");
        }
    }
}

/// Holds what was decoded of a text against what was decoded of a longer form of it: the same
/// trades, and refusals of the same kind.
pub(super) fn alike(text: &str, decoded: &[Decoded], otherwise: &[Decoded]) {
    let essence = |decoded: &Decoded| {
        let refusal = |refusal: &Refusal| (refusal.rejection.kind(), refusal.ticker.clone(), refusal.traded_at);
        decoded.as_ref().map_err(refusal).cloned()
    };
    let [one, other] = [decoded, otherwise].map(|all| all.iter().map(essence).collect::<Vec<_>>());
    assert_eq!(one, other, "{text:?} is understood in two ways");
}

fn decode(frame: &str) -> Decoded {
    let mut all = Vec::new();
    let generic = Market::GENERIC.adapter();
    generic.decode(frame, &mut Conversation::default(), &mut |decoded| all.push(decoded));
    assert_eq!(all.len(), 1, "one frame is one trade or one refusal");
    all.remove(0)
}

fn print(trade: &Trade) -> String {
    let id = Value::from(trade.id.as_str());
    let Trade { ticker, traded_at, price, quantity, .. } = trade;
    format!(r#"{{"tradeid":{id},"price":"{price}","quantity":{quantity},"ts":"{traded_at}","ticker":"{ticker}"}}"#)
}

/// Holds what was decoded against the same text as serde_json reads it. Where
/// that refuses what is valid for us (half a surrogate pair or a nesting beyond
/// its depth, in a field nobody looks at), nothing is compared.
pub(super) fn against_serde_json(text: &str, decoded: &Decoded) {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        let is_excused = text.contains("\\u") || text.contains("[[[[") || text.matches(['{', '[']).count() > 100;
        assert!(decoded.is_err() || is_excused, "{text:?} is no JSON and became {decoded:?}");
        return;
    };
    let Value::Object(object) = &value else {
        assert!(decoded.is_err(), "{text:?} is no object and became {decoded:?}");
        return;
    };
    match decoded {
        Ok(trade) => equal(object, trade, text),
        Err(refusal) => assert!(!is_plainly_a_trade(text, object), "{text:?} is refused: {}", refusal.rejection),
    }
}

fn equal(object: &Map<String, Value>, trade: &Trade, text: &str) {
    let said = |field: &str| object.get(field).and_then(json::text_of);
    let number = |field: &str| object.get(field).and_then(json::number_of);
    assert_eq!(said("ticker").as_deref(), Some(trade.ticker.as_str()), "{text:?}");
    let id = said("tradeid").or_else(|| said("tradeId"));
    assert_eq!(id.as_deref(), Some(trade.id.as_str()), "{text:?}");
    let price = Ok((trade.price.units(), trade.price.to_string()));
    decimal::held(text, number("price").as_ref(), 14, price);
    let quantity = Ok((trade.quantity.units(), trade.quantity.to_string()));
    decimal::held(text, number("quantity").as_ref(), 16, quantity);
    let ts = number("ts").unwrap_or_else(|| panic!("{text:?} has no ts and became {trade:?}"));
    assert_eq!(Some(trade.traded_at.ms()), time(&ts), "{text:?}");
}

/// The milliseconds a number stands for, capped to the bounds of all times.
fn time(number: &Number) -> Option<i64> {
    let most = EpochMs::MAX.ms();
    if !number.is_below_ten_to(18) {
        return (number.exponent >= BigInt::ZERO).then_some(if number.is_negative { -most } else { most });
    }
    let ms = i64::try_from(number.count_of(0)?).expect("below 10^18").min(most);
    Some(if number.is_negative { -ms } else { ms })
}

/// Whether nobody could refuse it: five fields, each once and of the kind it should be.
fn is_plainly_a_trade(text: &str, object: &Map<String, Value>) -> bool {
    let has_once = |field: &str| text.matches(field).count() == 1;
    let is_within = |field: &str, power: usize| {
        let number = object.get(field).and_then(json::number_of);
        decimal::expected(number.as_ref(), power).is_ok()
    };
    let is_text = |field: &str, is: fn(&str) -> bool| object.get(field).and_then(Value::as_str).is_some_and(is);
    let is_time = object.get("ts").and_then(json::number_of).is_some_and(|number| {
        number.exponent.magnitude() < &10_000u32.into() && time(&number).is_some() && !number.digits.is_empty()
    });
    let has_no_escape = !text.contains('\\');
    let has_no_plus = !text.contains('+');
    let fields = ["ticker", "ts", "quantity", "price", "tradeid"];
    fields.iter().all(|field| has_once(&format!("\"{field}\""))) && !text.contains("tradeId") && has_no_escape
        && has_no_plus
        && is_text("ticker", name::is_ticker)
        && is_text("tradeid", name::is_trade_id)
        && is_within("price", 14)
        && is_within("quantity", 16)
        && is_time
        // `.5` and `5.` are numbers of ours only inside of strings, and no times.
        && !object["ts"].as_str().is_some_and(|ts| ts.starts_with(['.', '-']) || ts.contains('.'))
}
