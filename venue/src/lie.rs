//! How a lie looks: the text sent in place of a true frame, and what a careful
//! reader must make of it. Nothing here decides whether to lie.

use rand::{Rng, RngExt};
use rust_decimal::Decimal;
use tape::{Price, Quantity, RejectionKind, TradeId};

use crate::fault::FaultKind;
use crate::true_trade::{Fields, TrueTrade, json_string};

/// A frame that is not the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lie {
    /// The frame.
    pub text: String,
    /// What a careful reader makes of it.
    pub meaning: Meaning,
}

/// What a careful reader makes of a lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// The trade with other values.
    Altered,
    /// A trade that never was.
    Phantom(TradeId),
    /// No trade at all, refused under this kind.
    Rejected(RejectionKind),
}

impl Lie {
    /// The frame that a kind of fault makes of a trade; none for the kinds that
    /// lie by time or by silence. An altered time is never later than `now_ms` + 1 s.
    pub fn about(trade: &TrueTrade, kind: FaultKind, now_ms: i64, rng: &mut impl Rng) -> Option<Self> {
        let mut fields = Fields::of(trade);
        match kind {
            FaultKind::AlterPrice => {
                let is_price = |text: &str| Price::parse(text).is_ok();
                fields.price = Some(nudged(trade.price(), is_price, rng));
            }
            FaultKind::AlterQuantity => {
                let is_quantity = |text: &str| Quantity::parse(text).is_ok();
                fields.quantity = Some(nudged(trade.quantity(), is_quantity, rng));
            }
            FaultKind::AlterTime => fields.ts = Some(other_time(trade.traded_at.ms(), now_ms, rng).to_string()),
            FaultKind::Phantom => return Some(phantom(trade, fields, rng)),
            FaultKind::Malformed => return Some(malformed(&trade.json(), rng)),
            FaultKind::WrongType => return Some(wrong_type(trade, fields, rng)),
            FaultKind::Future => {
                fields.ts = Some(far_future(now_ms, rng).to_string());
                return Some(rejected(fields.json(), RejectionKind::Future));
            }
            FaultKind::Drop
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Delay
            | FaultKind::Silence
            | FaultKind::Cut => return None,
        }
        Some(Self { text: fields.json(), meaning: Meaning::Altered })
    }
}

fn rejected(text: impl Into<String>, kind: RejectionKind) -> Lie {
    Lie { text: text.into(), meaning: Meaning::Rejected(kind) }
}

/// Another value near a decimal, or now and then ten times it.
fn nudged(text: &str, is_held: impl Fn(&str) -> bool, rng: &mut impl Rng) -> String {
    let value = Price::parse(text)
        .map(Price::value)
        .or_else(|_| Quantity::parse(text).map(Quantity::value))
        .unwrap_or(Decimal::ONE);
    let (mantissa, scale) = (value.mantissa(), value.scale());
    let by_a_little = rng.random_range(1..=9);
    let by_percents = mantissa / 1000 * rng.random_range(1..=50) + 1;
    let by_far = mantissa * 9;
    let candidates = match rng.random_range(0..10) {
        0..4 => [mantissa + by_a_little, mantissa - by_a_little],
        4..9 => [mantissa + by_percents, mantissa - by_percents],
        _ => [mantissa + by_far, mantissa - mantissa / 10 * 9],
    };
    let swap = rng.random_bool(0.5);
    let ordered = if swap { [candidates[1], candidates[0]] } else { candidates };
    ordered
        .into_iter()
        .chain([mantissa + 1, mantissa - 1])
        .filter(|other| *other != mantissa)
        .filter_map(|other| Decimal::try_from_i128_with_scale(other, scale).ok())
        .map(|other| other.to_string())
        .find(|other| is_held(other))
        .unwrap_or_else(|| "1".to_owned())
}

/// Another time, up to 30 s away but never more than 1 s after now.
fn other_time(traded_at: i64, now_ms: i64, rng: &mut impl Rng) -> i64 {
    let latest = (now_ms + 1_000).min(traded_at + 30_000);
    let later = if latest > traded_at { latest - traded_at } else { 0 };
    let shift = rng.random_range(-30_000..later);
    // Zero is no alteration: move it and all above up by one.
    traded_at + if shift >= 0 { shift + 1 } else { shift }
}

