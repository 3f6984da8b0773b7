//! The chain that binds final figures to each other: an append-only log with
//! one entry per final mark and one per restatement, in the order of commit.
//!
//! The form is called [`CHAIN_FORM`]. A link is the SHA-256 of one line of
//! text, its line feed included:
//!
//! ```text
//! <previous link> <entry> <exchange> <ticker> <interval> <mark> <revision> <trades> <volume> <notional> <second digest>
//! ```
//!
//! Digests are lower-case hexadecimal, times milliseconds, sums plain decimals
//! without closing zeros; none of the fields can hold a blank. Entries count
//! from 1. Before the first stands the genesis, the SHA-256 of
//!
//! ```text
//! truetape-chain-1 <exchange> <ticker> <interval>
//! ```
//!
//! The second digest is that of the trades in `(mark - 1 s, mark]`
//! ([`crate::digest`]), and so the cost of an entry does not depend on how long
//! its window is: successive entries bind every trade of their windows
//! between them.
//!
//! A restatement does not rewrite what follows. It appends an entry of its own,
//! with the mark it restates, the revision, the sums as they are now, and the
//! digest of the mark's second as it is now. It is due for every mark whose sums
//! *or* second digest change: a trade whose id alone changes leaves the sums.

use crate::{Digest, Interval, Mark, Sums, Ticker};

/// The name of the canonical form of the chain.
pub const CHAIN_FORM: &str = "truetape-chain-1";

/// Room for the text of nearly every entry, in bytes.
const USUAL_LENGTH: usize = 320;

/// Which chain: there is one per exchange, ticker and interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// The exchange, as it is stored. No blank may be in it.
    pub exchange: String,
    /// The ticker.
    pub ticker: Ticker,
    /// How long the windows are.
    pub interval: Interval,
}

/// The end of a chain: its last entry's number and link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are.
    pub entry: u64,
    /// The last one's link, or the genesis.
    pub link: Digest,
}

/// What one entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The mark it is about.
    pub mark: Mark,
    /// How often the mark's figure was restated: 0 when it became final.
    pub revision: u32,
    /// The exact sums of the mark's window.
    pub sums: Sums,
    /// The digest of the trades of the mark's second.
    pub second_digest: Digest,
}

impl Chain {
    /// Where the chain begins.
    pub fn genesis(&self) -> Head {
        let Self { exchange, ticker, interval } = self;
        Head { entry: 0, link: Digest::of(format!("{CHAIN_FORM} {exchange} {ticker} {interval}\n").as_bytes()) }
    }

