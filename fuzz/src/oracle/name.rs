//! What a ticker and a trade id may be made of.

/// Whether a text is a ticker: 1 to 32 of `A-Z a-z 0-9 / - _ . :`.
pub fn is_ticker(text: &str) -> bool {
    let is_of_it =
        |byte: &u8| matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b':');
    !text.is_empty() && text.len() <= 32 && text.as_bytes().iter().all(is_of_it)
}

/// Whether a text is a trade id: 1 to 128 bytes without blanks and control
/// characters, which are listed here by number.
pub fn is_trade_id(text: &str) -> bool {
    let is_control = |code: u32| code < 0x20 || (0x7f..=0x9f).contains(&code);
    let is_blank = |code: u32| {
        let listed = [0x20, 0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000].contains(&code);
        listed || (0x09..=0x0d).contains(&code) || (0x2000..=0x200a).contains(&code)
    };
    let prints = |char: char| !is_control(char.into()) && !is_blank(char.into());
    !text.is_empty() && text.len() <= 128 && text.chars().all(prints)
}
