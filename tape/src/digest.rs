//! SHA-256, and the canonical text of trades that it is taken over.
//!
//! The form is called [`TRADES_FORM`]. One line per trade, in ASCII but for the
//! id, each ended by a line feed:
//!
//! ```text
//! <ts> <tradeid> <price> <quantity>
//! ```
//!
//! `ts` is epoch milliseconds; price and quantity are plain decimals without
//! closing zeros, sign or exponent. One blank stands between the fields: no id
//! holds a blank or a control character ([`crate::TradeId`]), so a line reads
//! one way only. Lines are sorted by `ts` as a number, then by the bytes of the
//! id. No trades are the digest of nothing. Exchange and ticker are not in it:
//! whoever asks an exchange for a ticker's trades knows both.

use std::cmp::Ordering;

use ethnum::U256;
use sha2::{Digest as _, Sha256};

use crate::units::DECIMALS;
use crate::{EpochMs, Fixed, Price, Quantity, Trade, TradeId};

/// The name of the canonical form of trades.
pub const TRADES_FORM: &str = "truetape-trades-1";

/// The name of the digest's algorithm.
pub const ALGORITHM: &str = "sha-256";

/// 32 bytes of SHA-256, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    ///
    /// ```
    /// let nothing = tape::Digest::of(b"");
    /// assert_eq!(nothing.to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    /// ```
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// A digest made before.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its 64 hexadecimal digits, for whoever writes millions of them.
    pub fn digits(&self) -> [u8; 64] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 64];
        for (pair, byte) in text.as_chunks_mut().0.iter_mut().zip(self.0) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]];
        }
        text
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|nibble| u8::try_from(nibble).ok());
            *byte = 16 * nibble(pair[0])? + nibble(pair[1])?;
        }
        Some(Self(bytes))
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.digits()).expect("digits are text"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Takes the digest of trades that come one by one, in canonical order.
#[derive(Debug, Clone, Default)]
pub struct TradesDigest {
    hasher: Sha256,
    trades: u64,
}

impl TradesDigest {
    /// Adds the line of the next trade. The caller sees to the order.
    pub fn add(&mut self, traded_at: EpochMs, id: &TradeId, price: Price, quantity: Quantity) {
        let mut text = Vec::with_capacity(USUAL_LENGTH);
        append_line(&mut text, traded_at, id, price, quantity);
        self.hasher.update(text);
        self.trades += 1;
    }

    /// How many trades were added.
    pub fn trades(&self) -> u64 {
        self.trades
    }

    /// The digest of all of them.
    pub fn finish(self) -> Digest {
        Digest(self.hasher.finalize().into())
    }

    /// The digest of trades in whatever order they are held.
    pub fn of<'a>(trades: impl IntoIterator<Item = &'a Trade>) -> Digest {
        let mut sorted: Vec<&Trade> = trades.into_iter().collect();
        sorted.sort_by(|a, b| canonical_order(a, b));
        let mut digest = Self::default();
        for Trade { id, traded_at, price, quantity, .. } in sorted {
            digest.add(*traded_at, id, *price, *quantity);
        }
        digest.finish()
    }
}

/// The order of lines: by time, then by the bytes of the id.
pub fn canonical_order(a: &Trade, b: &Trade) -> Ordering {
    (a.traded_at, a.id.as_str().as_bytes()).cmp(&(b.traded_at, b.id.as_str().as_bytes()))
}

/// The canonical line of a trade, its line feed included.
pub fn line(traded_at: EpochMs, id: &TradeId, price: Price, quantity: Quantity) -> String {
    let mut text = Vec::with_capacity(USUAL_LENGTH);
    append_line(&mut text, traded_at, id, price, quantity);
    String::from_utf8(text).expect("an id is text, and so are digits")
}

/// Room for a line as most are.
const USUAL_LENGTH: usize = 96;

