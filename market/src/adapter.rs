//! What differs between markets, and the list of those that can be followed.
//!
//! An adapter is pure: text in, trades and questions out. It opens no
//! connection and reads no clock. A new one is a folder beside the others and
//! a line in `ADAPTERS`.

use std::str::FromStr;
use std::time::Duration;

use crate::binance::Binance;
use crate::bitstamp::Bitstamp;
use crate::bybit::Bybit;
use crate::coinbase::Coinbase;
use crate::conversation::{Conversation, Notice, SocketTerms, Symbols};
use crate::generic::Generic;
use crate::kraken::Kraken;
use crate::okx::Okx;
use crate::reading::{DISORDER, Reads, RestTerms, Trouble};
use crate::said::Decoded;

/// Every market there is an adapter for.
static ADAPTERS: [&dyn Adapter; 7] = [&Generic, &Binance, &Bybit, &Coinbase, &Kraken, &Okx, &Bitstamp];

/// What differs between markets.
pub trait Adapter: Sync {
    /// The market's name in configuration, tables and answers: lower case.
    fn name(&self) -> &'static str;

    /// The market's own spelling of a ticker, the same on both channels but for
    /// what the questions of [`Adapter::reads`] make of it.
    fn symbol(&self, ticker: &str) -> String;

    /// Where and under which terms it is heard.
    fn socket_terms(&self) -> SocketTerms;

    /// What to say on the socket in order to hear these tickers, in this order.
    /// It is said after connecting, and anew whenever the tickers change.
    fn subscription(&self, symbols: &Symbols) -> Vec<String>;

    /// Reads one text frame, which may hold any number of trades. What is
    /// neither a trade nor a faulty one, such as a heartbeat, gives nothing.
    fn decode(&self, frame: &str, conversation: &mut Conversation, each: &mut dyn FnMut(Decoded)) -> Notice;

    /// Where and under which terms it is asked.
    fn rest_terms(&self) -> RestTerms;

    /// The way in which its history is read.
    fn reads(&self) -> Reads;

    /// What an answer says that holds no rows, whatever its status; none when
    /// status and headers say it all.
    fn trouble(&self, _status: u16, _body: &str) -> Option<Trouble> {
        None
    }

    /// The header in which an answer tells, in epoch milliseconds, from when on it may be asked
    /// again; none where there is only `Retry-After`.
    fn reset_header(&self) -> Option<&'static str> {
        None
    }
}

/// A market that can be heard and asked.
#[derive(Clone, Copy)]
pub struct Market(&'static dyn Adapter);

/// No market goes by this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no market is called {0:?}; known are: {known}", known = Market::names())]
pub struct UnknownMarket(String);

/// The body of an answer is not a page of trades at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAPage(pub String);

impl Market {
    /// Any market that speaks the generic protocol; the practice venue does.
    pub const GENERIC: Self = Self(&Generic);

    /// Every market.
    pub fn all() -> impl Iterator<Item = Self> {
        ADAPTERS.into_iter().map(Self)
    }

    /// The names of all markets, as they are listed for a person.
    pub fn names() -> String {
        ADAPTERS.map(Adapter::name).join(", ")
    }

    /// The market's name in configuration, tables and answers.
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    /// How long before a moment an [`Anchor`](crate::Anchor) must be for every trade with a
    /// lower id to be from before that moment; none where ids do not matter.
    pub fn anchor_lag(self) -> Option<Duration> {
        match self.0.reads() {
            Reads::ByTime(_) => None,
            Reads::ById(_) => Some(DISORDER),
            Reads::ByOverlap(_) => Some(Duration::ZERO),
        }
    }

    /// How finely it tells times, in milliseconds: 1, or 1,000 for whole seconds.
    pub fn time_grain_ms(self) -> i64 {
        match self.0.reads() {
            Reads::ByOverlap(by_overlap) => by_overlap.time_grain_ms(),
            Reads::ByTime(_) | Reads::ById(_) => 1,
        }
    }

    /// Whether it can be asked for trades of long ago.
    pub fn can_be_read_again(self) -> bool {
        !matches!(self.0.reads(), Reads::ByOverlap(_))
    }

    /// What is particular about it.
    pub fn adapter(self) -> &'static dyn Adapter {
        self.0
    }
}

impl PartialEq for Market {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Market {}

impl std::fmt::Debug for Market {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Market({})", self.as_str())
    }
}

impl std::fmt::Display for Market {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Market {
    type Err = UnknownMarket;

    /// Finds a market by its name, in whatever case.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let is_called_so = |market: &Self| market.as_str().eq_ignore_ascii_case(name.trim());
        Self::all().find(is_called_so).ok_or_else(|| UnknownMarket(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_is_found_by_its_name_in_whatever_case() {
        for name in ["generic", "Generic", "GENERIC", " generic "] {
            assert_eq!(name.parse(), Ok(Market::GENERIC), "{name:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let unknown = "genric".parse::<Market>().expect_err("no such market");

        let known = "known are: generic, ";
        assert!(unknown.to_string().starts_with(r#"no market is called "genric"; "#), "{unknown}");
        assert!(unknown.to_string().contains(known), "{unknown}");
    }

    #[test]
    fn names_are_lower_case_and_each_is_there_once() {
        let names: Vec<&str> = Market::all().map(Market::as_str).collect();

        for name in &names {
            assert_eq!(name.to_lowercase(), *name);
            assert_eq!(names.iter().filter(|other| other == &name).count(), 1, "{name}");
        }
    }
}
