//! How long live marks take to become final: those that were said
//! provisionally first, of which somebody may be waiting for the final figure.

use std::collections::BTreeMap;

use tape::{EpochMs, Mark, Ticker, TimeToFinal, TimesToFinal};

/// The measured times of every ticker.
#[derive(Debug, Default)]
pub(super) struct Timing {
    tickers: BTreeMap<Ticker, OfTicker>,
}

#[derive(Debug)]
struct OfTicker {
    /// Every mark after it, up to the last one spoken of, was said provisionally
    /// unless it was final by then.
    said_after: Mark,
    times: TimesToFinal,
    is_new: bool,
}

impl Timing {
    /// From the mark after this one on, the ticker's marks are spoken of.
    pub(super) fn begin(&mut self, ticker: &Ticker, said_after: Mark) {
        let of_ticker = OfTicker { said_after, times: TimesToFinal::default(), is_new: false };
        self.tickers.insert(ticker.clone(), of_ticker);
    }

    /// Marks up to this one were passed over in silence.
    pub(super) fn passed_over(&mut self, until: Mark) {
        for of_ticker in self.tickers.values_mut() {
            of_ticker.said_after = of_ticker.said_after.max(until);
        }
    }

    /// Takes notice of marks of a ticker that become final now, given the last
    /// mark spoken of. Returns how long the live ones of them took, in milliseconds.
    pub(super) fn became_final(
        &mut self,
        ticker: &Ticker,
        marks: impl Iterator<Item = Mark>,
        live_at: Mark,
        now: EpochMs,
    ) -> Vec<i64> {
        let Some(of_ticker) = self.tickers.get_mut(ticker) else { return Vec::new() };
        let mut took_ms = Vec::new();
        for mark in marks.filter(|mark| of_ticker.said_after < *mark && *mark <= live_at) {
            of_ticker.times.note(mark, now);
            took_ms.push(now.ms_since(mark.at()).max(0));
        }
        of_ticker.is_new |= !took_ms.is_empty();
        took_ms
    }

    /// What is measured of a ticker, where that has changed.
    pub(super) fn measured_anew(&mut self, ticker: &Ticker) -> Option<TimeToFinal> {
        let of_ticker = self.tickers.get_mut(ticker)?;
        if std::mem::take(&mut of_ticker.is_new) { of_ticker.times.measured() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(second: i64) -> Mark {
        Mark::at_or_before(EpochMs::new(second * 1000))
    }

    fn marks(seconds: std::ops::RangeInclusive<i64>) -> impl Iterator<Item = Mark> {
        seconds.map(mark)
    }

    #[test]
    fn only_marks_that_had_been_said_provisionally_count() {
        let ticker = Ticker::new("BTC").expect("a ticker");
        let mut timing = Timing::default();
        timing.begin(&ticker, mark(100));

        let backfilled = timing.became_final(&ticker, marks(1..=100), mark(105), EpochMs::new(106_000));
        assert_eq!(backfilled, Vec::<i64>::new());
        assert_eq!(timing.measured_anew(&ticker), None);
        assert_eq!(timing.became_final(&ticker, marks(101..=103), mark(102), EpochMs::new(104_500)), [3_500, 2_500]);
        assert_eq!(timing.measured_anew(&ticker).map(|measured| measured.marks), Some(2));
        assert_eq!(timing.measured_anew(&ticker), None, "nothing new");
    }

    #[test]
    fn marks_passed_over_in_silence_do_not_count() {
        let mut timing = Timing::default();
        let ticker = Ticker::new("BTC").expect("a ticker");
        timing.begin(&ticker, mark(100));
        timing.passed_over(mark(110));

        assert_eq!(timing.became_final(&ticker, marks(105..=111), mark(120), EpochMs::new(121_000)), [10_000]);
    }
}
