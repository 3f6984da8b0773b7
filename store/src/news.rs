//! What a transaction tells whoever listens when it commits: of which tickers, each
//! once, an answer about the newest figure may have changed.

use std::collections::BTreeSet;
use std::sync::Mutex;

use tape::Ticker;

/// The channel on which is notified whose latest figures changed: the venue's
/// name and, unless they are too many, tickers after it, parted by blanks, in as many
/// payloads as that takes. Without any ticker it is all of the venue.
pub const FIGURES_CHANNEL: &str = "truetape_figures";

/// Postgres takes payloads of less than 8,000 bytes; the venue's name needs some of them.
const PAYLOAD_LIMIT: usize = 7_900;

/// So long all names are together at most. Whoever has heard them reads the tickers they
/// name: of more it is as well to read all.
const NAMES_LIMIT: usize = 16 * PAYLOAD_LIMIT;

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
            if changed.length > NAMES_LIMIT {
                changed.tickers.clear();
                changed.is_any = true;
            }
        }
    }

    /// What to tell of a venue; nothing where nothing changed.
    pub(crate) fn payloads(&self, venue: &str) -> Vec<String> {
        let changed = self.0.lock().expect("nothing panics while holding it");
        if changed.is_any {
            return vec![venue.to_owned()];
        }
        let mut payloads: Vec<String> = Vec::new();
        for ticker in &changed.tickers {
            match payloads.last_mut() {
                Some(last) if last.len() - venue.len() + 1 + ticker.len() <= PAYLOAD_LIMIT => {
                    last.push(' ');
                    last.push_str(ticker);
                }
                _ => payloads.push(format!("{venue} {ticker}")),
            }
        }
        payloads
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
        assert!(news.payloads("generic").is_empty());

        news.add(tickers(&["ETH", "BTC", "ETH"]).iter());

        assert_eq!(news.payloads("generic"), ["generic BTC ETH"]);
        let hint = Hint::read("generic BTC ETH");
        assert_eq!(hint, Hint::Tickers("generic".to_owned(), tickers(&["BTC", "ETH"])));
    }

    #[test]
    fn more_than_fits_into_one_payload_is_told_in_several() {
        let longest_venue = "v".repeat(32);
        let many: Vec<Ticker> = (0..1_000).map(|n| Ticker::new(&format!("T{n:031}")).expect("a name")).collect();
        let news = News::default();
        news.add(many.iter());

        let payloads = news.payloads(&longest_venue);
        assert!(payloads.iter().all(|payload| payload.len() < 8_000));
        assert_eq!(payloads.len(), 5);
        let named = |payload: &String| match Hint::read(payload) {
            Hint::Tickers(venue, tickers) if venue == longest_venue => tickers,
            other => panic!("{other:?}"),
        };
        assert_eq!(payloads.iter().flat_map(named).collect::<Vec<_>>(), many);
    }

    #[test]
    fn more_than_is_worth_naming_is_told_as_anything_of_the_venue() {
        let many: Vec<Ticker> = (0..20_000).map(|n| Ticker::new(&format!("TICK{n:05}")).expect("a name")).collect();
        let news = News::default();
        news.add(many.iter());

        assert_eq!(news.payloads("generic"), ["generic"]);
        assert_eq!(Hint::read("generic"), Hint::Venue("generic".to_owned()));
    }

    #[test]
    fn what_nobody_of_ours_told_may_mean_anything() {
        assert_eq!(Hint::read(""), Hint::Everything);
        assert_eq!(Hint::read("generic BTC,ETH"), Hint::Venue("generic".to_owned()));
    }
}
