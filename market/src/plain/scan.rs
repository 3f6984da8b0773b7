//! How far the strings and numbers of a JSON text reach, eight bytes at a time,
//! and what the usual numbers are worth, read where they stand.
//!
//! Every function takes what is left of a text and returns how long that is
//! which it read. None says that it is not to be read here, whatever it may be.

use tape::digits::{self, Digits};

/// How long a string without escapes is that began before this, its last quote included.
#[inline]
pub fn string(text: &str, rest: &[u8]) -> Option<usize> {
    let end = first_that(text, rest, stops_in)?;
    (rest[end] == b'"').then_some(end + 1)
}

/// How long the number is whose first digit stands here.
pub fn number(text: &str, rest: &[u8]) -> Option<usize> {
    let mut end = digits(text, rest)?;
    if begins_with_zero(rest) {
        return None;
    }
    if rest[end] == b'.' {
        end += 1 + digits(text, &rest[end + 1..])?;
    }
    if is_exponent(rest[end]) {
        let is_signed = matches!(rest.get(end + 1), Some(b'+' | b'-'));
        end += 1 + usize::from(is_signed);
        end += digits(text, rest.get(end..)?)?;
    }
    Some(end)
}

/// The positive decimal that stands here, bare or quoted.
#[inline]
pub fn decimal(rest: &[u8]) -> Option<(Digits, usize)> {
    let begin = quote(rest)?;
    let (digits, end) = Digits::shortened_at(rest, begin)?;
    let behind = *rest.get(end)?;
    if begin > 0 {
        return (behind == b'"').then_some((digits, end + 1));
    }
    // Of what is read, JSON has no number without digits on either side of its point.
    let has_all_digits = rest[0] != b'.' && rest[end - 1] != b'.';
    (has_all_digits && !begins_with_zero(rest) && !is_exponent(behind)).then_some((digits, end))
}

/// The whole number of up to 15 digits that stands here, bare or quoted.
#[inline]
pub fn whole(rest: &[u8]) -> Option<(u64, usize)> {
    let begin = quote(rest)?;
    let (number, end) = digits::whole_at(rest, begin)?;
    Some((number, closed(rest, begin, end)?))
}

/// How long the whole number is that stands here, bare or quoted, and is written as numbers
/// usually are. It fits into 64 bits.
#[inline]
pub fn numeral(text: &str, rest: &[u8]) -> Option<usize> {
    // So many digits fit, whatever they are.
    const DIGITS_THAT_FIT: usize = 19;
    let begin = quote(rest)?;
    let count = digits(text, &rest[begin..])?;
    if count > DIGITS_THAT_FIT {
        return None;
    }
    closed(rest, begin, begin + count)
}

/// How long a whole number is whose digits begin and end here, if it is nothing else.
#[inline]
fn closed(rest: &[u8], begin: usize, end: usize) -> Option<usize> {
    let behind = *rest.get(end)?;
    if begins_with_zero(&rest[begin..]) {
        return None;
    }
    if begin > 0 {
        return (behind == b'"').then_some(end + 1);
    }
    (behind != b'.' && !is_exponent(behind)).then_some(end)
}

/// How long the quote is that may stand here.
#[inline]
fn quote(rest: &[u8]) -> Option<usize> {
    rest.first().map(|first| usize::from(*first == b'"'))
}

/// Whether another digit follows a zero here.
#[inline]
fn begins_with_zero(rest: &[u8]) -> bool {
    matches!(rest, [b'0', b'0'..=b'9', ..])
}

#[inline]
fn is_exponent(byte: u8) -> bool {
    byte | 0x20 == b'e'
}

/// How many digits there are, of which there must be one. Something else must
/// follow them: no object ends with a number.
#[inline]
fn digits(text: &str, rest: &[u8]) -> Option<usize> {
    first_that(text, rest, others_in).filter(|end| *end > 0)
}

