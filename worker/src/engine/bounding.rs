//! How wrong each provisional figure may be: asked of the evidence when a mark
//! is said, and held against the final figure when it is settled.

use std::collections::HashMap;

use store::{BoundsKept, Figure};
use tape::book::Said;
use tape::bound::{Evidence, Lesson, Statement, Terms};
use tape::{Book, Interval, Mark, Sums, Ticker};

use super::SessionError;
use crate::tables::TablesTxn;

/// The evidence of every ticker of the venue.
pub(super) struct Bounds {
    interval: Interval,
    terms: Terms,
    evidence: HashMap<Ticker, Evidence>,
}

impl Bounds {
    /// What is known of windows of one interval, from what was kept.
    pub fn new(interval: Interval, terms: Terms, kept: BoundsKept) -> Self {
        let mut evidence: HashMap<Ticker, Evidence> = HashMap::new();
        for of_hour in kept.evidence {
            let own = evidence.entry(of_hour.ticker).or_default();
            for (error, marks) in of_hour.errors {
                own.add(of_hour.hour, of_hour.class, error, marks, terms.coverage);
            }
        }
        for of_hour in kept.outcomes {
            let own = evidence.entry(of_hour.ticker).or_default();
            own.add_outcomes(of_hour.hour, of_hour.outcomes);
            own.set_level(of_hour.class, of_hour.level, terms.coverage);
        }
        Self { interval, terms, evidence }
    }

    /// What can be said of a figure that the ticker's book has just given.
    pub fn state(&mut self, ticker: &Ticker, book: &Book, said: &Said) -> Statement {
        let terms = self.terms;
        Statement::of(said, book, self.of(ticker), terms)
    }

    /// Holds figures that become final against what is still said of their
    /// marks, and writes what that teaches. To be done before they are written;
    /// a mark of which nothing was said, as in a backfill, teaches nothing.
    pub async fn settle(&mut self, txn: &impl TablesTxn, finals: &[Figure]) -> Result<(), SessionError> {
        let marks: Vec<(Ticker, Mark)> = finals.iter().map(|figure| (figure.ticker.clone(), figure.mark)).collect();
        let mut said = txn.bounds_said(self.interval, &marks).await?;
        if said.is_empty() {
            return Ok(());
        }
        said.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let settled: HashMap<(&Ticker, Mark), Sums> =
            finals.iter().map(|figure| ((&figure.ticker, figure.mark), figure.sums)).collect();
        let mut lessons: Vec<(Ticker, Lesson)> = Vec::with_capacity(said.len());
        for (ticker, mark, before) in said {
            let Some(sums) = settled.get(&(&ticker, mark)) else { continue };
            let terms = self.terms;
            let lesson = self.of(&ticker).learn(mark, before, sums.vwap(), terms);
            lessons.extend(lesson.map(|lesson| (ticker, lesson)));
        }
        txn.bounds_learn(self.interval, &lessons).await?;
        Ok(())
    }

    /// The bytes all evidence holds.
    pub fn bytes(&self) -> usize {
        self.evidence.values().map(Evidence::bytes).sum()
    }

    fn of(&mut self, ticker: &Ticker) -> &mut Evidence {
        // The name is copied for a new ticker only, not at every mark.
        if !self.evidence.contains_key(ticker) {
            self.evidence.insert(ticker.clone(), Evidence::default());
        }
        self.evidence.get_mut(ticker).expect("it was put there if it was not")
    }
}
