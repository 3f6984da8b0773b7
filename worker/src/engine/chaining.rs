//! The place of every final figure in the chain of its ticker: appended in the
//! transaction that makes the figure final, from an end known since the term began.

use std::collections::BTreeMap;

use store::{Appended, ChainStep, Chained, Figure, MarkSpan, Pieces, Restatement};
use tape::{Chain, Entry, EpochMs, Head, Interval, Restated, Ticker, Watermark, book};

/// The ends of all chains of one venue and interval.
#[derive(Debug)]
pub(super) struct Chains {
    venue: String,
    interval: Interval,
    heads: BTreeMap<Ticker, Head>,
}

/// The final figures of one ticker, chained, and the step that makes.
pub(super) struct ChainedFinals {
    pub(super) figures: Vec<Figure>,
    pub(super) step: Option<ChainStep>,
}

/// So many figures are made before they are handed on: a millisecond's work.
const MADE_TOGETHER: usize = 400;

/// So many of the first: until they come, nobody has anything to do.
const MADE_FIRST: usize = 50;

/// The final figures of one ticker, chained one after the other.
pub(super) struct Appending<'a> {
    heads: &'a mut BTreeMap<Ticker, Head>,
    chain: Chain,
    final_watermark: EpochMs,
    /// What is not chained yet.
    settled: std::vec::IntoIter<book::Settled>,
    from: Head,
    head: Head,
    figures: Vec<Figure>,
}

impl Appending<'_> {
    /// The marks that are not chained yet; none without any.
    pub(super) fn span(&self) -> Option<MarkSpan> {
        let (first, last) = self.settled.as_slice().first().zip(self.settled.as_slice().last())?;
        let Chain { ticker, interval, .. } = &self.chain;
        Some(MarkSpan { ticker: ticker.clone(), interval: *interval, first: first.said.mark, last: last.said.mark })
    }

    /// How many marks are not chained yet.
    pub(super) fn left(&self) -> usize {
        self.settled.len()
    }

    /// Chains what is left, and moves the chain's end.
    pub(super) fn finish(mut self) -> ChainedFinals {
        while self.next_piece().is_some() {}
        let Self { heads, chain: Chain { ticker, interval, .. }, from, head, figures, .. } = self;
        if head == from {
            return ChainedFinals { figures, step: None };
        }
        heads.insert(ticker.clone(), head);
        ChainedFinals { figures, step: Some(ChainStep { ticker, interval, from, to: head }) }
    }
}

impl Pieces for Appending<'_> {
    fn next_piece(&mut self) -> Option<&[Figure]> {
        let made = self.figures.len();
        let count = if made == 0 { MADE_FIRST } else { MADE_TOGETHER };
        for book::Settled { said, second_digest } in self.settled.by_ref().take(count) {
            let entry = Entry { mark: said.mark, revision: 0, sums: said.sums, second_digest };
            self.head = self.chain.append(&self.head, &entry);
            let chained = Some(Chained { head: self.head, final_watermark: self.final_watermark });
            self.figures.push(Figure { chained, ..Figure::new(self.chain.ticker.clone(), self.chain.interval, said) });
        }
        Some(&self.figures[made..]).filter(|piece| !piece.is_empty())
    }
}

impl Chains {
    /// Chains that end where the tables say; the others have no entry yet.
    pub(super) fn new(venue: &str, interval: Interval, heads: Vec<(Ticker, Head)>) -> Self {
        Self { venue: venue.to_owned(), interval, heads: heads.into_iter().collect() }
    }

    /// Appends what was settled of a ticker, by this watermark: as it is asked
    /// for, and the rest of it when it is done with.
    pub(super) fn append(
        &mut self,
        ticker: &Ticker,
        settled: Vec<book::Settled>,
        watermark: &Watermark,
    ) -> Appending<'_> {
        let chain = Chain { exchange: self.venue.clone(), ticker: ticker.clone(), interval: self.interval };
        let head = self.heads.get(ticker).copied().unwrap_or_else(|| chain.genesis());
        let figures = Vec::with_capacity(settled.len());
        let (settled, final_watermark) = (settled.into_iter(), watermark.settled_until());
        Appending { heads: &mut self.heads, chain, final_watermark, settled, from: head, head, figures }
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
