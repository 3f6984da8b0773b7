//! All that is held in memory of one ticker: how far it is confirmed, and the
//! running windows of what is settled, confirmed and heard.

use crate::prefetch::prefetch;
use crate::{
    Band, Confirmation, Digest, EpochMs, Extremes, Heard, Known, Mark, Outcome, Rolling, Standing, Sums, Suspects,
    Suspicion, Trade, Unfinished, Verdict, Watermark,
};

/// The trades of one second: those confirmed and those only heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The second `(mark − 1 s, mark]`.
    pub second: Mark,
    /// The sums of the trades REST confirmed.
    pub confirmed: Sums,
    /// The sums of the trades only the socket brought, and nobody suspects.
    pub heard: Sums,
    /// The sums of the trades only the socket brought, and that are suspected.
    pub quarantined: Sums,
    /// The ends of the trades REST confirmed; none without any.
    pub extremes: Option<Extremes>,
}

/// What is said of one mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// When its window closes.
    pub mark: Mark,
    /// The exact sums of its window.
    pub sums: Sums,
    /// How many of its trades are confirmed.
    pub confirmed_trades: u64,
    /// How many suspects claim to belong to it and are left out.
    pub quarantined_trades: u64,
}

/// What is said for good of a mark the watermark passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// The mark's final figure.
    pub said: Said,
    /// The digest of the trades in `(mark − 1 s, mark]`.
    pub second_digest: Digest,
}

/// One ticker's watermark and windows. It can always be rebuilt from the store.
///
/// Its order is kept in memory too: with thousands of tickers a book is seldom
/// near the processor, and what a heard trade needs comes first, side by side.
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Book {
    watermark: Watermark,
    /// Heard trades beyond the watermark, closing at the last live mark.
    heard: Rolling,
    /// What was normal lately.
    band: Band,
    /// Suspects among the heard trades, kept apart.
    quarantined: Rolling,
    /// Confirmed trades, closing at the last live mark.
    confirmed: Rolling,
    /// Confirmed trades, closing at the last settled mark: what final figures come from.
    settled: Rolling,
    /// Confirmed trades after the last settled mark, one by one.
    unfinished: Unfinished,
}

/// The book and what was done to it disagree: it must be rebuilt from the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the windows in memory do not hold the trade {0}")]
pub struct Inconsistent(String);

impl Book {
    /// A book of windows of so many seconds, from the buckets after the instant
    /// it [reaches back to](Book::reaches_back_to), and the confirmed trades after
    /// [`Book::last_settled_mark`], which are in the buckets too. `live_at` is
    /// the last mark already spoken of.
    pub fn rebuild(
        watermark: Watermark,
        seconds: i64,
        live_at: Mark,
        buckets: &[Bucket],
        unfinished: Unfinished,
    ) -> Self {
        let settled_at = Self::last_settled_mark(&watermark);
        let mut book = Self {
            watermark,
            settled: Rolling::new(seconds, settled_at),
            unfinished,
            confirmed: Rolling::new(seconds, live_at),
            heard: Rolling::new(seconds, live_at),
            quarantined: Rolling::new(seconds, live_at),
            band: Band::default(),
        };
        for bucket in buckets {
            book.settled.add(bucket.second.at(), bucket.confirmed);
            book.confirmed.add(bucket.second.at(), bucket.confirmed);
            book.heard.add(bucket.second.at(), bucket.heard);
            book.quarantined.add(bucket.second.at(), bucket.quarantined);
            if let Some(extremes) = bucket.extremes {
                book.band.add(bucket.second.at().minus_ms(1), extremes);
            }
        }
        book.band.advance_to(book.watermark.settled_until());
        book
    }

    /// How far a rebuild must reach back: buckets after this instant are needed.
    pub fn reaches_back_to(watermark: &Watermark, seconds: i64, live_at: Mark) -> EpochMs {
        let windows = Self::last_settled_mark(watermark).min(live_at).minus_seconds(seconds).at();
        windows.min(Band::reaches_back_to(watermark.settled_until()))
    }

