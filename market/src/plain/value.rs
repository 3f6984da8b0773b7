//! Reads a value into the slot it is kept in.
//!
//! Every function takes a whole text and what is left of it, and returns what is
//! left behind the value. None says that it is not to be read here: it is not of
//! the plain form, or something is in the slot already.

use super::blank::without_blanks;
use super::scan;
use crate::raw::{Raw, Read};

/// Reads a value as text.
pub fn text_in<'json>(text: &'json str, rest: &'json str, slot: &mut Option<Raw<'json>>) -> Option<&'json str> {
    let rest = without_blanks(rest);
    match rest.as_bytes() {
        [b'"', behind @ ..] => keep_first(slot, rest, 1 + scan::string(text, behind)?, Read::Text),
        _ => bare_in(text, rest, slot),
    }
}

#[inline(never)]
fn bare_in<'json>(text: &'json str, rest: &'json str, slot: &mut Option<Raw<'json>>) -> Option<&'json str> {
    keep_first(slot, rest, length(text, rest)?, Read::Text)
}

/// Reads a positive decimal as a number, and anything else as text.
pub fn decimal_in<'json>(text: &'json str, rest: &'json str, slot: &mut Option<Raw<'json>>) -> Option<&'json str> {
    let rest = without_blanks(rest);
    match scan::decimal(rest.as_bytes()) {
        Some((digits, length)) => keep_first(slot, rest, length, Read::Decimal(digits)),
        None => text_in(text, rest, slot),
    }
}

/// Reads a whole number as one, and anything else as text.
pub fn whole_in<'json>(text: &'json str, rest: &'json str, slot: &mut Option<Raw<'json>>) -> Option<&'json str> {
    let rest = without_blanks(rest);
    match scan::whole(rest.as_bytes()) {
        Some((number, length)) => keep_first(slot, rest, length, Read::Whole(number)),
        None => text_in(text, rest, slot),
    }
}

/// Reads a whole number that is a name as text of which that is known, and anything else as text.
pub fn numeral_in<'json>(text: &'json str, rest: &'json str, slot: &mut Option<Raw<'json>>) -> Option<&'json str> {
    let rest = without_blanks(rest);
    match scan::numeral(text, rest.as_bytes()) {
        Some(length) => keep_first(slot, rest, length, Read::Numeral),
        None => text_in(text, rest, slot),
    }
}

/// Keeps so many bytes where nothing is, and returns those behind.
#[inline]
fn keep_first<'json>(slot: &mut Option<Raw<'json>>, rest: &'json str, length: usize, read: Read) -> Option<&'json str> {
    let (json, rest) = rest.split_at_checked(length)?;
    if slot.is_some() {
        return None;
    }
    *slot = Some(Raw::plain(json, read));
    Some(rest)
}

/// What follows a value, whatever it is.
pub fn behind<'json>(text: &'json str, rest: &'json str) -> Option<&'json str> {
    let rest = without_blanks(rest);
    rest.get(length(text, rest)?..)
}

/// How long a value is, whatever it is.
#[inline]
fn length(text: &str, rest: &str) -> Option<usize> {
    match rest.as_bytes() {
        [b'"', behind @ ..] => scan::string(text, behind).map(|length| 1 + length),
        [b'0'..=b'9', ..] => scan::number(text, rest.as_bytes()),
        [b'-', behind @ ..] => scan::number(text, behind).map(|length| 1 + length),
        [b't', b'r', b'u', b'e', ..] => Some(4),
        [b'f', b'a', b'l', b's', b'e', ..] => Some(5),
        _ => None,
    }
}
