//! How a lie looks: what is said in place of the truth, and what a careful
//! reader must make of it. Nothing here decides whether to lie, nor in which
//! words it is told.

use rand::{Rng, RngExt};
use rust_decimal::Decimal;
use tape::{EpochMs, Price, Quantity, RejectionKind, TradeId};

use crate::dialect::Dialect;
use crate::dialect::row::Role;
use crate::dialect::said::{Flaw, Said};
use crate::fault::FaultKind;
use crate::true_trade::TrueTrade;

/// A statement that is not the truth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lie {
    /// What is said.
    pub said: Said,
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
    /// The statement that a kind of fault makes of a trade; none for the kinds that
    /// lie by time or by silence. An altered time is never later than `now_ms` + 1 s.
    pub fn about(
        trade: &TrueTrade,
        kind: FaultKind,
        now_ms: i64,
        dialect: Dialect,
        rng: &mut impl Rng,
    ) -> Option<Self> {
        let told = match kind {
            FaultKind::AlterPrice => with_price(trade, rng),
            FaultKind::AlterQuantity => with_quantity(trade, rng),
            FaultKind::AlterTime => trade.clone().at(EpochMs::new(other_time(trade.traded_at.ms(), now_ms, rng))),
            FaultKind::Phantom => return Some(phantom(trade, dialect, rng)),
            FaultKind::Malformed => return Some(malformed(trade, now_ms, dialect, rng)),
            FaultKind::WrongType => return Some(wrong_type(trade, dialect, rng)),
            FaultKind::Future => {
                let told = trade.clone().at(EpochMs::new(far_future(now_ms, dialect, rng)));
                return Some(Self { said: Said::of(told), meaning: Meaning::Rejected(RejectionKind::Future) });
            }
            FaultKind::Drop
            | FaultKind::Duplicate
            | FaultKind::Reorder
            | FaultKind::Delay
            | FaultKind::Silence
            | FaultKind::Cut => return None,
        };
        Some(Self { said: Said::of(told), meaning: Meaning::Altered })
    }
}

fn rejected(trade: &TrueTrade, flaw: Flaw, kind: RejectionKind) -> Lie {
    Lie { said: Said { trade: trade.clone(), flaw: Some(flaw) }, meaning: Meaning::Rejected(kind) }
}

fn with_price(trade: &TrueTrade, rng: &mut impl Rng) -> TrueTrade {
    let price = nudged(trade.price(), |text| Price::parse(text).is_ok(), rng);
    trade.valued(&price, trade.quantity())
}

