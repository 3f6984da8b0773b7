//! What a trade is a trade of.

use std::fmt;
use std::hash::{Hash, Hasher};

use crate::Rejection;

/// No ticker is longer.
const TICKER_BYTES_MOST: usize = 32;

/// The bytes that tickers are made of.
const IS_OF_TICKERS: [bool; 256] = {
    let mut is_of_tickers = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let own = byte as u8;
        is_of_tickers[byte] = own.is_ascii_alphanumeric() || matches!(own, b'/' | b'-' | b'_' | b'.' | b':');
        byte += 1;
    }
    is_of_tickers
};

/// Our code for what is traded: 1 to 32 of `A-Z a-z 0-9 / - _ . :`.
///
/// Every look-up by ticker compares one. So it is held in place, with nothing
/// but zeros behind it: a text elsewhere in memory would have to be waited for,
/// and of one length two are compared and hashed without a loop.
// Zeros come before all that a ticker is made of, so the order is that of the texts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticker {
    bytes: [u8; TICKER_BYTES_MOST],
    length: u8,
}

impl Ticker {
    /// Accepts a well-formed ticker, refuses anything else.
    ///
    /// # Errors
    /// [`Rejection::BadTicker`] with the text, shortened.
    pub fn new(text: &str) -> Result<Self, Rejection> {
        let is_plain = text.bytes().fold(true, |is_plain, byte| is_plain & IS_OF_TICKERS[byte as usize]);
        let mut bytes = [0; TICKER_BYTES_MOST];
        match (u8::try_from(text.len()), bytes.get_mut(..text.len())) {
            (Ok(length @ 1..), Some(own)) if is_plain => {
                own.copy_from_slice(text.as_bytes());
                Ok(Self { bytes, length })
            }
            _ => Err(Rejection::BadTicker(text.chars().take(40).collect())),
        }
    }

    /// The ticker's text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("a ticker is ASCII")
    }
}

impl Hash for Ticker {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // What is equal in these is equal. As numbers, since texts are hashed in a loop.
        let (halves, _) = self.bytes.as_chunks();
        halves.iter().for_each(|half| state.write_u128(u128::from_ne_bytes(*half)));
    }
}

impl fmt::Debug for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ticker").field(&self.as_str()).finish()
    }
}

impl fmt::Display for Ticker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    fn ticker(text: &str) -> Ticker {
        Ticker::new(text).expect("ticker")
    }

    #[test]
    fn a_ticker_is_short_and_plain() {
        for good in ["BTC", "XRP/ETH", "BTC_JPY", "btc-usd", "1INCH", "BRK.B", "A:b", &"A".repeat(32)] {
            assert!(Ticker::new(good).is_ok(), "{good}");
        }
        for bad in
            ["", " ", "BTC USD", "BTC\n", "ÄTH", "a'b", "A\0", &"A".repeat(33), &"A".repeat(256), &"A".repeat(257)]
        {
            assert!(Ticker::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_ticker_is_kept_and_shown_as_it_was_given() {
        for text in ["X", "XRP/ETH", &"A".repeat(32)] {
            let ticker = ticker(text);
            assert_eq!((ticker.as_str(), ticker.to_string().as_str()), (text, text));
            assert_eq!(format!("{ticker:?}"), format!("Ticker({text:?})"));
        }
    }

    #[test]
    fn tickers_have_the_order_of_their_texts_and_hashes_of_their_own() {
        let texts =
            ["A", "A-", "A.", "A0", "AA", "AAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAA-", "AAAAAAAAAAAAAAAAB", "a", "b"];
        let hashes = RandomState::new();
        for one in texts {
            for other in texts {
                assert_eq!(ticker(one).cmp(&ticker(other)), one.cmp(other), "{one} {other}");
                let hash = |text| hashes.hash_one(ticker(text));
                assert_eq!(hash(one) == hash(other), one == other, "{one} {other}");
            }
        }
    }
}