    /// The last mark that is final where everything up to the watermark is.
    pub fn last_settled_mark(watermark: &Watermark) -> Mark {
        Mark::at_or_before(watermark.settled_until())
    }

    /// How far the ticker is confirmed.
    pub fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    /// How many seconds with trades its fullest window holds.
    pub fn held_seconds(&self) -> usize {
        let windows = [&self.settled, &self.confirmed, &self.heard, &self.quarantined];
        windows.into_iter().map(Rolling::held_seconds).max().unwrap_or(0)
    }

    /// What is held against a heard trade that nobody knew. One that claims a
    /// settled time is contradicted: all trades of that time are confirmed.
    pub fn suspicion_of(&self, heard: &Heard, suspects: Suspects) -> Option<Suspicion> {
        let settled_until = self.watermark.settled_until();
        if heard.trade.traded_at <= settled_until {
            return Some(Suspicion::Contradicted);
        }
        suspects.judge(&heard.trade, heard.received_at, &self.band, settled_until)
    }

    /// Prefetches what a heard trade needs.
    #[inline(always)]
    pub(crate) fn prefetch_hearing(&self) {
        prefetch(&self.watermark);
        self.band.prefetch();
        self.heard.prefetch_newest();
    }

    /// Prefetches what a heard trade needs of what that leads to.
    #[inline(always)]
    pub(crate) fn prefetch_heard(&self, traded_at: EpochMs) {
        self.heard.prefetch_next(traded_at);
    }

    /// Prefetches what the figure of a mark needs.
    #[inline(always)]
    pub(crate) fn prefetch_saying(&self) {
        prefetch(&self.watermark);
        self.live_windows().into_iter().for_each(Rolling::prefetch);
    }

    /// Prefetches what the figure of a mark needs of what that leads to.
    #[inline(always)]
    pub(crate) fn prefetch_said(&self) {
        self.live_windows().into_iter().for_each(Rolling::prefetch_step);
    }

    #[inline(always)]
    fn live_windows(&self) -> [&Rolling; 3] {
        [&self.confirmed, &self.heard, &self.quarantined]
    }

    /// Takes in a heard trade that nobody knew and that lies beyond the
    /// watermark. A suspect is counted, and kept out of every figure.
    pub fn hear(&mut self, trade: &Trade, suspicion: Option<Suspicion>) {
        self.heard_or_quarantined(suspicion).add(trade.traded_at, sums(trade));
    }

    /// Takes in what a page settled and returns the final figure of every mark
    /// the watermark passed, trades or none.
    ///
    /// # Errors
    /// [`Inconsistent`] when a trade to take out was never there.
    pub fn settle(&mut self, outcome: &Outcome) -> Result<Vec<Settled>, Inconsistent> {
        let was_settled_until = self.watermark.settled_until();
        for Confirmation { trade, verdict, received_at, suspicion } in &outcome.confirmations {
            match verdict {
                Verdict::Matched => self.unhear(trade, *suspicion, was_settled_until)?,
                Verdict::Altered { heard } => self.unhear(heard, *suspicion, was_settled_until)?,
                Verdict::Missing | Verdict::Unheard => {}
            }
            self.confirm(trade);
            let extremes = Extremes::of(trade.price, trade.quantity, trade.traded_at, *received_at);
            self.band.add(trade.traded_at, extremes);
        }
        for correction in &outcome.corrections {
            let was = &correction.was;
            let was_there = self.settled.remove(was.traded_at, sums(was))
                && self.unfinished.remove(was)
                && self.confirmed.remove(was.traded_at, sums(was));
            if !was_there {
                return Err(inconsistent(was));
            }
            self.confirm(&correction.now);
        }
        for known in outcome.phantoms.iter().chain(&outcome.unplaced) {
            if let Standing::Heard { suspicion, .. } = known.standing {
                self.unhear(&known.trade, suspicion, was_settled_until)?;
            }
        }
        self.watermark = outcome.watermark.clone();
        self.band.advance_to(self.watermark.settled_until());
        let settled_mark = Self::last_settled_mark(&self.watermark);
        let mut finals = Vec::new();
        while self.settled.closes_at() < settled_mark {
            let mark = self.settled.closes_at().next();
            let sums = self.settled.advance_to(mark);
            let said = Said { mark, sums, confirmed_trades: sums.trades, quarantined_trades: 0 };
            finals.push(Settled { said, second_digest: self.unfinished.finish(mark) });
        }
        Ok(finals)
    }

