//! Where each ticker of a piece stands: looked up once per row.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// The places of tickers, by their bytes.
#[derive(Debug, Clone)]
pub struct Places {
    /// Tickers met before, each where the hash of its bytes says: nearly every
    /// row finds its own there.
    recent: Box<[Option<(Short, u32)>; RECENT]>,
    all: HashMap<Box<[u8]>, u32, BuildHasherDefault<Fnv>>,
}

/// A power of two.
const RECENT: usize = 256;

/// A ticker of up to fifteen bytes, filled up with zeros, which no ticker has.
type Short = u128;

/// What stands where a ticker should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'text> {
    bytes: &'text [u8],
    /// The same, if it is that short.
    short: Option<Short>,
}

impl<'text> Name<'text> {
    /// The bytes between two places.
    #[inline(always)]
    pub fn between(text: &'text [u8], from: usize, end: usize) -> Self {
        let sixteen = text.get(from..).and_then(|rest| rest.first_chunk());
        let short = sixteen.filter(|_| (1..size_of::<Short>()).contains(&(end - from))).map(|sixteen| {
            let beyond = 8 * (size_of::<Short>() - (end - from));
            Short::from_le_bytes(*sixteen) << beyond >> beyond
        });
        Self { bytes: &text[from..end], short }
    }

    /// A whole text.
    pub fn of(text: &'text [u8]) -> Self {
        let mut padded = [0; size_of::<Short>()];
        let is_short = (1..padded.len()).contains(&text.len());
        if is_short {
            padded[..text.len()].copy_from_slice(text);
        }
        Self { bytes: text, short: is_short.then_some(Short::from_le_bytes(padded)) }
    }
}

impl Default for Places {
    fn default() -> Self {
        Self { recent: Box::new([None; RECENT]), all: HashMap::default() }
    }
}

impl Places {
    /// Where a ticker stands.
    #[inline(always)]
    pub fn get(&mut self, ticker: Name<'_>) -> Option<usize> {
        let Some(short) = ticker.short else { return self.all.get(ticker.bytes).map(|place| *place as usize) };
        let recent = &mut self.recent[slot(short)];
        if let Some((own, place)) = recent
            && *own == short
        {
            return Some(*place as usize);
        }
        let place = *self.all.get(ticker.bytes)?;
        *recent = Some((short, place));
        Some(place as usize)
    }

    /// Adds a ticker.
    pub fn insert(&mut self, ticker: &[u8], place: usize) {
        self.all.insert(ticker.into(), u32::try_from(place).expect("a piece has fewer rows"));
    }
}

#[inline(always)]
fn slot(short: Short) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (short as u64 ^ ((short >> 64) as u64).rotate_left(29)).wrapping_mul(ODD);
    (mixed >> 32) as usize % RECENT
}

/// Hashes a few bytes quickly (FNV-1a): whoever makes a file whose tickers
/// collide slows down nobody but himself.
#[derive(Clone)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_more_tickers_than_are_remembered_finds_its_own_place_however_long_it_is() {
        let names: Vec<String> = (0..2_000usize).map(|number| format!("{number}{}", "x".repeat(number % 30))).collect();
        let mut places = Places::default();
        for (place, name) in names.iter().enumerate() {
            assert_eq!(places.get(Name::of(name.as_bytes())), None);
            places.insert(name.as_bytes(), place);
        }

        for _ in 0..2 {
            for (place, name) in names.iter().enumerate() {
                let text = format!("1,{name},and what follows it");
                let at = Name::between(text.as_bytes(), 2, 2 + name.len());
                assert_eq!(at, Name::of(name.as_bytes()));
                assert_eq!(places.get(at), Some(place));
            }
        }
        for other in ["", "0,", "0x", "1", "x"] {
            let is_there = names.iter().position(|name| name == other);
            assert_eq!(places.get(Name::of(other.as_bytes())), is_there);
        }
    }
}
