//! The figure of every ticker at every second mark, provisional until REST has spoken.

use store::Figure;
use tape::{EpochMs, Mark};

use super::{BEFORE_ALL, Engine, SessionError};
use crate::tables::{Tables, TablesTxn};

/// Figures made up for after a pause of the process, over all tickers; what
/// lies further back is left to the final figures, which are made for every
/// mark in any case.
const FIGURES_MADE_UP: usize = 50_000;

impl<T: Tables> Engine<T> {
    /// Writes the figures of every mark up to `now` that was not spoken of yet.
    ///
    /// # Errors
    /// Whatever the store says; nothing is written then.
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
        let mut next = mark.minus_seconds(missed.min(affordable) - 1);
        if affordable < missed {
            self.timing.passed_over(next.minus_seconds(1));
        }
        let mut figures = Vec::with_capacity(self.books.len());
        let mut newest_from = 0;
        while next <= mark {
            newest_from = figures.len();
            for (ticker, book) in self.books.iter_mut() {
                let Some(said) = book.provisional_at(next) else { continue };
                let bound = Some(self.bounds.state(ticker, book, &said));
                figures.push(Figure { bound, ..Figure::new(ticker.clone(), self.settings.interval, said) });
            }
            next = next.next();
        }
        self.live_at = mark;

        let calculated_at = self.clock.wall();
        let txn = self.tables.begin_relaxed().await?;
        txn.figures_insert_provisional(&figures, calculated_at).await?;
        txn.latest_upsert(&figures[newest_from..], false, calculated_at).await?;
        txn.commit().await?;
        self.metrics.evidence_bytes.set(i64::try_from(self.bounds.bytes()).unwrap_or(i64::MAX));
        self.metrics.marked(mark, self.clock.wall());
        Ok(())
    }
}
