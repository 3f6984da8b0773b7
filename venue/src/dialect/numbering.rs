//! In which manner an exchange numbers its trades. A number follows from the
//! trade's place in its series alone, so that a venue started again with the
//! same seed gives the same trades the same ids.

use tape::Ticker;

use crate::chance;

/// The manner of numbering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// A counter for each ticker that never skips a number.
    Dense,
    /// 19-digit counters, each shared by several tickers.
    Partitioned,
    /// One counter for the whole exchange.
    Shared,
}

/// Which trades share a counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Series {
    /// The number before its first.
    first: u64,
    /// Whether every number is given to a trade.
    is_dense: bool,
    /// What tells it from others that begin alike.
    name: String,
}

/// Where dense series begin. What lies below is free for phantoms.
const DENSE_FROM: u64 = 10_000_000_000;

/// How far above its trade a phantom may be.
const FAR_ABOVE: u64 = 1_000_000_000_000;

impl Numbering {
    /// The series of a ticker.
    pub fn series_of(self, ticker: &Ticker) -> Series {
        let hash = chance::hash(0, &[b"series", ticker.as_str().as_bytes()]);
        match self {
            Self::Dense => {
                Series { first: DENSE_FROM + hash % 100_000, is_dense: true, name: ticker.as_str().to_owned() }
            }
            Self::Partitioned => {
                let first = [2_290_000_001_000_000_000, 2_280_000_001_000_000_000][(hash % 2) as usize];
                Series { first, is_dense: false, name: String::new() }
            }
            Self::Shared => Series { first: 500_000_000, is_dense: false, name: String::new() },
        }
    }

    /// An id of the same form, near a true one, that no trade will ever have,
    /// and that no other trade's phantom has.
    pub fn phantom(self, ticker: &Ticker, near: u64, is_far: bool) -> u64 {
        let series = self.series_of(ticker);
        if !series.is_dense {
            return near + 1;
        }
        let place = near.saturating_sub(series.first);
        if is_far || DENSE_FROM <= place { near + FAR_ABOVE } else { place + 1 }
    }
}

impl Series {
    /// The id of the trade that has so many before it.
    pub fn id(&self, place: u64) -> u64 {
        // Every other number of a shared counter is nobody's: such series have holes,
        // and a phantom between two trades then looks like one of them.
        self.first + if self.is_dense { place } else { place * 2 + 1 }
    }

    /// How many trades are before the one of this id.
    pub fn place(&self, id: u64) -> u64 {
        let offset = id.saturating_sub(self.first);
        if self.is_dense { offset } else { offset / 2 }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const ALL: [Numbering; 3] = [Numbering::Dense, Numbering::Partitioned, Numbering::Shared];

    fn ticker(text: &str) -> Ticker {
        Ticker::new(text).expect("a ticker")
    }

    #[test]
    fn a_place_has_one_id_and_an_id_one_place() {
        for numbering in ALL {
            let series = numbering.series_of(&ticker("BTC/USDT"));
            for place in [0, 1, 2, 999, 123_456_789] {
                assert_eq!(series.place(series.id(place)), place);
                assert!(series.id(place) < series.id(place + 1));
            }
        }
    }

    #[test]
    fn no_phantom_has_the_id_of_a_trade_or_of_another_phantom() {
        for numbering in ALL {
            let btc = ticker("BTC/USDT");
            let series = numbering.series_of(&btc);
            let true_ids: HashSet<u64> = (0..10_000).map(|place| series.id(place)).collect();
            let phantoms: Vec<u64> =
                true_ids.iter().map(|id| numbering.phantom(&btc, *id, id.is_multiple_of(3))).collect();
            assert!(phantoms.iter().all(|id| !true_ids.contains(id)));
            assert_eq!(phantoms.iter().collect::<HashSet<_>>().len(), true_ids.len());
        }
    }

    #[test]
    fn only_dense_series_belong_to_one_ticker() {
        let [dense, partitioned, shared] =
            ALL.map(|numbering| numbering.series_of(&ticker("BTC/USDT")) == numbering.series_of(&ticker("ETH/USDT")));
        assert!(!dense && shared);
        assert_eq!(Numbering::Partitioned.series_of(&ticker("BTC/USDT")).id(0).to_string().len(), 19);
        let partitions: HashSet<_> = ["BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT", "DOGE/USDT"]
            .map(|text| Numbering::Partitioned.series_of(&ticker(text)))
            .into_iter()
            .collect();
        assert_eq!((partitions.len(), partitioned), (2, partitioned));
    }
}
