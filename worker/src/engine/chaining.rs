//! The place of every final figure in the chain of its ticker: appended in the
//! transaction that makes the figure final, from an end known since the term began.

use std::collections::BTreeMap;

use store::{Appended, ChainStep, Chained, Figure, MarkSpan, Pieces, Restatement};
use tape::{Chain, Entry, EpochMs, Head, Interval, Mark, Restated, Ticker, Watermark, book};

/// The ends of all chains of one venue and interval.
#[derive(Debug)]
pub(super) struct Chains {
    venue: String,
    interval: Interval,
    heads: BTreeMap<Ticker, Head>,
}

/// The final figures of one ticker, chained, and the step that makes.
pub(super) struct ChainedFinals {
    /// Those that are not written yet.
    pub(super) figures: Vec<Figure>,
    /// The last of all.
    pub(super) last: Option<Figure>,
    pub(super) step: Option<ChainStep>,
}

/// So many figures are made before they are handed on: few, since Postgres has
/// nothing to do until the first come.
const MADE_TOGETHER: usize = 100;

/// The final figures of one ticker, chained one after the other.
pub(super) struct Appending<'a> {
    heads: &'a mut BTreeMap<Ticker, Head>,
    chain: Chain,
    final_watermark: EpochMs,
    settled: &'a [book::Settled],
    from: Head,
    /// How many are chained, and the end that makes.
    chained: usize,
    head: Head,
    /// The last piece that was made: all of them would be more than the
    /// processor keeps near, and Postgres works beside it.
    piece: Vec<Figure>,
}

impl Appending<'_> {
    /// From which mark to which; none without any.
    pub(super) fn span(&self) -> Option<MarkSpan> {
        let (first, last) = self.settled.first().zip(self.settled.last())?;
        let Chain { ticker, interval, .. } = &self.chain;
        Some(MarkSpan { ticker: ticker.clone(), interval: *interval, first: first.said.mark, last: last.said.mark })
    }

    /// Its marks, in their order.
    pub(super) fn marks(&self) -> impl ExactSizeIterator<Item = Mark> {
        self.settled.iter().map(|settled| settled.said.mark)
    }

    /// Moves the chain's end behind all of them, of which all or none are written.
    pub(super) fn finish(mut self, are_written: bool) -> ChainedFinals {
        if !are_written {
            (self.chained, self.head) = (0, self.from);
            self.make(self.settled.len());
        }
        debug_assert_eq!(self.chained, self.settled.len(), "what is written was made");
        let Self { heads, chain: Chain { ticker, interval, .. }, from, head, piece, .. } = self;
        let last = piece.last().cloned();
        let figures = if are_written { Vec::new() } else { piece };
        if head == from {
            return ChainedFinals { figures, last, step: None };
        }
        heads.insert(ticker.clone(), head);
        ChainedFinals { figures, last, step: Some(ChainStep { ticker, interval, from, to: head }) }
    }

    /// Makes the next so many figures the last piece.
    fn make(&mut self, count: usize) {
        self.piece.clear();
        let left = &self.settled[self.chained..];
        let next = &left[..count.min(left.len())];
        self.piece.reserve(next.len());
        for book::Settled { said, second_digest } in next {
            let entry = Entry { mark: said.mark, revision: 0, sums: said.sums, second_digest: *second_digest };
            self.head = self.chain.append(&self.head, &entry);
            let chained = Some(Chained { head: self.head, final_watermark: self.final_watermark });
            self.piece.push(Figure { chained, ..Figure::new(self.chain.ticker.clone(), self.chain.interval, *said) });
        }
        self.chained += next.len();
    }
}

impl Pieces for Appending<'_> {
    fn next_piece(&mut self) -> Option<&[Figure]> {
        if self.chained == self.settled.len() {
            return None;
        }
        self.make(MADE_TOGETHER);
        Some(&self.piece)
    }
}

impl Chains {
    /// Chains that end where the tables say; the others have no entry yet.
    pub(super) fn new(venue: &str, interval: Interval, heads: Vec<(Ticker, Head)>) -> Self {
        Self { venue: venue.to_owned(), interval, heads: heads.into_iter().collect() }
    }

