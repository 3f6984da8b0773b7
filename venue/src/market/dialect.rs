//! What a dialect sees of the market, and what it says to one listener alone.

use tape::{EpochMs, Ticker};

use super::{Market, Present};
use crate::book::{Book, Delivery};
use crate::dialect::Dialect;
use crate::true_trade::TrueTrade;

/// What REST knows of one ticker at an instant, in the order of ids.
#[derive(Debug)]
pub struct Visible<'market> {
    book: &'market Book,
    /// All numbers known are below this one.
    below: u64,
}

impl<'market> Visible<'market> {
    /// The trades of this number and later ones.
    pub fn from(&self, number: u64) -> impl Iterator<Item = &'market TrueTrade> + use<'market> {
        self.book.numbered_between(number, self.below)
    }

    /// The trades made after an instant, and some made shortly before.
    pub fn from_about(&self, at: EpochMs) -> impl Iterator<Item = &'market TrueTrade> + use<'market> {
        self.from(self.book.number_before(at))
    }

    /// The trades before this number, the latest first.
    pub fn before(&self, number: u64) -> impl Iterator<Item = &'market TrueTrade> + use<'market> {
        self.book.numbered_between(0, number.min(self.below)).rev()
    }

    /// The latest trades, the latest first.
    pub fn newest(&self) -> impl Iterator<Item = &'market TrueTrade> + use<'market> {
        self.before(u64::MAX)
    }

    /// The latest trades, the latest last.
    pub fn newest_ascending(&self, count: usize) -> Vec<&'market TrueTrade> {
        let mut newest: Vec<_> = self.newest().take(count).collect();
        newest.reverse();
        newest
    }
}

impl Market {
    /// The language that is spoken.
    pub fn dialect(&self) -> Dialect {
        self.habits.dialect
    }

    /// The ticker that the socket spells so.
    pub fn ticker_of(&self, symbol: &str) -> Option<Ticker> {
        self.books.keys().find(|ticker| self.habits.dialect.symbol(ticker) == symbol).cloned()
    }

    /// What REST knows of a ticker now.
    pub fn visible(&mut self, ticker: &Ticker, now: EpochMs) -> Option<Visible<'_>> {
        self.advance(now);
        let until = self.present_at(now).minus_ms(self.habits.lag_ms);
        self.promised_until = self.promised_until.max(until);
        let book = self.books.get(ticker)?;
        let below = match self.present {
            // What is to come is not in the book, and what claims to be is told by hand.
            Present::Moving if self.habits.lag_ms == 0 => u64::MAX,
            Present::Moving | Present::Standing(_) => book.numbers_known_at(until),
        };
        Some(Visible { book, below })
    }

    /// The newest trades of a ticker, oldest first, whatever REST knows yet.
    pub fn newest(&self, ticker: &Ticker, count: usize) -> Vec<TrueTrade> {
        let book = self.books.get(ticker);
        let mut newest: Vec<TrueTrade> =
            book.into_iter().flat_map(|book| book.numbered_between(0, u64::MAX).rev()).take(count).cloned().collect();
        newest.reverse();
        newest
    }

    /// Says something to one listener alone, which is no trade.
    pub fn reply(&mut self, listener: u64, text: &str) {
        self.frames += self.listeners.send_to(listener, text) as u64;
    }

    /// Tells one listener of trades that everybody was told of, or should have been.
    pub fn tell_again(&mut self, listener: u64, trades: &[TrueTrade], text: &str, now: EpochMs) {
        const LATE_MS: i64 = 2_000;
        if self.is_silent(now) || self.listeners.send_to(listener, text) == 0 {
            return;
        }
        self.frames += 1;
        for trade in trades {
            let entry = self.books.get_mut(&trade.ticker).and_then(|book| book.entry_mut(&trade.id));
            let Some(entry) = entry else { continue };
            match entry.delivery {
                Delivery::Heard | Delivery::Altered | Delivery::Held => entry.copies += 1,
                _ => {
                    entry.delivery = Delivery::Heard;
                    entry.is_late = LATE_MS <= now.ms_since(trade.traded_at);
                }
            }
            if let Some(file) = &mut self.on_disk {
                file.told(entry);
            }
        }
    }
}
