//! Reads JSON of the plain form that markets send nearly always, in one pass:
//! objects with fields, each a string without escapes, a number, true or false,
//! and, where a market has them, lists of such objects.
//!
//! It refuses nothing. Whatever it does not read (an escape, a null, a field
//! that is there twice, anything deeper, anything torn), `serde_json` reads, or
//! says why nobody can; so what it reads must be what `serde_json` would make of
//! it, and tests hold the one against the other.

use crate::raw::Raw;

/// Fields by the names they have on the wire.
pub trait Fields<'json>: Default {
    /// The field of this name: where its value is kept, and how many were declared up to it.
    /// None where nobody asked for it.
    fn named(&mut self, name: &str) -> Option<(usize, &mut Option<Raw<'json>>)>;

    /// The field that was declared behind so many others, if the text goes on with its name: where
    /// its value is kept, the name, and how long that is with its quotes and its colon. Fields that
    /// are declared in the order of the wire need not be looked for.
    fn next(&mut self, declared: usize, text: &[u8]) -> Option<(&'static str, usize, &mut Option<Raw<'json>>)>;
}

/// Declares the fields of interest of an object: one list of names for both
/// ways of reading it. `null` is as good as absent, and other fields are ignored.
macro_rules! fields {
    ($(#[$about:meta])* struct $object:ident {
        $($(#[$note:meta])* $field:ident: $name:literal $(| $other:literal)*,)+
    }) => {
        $(#[$about])*
        #[derive(Default, serde::Deserialize)]
        struct $object<'json> {
            $($(#[$note])*
            #[serde(borrow, default, rename = $name $(, alias = $other)*)]
            $field: Option<$crate::raw::Raw<'json>>,)+
        }

        impl<'json> $crate::plain::Fields<'json> for $object<'json> {
            #[inline]
            fn named(&mut self, name: &str) -> Option<(usize, &mut Option<$crate::raw::Raw<'json>>)> {
                let mut declared = 0;
                $(declared += 1;
                if matches!(name, $name $(| $other)*) {
                    return Some((declared, &mut self.$field));
                })+
                let _ = declared;
                None
            }

            #[inline]
            fn next(
                &mut self,
                declared: usize,
                text: &[u8],
            ) -> Option<(&'static str, usize, &mut Option<$crate::raw::Raw<'json>>)> {
                let mut before = 0;
                $(if declared == before {
                    let name = concat!("\"", $name, "\":");
                    return text.starts_with(name.as_bytes()).then_some(($name, name.len(), &mut self.$field));
                }
                before += 1;)+
                let _ = before;
                None
            }
        }
    };
}
pub(crate) use fields;

/// The objects of a list. One is the usual number, and needs no room of its own.
pub struct Rows<T> {
    first: Option<T>,
    more: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { first: None, more: Vec::new() }
    }
}

impl<T> Rows<T> {
    /// The rows, if there was a list: none that is read is empty.
    pub fn if_any(self) -> Option<Self> {
        self.first.is_some().then_some(self)
    }
}

impl<T> IntoIterator for Rows<T> {
    type Item = T;
    type IntoIter = std::iter::Chain<std::option::IntoIter<T>, std::vec::IntoIter<T>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.more)
    }
}

/// Room is made for so many rows at once at most, whatever a text claims.
const ROWS_MOST: usize = 1_024;

/// Who reads a field.
pub enum Reader {
    /// It was read, by whoever was asked.
    Asked,
    /// It is one of the plain ones.
    Plain,
}

/// How far a text has been read.
pub struct Plain<'json> {
    text: &'json str,
    at: usize,
}

/// Reads a whole text that is one object.
#[inline]
pub fn object<'json, T: Fields<'json>>(text: &'json str) -> Option<T> {
    object_beside(text, |_, _| Some(Reader::Plain))
}