fn phantom(trade: &TrueTrade, mut fields: Fields, rng: &mut impl Rng) -> Lie {
    let stem: String = trade.id.as_str().chars().take(20).collect();
    let id = TradeId::new(&format!("{stem}-{:08x}", rng.random::<u32>())).unwrap_or_else(|_| trade.id.clone());
    fields.tradeid = Some(json_string(id.as_str()));
    fields.price = Some(nudged(trade.price(), |text| Price::parse(text).is_ok(), rng));
    fields.quantity = Some(nudged(trade.quantity(), |text| Quantity::parse(text).is_ok(), rng));
    Lie { text: fields.json(), meaning: Meaning::Phantom(id) }
}

fn malformed(honest: &str, rng: &mut impl Rng) -> Lie {
    let malformed = |text: String| rejected(text, RejectionKind::Malformed);
    match rng.random_range(0..12) {
        0..4 => {
            let mut end = rng.random_range(1..honest.len());
            while !honest.is_char_boundary(end) {
                end -= 1;
            }
            malformed(honest[..end].to_owned())
        }
        4 => malformed("<html><head><title>502 Bad Gateway</title></head><body>502</body></html>".to_owned()),
        5 => malformed("\u{1}\u{0}\u{fffd}\u{7f}\u{2}PK\u{3}\u{4}\u{fffd}\u{fffd}".to_owned()),
        6 => malformed("[]".to_owned()),
        7 => malformed(format!("[1,{}]", rng.random_range(1..1000))),
        8 => malformed(String::new()),
        9 => malformed(["null", "42", "\"trade\"", "true"][rng.random_range(0..4)].to_owned()),
        10 => malformed(format!("{honest}{honest}")),
        // An object, but of nothing: every field is missing.
        _ => rejected("{}", RejectionKind::WrongType),
    }
}

fn wrong_type(trade: &TrueTrade, mut fields: Fields, rng: &mut impl Rng) -> Lie {
    const UNREADABLE: [&str; 7] = ["true", "null", "{}", "[]", "\"abc\"", "\"\"", "{\"value\":1}"];
    let unreadable = UNREADABLE[rng.random_range(0..UNREADABLE.len())].to_owned();
    let kind = match rng.random_range(0..16) {
        0..3 => put(&mut fields.price, unreadable, RejectionKind::WrongType),
        3..5 => put(&mut fields.quantity, unreadable, RejectionKind::WrongType),
        5 => put(&mut fields.ts, "\"yesterday\"".to_owned(), RejectionKind::WrongType),
        6 => put(&mut fields.ts, "null".to_owned(), RejectionKind::WrongType),
        7 => put(&mut fields.ts, "0".to_owned(), RejectionKind::TooOld),
        8 => {
            let left_out = match rng.random_range(0..4) {
                0 => &mut fields.ticker,
                1 => &mut fields.ts,
                2 => &mut fields.quantity,
                _ => &mut fields.price,
            };
            *left_out = None;
            RejectionKind::WrongType
        }
        9 => {
            fields.tradeid = None;
            RejectionKind::NoTradeId
        }
        10 => put(&mut fields.tradeid, "\"\"".to_owned(), RejectionKind::NoTradeId),
        11 => put(&mut fields.quantity, "0".to_owned(), RejectionKind::NotPositive),
        12 => put(&mut fields.quantity, format!("-{}", trade.quantity()), RejectionKind::NotPositive),
        13 => put(&mut fields.price, "0.00".to_owned(), RejectionKind::NotPositive),
        14 => put(&mut fields.price, format!("{}e-40", rng.random_range(1..10)), RejectionKind::NotExact),
        _ => put(&mut fields.ticker, "\"B T C\"".to_owned(), RejectionKind::BadTicker),
    };
    rejected(fields.json(), kind)
}

fn put(field: &mut Option<String>, text: String, kind: RejectionKind) -> RejectionKind {
    *field = Some(text);
    kind
}

