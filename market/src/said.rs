//! What a market said, once it has been understood or refused.

use tape::{EpochMs, Heard, Rejection, Ticker, Trade};

/// How much of a refused frame or row is kept, in bytes.
pub const KEPT_BYTES: usize = 4 * 1024;

/// One thing the socket brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// A trade. Whether its time is acceptable is for the receiver to judge.
    Trade(Heard),
    /// Something that is no trade we can hold.
    Rejected {
        /// Why it was refused.
        rejection: Rejection,
        /// Whose trade it claims to be, as far as that can be read.
        ticker: Option<Ticker>,
        /// The frame, shortened to [`KEPT_BYTES`]; empty when it was never taken in.
        frame: String,
        /// When it came, by our clock.
        received_at: EpochMs,
    },
}

/// A trade, or why there is none.
pub type Decoded = Result<Trade, Refusal>;

/// Why a frame or row is no trade, and what of it could be read nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Why it was refused.
    pub rejection: Rejection,
    /// Whose trade it claims to be, as far as that can be read.
    pub ticker: Option<Ticker>,
    /// When it claims to have been made, as far as that can be read.
    pub traded_at: Option<EpochMs>,
}

impl Refusal {
    /// A refusal of something of which nothing could be read.
    pub fn of(rejection: Rejection) -> Self {
        Self { rejection, ticker: None, traded_at: None }
    }
}

/// One row of a REST page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'page> {
    /// What it says.
    pub decoded: Decoded,
    /// Its text as it stood on the page.
    pub text: &'page str,
}

/// The text as it is kept beside a rejection: at most [`KEPT_BYTES`], and
/// without the NUL characters that no table takes.
///
/// ```
/// assert_eq!(market::said::shortened("a\0b"), "a\u{2400}b");
/// ```
pub fn shortened(text: &str) -> String {
    let printable = beginning(text, KEPT_BYTES).replace('\0', "\u{2400}");
    beginning(&printable, KEPT_BYTES).to_owned()
}

/// The first bytes of a text, at most `limit` and no half characters.
pub(crate) fn beginning(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_frame_is_kept_up_to_its_limit_and_no_character_is_cut_in_two() {
        let frame = format!("x{}", "é".repeat(KEPT_BYTES));

        let kept = shortened(&frame);

        assert_eq!(kept.len(), KEPT_BYTES - 1);
        assert!(frame.starts_with(&kept));
        assert_eq!(shortened("short"), "short");
    }
}
