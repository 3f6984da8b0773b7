//! How long live marks take to become final: those that were said
//! provisionally first, of which somebody may be waiting for the final figure.

use std::collections::BTreeMap;

use store::Figure;
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

    /// Takes notice of figures that become final now, given the last mark
    /// spoken of. Returns how long the live ones of them took, in milliseconds.
    pub(super) fn became_final<'a>(
        &mut self,
        finals: impl Iterator<Item = &'a Figure>,
        live_at: Mark,
        now: EpochMs,
    ) -> Vec<i64> {
        let mut took_ms = Vec::new();
        for figure in finals {
            let Some(of_ticker) = self.tickers.get_mut(&figure.ticker) else { continue };
            let was_said = of_ticker.said_after < figure.mark && figure.mark <= live_at;
            if was_said {
                of_ticker.times.note(figure.mark, now);
                of_ticker.is_new = true;
                took_ms.push(now.ms_since(figure.mark.at()).max(0));
            }
        }
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
    use tape::{Interval, Sums};

    use super::*;

    fn mark(second: i64) -> Mark {
        Mark::at_or_before(EpochMs::new(second * 1000))
    }

    fn figures(seconds: std::ops::RangeInclusive<i64>) -> Vec<Figure> {
        let ticker = Ticker::new("BTC").expect("a ticker");
        let said = |second| tape::book::Said {
            mark: mark(second),
            sums: Sums::EMPTY,
            confirmed_trades: 0,
            quarantined_trades: 0,
        };
        seconds.map(|second| Figure::new(ticker.clone(), Interval::DEFAULT, said(second))).collect()
    }

    #[test]
    fn only_marks_that_had_been_said_provisionally_count() {
        let ticker = Ticker::new("BTC").expect("a ticker");
        let mut timing = Timing::default();
        timing.begin(&ticker, mark(100));

        let backfilled = timing.became_final(figures(1..=100).iter(), mark(105), EpochMs::new(106_000));
        assert_eq!(backfilled, Vec::<i64>::new());
        assert_eq!(timing.measured_anew(&ticker), None);
        assert_eq!(timing.became_final(figures(101..=103).iter(), mark(102), EpochMs::new(104_500)), [3_500, 2_500]);
        assert_eq!(timing.measured_anew(&ticker).map(|measured| measured.marks), Some(2));
        assert_eq!(timing.measured_anew(&ticker), None, "nothing new");
    }

    #[test]
    fn marks_passed_over_in_silence_do_not_count() {
        let mut timing = Timing::default();
        timing.begin(&Ticker::new("BTC").expect("a ticker"), mark(100));
        timing.passed_over(mark(110));

        assert_eq!(timing.became_final(figures(105..=111).iter(), mark(120), EpochMs::new(121_000)), [10_000]);
    }
}
