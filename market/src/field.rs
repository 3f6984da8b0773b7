//! Reads the fields of a trade from their JSON text.
//!
//! Markets print numbers as JSON numbers or as strings; either way it is the
//! digits that are read, and no float comes near them.

use serde::Deserialize;
use serde_json::value::RawValue;
use tape::{EpochMs, Price, Quantity, Rejection, Ticker, Trade, TradeId};
use url::Url;

use crate::adapter::NotAPage;
use crate::conversation::Symbols;
use crate::plain::{self, Fields};
use crate::raw::{Raw, Text};
use crate::reading::NumberedRow;
use crate::said::{Decoded, Refusal, Row, beginning};
use crate::stamp;

/// How much of a wrong value a rejection repeats, in bytes.
const FOUND_BYTES: usize = 64;

/// 2009-01-01: before it there was nothing to trade here. One exchange prints the year 1 at times.
const FIRST_MARKETS: EpochMs = EpochMs::new(1_230_768_000_000);

/// Reads a ticker, which must be a string.
///
/// # Errors
/// A [`Rejection`] that says what stood there.
pub fn ticker(field: &'static str, raw: Option<Raw<'_>>) -> Result<Ticker, Rejection> {
    let raw = raw.ok_or(Rejection::MissingField { field })?;
    match raw.text() {
        Text::Quoted(text) => Ticker::new(&text),
        Text::Unprintable => Err(Rejection::BadTicker(found(raw))),
        Text::Bare(_) => Err(wrong_type(field, raw)),
    }
}

/// Reads a trade id: a string, or an integer, which is kept as its digits.
///
/// # Errors
/// A [`Rejection`] that says what stood there.
pub fn trade_id(field: &'static str, raw: Option<Raw<'_>>) -> Result<TradeId, Rejection> {
    let raw = raw.ok_or_else(|| Rejection::NoTradeId(String::new()))?;
    if let Some(text) = raw.quoted() {
        return TradeId::new(text);
    }
    match raw.text() {
        Text::Quoted(text) => TradeId::new(&text),
        Text::Unprintable => Err(Rejection::NoTradeId(found(raw))),
        Text::Bare(text) if is_integer(text) => TradeId::new(text),
        Text::Bare(_) => Err(wrong_type(field, raw)),
    }
}

/// Reads a price.
///
/// # Errors
/// A [`Rejection`] that says what stood there.
pub fn price(field: &'static str, raw: Option<Raw<'_>>) -> Result<Price, Rejection> {
    number(field, raw, Price::parse)
}

/// Reads a quantity.
///
/// # Errors
/// A [`Rejection`] that says what stood there.
pub fn quantity(field: &'static str, raw: Option<Raw<'_>>) -> Result<Quantity, Rejection> {
    number(field, raw, Quantity::parse)
}

/// Reads a time in whole milliseconds; `1684083600123.0` and `1.684e12` are whole too.
///
/// # Errors
/// A [`Rejection`] that says what stood there.
pub fn epoch_ms(field: &'static str, raw: Option<Raw<'_>>) -> Result<EpochMs, Rejection> {
    number(field, raw, |text| match whole(text) {
        Some(ms) => Ok(EpochMs::new(ms)),
        None => Err(Rejection::WrongType { field, found: text.to_owned() }),
    })
}

/// Reads a time as `2014-11-07T08:19:27.028459Z`, down to its millisecond.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that it was before all markets of ours.
pub fn rfc3339(field: &'static str, raw: Option<Raw<'_>>) -> Result<EpochMs, Rejection> {
    stamped(field, raw, stamp::rfc3339_ms)
}

/// Reads a time in seconds with decimals, down to its millisecond.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that it was before all markets of ours.
pub fn decimal_seconds(field: &'static str, raw: Option<Raw<'_>>) -> Result<EpochMs, Rejection> {
    stamped(field, raw, stamp::decimal_seconds_ms)
}

/// Reads a time in whole seconds.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that it was before all markets of ours.
pub fn whole_seconds(field: &'static str, raw: Option<Raw<'_>>) -> Result<EpochMs, Rejection> {
    let is_whole = |text: &str| if text.contains('.') { None } else { stamp::decimal_seconds_ms(text) };
    stamped(field, raw, is_whole)
}

/// Reads a time in microseconds, down to its millisecond.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that it was before all markets of ours.
pub fn microseconds(field: &'static str, raw: Option<Raw<'_>>) -> Result<EpochMs, Rejection> {
    stamped(field, raw, stamp::microseconds_ms)
}

