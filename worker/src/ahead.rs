//! REST pages read one after another before the first of them is settled, so
//! that the market answers while the database commits.

use market::Answer;
use tape::{Patience, Ticker, Watermark};
use tokio::sync::oneshot;

use crate::engine::{Asked, Settled};

/// Rows, and marks that become final with them, that are handed over together:
/// less than a tenth of a second's work. A transaction gains little by more, and
/// second marks would have to wait for it.
const PIECES_TOGETHER: usize = 20_000;

/// The same near the present, where heard trades and second marks wait until
/// they are settled.
const PIECES_TOGETHER_LIVE: usize = 500;

/// How far from the market's present the present is near, in milliseconds.
const LIVE_WITHIN_MS: i64 = 10_000;

/// What was read of one ticker and is not handed over yet.
#[derive(Debug)]
pub struct Ahead {
    from: Watermark,
    position: Watermark,
    answer: Option<Answer>,
    /// Whether more follows what was read.
    has_more: bool,
    /// Whether that belongs to the next step, and so to another answer.
    is_step_full: bool,
    /// How many rows and marks are handed over together.
    pieces_together: usize,
}

impl Ahead {
    /// Nothing read yet, beginning at a watermark.
    pub fn of(watermark: Watermark) -> Self {
        Self {
            from: watermark.clone(),
            position: watermark,
            answer: None,
            has_more: true,
            is_step_full: false,
            pieces_together: PIECES_TOGETHER,
        }
    }

    /// The watermark what was read begins at.
    pub fn from(&self) -> &Watermark {
        &self.from
    }

    /// Where to ask for the next page.
    pub fn position(&self) -> &Watermark {
        &self.position
    }

    /// Whether nothing was read yet.
    pub fn is_empty(&self) -> bool {
        self.answer.is_none()
    }

    /// Whether the next page may be asked for before this is settled.
    pub fn leads_on(&self) -> bool {
        self.has_more && !self.is_step_full && self.pieces() < self.pieces_together
    }

    /// The rows that were read, and the marks that become final with them.
    fn pieces(&self) -> usize {
        let rows = self.answer.as_ref().map_or(0, |answer| answer.page.trades.len() + answer.rejected.len());
        let passed_ms = self.position.settled_until().ms_since(self.from.settled_until());
        rows + usize::try_from(passed_ms / 1_000).unwrap_or(0)
    }

    /// Takes in the page asked for at [`Self::position`].
    pub fn take_in(&mut self, answer: Answer, patience: Patience) {
        let step = answer.page.next_step(&self.from, patience);
        self.is_step_full = step.is_some();
        let next = answer.page.leads_on(&self.position, &self.from, patience).or(step);
        let is_live = answer.page.market_time.ms_since(self.from.settled_until()) < LIVE_WITHIN_MS;
        self.pieces_together = if is_live { PIECES_TOGETHER_LIVE } else { PIECES_TOGETHER };
        let joined = match self.answer.take() {
            Some(before) => before.followed_by(answer),
            None => answer,
        };
        self.has_more = next.is_some();
        self.position = next.unwrap_or_else(|| self.position.clone());
        self.answer = Some(joined);
    }

    /// Hands over what was read, if anything was, and goes on behind it.
    pub fn hand_over(&mut self, ticker: &Ticker) -> Option<(Asked, oneshot::Receiver<Settled>)> {
        let answer = self.answer.take()?;
        let (reply, settled) = oneshot::channel();
        let asked = Asked { ticker: ticker.clone(), watermark: self.from.clone(), answer, reply };
        self.from = self.position.clone();
        self.is_step_full = false;
        Some((asked, settled))
    }

    /// Goes on where the engine has settled: what was read elsewhere is of no use.
    pub fn continue_at(&mut self, watermark: Watermark) {
        if self.from != watermark {
            *self = Self::of(watermark);
        }
        self.has_more |= self.is_empty();
    }
}

#[cfg(test)]
mod tests {
    use tape::{EpochMs, Page, Price, Quantity, Trade, TradeId};

    use super::*;

    const PATIENCE: Patience =
        Patience { settle_delay_ms: 1_000, allowed_skew_ms: 0, longest_step_ms: 50_000, listening_since: None };

    fn ticker() -> Ticker {
        Ticker::new("BTC").expect("ticker")
    }

    fn answer(rows: &[(&str, i64)], is_full: bool) -> Answer {
        let trade = |(id, at): &(&str, i64)| Trade {
            ticker: ticker(),
            id: TradeId::new(id).expect("id"),
            traded_at: EpochMs::new(*at),
            price: Price::parse("1").expect("price"),
            quantity: Quantity::parse("1").expect("quantity"),
        };
        let trades: Vec<Trade> = rows.iter().map(trade).collect();
        let latest_row_at = trades.last().map(|trade| trade.traded_at);
        let page = Page { trades, latest_row_at, is_full, ..Page::empty_at(EpochMs::new(100_000)) };
        Answer { page, rejected: Vec::new(), rows_before: 0, gaps: Vec::new() }
    }