/// Appends [`line`].
fn append_line(text: &mut Vec<u8>, traded_at: EpochMs, id: &TradeId, price: Price, quantity: Quantity) {
    // As their own text is, and sooner made: every trade that settles passes here.
    let decimal = |units: u128| Fixed::<DECIMALS>::from_units(U256::new(units));
    text.extend_from_slice(traded_at.to_string().as_bytes());
    text.push(b' ');
    text.extend_from_slice(id.as_str().as_bytes());
    text.push(b' ');
    decimal(price.units()).append_to(text);
    text.push(b' ');
    decimal(quantity.units()).append_to(text);
    text.push(b'\n');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Ticker;

    fn trade(ts: i64, id: &str, price: &str, quantity: &str) -> Trade {
        Trade {
            ticker: Ticker::new("BTC").expect("ticker"),
            id: TradeId::new(id).expect("id"),
            traded_at: EpochMs::new(ts),
            price: Price::parse(price).expect("price"),
            quantity: Quantity::parse(quantity).expect("quantity"),
        }
    }

    fn some_trades() -> Vec<Trade> {
        vec![
            trade(1_684_083_600_123, "abc-9", "27000.1200", "0.50"),
            trade(1_684_083_600_123, "abc-10", "27000.12", "1e-8"),
            trade(1_684_083_599_999, "Ω1", "27000", "2"),
            trade(999, "z", "0.000000000000000001", "10"),
        ]
    }

    /// Made without this program:
    /// ```sh
    /// printf '%s\n' '999 z 0.000000000000000001 10' '1684083599999 Ω1 27000 2' \
    ///   '1684083600123 abc-10 27000.12 0.00000001' '1684083600123 abc-9 27000.12 0.5' | sha256sum
    /// ```
    const BY_SHA256SUM: &str = "9f7b82fa639a0b7668cfb9cc1e5e9db9f08d618452011827cf08171405cba981";

    #[test]
    fn the_digest_is_the_one_that_sha256sum_makes_of_the_sorted_lines() {
        assert_eq!(TradesDigest::of(&some_trades()).to_string(), BY_SHA256SUM);
    }

    #[test]
    fn no_trades_are_the_digest_of_nothing() {
        assert_eq!(TradesDigest::of([]), Digest::of(b""));
    }

    #[test]
    fn a_change_of_any_field_changes_the_digest() {
        let was = TradesDigest::of(&some_trades());
        let changes: [fn(&mut Trade); 4] = [
            |trade| trade.traded_at = trade.traded_at.plus_ms(1),
            |trade| trade.id = TradeId::new("other").expect("id"),
            |trade| trade.price = Price::parse("27000.13").expect("price"),
            |trade| trade.quantity = Quantity::parse("0.51").expect("quantity"),
        ];
        for change in changes {
            let mut trades = some_trades();
            change(&mut trades[0]);
            assert_ne!(TradesDigest::of(&trades), was);
        }
        assert_ne!(TradesDigest::of(&some_trades()[1..]), was);
    }

    #[test]
    fn digits_cannot_wander_from_one_field_into_the_next() {
        let (a, b) = (trade(1, "2", "3", "45"), trade(1, "2", "34", "5"));
        assert_ne!(TradesDigest::of([&a]), TradesDigest::of([&b]));
        let (a, b) = (trade(1, "23", "4", "5"), trade(12, "3", "4", "5"));
        assert_ne!(TradesDigest::of([&a]), TradesDigest::of([&b]));
    }

    #[test]
    fn hexadecimal_text_round_trips_and_nothing_else_is_read() {
        let digest = Digest::of(b"x");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        let long = "a".repeat(65);
        for text in ["", "ab", &long, &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }

    #[test]
    fn trades_are_counted_as_they_are_added() {
        let mut digest = TradesDigest::default();
        assert_eq!(digest.trades(), 0);

        let Trade { id, traded_at, price, quantity, .. } = trade(5, "a", "1", "2");
        for _ in 0..3 {
            digest.add(traded_at, &id, price, quantity);
        }

        assert_eq!(digest.trades(), 3);
    }

    #[test]
    fn a_digest_is_shown_by_its_digits_to_programmers_too() {
        let nothing = TradesDigest::default().finish();

        assert_eq!(format!("{nothing:?}"), format!("Digest({nothing})"));
        assert!(nothing.to_string().starts_with("e3b0c44298fc1c14"));
    }

    proptest! {
        #[test]
        fn shuffling_changes_nothing(keys in prop::collection::vec((0i64..50, "[a-z0-9-]{1,6}"), 0..40).prop_shuffle()) {
            let trades: Vec<Trade> = keys.iter().map(|(ts, id)| trade(*ts, id, "1.5", "2")).collect();
            let mut backward = trades.clone();
            backward.reverse();
            prop_assert_eq!(TradesDigest::of(&trades), TradesDigest::of(&backward));
        }

        #[test]
        fn numbers_stand_in_a_line_as_they_show_themselves(
            price in "[1-9][0-9]{0,9}(\\.[0-9]{0,10}[1-9])?",
            quantity in "0\\.[0-9]{0,11}[1-9]",
        ) {
            let Trade { id, traded_at, price, quantity, .. } = trade(1_684_083_600_123, "a", &price, &quantity);
            prop_assert_eq!(line(traded_at, &id, price, quantity), format!("{traded_at} {id} {price} {quantity}\n"));
        }
    }
}