/// Where the first byte stands in the rest of a text that is looked for:
/// `in_eight` sets the high bit of the first it is looking for, of none before
/// it, and perhaps of some behind it. It must be looking for zeros too.
#[inline]
fn first_that(text: &str, rest: &[u8], in_eight: fn(u64) -> u64) -> Option<usize> {
    let mut ahead = rest;
    while let Some((eight, behind)) = ahead.split_first_chunk() {
        let found = in_eight(u64::from_le_bytes(*eight)) & HIGH_BITS;
        if found != 0 {
            let place = rest.len() - ahead.len() + (found.trailing_zeros() / 8) as usize;
            // It is within; who asks need not look for that again.
            return (place < rest.len()).then_some(place);
        }
        ahead = behind;
    }
    // The last eight bytes of all, less those that were looked at: zeros come behind the others.
    let last = u64::from_le_bytes(*text.as_bytes().last_chunk()?);
    let left = last.checked_shr(u64::BITS - 8 * ahead.len() as u32).unwrap_or(0);
    let place = rest.len() - ahead.len() + ((in_eight(left) & HIGH_BITS).trailing_zeros() / 8) as usize;
    (place < rest.len()).then_some(place)
}

/// A byte in each of eight.
const fn eight(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

const HIGH_BITS: u64 = eight(0x80);

/// The bytes that end a string, or make it one that is not plain: a quote, a
/// backslash, and whatever comes before the blank.
#[inline]
fn stops_in(word: u64) -> u64 {
    // With this bit turned, the quote comes before all others but those that come before the blank.
    let quotes_below = word ^ eight(b'"' ^ b' ');
    // A byte below the subtracted one borrows, which shows in its high bit, and in those behind it only.
    (quotes_below.wrapping_sub(eight(b' ' + 1)) | (word ^ eight(b'\\')).wrapping_sub(eight(1))) & !word
}

/// The bytes that are no digits.
#[inline]
fn others_in(word: u64) -> u64 {
    // Digits become 0 to 9, and what is above that carries into its high bit.
    let word = word ^ eight(b'0');
    ((word & !HIGH_BITS) + eight(0x80 - 10)) | word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_of_eight_is_told_by_itself() {
        let is_stop = |byte: u8| byte == b'"' || byte == b'\\' || byte < b' ';
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                for other in [b' ', b'!', b'#', b'0', b'9', b'z', 0x7f, 0x80, 0xff] {
                    let mut eight = [other; 8];
                    eight[place] = byte;
                    let first = |in_eight: fn(u64) -> u64| {
                        ((in_eight(u64::from_le_bytes(eight)) & HIGH_BITS).trailing_zeros() / 8) as usize
                    };
                    let expected = |is_it: &dyn Fn(u8) -> bool| eight.iter().position(|byte| is_it(*byte)).unwrap_or(8);
                    assert_eq!(first(stops_in), expected(&is_stop), "{eight:?}");
                    assert_eq!(first(others_in), expected(&|byte| !byte.is_ascii_digit()), "{eight:?}");
                }
            }
        }
    }

    #[test]
    fn a_string_ends_at_its_first_quote_however_little_follows() {
        for length in 0..20 {
            for behind in 0..20 {
                let text = format!("{}\"{}", "é".repeat(length / 2) + &"x".repeat(length % 2), "\"".repeat(behind));
                let expected = (text.len() >= 8).then_some(length + 1);
                assert_eq!(string(&text, text.as_bytes()), expected, "{text}");
            }
            let text = "x".repeat(length);
            assert_eq!(string(&text, text.as_bytes()), None, "{text}");
        }
        let text = r#"{"name":"a"}"#;
        for (begin, length) in [(2, Some(5)), (9, Some(2)), (11, None), (12, None)] {
            assert_eq!(string(text, &text.as_bytes()[begin..]), length, "{begin}");
        }
    }

    #[test]
    fn a_number_ends_with_its_last_digit_however_little_follows() {
        for number in ["0", "7", "12345678", "123456789012345678901234567890", "0.5", "1.25e3", "1E-08", "20e+10"] {
            for behind in [",", "}", "]", " ,\"price\":", "}}}}}}}}"] {
                let text = format!("{{\"price\":{number}{behind}");
                assert_eq!(super::number(&text, &text.as_bytes()[9..]), Some(number.len()), "{text}");
            }
        }
        for number in ["", "00", "01.5", "1.", "1.e5", "1e", "1e+", "1e-x", ".5", "x"] {
            let text = format!("{{\"price\":{number},\"side\":\"buy\"}}");
            assert_eq!(super::number(&text, &text.as_bytes()[9..]), None, "{text}");
        }
    }
}