fn stamped(
    field: &'static str,
    raw: Option<Raw<'_>>,
    read: impl Fn(&str) -> Option<i64>,
) -> Result<EpochMs, Rejection> {
    let traded_at = number(field, raw, |text| match read(text) {
        Some(ms) => Ok(EpochMs::new(ms)),
        None => Err(Rejection::WrongType { field, found: text.to_owned() }),
    })?;
    if traded_at < FIRST_MARKETS {
        return Err(Rejection::TooOld { traded_at, oldest: FIRST_MARKETS });
    }
    Ok(traded_at)
}

/// Reads one object; fields nobody asked for are ignored.
///
/// # Errors
/// A [`Refusal`] when it is none.
#[inline]
pub fn object<'json, T: Fields<'json> + Deserialize<'json>>(json: &'json str) -> Result<T, Refusal> {
    plain::object(json).map_or_else(|| any_object(json), Ok)
}

/// Reads one object of whatever form, or says why it is none.
fn any_object<'json, T: Deserialize<'json>>(json: &'json str) -> Result<T, Refusal> {
    // An array would pass for the fields in their order.
    if !json.trim_ascii_start().starts_with('{') {
        return Err(Refusal::of(Rejection::Malformed("not a JSON object".to_owned())));
    }
    serde_json::from_str(json).map_err(|error| Refusal::of(Rejection::Malformed(error.to_string())))
}

/// Reads an array, whatever its items are.
///
/// # Errors
/// [`NotAPage`] when it is none from its first byte to its last.
pub fn array(json: &str) -> Result<Vec<&RawValue>, NotAPage> {
    serde_json::from_str(json).map_err(|error| NotAPage(error.to_string()))
}

/// Reads a market's symbol as our ticker.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that nobody asked for it.
pub fn symbol(field: &'static str, raw: Option<Raw<'_>>, symbols: &Symbols) -> Result<Ticker, Rejection> {
    let raw = raw.ok_or(Rejection::MissingField { field })?;
    if let Some(text) = raw.quoted() {
        return symbols.ticker(text);
    }
    match raw.text() {
        Text::Quoted(text) => symbols.ticker(&text),
        Text::Unprintable => Err(Rejection::BadTicker(found(raw))),
        Text::Bare(_) => Err(wrong_type(field, raw)),
    }
}

/// Reads a trade id that must be a whole number, bare or quoted, as its digits.
///
/// # Errors
/// A [`Rejection`] that says what stood there.
pub fn number_id(field: &'static str, raw: Option<Raw<'_>>) -> Result<TradeId, Rejection> {
    if let Some(raw) = raw
        && number_of(Some(raw)).is_some()
    {
        return TradeId::new(raw.quoted().unwrap_or(raw.get()));
    }
    let id = trade_id(field, raw)?;
    Err(Rejection::NoTradeId(id.as_str().chars().take(FOUND_BYTES).collect()))
}

/// The number an id is, bare or quoted, written as numbers usually are: one text for one number.
pub fn number_of(raw: Option<Raw<'_>>) -> Option<u64> {
    let json = raw?.get();
    let digits = json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(json);
    match digits.as_bytes() {
        [b'0', _, ..] | [] => None,
        _ => stamp::digits(digits),
    }
}