fn with_quantity(trade: &TrueTrade, rng: &mut impl Rng) -> TrueTrade {
    let quantity = nudged(trade.quantity(), |text| Quantity::parse(text).is_ok(), rng);
    trade.valued(trade.price(), &quantity)
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

fn phantom(trade: &TrueTrade, dialect: Dialect, rng: &mut impl Rng) -> Lie {
    let chance = rng.random::<u32>();
    let stem: String = trade.id.as_str().chars().take(20).collect();
    let id = match dialect.numbering().zip(trade.number()) {
        Some((numbering, number)) => numbering.phantom(&trade.ticker, number, chance.is_multiple_of(2)).to_string(),
        None => format!("{stem}-{chance:08x}"),
    };
    let id = TradeId::new(&id).unwrap_or_else(|_| trade.id.clone());
    let told = with_price(trade, rng);
    let told = with_quantity(&told, rng).under(id.clone());
    Lie { said: Said::of(told), meaning: Meaning::Phantom(id) }
}

fn malformed(trade: &TrueTrade, now_ms: i64, dialect: Dialect, rng: &mut impl Rng) -> Lie {
    let malformed = |flaw| rejected(trade, flaw, RejectionKind::Malformed);
    let instead = |text: &str| malformed(Flaw::Instead(text.to_owned()));
    match rng.random_range(0..12) {
        0..4 => {
            let honest = Said::of(trade.clone()).frame(dialect, 0, EpochMs::new(now_ms));
            malformed(Flaw::CutAt(rng.random_range(1..honest.len())))
        }
        4 => instead("<html><head><title>502 Bad Gateway</title></head><body>502</body></html>"),
        5 => instead("\u{1}\u{0}\u{fffd}\u{7f}\u{2}PK\u{3}\u{4}\u{fffd}\u{fffd}"),
        6 => instead("[]"),
        7 => instead(&format!("[1,{}]", rng.random_range(1..1000))),
        8 => instead(""),
        9 => instead(["null", "42", "\"trade\"", "true"][rng.random_range(0..4)]),
        // An object, but of nothing: every field is missing. Where messages are of many
        // kinds it is one of those nobody knows, and no fault at all.
        11 if dialect.is_generic() => rejected(trade, Flaw::Instead("{}".to_owned()), RejectionKind::WrongType),
        _ => malformed(Flaw::Twice),
    }
}

fn wrong_type(trade: &TrueTrade, dialect: Dialect, rng: &mut impl Rng) -> Lie {
    const UNREADABLE: [&str; 7] = ["true", "null", "{}", "[]", "\"abc\"", "\"\"", "{\"value\":1}"];
    let unreadable = UNREADABLE[rng.random_range(0..UNREADABLE.len())].to_owned();
    let raw = |role, text: &str| Flaw::Raw(role, text.to_owned());
    let digits = |role, text: &str| Flaw::Digits(role, text.to_owned());
    let (flaw, kind) = match rng.random_range(0..16) {
        0..3 => (raw(Role::Price, &unreadable), RejectionKind::WrongType),
        3..5 => (raw(Role::Quantity, &unreadable), RejectionKind::WrongType),
        5 => (raw(Role::Time, "\"yesterday\""), RejectionKind::WrongType),
        // What an exchange's time of zero and its symbol of another market mean is the reader's affair.
        6 | 7 if !dialect.is_generic() => (raw(Role::Time, "null"), RejectionKind::WrongType),
        6 => (raw(Role::Time, "null"), RejectionKind::WrongType),
        7 => (raw(Role::Time, "0"), RejectionKind::TooOld),
        8 => {
            let left_out = match rng.random_range(0..4) {
                0 if dialect.is_generic() => Role::Ticker,
                0 | 1 => Role::Time,
                2 => Role::Quantity,
                _ => Role::Price,
            };
            (Flaw::Without(left_out), RejectionKind::WrongType)
        }
        10 if dialect.is_generic() => (raw(Role::Id, "\"\""), RejectionKind::NoTradeId),
        9 | 10 => (Flaw::Without(Role::Id), RejectionKind::NoTradeId),
        11 => (digits(Role::Quantity, "0"), RejectionKind::NotPositive),
        12 => (digits(Role::Quantity, &format!("-{}", trade.quantity())), RejectionKind::NotPositive),
        13 => (digits(Role::Price, "0.00"), RejectionKind::NotPositive),
        15 if dialect.is_generic() => (raw(Role::Ticker, "\"B T C\""), RejectionKind::BadTicker),
        _ => (digits(Role::Price, &format!("{}e-40", rng.random_range(1..10))), RejectionKind::NotExact),
    };
    rejected(trade, flaw, kind)
}

/// An hour to years ahead, or microseconds passed off as milliseconds.
fn far_future(now_ms: i64, dialect: Dialect, rng: &mut impl Rng) -> i64 {
    const HOUR: i64 = 3_600_000;
    match rng.random_range(0..4) {
        0 => now_ms + rng.random_range(HOUR..2 * HOUR),
        1 => now_ms + rng.random_range(24 * HOUR..30 * 24 * HOUR),
        // A year of five digits is no time in the forms of some exchanges.
        3 if dialect.is_generic() => now_ms.saturating_mul(1000),
        _ => now_ms + rng.random_range(365 * 24 * HOUR..10 * 365 * 24 * HOUR),
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
                Lie::about(trade, kind, NOW, Dialect::GENERIC, &mut rng).expect("a kind that speaks")
            })
            .collect()
    }

    fn trade() -> TrueTrade {
        TrueTrade::new("BTC", NOW - 5, "27000.12", "0.50", "17").expect("a trade")
    }

    fn frame(lie: &Lie) -> String {
        lie.said.frame(Dialect::GENERIC, 0, EpochMs::new(NOW))
    }

    fn read(lie: &Lie) -> TrueTrade {
        let value: Value = serde_json::from_str(&frame(lie)).expect("JSON");
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
                assert_eq!(changed, changes, "{}", frame(&lie));
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
            let text = frame(&lie);
            let value = serde_json::from_str::<Value>(&text);
            let is_object = value.as_ref().is_ok_and(Value::is_object);
            let expected = if is_object { RejectionKind::WrongType } else { RejectionKind::Malformed };
            assert_eq!(lie.meaning, Meaning::Rejected(expected), "{text}");
            assert!(!is_object || text == "{}");
        }
    }

    #[test]
    fn a_wrong_type_is_an_object_that_makes_no_trade() {
        for lie in lies(&trade(), FaultKind::WrongType) {
            let value: Value = serde_json::from_str(&frame(&lie)).expect("JSON");
            let text = |name: &str| match &value[name] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let id_is_text = value["tradeid"].is_string();
            let made = TrueTrade::new(&text("ticker"), 1, &text("price"), &text("quantity"), &text("tradeid"));
            let ts_is_read = value["ts"].as_i64().is_some_and(|ts| ts > 0);
            let has_ticker = value["ticker"].is_string();
            assert!(made.is_err() || !id_is_text || !ts_is_read || !has_ticker, "{}", frame(&lie));
            if let (Err(rejection), true, true, true) = (made, id_is_text, ts_is_read, has_ticker) {
                assert_eq!(lie.meaning, Meaning::Rejected(rejection.kind()), "{}", frame(&lie));
            }
        }
    }

    #[test]
    fn the_future_is_at_least_an_hour_away() {
        for lie in lies(&trade(), FaultKind::Future) {
            let value: Value = serde_json::from_str(&frame(&lie)).expect("JSON");
            assert!(value["ts"].as_i64().expect("ts") >= NOW + 3_600_000);
        }
    }
}
