//! One REST answer, and how far it may be believed.

use std::collections::HashSet;

use crate::{EpochMs, Trade, TradeId, Watermark};

/// One REST answer for one ticker, asked from the watermark on.
#[derive(Debug, Clone)]
pub struct Page {
    /// The trades of the ticker, well-formed and inside the time bounds, in the venue's order.
    pub trades: Vec<Trade>,
    /// The latest time of any row of the ticker, refused rows included, that is
    /// not from the future.
    pub latest_row_at: Option<EpochMs>,
    /// Whether the answer had as many rows as the venue gives at most, so that more may follow.
    pub is_full: bool,
    /// The market's own present when it answered.
    pub market_time: EpochMs,
    /// Up to when the page is known to hold every trade that follows its question, where
    /// that is not told by time alone: ids without a hole, or pages that overlap.
    pub complete_until: Option<EpochMs>,
    /// How finely the market's REST tells times, in ms: 1, or 1,000 for whole seconds.
    pub time_grain_ms: i64,
}

impl Page {
    /// An answer without rows, told at this present: nothing is there, as far as it can know.
    pub fn empty_at(market_time: EpochMs) -> Self {
        let (trades, latest_row_at) = (Vec::new(), None);
        Self { trades, latest_row_at, is_full: false, market_time, complete_until: None, time_grain_ms: 1 }
    }

    /// The latest instant this page may settle: REST is taken to know all of a
    /// moment only a settle delay later, and one step is bounded however long
    /// the market was silent.
    pub(crate) fn limit(&self, watermark: &Watermark, patience: Patience) -> EpochMs {
        let known_by_now = self.known_by_now(patience);
        known_by_now.min(watermark.settled_until().plus_ms(patience.longest_step_ms))
    }

    /// The latest instant of which this page can know all.
    pub(crate) fn known_by_now(&self, patience: Patience) -> EpochMs {
        let believed = self.market_time.minus_ms(patience.settle_delay_ms);
        let complete = self.complete_until.map_or(believed, |until| believed.min(until));
        // A time told in whole seconds may be any within its second: only whole ones are ever passed.
        complete.plus_ms(1).floor_to(self.time_grain_ms).minus_ms(1)
    }

    /// Where to read on at once, before this page is settled: after its last
    /// trade, when more must follow it and all of it is old enough to be
    /// settled from `watermark` on. `asked_from` is where this page was asked for.
    pub fn leads_on(&self, asked_from: &Watermark, watermark: &Watermark, patience: Patience) -> Option<Watermark> {
        let last = self.trades.last()?;
        let next = Watermark::Within { at: last.traded_at, last: last.id.clone() };
        if self.complete_until.is_some() {
            // Whoever vouched for it has read on as far as was of use.
            return None;
        }
        let is_believed = self.latest_row_at.is_some_and(|latest| latest <= self.limit(watermark, patience));
        (self.is_full && is_believed && asked_from.is_before(&next)).then_some(next)
    }

    /// Where the next step begins, when this page, asked for on the way from
    /// `watermark`, brings more than one step settles. What it holds beyond is
    /// asked for again there, so that no answer grows with the market's silence.
    pub fn next_step(&self, watermark: &Watermark, patience: Patience) -> Option<Watermark> {
        let limit = self.limit(watermark, patience);
        let is_beyond = self.latest_row_at.is_some_and(|latest| limit < latest);
        let is_short = limit < self.known_by_now(patience);
        (is_beyond && is_short && self.complete_until.is_none()).then_some(Watermark::Through(limit))
    }

    /// This page and the one asked for where it [leads on](Self::leads_on), as
    /// the one answer that a market with longer pages would have given.
    #[must_use]
    pub fn followed_by(mut self, next: Self) -> Self {
        self.trades.extend(next.trades);
        let latest_row_at = self.latest_row_at.max(next.latest_row_at);
        Self { trades: self.trades, latest_row_at, ..next }
    }

