//! What a dialect may do with the market: look at the truth, and speak to one listener.

use tape::{EpochMs, Ticker};

use super::{Channel, Dialect};
use crate::listeners::{Ear, Farewell};
use crate::market::{Market, Visible};
use crate::true_trade::TrueTrade;

/// The hands of one connection, at one instant.
#[derive(Debug)]
pub struct Desk<'market> {
    market: &'market mut Market,
    ear: &'market Ear,
    now: EpochMs,
    /// The pings to send.
    pub pings: Vec<Vec<u8>>,
}

impl<'market> Desk<'market> {
    /// The desk of a listener.
    pub fn new(market: &'market mut Market, ear: &'market Ear, now: EpochMs) -> Self {
        Self { market, ear, now, pings: Vec::new() }
    }

    /// Now.
    pub fn now(&self) -> EpochMs {
        self.now
    }

    /// The language that is spoken.
    pub fn dialect(&self) -> Dialect {
        self.market.dialect()
    }

    /// When something was last sent to the listener.
    pub fn said_at(&self) -> EpochMs {
        self.ear.said_at()
    }

    /// A number of this connection.
    pub fn connection(&self) -> u64 {
        self.ear.id
    }

    /// The ticker of a symbol.
    pub fn ticker(&self, symbol: &str) -> Option<Ticker> {
        self.market.ticker_of(symbol)
    }

    /// Says something to this listener alone.
    pub fn reply(&mut self, text: impl AsRef<str>) {
        self.market.reply(self.ear.id, text.as_ref());
    }

    /// Sends a ping frame.
    pub fn ping(&mut self, payload: Vec<u8>) {
        self.pings.push(payload);
    }

    /// From now on the listener hears of a ticker.
    pub fn subscribe(&mut self, ticker: &Ticker, channel: Channel) {
        self.market.audience_mut().subscribe(self.ear.id, ticker, channel);
    }

    /// From now on it does not any more; whether it did.
    pub fn unsubscribe(&mut self, ticker: &Ticker, channel: Channel) -> bool {
        self.market.audience_mut().unsubscribe(self.ear.id, ticker, channel)
    }

    /// What the listener hears of.
    pub fn subscriptions(&self) -> Vec<(Ticker, Channel)> {
        self.market.audience().subscriptions(self.ear.id)
    }

    /// The newest trades of a ticker that everybody knows, oldest first.
    pub fn newest(&self, ticker: &Ticker, count: usize) -> Vec<TrueTrade> {
        self.market.newest(ticker, count)
    }

    /// Tells of trades that were told before, or should have been.
    pub fn tell_again(&mut self, trades: &[TrueTrade], text: &str) {
        self.market.tell_again(self.ear.id, trades, text, self.now);
    }

    /// Ends the connection after what was said, with a close frame.
    pub fn close(&mut self, code: u16, reason: &'static str) {
        self.ear.say_farewell(Farewell { code, reason });
        self.market.leave(self.ear.id);
    }

    /// Ends the connection after what was said, without a word.
    pub fn cut(&mut self) {
        self.market.leave(self.ear.id);
    }
}

/// What REST may look at.
#[derive(Debug)]
pub struct RestDesk<'market> {
    market: &'market mut Market,
    now: EpochMs,
    /// The open questions, answered.
    pub quirks: super::manners::Quirks,
}

impl<'market> RestDesk<'market> {
    /// The desk at an instant.
    pub fn new(market: &'market mut Market, now: EpochMs, quirks: super::manners::Quirks) -> Self {
        Self { market, now, quirks }
    }

    /// The market's present.
    pub fn present(&self) -> EpochMs {
        self.market.present_at(self.now)
    }

    /// Every ticker.
    pub fn tickers(&self) -> Vec<Ticker> {
        self.market.tickers().map(|(ticker, ..)| ticker.clone()).collect()
    }

    /// The ticker that a dialect spells so.
    pub fn ticker_spelt(&self, symbol: &str, spell: impl Fn(&Ticker) -> String) -> Option<Ticker> {
        self.market.tickers().map(|(ticker, ..)| ticker).find(|ticker| spell(ticker) == symbol).cloned()
    }

    /// How many decimals the prices and the quantities of a ticker have.
    pub fn decimals(&self, ticker: &Ticker) -> (usize, usize) {
        let newest = self.market.newest(ticker, 20);
        let most = |digits: fn(&TrueTrade) -> String| {
            let decimals = newest.iter().map(|trade| digits(trade).split_once('.').map_or(0, |(_, end)| end.len()));
            decimals.max().unwrap_or(8)
        };
        (most(TrueTrade::plain_price), most(TrueTrade::plain_quantity))
    }

    /// What REST knows of a ticker.
    pub fn visible(&mut self, ticker: &Ticker) -> Option<Visible<'_>> {
        self.market.visible(ticker, self.now)
    }
}
