//! Where a field ends, eight bytes at a time, without a branch per byte: fields
//! are too short for a search that begins anew at each of them.

/// The highest bit of every byte.
const HIGHEST: u64 = every(0x80);

/// The same byte eight times.
const fn every(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Where the bytes from a place on end that lie between `-` and `~`: tickers and
/// ids are written with them. None where the text ends before that is seen.
#[inline(always)]
pub fn word_end(text: &[u8], at: usize) -> Option<usize> {
    end(text, at, |bytes| {
        let lower = bytes & !HIGHEST;
        let is_from_dash = lower + every(0x80 - b'-');
        let is_beyond_tilde = lower + every(0x80 - 0x7f);
        (!is_from_dash | is_beyond_tilde | bytes) & HIGHEST
    })
}

/// Where the bytes from a place on end that are ASCII, and neither comma,
/// quotation mark, carriage return nor line feed. None where the text ends
/// before that is seen.
#[inline(always)]
pub fn unquoted_end(text: &[u8], at: usize) -> Option<usize> {
    end(text, at, |bytes| {
        let ends = [b',', b'"', b'\r', b'\n'].map(|end| zeros(bytes ^ every(end)));
        ends.into_iter().fold(bytes & HIGHEST, |ends, end| ends | end)
    })
}

/// The highest bit of each byte that is zero.
#[inline]
const fn zeros(bytes: u64) -> u64 {
    // No byte touches its neighbor: the sum of two numbers of seven bits stays within eight.
    !(((bytes & !HIGHEST) + !HIGHEST) | bytes) & HIGHEST
}

#[inline(always)]
fn end(text: &[u8], mut at: usize, ends: impl Fn(u64) -> u64) -> Option<usize> {
    loop {
        let ends = ends(u64::from_le_bytes(*text.get(at..)?.first_chunk()?));
        if ends != 0 {
            return Some(at + ends.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_024))]

        #[test]
        fn a_field_ends_where_a_plain_search_says(
            text in prop::collection::vec(prop_oneof![6 => b'-'..=b'~', 1 => any::<u8>(), 1 => Just(b','), 1 => Just(b'"')], 0..80),
            at in 0usize..80,
        ) {
            let rest = text.get(at..).unwrap_or_default();
            let seen = rest.len() / 8 * 8;
            let ends = |is_end: fn(&u8) -> bool| rest[..seen].iter().position(is_end).map(|length| at + length);
            prop_assert_eq!(word_end(&text, at), ends(|byte| !(b'-'..=b'~').contains(byte)));
            prop_assert_eq!(unquoted_end(&text, at), ends(|byte| b",\"\r\n".contains(byte) || !byte.is_ascii()));
        }
    }
}
