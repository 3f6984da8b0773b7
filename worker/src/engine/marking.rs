//! The figure of every ticker at every second mark, provisional until REST has spoken.

use store::Figure;
use tape::{EpochMs, Mark};

use super::{BEFORE_ALL, Engine, SessionError};
use crate::tables::{Tables, TablesTxn};

/// Figures made up for after a pause of the process, over all tickers; what
/// lies further back is left to the final figures, which are made for every
/// mark in any case.
const FIGURES_MADE_UP: usize = 50_000;

/// Tickers whose figures are written in one transaction: those of the first are
/// served while those of the last are written.
const TICKERS_TOGETHER: usize = 1_000;

impl<T: Tables> Engine<T> {
    /// Writes the figures of every mark up to `now` that was not spoken of yet.
    ///
    /// # Errors
    /// Whatever the store says; of some tickers the figures may be written by then.
    pub async fn mark(&mut self, now: EpochMs) -> Result<(), SessionError> {
        let mark = Mark::at_or_before(now);
        if self.live_at == BEFORE_ALL {
            // The first present a market tells is where its marks begin: none was passed over.
            self.live_at = mark.minus_seconds(1);
            self.timing.passed_over(self.live_at);
        }
        let missed = mark.seconds_since(self.live_at);
        if missed <= 0 {
            return Ok(());
        }
        let affordable = i64::try_from(FIGURES_MADE_UP / self.books.len().max(1)).unwrap_or(1).max(1);
        let next = mark.minus_seconds(missed.min(affordable) - 1);
        if affordable < missed {
            self.timing.passed_over(next.minus_seconds(1));
        }
        self.live_at = mark;
        for from in (0..self.books.len()).step_by(TICKERS_TOGETHER) {
            let figures = self.figures_said(from, next, mark);
            let newest_from = figures.partition_point(|figure| figure.mark < mark);
            let calculated_at = self.clock.wall();
            let txn = self.tables.begin_relaxed().await?;
            txn.figures_insert_provisional(&figures, calculated_at).await?;
            txn.latest_upsert(&figures[newest_from..], false, calculated_at).await?;
            txn.commit().await?;
        }
        self.metrics.evidence_bytes.set(i64::try_from(self.bounds.bytes()).unwrap_or(i64::MAX));
        self.metrics.marked(next, mark, self.clock.wall());
        Ok(())
    }

    /// What is said of the marks from one to another, in their order, of the
    /// tickers that are written together.
    fn figures_said(&mut self, from: usize, first: Mark, last: Mark) -> Vec<Figure> {
        let mut figures = Vec::new();
        let mut mark = first;
        while mark <= last {
            for (ticker, book) in self.books.range_mut(from..from + TICKERS_TOGETHER) {
                let Some(said) = book.provisional_at(mark) else { continue };
                let bound = Some(self.bounds.state(ticker, book, &said));
                figures.push(Figure { bound, ..Figure::new(ticker.clone(), self.settings.interval, said) });
            }
            mark = mark.next();
        }
        figures
    }
}
