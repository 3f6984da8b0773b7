//! The markets that can be followed, and what differs between them.
//!
//! A new one is a folder beside [`crate::generic`] and a line in each `match`
//! here. An adapter is pure: text in, trades and questions out. It opens no
//! connection and reads no clock.

use std::str::FromStr;

use tape::{Ticker, Watermark};
use url::Url;

use crate::generic;
use crate::said::{Decoded, Row};

/// A market that can be heard and asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Market {
    /// Any market that speaks the generic protocol; the practice venue does.
    Generic,
}

/// No market goes by this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no market is called {0:?}; known are: {known}", known = Market::names())]
pub struct UnknownMarket(String);

/// The body of an answer is not a page of trades at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAPage(pub String);

impl Market {
    /// Every market.
    pub const ALL: [Self; 1] = [Self::Generic];

    /// The market's name in configuration, tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
        }
    }

    /// The names of all markets, as they are listed for a person.
    pub fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }

    /// How many rows the market gives on a page at most.
    pub fn page_limit(self) -> usize {
        match self {
            Self::Generic => generic::PAGE_LIMIT,
        }
    }

    /// What to say on the socket in order to hear these tickers, in this order.
    /// It is said after connecting, and anew whenever the tickers change.
    pub fn subscription(self, tickers: &[Ticker]) -> Vec<String> {
        match self {
            Self::Generic => generic::subscription(tickers),
        }
    }

    /// Reads one text frame, which may hold any number of trades. What is
    /// neither a trade nor a faulty one, such as a heartbeat, gives nothing.
    pub fn decode(self, frame: &str, mut each: impl FnMut(Decoded)) {
        match self {
            Self::Generic => each(generic::decode(frame)),
        }
    }

    /// Where to ask for the page of a ticker that follows its watermark.
    pub fn page_url(self, base: &Url, ticker: &Ticker, watermark: &Watermark) -> Url {
        match self {
            Self::Generic => generic::page_url(base, ticker, watermark),
        }
    }

    /// Reads the body of an answer row by row, in the order the trades were
    /// made in as far as the market tells it: where it answers newest first,
    /// its adapter turns the rows around.
    ///
    /// # Errors
    /// [`NotAPage`] when the body as a whole cannot be read; a single bad row is no error.
    pub fn decode_page(self, body: &str) -> Result<Vec<Row<'_>>, NotAPage> {
        match self {
            Self::Generic => generic::decode_page(body),
        }
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
        Self::ALL.into_iter().find(is_called_so).ok_or_else(|| UnknownMarket(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_is_found_by_its_name_in_whatever_case() {
        for name in ["generic", "Generic", "GENERIC", " generic "] {
            assert_eq!(name.parse(), Ok(Market::Generic), "{name:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let unknown = "genric".parse::<Market>().expect_err("no such market");

        assert_eq!(unknown.to_string(), r#"no market is called "genric"; known are: generic"#);
    }
}
