//! What may stand between the parts of a JSON text, and means nothing.

/// A text without the blanks it begins with.
#[inline]
pub fn without_blanks(text: &str) -> &str {
    match text.as_bytes().first() {
        Some(first) if is_blank(*first) => without_some_blanks(text),
        _ => text,
    }
}

fn without_some_blanks(text: &str) -> &str {
    // One blank is usual, more are not.
    match text.strip_prefix(' ') {
        Some(text) if !text.as_bytes().first().is_some_and(|first| is_blank(*first)) => text,
        _ => text.trim_start_matches([' ', '\t', '\n', '\r']),
    }
}

/// Whether a byte is one.
#[inline]
pub fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}