/// Reads a whole text that is one object, some fields of which are no plain ones.
#[inline]
pub fn object_beside<'json, T: Fields<'json>>(
    text: &'json str,
    other: impl FnMut(&mut Plain<'json>, &str) -> Option<Reader>,
) -> Option<T> {
    let mut plain = Plain { text, at: 0 };
    let mut fields = T::default();
    plain.fields_beside(&mut fields, other)?;
    text.as_bytes()[plain.at..].iter().all(is_blank).then_some(fields)
}

impl<'json> Plain<'json> {
    /// Reads an object that is there once at most.
    #[inline]
    pub fn object<T: Fields<'json>>(&mut self, into: &mut Option<T>) -> Option<Reader> {
        if into.is_some() {
            return None;
        }
        self.fields_beside(into.insert(T::default()), |_, _| Some(Reader::Plain))?;
        Some(Reader::Asked)
    }

    /// Reads a list, of one object or more, that is there once at most.
    #[inline]
    pub fn rows<T: Fields<'json>>(&mut self, into: &mut Rows<T>) -> Option<Reader> {
        self.expect(b'[')?;
        let begin = self.at;
        self.object(&mut into.first)?;
        // Rows are about as long as the first one.
        let alike = (self.text.len() - self.at) / (self.at - begin);
        into.more.reserve_exact(alike.min(ROWS_MOST));
        loop {
            match self.next()? {
                b',' => {
                    let mut row = None;
                    self.object(&mut row)?;
                    into.more.extend(row);
                }
                b']' => return Some(Reader::Asked),
                _ => return None,
            }
        }
    }

    /// Reads an object, asking for each field whether somebody else reads it.
    #[inline]
    fn fields_beside<T: Fields<'json>>(
        &mut self,
        fields: &mut T,
        mut other: impl FnMut(&mut Self, &str) -> Option<Reader>,
    ) -> Option<()> {
        self.expect(b'{')?;
        let mut declared = 0;
        loop {
            let (name, slot) = match fields.next(declared, &self.text.as_bytes()[self.at..]) {
                Some((name, length, slot)) => {
                    self.at += length;
                    declared += 1;
                    (name, Some(slot))
                }
                None => {
                    let name = self.name()?;
                    let slot = fields.named(name).map(|(place, slot)| {
                        declared = place;
                        slot
                    });
                    (name, slot)
                }
            };
            if slot.as_ref().is_some_and(|slot| slot.is_some()) {
                return None;
            }
            if let Reader::Plain = other(self, name)? {
                let value = self.value()?;
                if let Some(slot) = slot {
                    *slot = Some(value);
                }
            }
            match self.next()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// The name of a field, and the colon behind it.
    fn name(&mut self) -> Option<&'json str> {
        self.expect(b'"')?;
        let begin = self.at;
        self.string()?;
        let name = &self.text[begin..self.at - 1];
        self.expect(b':')?;
        Some(name)
    }

    #[inline]
    fn value(&mut self) -> Option<Raw<'json>> {
        let first = self.next()?;
        let begin = self.at - 1;
        match first {
            b'"' => self.string()?,
            b'-' => {
                let first = self.next_if(|byte| byte.is_ascii_digit())?;
                self.number(first)?;
            }
            b'0'..=b'9' => self.number(first)?,
            b't' => self.word("rue")?,
            b'f' => self.word("alse")?,
            _ => return None,
        }
        Some(Raw::without_escapes(&self.text[begin..self.at]))
    }

    /// The rest of a string without escapes, behind its first quote.
    #[inline]
    fn string(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        let end = first_that(bytes, self.at, stops_in, is_stop)?;
        self.at = end + 1;
        (bytes[end] == b'"').then_some(())
    }

    /// The rest of a number, behind its first digit.
    #[inline]
    fn number(&mut self, first: u8) -> Option<()> {
        if self.digits()? > 0 && first == b'0' {
            return None;
        }
        if self.next_if(|byte| byte == b'.').is_some() && self.digits()? == 0 {
            return None;
        }
        if self.next_if(|byte| byte | 0x20 == b'e').is_some() {
            self.next_if(|byte| byte == b'+' || byte == b'-');
            if self.digits()? == 0 {
                return None;
            }
        }
        Some(())
    }

    /// How many digits follow. Something else must follow them: no object ends with a number.
    #[inline]
    fn digits(&mut self) -> Option<usize> {
        let begin = self.at;
        self.at = first_that(self.text.as_bytes(), begin, others_in, |byte| !byte.is_ascii_digit())?;
        Some(self.at - begin)
    }

    fn word(&mut self, rest: &str) -> Option<()> {
        let is_it = self.text.as_bytes()[self.at..].starts_with(rest.as_bytes());
        self.at += rest.len();
        is_it.then_some(())
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.next()? == wanted).then_some(())
    }

    /// The next byte that is not blank.
    #[inline]
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            if !is_blank(&byte) {
                return Some(byte);
            }
        }
    }

    #[inline]
    fn next_if(&mut self, is_wanted: impl Fn(u8) -> bool) -> Option<u8> {
        let byte = *self.text.as_bytes().get(self.at)?;
        is_wanted(byte).then(|| {
            self.at += 1;
            byte
        })
    }
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether a byte ends a string, or makes it one that is not plain.
fn is_stop(byte: u8) -> bool {
    byte == b'"' || byte == b'\\' || byte < b' '
}

/// Where the first byte stands that is looked for, from a place on. Eight are
/// looked at together: `in_eight` sets the high bit of the first it is looking
/// for, of none before it, and perhaps of some behind it.
#[inline]
fn first_that(bytes: &[u8], from: usize, in_eight: fn(u64) -> u64, is_it: fn(u8) -> bool) -> Option<usize> {
    let mut at = from;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let found = in_eight(u64::from_le_bytes(*eight)) & HIGH_BITS;
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    bytes.get(at..)?.iter().position(|byte| is_it(*byte)).map(|further| at + further)
}

/// A byte in each of eight.
const fn eight(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

const HIGH_BITS: u64 = eight(0x80);

/// The bytes for which [`is_stop`] holds.
#[inline]
fn stops_in(word: u64) -> u64 {
    // A byte below the subtracted one borrows, which shows in its high bit, and in those behind it only.
    let below = |word: u64, bound: u8| word.wrapping_sub(eight(bound)) & !word;
    below(word, b' ') | below(word ^ eight(b'"'), 1) | below(word ^ eight(b'\\'), 1)
}

/// The bytes that are no digits.
#[inline]
fn others_in(word: u64) -> u64 {
    // Digits become 0 to 9, and what is above that carries into its high bit.
    let word = word ^ eight(b'0');
    ((word & !HIGH_BITS) + eight(0x80 - 10)) | word
}

#[cfg(test)]
mod tests;
