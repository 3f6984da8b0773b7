//! Finds commas and line feeds, eight bytes at a time: fields are too short for
//! a search that has to begin anew at each of them.

const COMMAS: u64 = u64::from_ne_bytes([b','; 8]);
const LINE_FEEDS: u64 = u64::from_ne_bytes([b'\n'; 8]);
const HIGHEST_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// Where the separators of a text are, one after the other.
pub struct Separators<'text> {
    eights: std::slice::Iter<'text, [u8; 8]>,
    /// What is left of the text behind its last eight, filled up; told last.
    rest: Option<[u8; 8]>,
    /// Where the next eight bytes begin.
    next: usize,
    /// The highest bit of each of the current ones that is a separator not told yet.
    found: u64,
}

impl<'text> Separators<'text> {
    /// The separators of a text.
    pub fn of(text: &'text [u8]) -> Self {
        let (eights, left) = text.as_chunks();
        let mut rest = [0; 8];
        rest[..left.len()].copy_from_slice(left);
        Self { eights: eights.iter(), rest: Some(rest), next: 0, found: 0 }
    }
}

impl Iterator for Separators<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.found == 0 {
            let eight = match self.eights.next() {
                Some(eight) => *eight,
                None => self.rest.take()?,
            };
            self.found = separators(eight);
            self.next += 8;
        }
        let place = self.found.trailing_zeros() as usize / 8;
        self.found &= self.found - 1;
        Some(self.next - 8 + place)
    }
}

/// The highest bit of each byte that is a separator.
#[inline]
fn separators(eight: [u8; 8]) -> u64 {
    let word = u64::from_le_bytes(eight);
    zeros(word ^ COMMAS) | zeros(word ^ LINE_FEEDS)
}

/// The highest bit of each byte that is zero. No byte touches its neighbor: the
/// sum of two numbers of seven bits stays within eight.
#[inline]
fn zeros(word: u64) -> u64 {
    let lower = (word & !HIGHEST_BITS) + !HIGHEST_BITS;
    !(lower | word) & HIGHEST_BITS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_separator_is_found_and_nothing_else(
            text in prop::collection::vec(prop_oneof![Just(b','), Just(b'\n'), any::<u8>(), 0x0bu8..0x30, 0x80u8..=0xff], 0..100),
        ) {
            let plain = text.iter().enumerate().filter(|(_, byte)| matches!(byte, b',' | b'\n')).map(|(place, _)| place);
            prop_assert_eq!(Separators::of(&text).collect::<Vec<_>>(), plain.collect::<Vec<_>>());
        }
    }
}
