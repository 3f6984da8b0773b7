//! Which trade ids of one ticker have been met: exactly, and in little memory.
//!
//! Venues number their trades, or give them a text. Numbers lie close together,
//! in whatever order they come: of every 4,096 neighbors one bit each is kept,
//! or where they are few their places. Texts are kept as they are.

use std::collections::{BTreeMap, HashSet};

use crate::prefetch::prefetch;

/// A set of trade ids.
// What the next number needs comes first, side by side.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub struct Ids {
    /// The page met last, out of its place: most ids are the next number.
    open: Option<(u64, Page)>,
    /// The place in it that was added last: the next one is near.
    last: u16,
    pages: BTreeMap<u64, Page>,
    texts: HashSet<Box<str>>,
}

/// Which of some neighboring numbers are there.
#[derive(Debug, Clone)]
enum Page {
    /// Their places in it, in order.
    Few(Vec<u16>),
    /// A bit for each place.
    Many(Box<[u64; WORDS]>),
}

/// How many neighbors a page has.
const PAGE: u64 = 4_096;

/// How many words their bits need.
const WORDS: usize = PAGE as usize / 64;

/// So many places take a quarter of the memory of a page's bits.
const FEW: usize = 64;

/// What an id says: the same for two ids only where their texts are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named<'text> {
    /// The number it is, and could not be written otherwise; below 10^19.
    Number(u64),
    /// Any other text.
    Text(&'text str),
}

impl<'text> Named<'text> {
    /// What a text says.
    pub fn of(text: &'text str) -> Self {
        number(text).map_or(Self::Text(text), Self::Number)
    }
}

impl Ids {
    /// Adds an id. Returns whether it was not there.
    pub fn insert(&mut self, id: &str) -> bool {
        self.insert_named(Named::of(id))
    }

    /// Whether an id is there.
    pub fn contains(&self, id: &str) -> bool {
        self.contains_named(Named::of(id))
    }

    /// Adds an id that was read before. Returns whether it was not there.
    #[inline(always)]
    pub fn insert_named(&mut self, id: Named<'_>) -> bool {
        match id {
            Named::Number(number) => {
                self.last = place(number);
                self.page(number / PAGE).insert(place(number))
            }
            Named::Text(id) => !self.texts.contains(id) && self.texts.insert(id.into()),
        }
    }

    /// Whether an id that was read before is there.
    pub fn contains_named(&self, id: Named<'_>) -> bool {
        match id {
            Named::Number(number) => self.find(number / PAGE).is_some_and(|page| page.contains(place(number))),
            Named::Text(id) => self.texts.contains(id),
        }
    }

    /// Prefetches what a number needs.
    #[inline(always)]
    pub fn prefetch(&self) {
        prefetch(&self.open);
    }

    /// Prefetches what the next number needs of what that leads to.
    #[inline(always)]
    pub fn prefetch_next(&self) {
        match &self.open {
            Some((_, Page::Few(places))) => places.last().into_iter().for_each(prefetch),
            Some((_, Page::Many(bits))) => bits.get(usize::from(self.last / 64)).into_iter().for_each(prefetch),
            None => {}
        }
    }

    /// Whether it has no id that another has.
    pub fn is_disjoint(&self, other: &Self) -> bool {
        let shared = |(key, page): (&u64, &Page)| self.find(*key).is_some_and(|own| !own.is_disjoint(page));
        !other.pages().any(shared) && self.texts.is_disjoint(&other.texts)
    }

    /// Adds all ids of another.
    pub fn absorb(&mut self, other: Self) {
        for (key, page) in other.pages.into_iter().chain(other.open) {
            self.page(key).absorb(page);
        }
        self.texts.extend(other.texts);
    }

    fn pages(&self) -> impl Iterator<Item = (&u64, &Page)> {
        self.pages.iter().chain(self.open.as_ref().map(|(key, page)| (key, page)))
    }

    fn find(&self, key: u64) -> Option<&Page> {
        match &self.open {
            Some((open, page)) if *open == key => Some(page),
            _ => self.pages.get(&key),
        }
    }

    #[inline(always)]
    fn page(&mut self, key: u64) -> &mut Page {
        if self.open.as_ref().is_none_or(|(open, _)| *open != key) {
            self.open(key);
        }
        &mut self.open.as_mut().expect("it was opened just now").1
    }

    fn open(&mut self, key: u64) {
        let page = self.pages.remove(&key).unwrap_or(Page::Few(Vec::new()));
        if let Some((key, page)) = self.open.replace((key, page)) {
            self.pages.insert(key, page);
        }
    }
}