    /// Takes in a change of mind of REST about a settled trade: the confirmed
    /// trade `was` goes, `now` comes, and a copy that was only `heard` so far
    /// is replaced.
    ///
    /// # Errors
    /// [`Inconsistent`] when a trade to take out was never there.
    pub fn amend(
        &mut self,
        was: Option<&Trade>,
        now: Option<&Trade>,
        heard: Option<&Known>,
    ) -> Result<(), Inconsistent> {
        if let Some(was) = was {
            let was_there = self.settled.remove(was.traded_at, sums(was))
                && (self.is_finished(was) || self.unfinished.remove(was))
                && self.confirmed.remove(was.traded_at, sums(was));
            if !was_there {
                return Err(inconsistent(was));
            }
        }
        if let Some(Known { trade, standing: Standing::Heard { suspicion, .. } }) = heard {
            self.unhear(trade, *suspicion, self.watermark.settled_until())?;
        }
        if let Some(now) = now {
            self.confirm(now);
        }
        Ok(())
    }

    /// The provisional figure of a mark: confirmed trades up to the watermark
    /// and heard trades after it. None when the mark is settled already.
    pub fn provisional_at(&mut self, mark: Mark) -> Option<Said> {
        let confirmed = self.confirmed.advance_to(mark);
        let heard = self.heard.advance_to(mark);
        let quarantined_trades = self.quarantined.advance_to(mark).trades;
        let is_settled = mark.at() <= self.watermark.settled_until();
        if is_settled {
            return None;
        }
        let (sums, confirmed_trades) = (confirmed.plus(heard), confirmed.trades);
        Some(Said { mark, sums, confirmed_trades, quarantined_trades })
    }

    /// Whether the trade's second is settled, so that nobody asks for it again.
    fn is_finished(&self, trade: &Trade) -> bool {
        trade.traded_at <= self.settled.closes_at().at()
    }

    /// The sums of the trades of the live window that only the socket brought.
    pub fn heard_sums(&self) -> Sums {
        self.heard.sums()
    }

    fn confirm(&mut self, trade: &Trade) {
        self.settled.add(trade.traded_at, sums(trade));
        if !self.is_finished(trade) {
            self.unfinished.add(trade);
        }
        self.confirmed.add(trade.traded_at, sums(trade));
    }

    /// Takes a heard trade out of where it was counted. One that claims a
    /// settled time never was anywhere.
    fn unhear(
        &mut self,
        trade: &Trade,
        suspicion: Option<Suspicion>,
        was_settled_until: EpochMs,
    ) -> Result<(), Inconsistent> {
        let was_counted = was_settled_until < trade.traded_at;
        if was_counted && !self.heard_or_quarantined(suspicion).remove(trade.traded_at, sums(trade)) {
            return Err(inconsistent(trade));
        }
        Ok(())
    }

    fn heard_or_quarantined(&mut self, suspicion: Option<Suspicion>) -> &mut Rolling {
        if suspicion.is_some() { &mut self.quarantined } else { &mut self.heard }
    }
}

fn sums(trade: &Trade) -> Sums {
    Sums::of(trade.price, trade.quantity)
}

fn inconsistent(trade: &Trade) -> Inconsistent {
    Inconsistent(format!("{} {} at {}", trade.ticker, trade.id, trade.traded_at))
}

#[cfg(test)]
mod tests;
