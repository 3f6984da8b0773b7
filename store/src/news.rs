//! What a transaction tells whoever listens, once, when it commits: of which
//! tickers an answer about the newest figure may have changed.

use std::collections::BTreeSet;
use std::sync::Mutex;

use tape::Ticker;

/// The channel on which is notified whose latest figures changed: the venue's
/// name and, where they fit, the tickers after it, parted by blanks. Without
/// any ticker it is all of the venue.
pub const FIGURES_CHANNEL: &str = "truetape_figures";

/// Postgres takes payloads of less than 8,000 bytes; the venue's name needs some of them.
const PAYLOAD_LIMIT: usize = 7_900;

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// These tickers of a venue.
    Tickers(String, Vec<Ticker>),
    /// Anything of a venue.
    Venue(String),
    /// Anything at all: some hints could not be kept.
    Everything,
}

impl Hint {
    /// Reads a payload. What cannot be read may mean anything.
    pub(crate) fn read(payload: &str) -> Self {
        let mut names = payload.split_ascii_whitespace();
        let Some(venue) = names.next() else { return Self::Everything };
        let tickers: Result<Vec<Ticker>, _> = names.map(Ticker::new).collect();
        match tickers {
            Ok(tickers) if !tickers.is_empty() => Self::Tickers(venue.to_owned(), tickers),
            _ => Self::Venue(venue.to_owned()),
        }
    }
}

/// What a transaction has changed so far.
#[derive(Debug, Default)]
pub(crate) struct News(Mutex<Changed>);

#[derive(Debug, Default)]
struct Changed {
    tickers: BTreeSet<String>,
    /// How long they are together, each with a blank before it.
    length: usize,
    /// Whether they are too many to be named.
    is_any: bool,
}

impl News {
    /// Adds tickers.
    pub(crate) fn add<'a>(&self, tickers: impl Iterator<Item = &'a Ticker>) {
        let mut changed = self.0.lock().expect("nothing panics while holding it");
        for ticker in tickers.map(Ticker::as_str) {
            if changed.is_any {
                return;
            }
            if !changed.tickers.contains(ticker) {
                changed.length += 1 + ticker.len();
                changed.tickers.insert(ticker.to_owned());
            }
            if changed.length > PAYLOAD_LIMIT {
                changed.tickers.clear();
                changed.is_any = true;
            }
        }
    }

    /// What to tell of a venue; nothing where nothing changed.
    pub(crate) fn payload(&self, venue: &str) -> Option<String> {
        let changed = self.0.lock().expect("nothing panics while holding it");
        if changed.is_any {
            return Some(venue.to_owned());
        }
        if changed.tickers.is_empty() {
            return None;
        }
        Some(changed.tickers.iter().fold(venue.to_owned(), |payload, ticker| payload + " " + ticker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tickers(names: &[&str]) -> Vec<Ticker> {
        names.iter().map(|name| Ticker::new(name).expect("a name")).collect()
    }

    #[test]
    fn what_is_told_is_read_as_it_was_meant_each_ticker_once() {
        let news = News::default();
        assert_eq!(news.payload("generic"), None);

        news.add(tickers(&["ETH", "BTC", "ETH"]).iter());
        news.add(tickers(&["BTC"]).iter());
        let payload = news.payload("generic").expect("news");

        assert_eq!(payload, "generic BTC ETH");
        assert_eq!(Hint::read(&payload), Hint::Tickers("generic".to_owned(), tickers(&["BTC", "ETH"])));
    }

    #[test]
    fn more_than_fits_is_told_as_anything_of_the_venue() {
        let many: Vec<Ticker> = (0..2_000).map(|n| Ticker::new(&format!("T{n}")).expect("a name")).collect();
        let news = News::default();
        news.add(many.iter());

        assert_eq!(news.payload("generic").as_deref(), Some("generic"));
        assert_eq!(Hint::read("generic"), Hint::Venue("generic".to_owned()));
    }

    #[test]
    fn what_nobody_of_ours_told_may_mean_anything() {
        assert_eq!(Hint::read(""), Hint::Everything);
        assert_eq!(Hint::read("generic BTC,ETH"), Hint::Venue("generic".to_owned()));
    }
}