    /// The trades that are judged: old enough and not settled yet; of those with one id the first.
    pub(crate) fn judged<'a>(
        &'a self,
        watermark: &Watermark,
        patience: Patience,
    ) -> impl Iterator<Item = &'a Trade> + use<'a> {
        let (settled_until, limit) = (watermark.settled_until(), self.limit(watermark, patience));
        let mut seen: HashSet<&TradeId> = HashSet::with_capacity(self.trades.len());
        let judged = self.trades.iter().filter(move |it| settled_until < it.traded_at && it.traded_at <= limit);
        judged.filter(move |trade| seen.insert(&trade.id))
    }

    /// The trades from after the moment that was asked from. They are confirmed,
    /// each, as long as nothing is held under its id.
    pub fn beyond_its_question<'a>(
        &'a self,
        watermark: &Watermark,
        patience: Patience,
    ) -> impl Iterator<Item = &'a Trade> + use<'a> {
        let asked_from = watermark.ask_from();
        self.judged(watermark, patience).filter(move |trade| asked_from < trade.traded_at)
    }

    /// How far heard trades must be known to judge this page.
    pub fn reach(&self, watermark: &Watermark, patience: Patience) -> EpochMs {
        let limit = self.limit(watermark, patience);
        match self.latest_row_at {
            Some(latest) if self.is_full && self.complete_until.is_none() => latest.min(limit),
            _ => limit,
        }
    }
}

/// How long REST takes to become complete, how far clocks may differ, how much
/// is settled at once, and since when we listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How long after a moment REST is taken to know all trades of it, in ms.
    pub settle_delay_ms: i64,
    /// How far our clock and the market's may be apart, in ms.
    pub allowed_skew_ms: i64,
    /// The longest span of market settled at once, in ms.
    pub longest_step_ms: i64,
    /// Since when the socket has been listened to without a gap of our own making.
    pub listening_since: Option<EpochMs>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::trade;

    #[test]
    fn a_full_page_is_judged_up_to_its_last_row_and_one_with_room_up_to_the_limit() {
        let patience =
            Patience { settle_delay_ms: 1_000, allowed_skew_ms: 0, longest_step_ms: 100_000, listening_since: None };
        let reach = |latest: Option<i64>, is_full| {
            let (latest_row_at, market_time) = (latest.map(EpochMs::new), EpochMs::new(9_000));
            let page = Page { trades: vec![], latest_row_at, is_full, ..Page::empty_at(market_time) };
            page.reach(&Watermark::Through(EpochMs::new(4_000)), patience).ms()
        };

        assert_eq!(reach(Some(5_000), true), 5_000);
        assert_eq!(reach(Some(5_000), false), 8_000);
        assert_eq!(reach(Some(8_500), true), 8_000);
        assert_eq!(reach(None, true), 8_000);
    }

    #[test]
    fn only_a_full_page_that_is_old_enough_and_gets_on_tells_where_to_read_on() {
        let patience =
            Patience { settle_delay_ms: 1_000, allowed_skew_ms: 0, longest_step_ms: 100_000, listening_since: None };
        let within = |at: i64, id: &str| {
            let last = trade(id, at, "1");
            Watermark::Within { at: last.traded_at, last: last.id }
        };
        let leads_on = |asked_from: Watermark, latest: i64, is_full: bool| {
            let page = Page {
                trades: vec![trade("a", 4_500, "1"), trade("b", 5_000, "1")],
                latest_row_at: Some(EpochMs::new(latest)),
                is_full,
                ..Page::empty_at(EpochMs::new(9_000))
            };
            page.leads_on(&asked_from, &Watermark::Through(EpochMs::new(4_000)), patience)
        };

        assert_eq!(leads_on(within(4_000, "z"), 8_000, true), Some(within(5_000, "b")));
        assert_eq!(leads_on(within(4_000, "z"), 8_000, false), None, "nothing must follow it");
        assert_eq!(leads_on(within(4_000, "z"), 8_001, true), None, "a second old at least");
        assert_eq!(leads_on(within(6_000, "c"), 8_000, true), None, "that would be going back");
    }
}