    /// The end of the chain when an entry has been appended.
    ///
    /// ```
    /// use tape::{Chain, Digest, Entry, EpochMs, Interval, Mark, Sums, Ticker};
    /// let chain = Chain {
    ///     exchange: "practice".to_owned(),
    ///     ticker: Ticker::new("BTC").unwrap(),
    ///     interval: Interval::DEFAULT,
    /// };
    /// let quiet = Digest::of(b"");
    /// let mark = Mark::at_or_before(EpochMs::new(1_000));
    /// let first = Entry { mark, revision: 0, sums: Sums::EMPTY, second_digest: quiet };
    /// assert_eq!(chain.append(&chain.genesis(), &first).entry, 1);
    /// ```
    pub fn append(&self, head: &Head, entry: &Entry) -> Head {
        let Self { exchange, ticker, interval } = self;
        let Entry { mark, revision, sums, second_digest } = entry;
        let Sums { trades, volume, notional } = sums;
        let number = head.entry + 1;
        let named = format!(" {number} {exchange} {ticker} {interval} {mark} {revision} {trades} ");
        let mut text = Vec::with_capacity(USUAL_LENGTH);
        text.extend_from_slice(&head.link.digits());
        text.extend_from_slice(named.as_bytes());
        volume.append_to(&mut text);
        text.push(b' ');
        notional.append_to(&mut text);
        text.push(b' ');
        text.extend_from_slice(&second_digest.digits());
        text.push(b'\n');
        Head { entry: number, link: Digest::of(&text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::TradesDigest;
    use crate::{EpochMs, Price, Quantity, Trade, TradeId};

    /// Made without this program:
    /// ```sh
    /// h() { sha256sum | cut -d' ' -f1; }
    /// G=$(printf 'truetape-chain-1 practice BTC 300000\n' | h)
    /// S=$(printf '999 z 2 10\n' | h); E=$(printf '' | h)
    /// L1=$(printf "$G 1 practice BTC 300000 1000 0 1 10 20 $S\n" | h)
    /// L2=$(printf "$L1 2 practice BTC 300000 1000 1 0 0 0 $E\n" | h)
    /// ```
    const GENESIS: &str = "82e7d86e40b7906029aae0e11e93b416485c45bc1b43c919293c73435eb88b7b";
    const FIRST: &str = "a00a60546f0444c66bbfcb85eddf4a499c3c5a5c7335d790c201a9aacc617b4d";
    const RESTATED: &str = "a35681994077229a8ffd2648cff8c046b3bf7ca4e0a1bb0018f7950011234e66";

    fn chain() -> Chain {
        let ticker = Ticker::new("BTC").expect("ticker");
        Chain { exchange: "practice".to_owned(), ticker, interval: Interval::DEFAULT }
    }

    fn first() -> Entry {
        let trade = Trade {
            ticker: Ticker::new("BTC").expect("ticker"),
            id: TradeId::new("z").expect("id"),
            traded_at: EpochMs::new(999),
            price: Price::parse("2").expect("price"),
            quantity: Quantity::parse("10").expect("quantity"),
        };
        Entry {
            mark: Mark::at_or_after(trade.traded_at),
            revision: 0,
            sums: Sums::of(trade.price, trade.quantity),
            second_digest: TradesDigest::of([&trade]),
        }
    }

    #[test]
    fn links_are_the_ones_that_sha256sum_makes_of_the_documented_text() {
        let genesis = chain().genesis();
        let head = chain().append(&genesis, &first());
        let withdrawn = Entry { revision: 1, sums: Sums::EMPTY, second_digest: Digest::of(b""), ..first() };
        let restated = chain().append(&head, &withdrawn);

        let links = [genesis, head, restated].map(|head| (head.entry, head.link.to_string()));
        assert_eq!(links, [(0, GENESIS.to_owned()), (1, FIRST.to_owned()), (2, RESTATED.to_owned())]);
    }

    #[test]
    fn everything_an_entry_says_and_everything_before_it_changes_its_link() {
        let genesis = chain().genesis();
        let was = chain().append(&genesis, &first()).link;
        let one = Sums::of(Price::parse("1").expect("price"), Quantity::parse("1").expect("quantity"));
        let changed = [
            Entry { mark: first().mark.next(), ..first() },
            Entry { revision: 1, ..first() },
            Entry { sums: Sums { trades: 2, ..first().sums }, ..first() },
            Entry { sums: Sums { volume: one.volume, ..first().sums }, ..first() },
            Entry { sums: Sums { notional: one.notional, ..first().sums }, ..first() },
            Entry { second_digest: Digest::of(b"other"), ..first() },
        ];
        for entry in changed {
            assert_ne!(chain().append(&genesis, &entry).link, was, "{entry:?}");
        }
        let later = Head { entry: 1, ..genesis };
        let elsewhere = Head { link: Digest::of(b"other"), ..genesis };
        assert_ne!(chain().append(&later, &first()).link, was);
        assert_ne!(chain().append(&elsewhere, &first()).link, was);
    }

    #[test]
    fn every_exchange_ticker_and_interval_has_a_beginning_of_its_own() {
        let others = [
            Chain { exchange: "other".to_owned(), ..chain() },
            Chain { ticker: Ticker::new("ETH").expect("ticker"), ..chain() },
            Chain { interval: Interval::from_ms(1_000).expect("a second"), ..chain() },
        ];
        for other in others {
            assert_ne!(other.genesis(), chain().genesis());
            // Even from one end, an entry of another chain has another link.
            assert_ne!(other.append(&chain().genesis(), &first()), chain().append(&chain().genesis(), &first()));
        }
    }
}
