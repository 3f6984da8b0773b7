//! A JSON value as the text it has on the wire, and what is known of it: digits
//! stay digits until a field reads them, or are read where they stand, never by
//! way of a float.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use tape::digits::Digits;

/// The text of one JSON value, quotes and all, without the blanks around it.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'json> {
    json: &'json str,
    read: Read,
}

/// What was found out already when the text was read, so that nobody looks twice.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Read {
    /// That it may have escapes.
    Escaped,
    /// That it has none.
    Text,
    /// The number it is, bare or quoted.
    Decimal(Digits),
    /// The whole number it is, bare or quoted.
    Whole(u64),
    /// That it is a whole number, bare or quoted, that 64 bits hold, written as numbers usually are.
    Numeral,
}

/// What a JSON value is, as far as a field of ours can be made of it.
pub enum Text<'json> {
    /// A string that can be kept.
    Quoted(Cow<'json, str>),
    /// Something that is not a string.
    Bare(&'json str),
    /// A string with characters that no field has and no table takes.
    Unprintable,
}

impl<'json> Raw<'json> {
    /// A value of which more is known.
    #[inline]
    pub(crate) fn plain(json: &'json str, read: Read) -> Self {
        Self { json, read }
    }

    /// What is known of it.
    #[inline]
    pub(crate) fn read(self) -> Read {
        self.read
    }

    /// The text as it stood there.
    pub fn get(self) -> &'json str {
        self.json
    }

    /// What it says, where it is a string without escapes: nearly every string is.
    #[inline]
    pub fn quoted(self) -> Option<&'json str> {
        let quoted = self.json.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        quoted.filter(|_| !matches!(self.read, Read::Escaped))
    }

    /// What it says.
    #[inline]
    pub fn text(self) -> Text<'json> {
        if let Some(quoted) = self.quoted() {
            return Text::Quoted(Cow::Borrowed(quoted));
        }
        if !self.json.starts_with('"') {
            return Text::Bare(self.json);
        }
        match serde_json::from_str::<String>(self.json) {
            Ok(text) if !text.contains(char::is_control) => Text::Quoted(Cow::Owned(text)),
            // A control character, or half of a surrogate pair.
            Ok(_) | Err(_) => Text::Unprintable,
        }
    }
}

impl<'json> From<&'json RawValue> for Raw<'json> {
    fn from(raw: &'json RawValue) -> Self {
        let read = if raw.get().contains('\\') { Read::Escaped } else { Read::Text };
        Self { json: raw.get(), read }
    }
}

impl<'de: 'json, 'json> Deserialize<'de> for Raw<'json> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&'json RawValue>::deserialize(deserializer).map(Self::from)
    }
}