/// An hour to years ahead, or microseconds passed off as milliseconds.
fn far_future(now_ms: i64, rng: &mut impl Rng) -> i64 {
    const HOUR: i64 = 3_600_000;
    match rng.random_range(0..4) {
        0 => now_ms + rng.random_range(HOUR..2 * HOUR),
        1 => now_ms + rng.random_range(24 * HOUR..30 * 24 * HOUR),
        2 => now_ms + rng.random_range(365 * 24 * HOUR..10 * 365 * 24 * HOUR),
        _ => now_ms.saturating_mul(1000),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::chance;

    const NOW: i64 = 1_700_000_000_000;

    fn lies(trade: &TrueTrade, kind: FaultKind) -> Vec<Lie> {
        (0u32..500)
            .map(|n| {
                let mut rng = chance::stream(n.into(), &[b"test"]);
                Lie::about(trade, kind, NOW, &mut rng).expect("a kind that speaks")
            })
            .collect()
    }

    fn trade() -> TrueTrade {
        TrueTrade::new("BTC", NOW - 5, "27000.12", "0.50", "17").expect("a trade")
    }

    fn read(lie: &Lie) -> TrueTrade {
        let value: Value = serde_json::from_str(&lie.text).expect("JSON");
        let text = |name: &str| value[name].to_string();
        TrueTrade::new(
            value["ticker"].as_str().expect("ticker"),
            value["ts"].as_i64().expect("ts"),
            &text("price"),
            &text("quantity"),
            value["tradeid"].as_str().expect("id"),
        )
        .expect("a holdable trade")
    }

    #[test]
    fn an_altered_frame_differs_in_exactly_the_value_it_alters() {
        let truth = trade().to_trade();
        for (kind, changes) in [
            (FaultKind::AlterPrice, [true, false, false]),
            (FaultKind::AlterQuantity, [false, true, false]),
            (FaultKind::AlterTime, [false, false, true]),
        ] {
            for lie in lies(&trade(), kind) {
                let said = read(&lie).to_trade();
                assert_eq!((&said.id, &said.ticker), (&truth.id, &truth.ticker));
                let changed =
                    [said.price != truth.price, said.quantity != truth.quantity, said.traded_at != truth.traded_at];
                assert_eq!(changed, changes, "{}", lie.text);
                assert!(said.traded_at.ms() <= NOW + 1_000 && NOW - 30_005 <= said.traded_at.ms());
            }
        }
    }

    #[test]
    fn the_smallest_and_the_largest_values_can_be_altered_too() {
        for (price, quantity) in [("1E-18", "1E-18"), ("99999999999999", "9999999999999999"), ("1", "1")] {
            let trade = TrueTrade::new("BTC", NOW, price, quantity, "1").expect("a trade");
            for kind in [FaultKind::AlterPrice, FaultKind::AlterQuantity] {
                for lie in lies(&trade, kind) {
                    assert_ne!(read(&lie).to_trade(), trade.to_trade());
                }
            }
        }
    }

    #[test]
    fn a_phantom_is_a_whole_trade_under_an_id_of_its_own() {
        for lie in lies(&trade(), FaultKind::Phantom) {
            let said = read(&lie);
            assert_eq!(lie.meaning, Meaning::Phantom(said.id.clone()));
            assert_ne!(said.id, trade().id);
        }
    }

    #[test]
    fn a_malformed_frame_is_never_an_object_with_fields() {
        for lie in lies(&trade(), FaultKind::Malformed) {
            let value = serde_json::from_str::<Value>(&lie.text);
            let is_object = value.as_ref().is_ok_and(Value::is_object);
            let expected = if is_object { RejectionKind::WrongType } else { RejectionKind::Malformed };
            assert_eq!(lie.meaning, Meaning::Rejected(expected), "{}", lie.text);
            assert!(!is_object || lie.text == "{}");
        }
    }

    #[test]
    fn a_wrong_type_is_an_object_that_makes_no_trade() {
        for lie in lies(&trade(), FaultKind::WrongType) {
            let value: Value = serde_json::from_str(&lie.text).expect("JSON");
            let text = |name: &str| match &value[name] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let id_is_text = value["tradeid"].is_string();
            let made = TrueTrade::new(&text("ticker"), 1, &text("price"), &text("quantity"), &text("tradeid"));
            let ts_is_read = value["ts"].as_i64().is_some_and(|ts| ts > 0);
            let has_ticker = value["ticker"].is_string();
            assert!(made.is_err() || !id_is_text || !ts_is_read || !has_ticker, "{}", lie.text);
            if let (Err(rejection), true, true, true) = (made, id_is_text, ts_is_read, has_ticker) {
                assert_eq!(lie.meaning, Meaning::Rejected(rejection.kind()), "{}", lie.text);
            }
        }
    }

    #[test]
    fn the_future_is_at_least_an_hour_away() {
        for lie in lies(&trade(), FaultKind::Future) {
            let value: Value = serde_json::from_str(&lie.text).expect("JSON");
            assert!(value["ts"].as_i64().expect("ts") >= NOW + 3_600_000);
        }
    }
}