/// A row with its number. Without one it cannot be told from others, and is refused.
pub fn numbered<'b>(raw: &'b RawValue, decode: impl FnOnce(&'b str) -> (Option<u64>, Decoded)) -> NumberedRow<'b> {
    let text = raw.get();
    let (id, decoded) = decode(text);
    let decoded = match (id, decoded) {
        (None, Ok(trade)) => Err(Refusal {
            rejection: Rejection::NoTradeId(trade.id.as_str().to_owned()),
            ticker: Some(trade.ticker),
            traded_at: Some(trade.traded_at),
        }),
        (_, decoded) => decoded,
    };
    NumberedRow { id, row: Row { decoded, text } }
}

/// The id that lies a page and one ahead: the page before it is the one that follows `id`.
pub fn page_ahead(id: u64, page_limit: usize) -> u64 {
    id.saturating_add(1).saturating_add(u64::try_from(page_limit).unwrap_or(u64::MAX))
}

/// An address below the base, whether or not that ends with a slash.
pub fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let path = format!("{}/{path}", base.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

/// The fields of a trade, each read or refused.
pub struct Parts {
    /// Whose trade.
    pub ticker: Result<Ticker, Rejection>,
    /// When it was made.
    pub traded_at: Result<EpochMs, Rejection>,
    /// Its id.
    pub id: Result<TradeId, Rejection>,
    /// How much.
    pub quantity: Result<Quantity, Rejection>,
    /// At which price.
    pub price: Result<Price, Rejection>,
}

impl Parts {
    /// The trade, or the first refusal with what could be read nevertheless.
    ///
    /// # Errors
    /// A [`Refusal`] when any part was refused.
    #[inline]
    pub fn trade(self) -> Decoded {
        match self {
            Self {
                ticker: Ok(ticker),
                traded_at: Ok(traded_at),
                id: Ok(id),
                quantity: Ok(quantity),
                price: Ok(price),
            } => Ok(Trade { ticker, id, traded_at, price, quantity }),
            Self { ticker, traded_at, id, quantity, price } => {
                let (readable_ticker, readable_time) = (ticker.clone().ok(), traded_at.clone().ok());
                let first = [ticker.err(), traded_at.err(), id.err(), quantity.err(), price.err()];
                let rejection = first.into_iter().flatten().next().expect("one of the five is refused in this arm");
                Err(Refusal { rejection, ticker: readable_ticker, traded_at: readable_time })
            }
        }
    }
}

fn number<N>(
    field: &'static str,
    raw: Option<Raw<'_>>,
    parse: impl Fn(&str) -> Result<N, Rejection>,
) -> Result<N, Rejection> {
    let raw = raw.ok_or(Rejection::MissingField { field })?;
    let as_it_stands = raw.quoted().unwrap_or(raw.get());
    if let Ok(number) = parse(as_it_stands) {
        return Ok(number);
    }
    let number = match raw.text() {
        Text::Quoted(text) => parse(&text),
        Text::Bare(text) => parse(text),
        Text::Unprintable => Err(wrong_type(field, raw)),
    };
    number.map_err(|rejection| match rejection {
        // As it stood there, quotes and all: "1,5" and true are different mistakes.
        Rejection::WrongType { .. } => wrong_type(field, raw),
        other => other,
    })
}

fn wrong_type(field: &'static str, raw: Raw<'_>) -> Rejection {
    Rejection::WrongType { field, found: found(raw) }
}

fn found(raw: Raw<'_>) -> String {
    beginning(raw.get(), FOUND_BYTES).to_owned()
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// The whole number a decimal text stands for, capped to 64 bits; `None` when
/// it is no number or not whole.
fn whole(text: &str) -> Option<i64> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let magnitude = match stamp::signed_digits(unsigned) {
        Some(magnitude) => magnitude,
        None => whole_from_parts(unsigned)?,
    };
    Some(if is_negative { -magnitude } else { magnitude })
}

fn whole_from_parts(unsigned: &str) -> Option<i64> {
    let (number, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (integer, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if integer.is_empty() || !is_digits(integer) || !is_digits(fraction) {
        return None;
    }

    let digits = format!("{integer}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let point = i64::try_from(integer.len()).ok()? + i64::from(exponent);
    let zeros = point - i64::try_from(significant.len()).ok()?;
    if zeros < 0 {
        return None;
    }
    let shift = u32::try_from(zeros).ok().and_then(|zeros| 10i64.checked_pow(zeros));
    let value = significant.parse::<i64>().ok().zip(shift).and_then(|(value, shift)| value.checked_mul(shift));
    // A number this large is a time, only none of ours: the time door refuses it.
    Some(value.unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_whole_milliseconds_however_they_are_printed() {
        for text in ["1684083600123", "1684083600123.0", "1684083600123.000", "1.684083600123e12", "16840836001230E-1"]
        {
            assert_eq!(whole(text), Some(1_684_083_600_123), "{text}");
        }
        assert_eq!(whole("1.684e12"), Some(1_684_000_000_000));
        assert_eq!(whole("-5"), Some(-5));
        assert_eq!(whole("0.000"), Some(0));
        assert_eq!(whole("0e5"), Some(0));
    }

    #[test]
    fn times_that_are_not_whole_or_no_numbers_are_refused() {
        for text in ["1684083600123.5", "1e-3", "", "-", "+5", "--5", ".5", "1e", "1e99999999999", "12a", "1 ", "٥"] {
            assert_eq!(whole(text), None, "{text:?}");
        }
    }

    #[test]
    fn times_beyond_all_bounds_stay_times_so_that_the_time_door_names_them() {
        assert_eq!(whole("99999999999999999999"), Some(i64::MAX));
        assert_eq!(whole("1e300"), Some(i64::MAX));
        assert_eq!(whole("-1e300"), Some(-i64::MAX));
    }

    proptest! {
        #[test]
        fn every_whole_number_reads_as_itself_in_every_notation(ms in -9_000_000_000_000_000i64..9_000_000_000_000_000, zeros in 0usize..5) {
            let fraction = "0".repeat(zeros);
            prop_assert_eq!(whole(&ms.to_string()), Some(ms));
            prop_assert_eq!(whole(&format!("{ms}.{fraction}")), Some(ms));
            prop_assert_eq!(whole(&format!("{ms}{fraction}e-{zeros}")), Some(ms));
            prop_assert_eq!(whole(&format!("{ms}e2")), Some(ms * 100));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[-+0-9.eE]{0,40}|\\PC{0,20}") {
            whole(&text);
        }
    }
}
