//! Reads JSON of the plain form that markets send nearly always, in one pass:
//! objects with fields, each a string without escapes, a number, true or false,
//! and, where a market has them, lists of such objects.
//!
//! It refuses nothing. Whatever it does not read (an escape, a null, a field
//! that is there twice, anything deeper, anything torn), `serde_json` reads, or
//! says why nobody can; so what it reads must be what `serde_json` would make of
//! it, and tests hold the one against the other.

mod blank;
mod scan;
mod value;

use tape::prefetch::prefetch;

use self::blank::{is_blank, without_blanks};
use crate::raw::Raw;

/// Fields by the names they have on the wire.
pub trait Fields<'json>: Default {
    /// Reads fields as long as they come in the order they were declared in, whichever are left
    /// out. Fields that are declared in the order of the wire need not be looked for. Returns
    /// whether the object ended behind them.
    fn in_order(&mut self, plain: &mut Plain<'json>) -> Option<bool>;

    /// The field of this name: what it holds, and where its value is kept. None where nobody asked for it.
    fn named(&mut self, name: &str) -> Option<(Holds, &mut Option<Raw<'json>>)>;
}

/// What a field usually holds. Whatever else it holds is read as text.
#[derive(Clone, Copy)]
pub enum Holds {
    /// What is read as text only.
    Text,
    /// A positive decimal, bare or quoted.
    Decimal,
    /// A whole number that is a time, bare or quoted.
    Whole,
    /// A whole number that is a name, bare or quoted.
    Numeral,
    /// An object, or a list of them, that somebody else may read.
    Objects,
}

/// Declares the fields of interest of an object: one list of names for both
/// ways of reading it. `null` is as good as absent, and other fields are ignored.
/// What a field holds is said where that is not just text, by a name of [`Holds`].
/// A field that is called `_` is one that usually comes next, and is ignored too.
macro_rules! fields {
    ($(#[$about:meta])* struct $object:ident {
        $($(#[$note:meta])* $field:ident: $name:literal $(| $other:literal)* $(as $holds:ident)?,
        $(_: $ignored:literal,)*)+
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
            fn in_order(&mut self, plain: &mut $crate::plain::Plain<'json>) -> Option<bool> {
                $($crate::plain::in_order!(plain, $name, self.$field, $($holds)?);
                $(if plain.pass(concat!("\"", $ignored, "\":")) {
                    plain.value()?;
                    if plain.is_over()? {
                        return Some(true);
                    }
                })*)+
                Some(false)
            }

            #[inline]
            fn named(&mut self, name: &str) -> Option<($crate::plain::Holds, &mut Option<$crate::raw::Raw<'json>>)> {
                match name {
                    $($name $(| $other)* => Some(($crate::plain::holds!($($holds)?), &mut self.$field)),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use fields;

/// What a field was declared to hold.
macro_rules! holds {
    () => {
        $crate::plain::Holds::Text
    };
    ($holds:ident) => {
        $crate::plain::Holds::$holds
    };
}
pub(crate) use holds;

/// Reads a field if it comes next. Fields that hold objects are asked for by their names.
macro_rules! in_order {
    ($plain:ident, $name:literal, $slot:expr, Objects) => {};
    ($plain:ident, $name:literal, $slot:expr, $($holds:ident)?) => {
        if $plain.pass(concat!("\"", $name, "\":")) {
            $plain.value_in($crate::plain::holds!($($holds)?), &mut $slot)?;
            if $plain.is_over()? {
                return Some(true);
            }
        }
    };
}
pub(crate) use in_order;

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

    /// Hands on each row, in their order.
    #[inline]
    pub fn for_each(&self, each: impl FnMut(&T)) {
        self.first.iter().chain(&self.more).for_each(each);
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
    rest: &'json str,
}

/// Reads a whole text that is one object into fields that are empty.
#[inline]
pub fn object<'json, T: Fields<'json>>(text: &'json str, fields: &mut T) -> Option<()> {
    object_beside(text, fields, |_, _| Some(Reader::Plain))
}

/// Reads a whole text that is one object, of which somebody else may read the fields that hold objects.
#[inline]
pub fn object_beside<'json, T: Fields<'json>>(
    text: &'json str,
    fields: &mut T,
    other: impl FnMut(&mut Plain<'json>, &str) -> Option<Reader>,
) -> Option<()> {
    ask_for(text);
    let mut plain = Plain { text, rest: text };
    plain.fields_beside(fields, other)?;
    plain.rest.bytes().all(is_blank).then_some(())
}

/// Asks for all of a text at once, in case it is not at hand: each of its cache lines would be waited for
/// by itself.
#[inline]
fn ask_for(text: &str) {
    const LINE: usize = 64;
    text.as_bytes().iter().step_by(LINE).for_each(prefetch);
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
        self.expect("[")?;
        let before = self.rest.len();
        self.object(&mut into.first)?;
        // Rows are about as long as the first one.
        let alike = self.rest.len() / (before - self.rest.len());
        into.more.reserve_exact(alike.min(ROWS_MOST));
        loop {
            if self.pass(",") {
                into.more.push(T::default());
                self.fields_beside(into.more.last_mut()?, |_, _| Some(Reader::Plain))?;
            } else if self.pass("]") {
                return Some(Reader::Asked);
            } else {
                self.pass_some_blanks()?;
            }
        }
    }

    /// Reads an object, asking for each field that holds objects whether somebody else reads it.
    #[inline]
    fn fields_beside<T: Fields<'json>>(
        &mut self,
        fields: &mut T,
        mut other: impl FnMut(&mut Self, &str) -> Option<Reader>,
    ) -> Option<()> {
        self.expect("{")?;
        loop {
            if fields.in_order(self)? {
                return Some(());
            }
            if self.rest.as_bytes().first().is_some_and(|first| is_blank(*first)) {
                self.pass_some_blanks()?;
                continue;
            }
            let name = self.name()?;
            match fields.named(name) {
                Some((Holds::Objects, slot)) => {
                    if slot.is_some() {
                        return None;
                    }
                    if let Reader::Plain = other(self, name)? {
                        self.value_in(Holds::Text, slot)?;
                    }
                }
                Some((holds, slot)) => self.value_in(holds, slot)?,
                None => self.value()?,
            }
            if self.is_over()? {
                return Some(());
            }
        }
    }

    /// Passes this, if it stands here. It is known where this is called, so that it is compared as a number or two.
    #[inline(always)]
    pub fn pass(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Whether the object ends here, and not only a field. What ends it is passed.
    #[inline(always)]
    pub fn is_over(&mut self) -> Option<bool> {
        if self.pass(",") {
            // One blank is usual, more are not.
            self.pass(" ");
            return Some(false);
        }
        self.is_over_behind_blanks()
    }

    fn is_over_behind_blanks(&mut self) -> Option<bool> {
        loop {
            if self.pass(",") {
                return Some(false);
            }
            if self.pass("}") {
                return Some(true);
            }
            self.pass_some_blanks()?;
        }
    }

    /// Reads the value of a field that is there once at most.
    #[inline(always)]
    pub fn value_in(&mut self, holds: Holds, slot: &mut Option<Raw<'json>>) -> Option<()> {
        let read = match holds {
            Holds::Text | Holds::Objects => value::text_in,
            Holds::Decimal => value::decimal_in,
            Holds::Whole => value::whole_in,
            Holds::Numeral => value::numeral_in,
        };
        self.rest = read(self.text, self.rest, slot)?;
        Some(())
    }

    /// The name of a field, and the colon behind it.
    fn name(&mut self) -> Option<&'json str> {
        self.expect("\"")?;
        let end = scan::string(self.text, self.rest.as_bytes())?;
        let (name, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        self.expect(":")?;
        name.strip_suffix('"')
    }

    /// Passes a value, whatever it is.
    #[inline]
    pub fn value(&mut self) -> Option<()> {
        self.rest = value::behind(self.text, self.rest)?;
        Some(())
    }

    #[inline]
    fn expect(&mut self, token: &str) -> Option<()> {
        if !self.pass(token) {
            self.pass_some_blanks()?;
            return self.pass(token).then_some(());
        }
        Some(())
    }

    /// Passes blanks, of which there must be one.
    #[cold]
    fn pass_some_blanks(&mut self) -> Option<()> {
        let rest = without_blanks(self.rest);
        let has_some = rest.len() < self.rest.len();
        self.rest = rest;
        has_some.then_some(())
    }
}

#[cfg(test)]
mod tests;
