//! Reads the fields of a trade from their JSON text.
//!
//! Markets print numbers as JSON numbers or as strings; either way it is the
//! digits that are read, and no float comes near them.

mod whole;

use serde::Deserialize;
use serde_json::value::RawValue;
use tape::{EpochMs, Price, Quantity, Rejection, Ticker, Trade, TradeId};
use url::Url;

use self::whole::whole;
use crate::adapter::NotAPage;
use crate::conversation::Symbols;
use crate::plain::{self, Fields};
use crate::raw::{Raw, Read, Text};
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
#[inline]
pub fn ticker(field: &'static str, raw: Option<&Raw<'_>>) -> Result<Ticker, Rejection> {
    match raw.and_then(|raw| raw.quoted()) {
        Some(text) => Ticker::new(text),
        None => any_ticker(field, raw),
    }
}

#[cold]
fn any_ticker(field: &'static str, raw: Option<&Raw<'_>>) -> Result<Ticker, Rejection> {
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
#[inline]
pub fn trade_id(field: &'static str, raw: Option<&Raw<'_>>) -> Result<TradeId, Rejection> {
    match raw.and_then(|raw| raw.quoted()) {
        Some(text) => TradeId::new(text),
        None => any_trade_id(field, raw),
    }
}

#[cold]
fn any_trade_id(field: &'static str, raw: Option<&Raw<'_>>) -> Result<TradeId, Rejection> {
    let raw = raw.ok_or_else(|| Rejection::NoTradeId(String::new()))?;
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
#[inline]
pub fn price(field: &'static str, raw: Option<&Raw<'_>>) -> Result<Price, Rejection> {
    match raw.map(|raw| raw.read()) {
        Some(Read::Decimal(digits)) => Ok(Price::of(digits)),
        _ => number(field, raw, Price::parse),
    }
}

/// Reads a quantity.
///
/// # Errors
/// A [`Rejection`] that says what stood there.
#[inline]
pub fn quantity(field: &'static str, raw: Option<&Raw<'_>>) -> Result<Quantity, Rejection> {
    match raw.map(|raw| raw.read()) {
        Some(Read::Decimal(digits)) => Ok(Quantity::of(digits)),
        _ => number(field, raw, Quantity::parse),
    }
}

/// Reads a time in whole milliseconds; `1684083600123.0` and `1.684e12` are whole too.
///
/// # Errors
/// A [`Rejection`] that says what stood there.
#[inline]
pub fn epoch_ms(field: &'static str, raw: Option<&Raw<'_>>) -> Result<EpochMs, Rejection> {
    match raw.map(|raw| raw.read()) {
        Some(Read::Whole(ms)) => Ok(EpochMs::new(ms.try_into().unwrap_or(i64::MAX))),
        _ => any_epoch_ms(field, raw),
    }
}

#[cold]
fn any_epoch_ms(field: &'static str, raw: Option<&Raw<'_>>) -> Result<EpochMs, Rejection> {
    number(field, raw, |text| match whole(text) {
        Some(ms) => Ok(EpochMs::new(ms)),
        None => Err(Rejection::WrongType { field, found: text.to_owned() }),
    })
}

/// Reads a time as `2014-11-07T08:19:27.028459Z`, down to its millisecond.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that it was before all markets of ours.
pub fn rfc3339(field: &'static str, raw: Option<&Raw<'_>>) -> Result<EpochMs, Rejection> {
    stamped(field, raw, stamp::rfc3339_ms)
}

/// Reads a time in seconds with decimals, down to its millisecond.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that it was before all markets of ours.
pub fn decimal_seconds(field: &'static str, raw: Option<&Raw<'_>>) -> Result<EpochMs, Rejection> {
    stamped(field, raw, stamp::decimal_seconds_ms)
}

/// Reads a time in whole seconds.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that it was before all markets of ours.
pub fn whole_seconds(field: &'static str, raw: Option<&Raw<'_>>) -> Result<EpochMs, Rejection> {
    let is_whole = |text: &str| if text.contains('.') { None } else { stamp::decimal_seconds_ms(text) };
    stamped(field, raw, is_whole)
}

/// Reads a time in microseconds, down to its millisecond.
///
/// # Errors
/// A [`Rejection`] that says what stood there, or that it was before all markets of ours.
pub fn microseconds(field: &'static str, raw: Option<&Raw<'_>>) -> Result<EpochMs, Rejection> {
    stamped(field, raw, stamp::microseconds_ms)
}

fn stamped(
    field: &'static str,
    raw: Option<&Raw<'_>>,
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
    let mut fields = T::default();
    object_into(json, &mut fields).map(|()| fields)
}

/// The same, into fields that are empty.
///
/// # Errors
/// A [`Refusal`] when it is none.
#[inline]
pub fn object_into<'json, T: Fields<'json> + Deserialize<'json>>(
    json: &'json str,
    fields: &mut T,
) -> Result<(), Refusal> {
    match plain::object(json, fields) {
        Some(()) => Ok(()),
        None => any_object(json).map(|all| *fields = all),
    }
}

/// Reads one object of whatever form, or says why it is none.
#[cold]
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
#[inline]
pub fn symbol(field: &'static str, raw: Option<&Raw<'_>>, symbols: &Symbols) -> Result<Ticker, Rejection> {
    match raw.and_then(|raw| raw.quoted()) {
        Some(text) => symbols.ticker(text),
        None => any_symbol(field, raw, symbols),
    }
}

#[cold]
fn any_symbol(field: &'static str, raw: Option<&Raw<'_>>, symbols: &Symbols) -> Result<Ticker, Rejection> {
    let raw = raw.ok_or(Rejection::MissingField { field })?;
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
#[inline]
pub fn number_id(field: &'static str, raw: Option<&Raw<'_>>) -> Result<TradeId, Rejection> {
    match raw {
        Some(raw) if matches!(raw.read(), Read::Numeral) => TradeId::new(raw.quoted().unwrap_or(raw.get())),
        _ => any_number_id(field, raw),
    }
}

#[cold]
fn any_number_id(field: &'static str, raw: Option<&Raw<'_>>) -> Result<TradeId, Rejection> {
    if let Some(raw) = raw
        && number_of(Some(*raw)).is_some()
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
            refused => Err(refused.refusal()),
        }
    }

    /// The first refusal, where there is one.
    #[cold]
    fn refusal(self) -> Refusal {
        let Self { ticker, traded_at, id, quantity, price } = self;
        let (readable_ticker, readable_time) = (ticker.clone().ok(), traded_at.clone().ok());
        let first = [ticker.err(), traded_at.err(), id.err(), quantity.err(), price.err()];
        let rejection = first.into_iter().flatten().next().expect("one of the five was refused");
        Refusal { rejection, ticker: readable_ticker, traded_at: readable_time }
    }
}

#[inline]
fn number<N>(
    field: &'static str,
    raw: Option<&Raw<'_>>,
    parse: impl Fn(&str) -> Result<N, Rejection>,
) -> Result<N, Rejection> {
    let raw = raw.ok_or(Rejection::MissingField { field })?;
    match parse(raw.quoted().unwrap_or(raw.get())) {
        Ok(number) => Ok(number),
        Err(_) => any_number(field, raw, parse),
    }
}

#[cold]
fn any_number<N>(
    field: &'static str,
    raw: &Raw<'_>,
    parse: impl Fn(&str) -> Result<N, Rejection>,
) -> Result<N, Rejection> {
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

fn wrong_type(field: &'static str, raw: &Raw<'_>) -> Rejection {
    Rejection::WrongType { field, found: found(raw) }
}

fn found(raw: &Raw<'_>) -> String {
    beginning(raw.get(), FOUND_BYTES).to_owned()
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}