    /// Appends what was settled of a ticker, by this watermark: as it is asked
    /// for, or all of it when it is done with.
    pub(super) fn append<'a>(
        &'a mut self,
        ticker: &Ticker,
        settled: &'a [book::Settled],
        watermark: &Watermark,
    ) -> Appending<'a> {
        let chain = Chain { exchange: self.venue.clone(), ticker: ticker.clone(), interval: self.interval };
        let head = self.heads.get(ticker).copied().unwrap_or_else(|| chain.genesis());
        let (final_watermark, piece) = (watermark.settled_until(), Vec::new());
        Appending { heads: &mut self.heads, chain, final_watermark, settled, from: head, chained: 0, head, piece }
    }

    /// Appends what is restated of a ticker, in the order of marks. A mark that
    /// was never chained is restated without an entry, if its sums change.
    pub(super) fn restate(&mut self, ticker: &Ticker, restated: &[Restated]) -> (Vec<Restatement>, Option<ChainStep>) {
        let interval = self.interval;
        let chain = Chain { exchange: self.venue.clone(), ticker: ticker.clone(), interval };
        let from = self.heads.get(ticker).copied().unwrap_or_else(|| chain.genesis());
        let mut head = from;
        let mut restatements = Vec::with_capacity(restated.len());
        for Restated { was, sums, old_second_digest, new_second_digest, reason } in restated {
            let (mark, sums, second_digest) = (was.mark, *sums, *new_second_digest);
            let appended = was.is_chained.then(|| {
                let previous_link = head.link;
                head = chain.append(&head, &Entry { mark, revision: was.revision + 1, sums, second_digest });
                let (old_second_digest, new_second_digest) = (*old_second_digest, second_digest);
                Appended { previous_link, head, old_second_digest, new_second_digest }
            });
            if appended.is_none() && sums == was.sums {
                continue;
            }
            let said = book::Said { mark, sums, confirmed_trades: sums.trades, quarantined_trades: 0 };
            let figure = Figure::new(ticker.clone(), interval, said);
            restatements.push(Restatement { figure, reason: reason.clone(), appended });
        }
        if head == from {
            return (restatements, None);
        }
        self.heads.insert(ticker.clone(), head);
        (restatements, Some(ChainStep { ticker: ticker.clone(), interval, from, to: head }))
    }
}

#[cfg(test)]
mod tests {
    use tape::book::Said;
    use tape::{Digest, Sums};
    use testkit::{at, price, quantity, ticker};

    use super::*;

    fn settled(seconds: i64) -> Vec<book::Settled> {
        let sums = Sums::of(price("7"), quantity("2"));
        let said = |second| Said {
            mark: Mark::at_or_before(at(1_000 * second)),
            sums,
            confirmed_trades: 1,
            quarantined_trades: 0,
        };
        (1..=seconds)
            .map(|second| book::Settled { said: said(second), second_digest: Digest::of(b"a second") })
            .collect()
    }

    /// What the figures of 250 seconds come to, so many pieces of which were made before.
    fn appended(pieces: usize, are_written: bool) -> (Vec<Figure>, ChainedFinals, Head) {
        let mut chains = Chains::new("generic", Interval::DEFAULT, Vec::new());
        let mut made = Vec::new();
        let settled = settled(250);
        let mut appending = chains.append(&ticker("BTC"), &settled, &Watermark::Through(at(250_000)));
        for _ in 0..pieces {
            made.extend(appending.next_piece().unwrap_or_default().to_vec());
        }
        let finals = appending.finish(are_written);
        (made, finals, chains.heads[&ticker("BTC")])
    }

    #[test]
    fn figures_are_chained_alike_at_once_piece_by_piece_and_anew_after_some_pieces() {
        let (_, all, head) = appended(0, false);
        assert_eq!((all.figures.len(), head.entry), (250, 250));

        let (made, written, end) = appended(9, true);
        assert_eq!((&made, end), (&all.figures, head));
        assert_eq!((written.figures, written.last, &written.step), (Vec::new(), all.last.clone(), &all.step));

        let (made, again, end) = appended(2, false);
        assert_eq!((made.len(), end), (200, head));
        assert_eq!((again.figures, again.last, again.step), (all.figures, all.last, all.step));
    }
}
