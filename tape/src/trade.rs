//! A trade as one venue reports it, and the two names that identify it there.

use smol_str::SmolStr;

use crate::{EpochMs, Price, Quantity, Rejection, Suspicion, Ticker};

/// The venue's name for one trade of one ticker: 1 to 128 bytes, nothing that does not print.
///
/// Ids are compared as text and have no order: venues number neither
/// contiguously nor in time order. Short ones, as nearly all are, are held in place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TradeId(SmolStr);

impl TradeId {
    /// Accepts an id that can be kept as it is.
    ///
    /// # Errors
    /// [`Rejection::NoTradeId`] when it is empty, too long, or has control characters or blanks.
    pub fn new(text: &str) -> Result<Self, Rejection> {
        Self::check(text)?;
        Ok(Self(text.into()))
    }

    /// Whether a text may be an id, for whoever need not keep it.
    ///
    /// # Errors
    /// As [`TradeId::new`].
    pub fn check(text: &str) -> Result<(), Rejection> {
        // Nearly every id is.
        if (1..=128).contains(&text.len()) && is_graphic(text.as_bytes()) {
            return Ok(());
        }
        Self::check_any(text)
    }

    #[cold]
    fn check_any(text: &str) -> Result<(), Rejection> {
        let does_not_print = |c: char| c.is_control() || c.is_whitespace();
        if text.is_empty() || text.len() > 128 || text.chars().any(does_not_print) {
            return Err(Rejection::NoTradeId(text.chars().take(40).collect()));
        }
        Ok(())
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether all bytes are ASCII that prints and is no blank: eight bytes are one number to the processor.
#[inline]
fn is_graphic(text: &[u8]) -> bool {
    const fn every(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    const HIGHEST: u64 = every(0x80);
    // The highest bit of each byte that is not: below the first that is, the last of ASCII, or above it.
    // What is left of a byte below 0x80 stays within its eight bits.
    let strangers = |eight: [u8; 8]| {
        let (word, low) = (u64::from_ne_bytes(eight), u64::from_ne_bytes(eight) & !HIGHEST);
        (!(low + every(0x80 - b'!')) | (low + every(1)) | word) & HIGHEST
    };
    let Some(last) = text.last_chunk() else {
        return text.iter().fold(true, |is_graphic, byte| is_graphic & byte.is_ascii_graphic());
    };
    // The last eight are looked at twice in part, which does no harm.
    let all = text.as_chunks().0.iter().fold(strangers(*last), |all, eight| all | strangers(*eight));
    all == 0
}

impl std::fmt::Display for TradeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One execution reported by a venue. Which venue is known from where it came:
/// its identity is venue, ticker and id together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trade {
    /// What was traded.
    pub ticker: Ticker,
    /// The venue's name for the trade, unique within venue and ticker.
    pub id: TradeId,
    /// The venue's time of the trade.
    pub traded_at: EpochMs,
    /// At what price.
    pub price: Price,
    /// How much.
    pub quantity: Quantity,
}

/// A trade the socket brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// What it says.
    pub trade: Trade,
    /// When the frame came, by our clock.
    pub received_at: EpochMs,
    /// What is held against it; nothing before it was judged.
    pub suspicion: Option<Suspicion>,
}

/// Refuses times outside `(oldest, latest]`.
///
/// # Errors
/// [`Rejection::TooOld`] or [`Rejection::FromTheFuture`].
pub fn check_time(traded_at: EpochMs, oldest: EpochMs, latest: EpochMs) -> Result<(), Rejection> {
    if traded_at <= oldest {
        return Err(Rejection::TooOld { traded_at, oldest });
    }
    if latest < traded_at {
        return Err(Rejection::FromTheFuture { traded_at, latest });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_kept_as_text_and_must_print() {
        let (longest, longest_of_two_bytes) = ("9".repeat(128), "Ω".repeat(64));
        for good in ["1", "abc-1", "0a1b:2", "9223372036854775808", &longest, &longest_of_two_bytes] {
            assert!(TradeId::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a\0", "\n", "Ω\u{a0}", &"9".repeat(129), &"Ω".repeat(65)] {
            assert!(TradeId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_byte_that_no_id_has_is_found_wherever_it_stands() {
        for length in 1..=25 {
            for place in 0..length {
                for byte in 0..=0x7f {
                    for other in ["!", "~", "0"] {
                        let mut text = other.repeat(length);
                        text.replace_range(place..=place, &char::from(byte).to_string());
                        assert_eq!(TradeId::new(&text).is_ok(), byte.is_ascii_graphic(), "{text:?}");
                    }
                }
            }
        }
        for good in ["Ω", "Ωabcdefgh", "abcdefghΩ", "abcdeΩfghijk", "€€€€€€€€"] {
            assert!(TradeId::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_door_is_open_on_the_old_side_and_closed_on_the_new_one() {
        let (oldest, latest) = (EpochMs::new(1_000), EpochMs::new(2_000));

        assert!(matches!(check_time(oldest, oldest, latest), Err(Rejection::TooOld { .. })));
        assert!(check_time(EpochMs::new(1_001), oldest, latest).is_ok());
        assert!(check_time(latest, oldest, latest).is_ok());
        assert!(matches!(check_time(EpochMs::new(2_001), oldest, latest), Err(Rejection::FromTheFuture { .. })));
    }

    #[test]
    fn an_id_is_kept_and_shown_as_it_was_given() {
        let id = TradeId::new("abc-1").expect("id");

        assert_eq!((id.as_str(), id.to_string().as_str()), ("abc-1", "abc-1"));
    }
}
