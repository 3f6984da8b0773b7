//! What is said on a socket beside trades, and under which terms.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use tape::{Rejection, Ticker};

/// The tickers followed, and how the market spells them.
#[derive(Debug, Clone, Default)]
pub struct Symbols {
    in_order: Vec<String>,
    tickers: HashMap<String, Ticker, BuildHasherDefault<Folding>>,
}

/// A hash that takes hardly any time. It withstands nobody, and need not: only the market
/// that is followed can choose what is put in, and would slow down nothing but itself.
#[derive(Debug, Clone, Copy, Default)]
struct Folding(u64);

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        let (eights, rest) = bytes.as_chunks();
        eights.iter().for_each(|eight| self.write_u64(u64::from_le_bytes(*eight)));
        // What is left over is taken with some of what was before it, where there is.
        self.write_u64(match bytes.last_chunk() {
            Some(last) => u64::from_le_bytes(*last),
            None => rest.iter().fold(0, |rest, byte| rest << 8 | u64::from(*byte)),
        });
    }

    fn write_u8(&mut self, _: u8) {
        // What a text ends its hash with.
    }

    fn write_u64(&mut self, number: u64) {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        self.0 = (self.0.rotate_left(23) ^ number).wrapping_mul(ODD);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 29
    }
}

impl Symbols {
    /// The symbols of these tickers, as `spell` spells them.
    pub fn of(tickers: &[Ticker], spell: impl Fn(&str) -> String) -> Self {
        let mut symbols = Self::default();
        for ticker in tickers {
            let symbol = spell(ticker.as_str());
            if symbols.tickers.insert(symbol.clone(), ticker.clone()).is_none() {
                symbols.in_order.push(symbol);
            }
        }
        symbols
    }

    /// The market's spellings, in the order they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.in_order.iter().map(String::as_str)
    }

    /// The spellings, so many at a time.
    pub fn chunks(&self, size: usize) -> impl Iterator<Item = &[String]> {
        self.in_order.chunks(size)
    }

    /// Whose symbol it is.
    ///
    /// # Errors
    /// [`Rejection::BadTicker`] where nobody asked for it.
    pub fn ticker(&self, symbol: &str) -> Result<Ticker, Rejection> {
        self.tickers.get(symbol).cloned().ok_or_else(|| Rejection::BadTicker(symbol.chars().take(64).collect()))
    }
}

/// One connection, from its subscription to its end.
#[derive(Debug, Default)]
pub struct Conversation {
    /// What is listened for.
    pub symbols: Symbols,
    /// Symbols that have spoken, where the first word of each is of the past.
    pub greeted: HashSet<String>,
}

impl Conversation {
    /// A conversation about these symbols in which nothing was said yet.
    pub fn about(symbols: Symbols) -> Self {
        Self { symbols, greeted: HashSet::new() }
    }
}

/// What a frame means for the conversation itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Nothing.
    None,
    /// The market is about to end this connection: another should be made first.
    Leave,
    /// The market refused what we said, in these words.
    Refused(String),
}

/// What we say to keep a connection alive, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAlive {
    /// The market pings us, or nobody need say anything: a ping frame of ours
    /// after a while of silence tells whether the other side is there.
    Ping,
    /// This text, so often, whatever else is said.
    Say {
        /// The text.
        text: &'static str,
        /// How often.
        every: Duration,
    },
}

/// Where a market is heard, and under which terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketTerms {
    /// The socket's usual address.
    pub url: &'static str,
    /// How many tickers one connection takes.
    pub tickers_per_connection: usize,
    /// How long to wait between two things we say.
    pub pause_between: Duration,
    /// What keeps a connection alive.
    pub keep_alive: KeepAlive,
    /// How long a connection may live before it is replaced by another.
    pub lives_for: Option<Duration>,
    /// Whether tickers must be named: whether the market sends only what was asked for.
    pub needs_tickers: bool,
}
