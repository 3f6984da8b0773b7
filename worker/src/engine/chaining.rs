//! The place of every final figure in the chain of its ticker: appended in the
//! transaction that makes the figure final, from an end known since the term began.

use std::collections::BTreeMap;

use store::{ChainStep, Chained, Figure};
use tape::{Chain, Entry, Head, Interval, Ticker, Watermark, book};

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
}