impl Page {
    #[inline(always)]
    fn insert(&mut self, place: u16) -> bool {
        match self {
            Self::Many(bits) => {
                let (word, bit) = (usize::from(place / 64), 1 << (place % 64));
                let is_new = bits[word] & bit == 0;
                bits[word] |= bit;
                is_new
            }
            Self::Few(places) => {
                // Most ids are greater than those before them.
                let is_last = places.last().is_none_or(|last| *last < place);
                let found = if is_last { Err(places.len()) } else { places.binary_search(&place) };
                let Err(index) = found else { return false };
                places.insert(index, place);
                if places.len() > FEW {
                    *self = Self::Many(Box::new(self.bits()));
                }
                true
            }
        }
    }

    fn contains(&self, place: u16) -> bool {
        match self {
            Self::Many(bits) => bits[usize::from(place / 64)] & 1 << (place % 64) != 0,
            Self::Few(places) => places.binary_search(&place).is_ok(),
        }
    }

    fn is_disjoint(&self, other: &Self) -> bool {
        let (own, others) = (self.bits(), other.bits());
        own.iter().zip(others).all(|(own, other)| own & other == 0)
    }

    fn absorb(&mut self, other: Self) {
        let (own, others) = (self.bits(), other.bits());
        *self = match (&self, other) {
            (Self::Few(places), other) if places.is_empty() => other,
            _ => Self::Many(Box::new(std::array::from_fn(|word| own[word] | others[word]))),
        };
    }

    fn bits(&self) -> [u64; WORDS] {
        match self {
            Self::Many(bits) => **bits,
            Self::Few(places) => {
                let mut bits = [0; WORDS];
                places.iter().for_each(|place| bits[usize::from(place / 64)] |= 1 << (place % 64));
                bits
            }
        }
    }
}

#[inline]
fn place(number: u64) -> u16 {
    u16::try_from(number % PAGE).expect("a place is below the size of a page")
}

/// The number of an id that is one and could not be written otherwise.
fn number(id: &str) -> Option<u64> {
    let is_one_way = id.len() == 1 || !id.starts_with('0');
    let is_number = is_one_way && id.len() <= 19 && !id.is_empty();
    if !is_number {
        return None;
    }
    id.bytes().try_fold(0, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_new_once_and_texts_that_read_alike_are_different_ids() {
        let mut ids = Ids::default();

        for id in ["7", "07", "7.0", "+7", "٧", "abc-1", "9999999999999999999", "99999999999999999999", "0", "00", ""]
        {
            assert!(ids.insert(id), "{id:?}");
            assert!(!ids.insert(id), "{id:?}");
        }
        assert!(ids.insert("18446744073709551615"), "beyond 19 digits it is a text");
        assert!(ids.insert("20") && ids.insert("1:"), "what follows nine is no digit");
    }

    #[test]
    fn sixty_four_neighbors_are_kept_by_their_places_and_one_more_by_bits() {
        let of = |numbers: std::ops::Range<u64>| {
            let mut set = Ids::default();
            numbers.for_each(|number| assert!(set.insert(&number.to_string())));
            set
        };
        let is_few = |set: &Ids| set.pages().all(|(_, page)| matches!(page, Page::Few(_)));

        assert!(is_few(&of(0..64)));
        assert!(!is_few(&of(0..65)));
        let mut empty = Ids::default();
        empty.absorb(of(0..64));
        assert!(is_few(&empty), "what an empty set takes over stays as small as it was");
    }

    /// Dense, scattered and textual ids.
    fn any_id() -> impl Strategy<Value = String> {
        prop_oneof![
            (4_000u64..4_200).prop_map(|number| number.to_string()),
            (0u64..40_000).prop_map(|number| number.to_string()),
            any::<u64>().prop_map(|number| number.to_string()),
            "[a-c0]{1,2}",
        ]
    }

    proptest! {
        #[test]
        fn it_knows_what_a_set_of_texts_knows(ids in prop::collection::vec(any_id(), 0..600)) {
            let (mut own, mut plain) = (Ids::default(), HashSet::new());
            for id in ids {
                prop_assert_eq!(own.contains(&id), plain.contains(&id));
                prop_assert_eq!(own.insert(&id), plain.insert(id));
            }
        }

        #[test]
        fn two_sets_are_told_apart_and_put_together_like_sets_of_texts(
            ids in prop::collection::vec(any_id(), 1..300),
            others in prop::collection::vec(any_id(), 0..6),
        ) {
            let of = |ids: &[String]| {
                let mut set = Ids::default();
                ids.iter().for_each(|id| { set.insert(id); });
                set
            };
            let is_disjoint = !ids.iter().any(|id| others.contains(id));
            let (mut one, other) = (of(&ids), of(&others));
            prop_assert_eq!(one.is_disjoint(&other), is_disjoint);
            prop_assert_eq!(other.is_disjoint(&one), is_disjoint);

            one.absorb(other);

            for id in ids.iter().chain(&others) {
                prop_assert!(!one.insert(id), "{}", id);
            }
            prop_assert!(one.insert("never met"));
        }
    }
}