    fn through(at: i64) -> Watermark {
        Watermark::Through(EpochMs::new(at))
    }

    fn within(at: i64, id: &str) -> Watermark {
        Watermark::Within { at: EpochMs::new(at), last: TradeId::new(id).expect("id") }
    }

    #[test]
    fn full_pages_are_read_on_and_handed_over_as_one() {
        let mut ahead = Ahead::of(through(0));
        ahead.take_in(answer(&[("a", 1_000), ("b", 2_000)], true), PATIENCE);
        assert!(ahead.leads_on());
        assert_eq!(*ahead.position(), within(2_000, "b"));
        ahead.take_in(answer(&[("c", 2_000)], false), PATIENCE);
        assert!(!ahead.leads_on());

        let (asked, _) = ahead.hand_over(&ticker()).expect("something was read");

        assert_eq!(asked.watermark, through(0));
        let ids: Vec<_> = asked.answer.page.trades.iter().map(|trade| trade.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert!(!asked.answer.page.is_full && ahead.is_empty());
    }

    #[test]
    fn a_page_that_goes_nowhere_beyond_one_step_or_into_the_unsettled_does_not_lead_on() {
        let leads_on = |from: Watermark, rows: &[(&str, i64)]| {
            let mut ahead = Ahead::of(from);
            ahead.take_in(answer(rows, true), PATIENCE);
            ahead.leads_on()
        };

        assert!(leads_on(within(5_000, "a"), &[("a", 5_000), ("b", 5_000)]));
        assert!(!leads_on(within(5_000, "b"), &[("a", 5_000), ("b", 5_000)]), "nowhere");
        assert!(!leads_on(through(5_000), &[("a", 6_000), ("b", 55_001)]), "beyond one step, in one answer");
        assert!(!leads_on(through(90_000), &[("a", 99_001)]), "unsettled");
        assert!(!leads_on(through(90_000), &[]), "empty");
    }

    #[test]
    fn what_lies_beyond_one_step_is_read_while_that_step_is_settled() {
        let mut ahead = Ahead::of(through(5_000));
        ahead.take_in(answer(&[("a", 6_000), ("b", 55_001)], true), PATIENCE);
        assert!(!ahead.leads_on());

        let (asked, _) = ahead.hand_over(&ticker()).expect("something was read");

        let settled = tape::reconcile(&asked.watermark, &asked.answer.page, &[], PATIENCE);
        assert_eq!((*ahead.position()).clone(), settled.watermark);
        assert_eq!(settled.watermark, through(55_000));
        assert!(ahead.leads_on());
        ahead.take_in(answer(&[("b", 55_001)], false), PATIENCE);
        ahead.continue_at(settled.watermark);
        assert!(!ahead.is_empty(), "it was read from where that step ended");
    }

    #[test]
    fn as_much_is_handed_over_as_is_settled_quickly_and_less_near_the_present() {
        let rows_together = |from: i64, rows_a_second: i64| {
            let mut ahead = Ahead::of(through(from));
            let mut rows = 0;
            while ahead.leads_on() && rows < 30_000 {
                let ids: Vec<String> = (rows..rows + 100).map(|row| row.to_string()).collect();
                let page: Vec<(&str, i64)> =
                    ids.iter().map(|id| (id.as_str(), from + 1 + 1_000 * rows / rows_a_second)).collect();
                ahead.take_in(answer(&page, true), Patience { longest_step_ms: 10_000_000, ..PATIENCE });
                rows += 100;
            }
            rows
        };

        assert_eq!(rows_together(90_000, 4_000), 20_000, "ten seconds behind");
        assert_eq!(rows_together(90_001, 2_000), 500);
        assert_eq!(rows_together(-9_000_000, 2), 13_400, "and 6,700 marks");
    }

    #[test]
    fn reading_goes_on_while_as_much_as_memory_bears_is_being_settled() {
        let mut ahead = Ahead::of(through(90_001));
        let ids: Vec<String> = (0..500).map(|row| row.to_string()).collect();
        let page: Vec<(&str, i64)> = ids.iter().map(|id| (id.as_str(), 90_002)).collect();
        ahead.take_in(answer(&page, true), PATIENCE);
        assert!(!ahead.leads_on());

        ahead.hand_over(&ticker()).expect("something was read");

        assert!(ahead.leads_on());
    }

    #[test]
    fn what_was_read_from_elsewhere_than_the_engine_settled_is_dropped() {
        let mut ahead = Ahead::of(through(0));
        ahead.take_in(answer(&[("a", 1_000)], true), PATIENCE);
        ahead.hand_over(&ticker()).expect("something was read");
        ahead.take_in(answer(&[("b", 2_000)], true), PATIENCE);

        ahead.continue_at(within(1_000, "a"));
        assert!(!ahead.is_empty());
        ahead.continue_at(through(999));

        assert!(ahead.is_empty() && ahead.leads_on());
        assert_eq!(*ahead.position(), through(999));
    }
}
