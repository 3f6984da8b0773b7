//! The place of every final figure in the chain of its ticker: appended in the
//! transaction that makes the figure final, from an end known since the term began.

use std::collections::BTreeMap;

use store::{Appended, ChainStep, Chained, Figure, Restatement};
use tape::{Chain, Entry, Head, Interval, Restated, Ticker, Watermark, book};

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

impl Chains {
    /// Chains that end where the tables say; the others have no entry yet.
    pub(super) fn new(venue: &str, interval: Interval, heads: Vec<(Ticker, Head)>) -> Self {
        Self { venue: venue.to_owned(), interval, heads: heads.into_iter().collect() }
    }

    /// Appends what was settled of a ticker, by this watermark.
    pub(super) fn append(
        &mut self,
        ticker: &Ticker,
        settled: &[book::Settled],
        watermark: &Watermark,
    ) -> ChainedFinals {
        let interval = self.interval;
        let chain = Chain { exchange: self.venue.clone(), ticker: ticker.clone(), interval };
        let from = self.heads.get(ticker).copied().unwrap_or_else(|| chain.genesis());
        let final_watermark = watermark.settled_until();
        let mut head = from;
        let mut figures = Vec::with_capacity(settled.len());
        for book::Settled { said, second_digest } in settled.iter().copied() {
            head = chain.append(&head, &Entry { mark: said.mark, revision: 0, sums: said.sums, second_digest });
            let chained = Some(Chained { head, final_watermark });
            figures.push(Figure { chained, ..Figure::new(ticker.clone(), interval, said) });
        }
        if head == from {
            return ChainedFinals { figures, step: None };
        }
        self.heads.insert(ticker.clone(), head);
        ChainedFinals { figures, step: Some(ChainStep { ticker: ticker.clone(), interval, from, to: head }) }
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
