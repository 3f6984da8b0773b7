//! Makes a page for [`tape::reconcile`] of the rows a market answered with. Pure.

use tape::{EpochMs, Page, Rejection, Ticker, Trade};

use crate::headers::MarketTime;
use crate::reading::Gap;
use crate::said::{Refusal, Row, shortened};

/// What a market answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The trades of the ticker asked for, from the moment asked for on, by time.
    pub page: Page,
    /// Rows that are no such trades: why, and the row, shortened.
    pub rejected: Vec<(Rejection, String)>,
    /// How many rows were from before the moment asked for, and were ignored.
    pub rows_before: usize,
    /// Where trades are missing at the market itself.
    pub gaps: Vec<Gap>,
}

impl Answer {
    /// This answer and the one that follows it, as one.
    #[must_use]
    pub fn followed_by(mut self, next: Self) -> Self {
        self.rejected.extend(next.rejected);
        self.gaps.extend(next.gaps);
        let rows_before = self.rows_before + next.rows_before;
        Self { page: self.page.followed_by(next.page), rows_before, ..self }
    }

    /// The same answer, known to be complete up to a moment, and whether there is more;
    /// times are told as finely as `time_grain_ms`.
    #[must_use]
    pub(super) fn vouched(mut self, complete_until: EpochMs, has_more: bool, time_grain_ms: i64) -> Self {
        let complete_until = Some(complete_until);
        self.page = Page { complete_until, is_full: has_more, time_grain_ms, ..self.page };
        self
    }

    /// The same answer, with what is missing at the market itself.
    #[must_use]
    pub(super) fn with_gaps(self, gaps: Vec<Gap>) -> Self {
        Self { gaps, ..self }
    }
}

/// What was asked, and what is known about the answer as a whole.
pub struct Request<'a> {
    /// Whose trades were asked for.
    pub ticker: &'a Ticker,
    /// From when on.
    pub ask_from: EpochMs,
    /// How many rows make a page full.
    pub page_limit: usize,
    /// The market's present, as the headers of the answer tell it.
    pub market_time: MarketTime,
}

impl Request<'_> {
    /// Sorts the rows out.
    ///
    /// Every row counts for fullness; only rows of the ticker that are neither
    /// from before the question nor from the future count for how far the page reaches.
    pub fn answer(&self, rows: Vec<Row<'_>>) -> Answer {
        let is_full = self.page_limit <= rows.len();
        let mut trades: Vec<Trade> = Vec::with_capacity(rows.len());
        let mut rejected = Vec::new();
        let mut rows_before = 0;
        let mut latest_row_at = None;
        for Row { decoded, text } in rows {
            let (ticker, traded_at) = match &decoded {
                Ok(trade) => (Some(&trade.ticker), Some(trade.traded_at)),
                Err(refusal) => (refusal.ticker.as_ref(), refusal.traded_at),
            };
            let is_of_ticker = ticker == Some(self.ticker);
            let is_before = traded_at.is_some_and(|at| at < self.ask_from);
            if is_of_ticker && is_before {
                rows_before += 1;
                continue;
            }
            match self.accepted(decoded) {
                Ok(trade) => trades.push(trade),
                Err(rejection) => rejected.push((rejection, shortened(text))),
            }
            let counts = is_of_ticker && traded_at.is_some_and(|at| at <= self.market_time.latest);
            if counts {
                latest_row_at = latest_row_at.max(traded_at);
            }
        }
        // Stable: within a millisecond the market's own order is the only one there is.
        trades.sort_by_key(|trade| trade.traded_at);
        let page = Page { trades, latest_row_at, is_full, ..Page::empty_at(self.market_time.present) };
        Answer { page, rejected, rows_before, gaps: Vec::new() }
    }

    fn accepted(&self, decoded: Result<Trade, Refusal>) -> Result<Trade, Rejection> {
        let trade = decoded.map_err(|refusal| refusal.rejection)?;
        if trade.ticker != *self.ticker {
            let found = &trade.ticker;
            return Err(Rejection::Malformed(format!("a row of {found} on a page of {}", self.ticker)));
        }
        let (traded_at, latest) = (trade.traded_at, self.market_time.latest);
        if latest < traded_at {
            return Err(Rejection::FromTheFuture { traded_at, latest });
        }
        Ok(trade)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tape::RejectionKind;

    use super::*;

    fn answer(rows: &[String], page_limit: usize) -> Answer {
        let ticker = Ticker::new("BTC").expect("ticker");
        let market_time = MarketTime { present: EpochMs::new(9_000), latest: EpochMs::new(9_500) };
        let request = Request { ticker: &ticker, ask_from: EpochMs::new(1_000), page_limit, market_time };
        let body = format!("[{}]", rows.join(","));
        request.answer(crate::generic::decode_page(&body).expect("a page"))
    }

    fn row(ticker: &str, id: &str, ts: i64, price: &str) -> String {
        format!(r#"{{"ticker":"{ticker}","ts":{ts},"quantity":1,"price":{price},"tradeid":"{id}"}}"#)
    }

    fn ids(answer: &Answer) -> Vec<&str> {
        answer.page.trades.iter().map(|trade| trade.id.as_str()).collect()
    }

    fn kinds(answer: &Answer) -> Vec<RejectionKind> {
        answer.rejected.iter().map(|(rejection, _)| rejection.kind()).collect()
    }

    #[test]
    fn a_row_of_another_ticker_is_refused_and_moves_nothing_but_fills_the_page() {
        let answer = answer(&[row("BTC", "a", 1_500, "1"), row("ETH", "b", 8_000, "1")], 2);

        assert_eq!(ids(&answer), ["a"]);
        assert_eq!(answer.rejected[0].0.to_string(), "malformed: a row of ETH on a page of BTC");
        assert_eq!(answer.page.latest_row_at, Some(EpochMs::new(1_500)));
        assert!(answer.page.is_full);
    }

    #[test]
    fn a_row_from_the_future_is_refused_and_does_not_move_the_reach() {
        let answer =
            answer(&[row("BTC", "a", 9_500, "1"), row("BTC", "b", 9_501, "1"), row("BTC", "c", 9_502, "0")], 3);

        assert_eq!(ids(&answer), ["a"]);
        assert_eq!(kinds(&answer), [RejectionKind::Future, RejectionKind::NotPositive]);
        assert_eq!(answer.page.latest_row_at, Some(EpochMs::new(9_500)));
    }

    #[test]
    fn a_refused_row_of_the_ticker_still_says_how_far_the_page_reaches() {
        let answer = answer(&[row("BTC", "a", 1_500, "1"), row("BTC", "b", 2_500, "0")], 100);

        assert_eq!(kinds(&answer), [RejectionKind::NotPositive]);
        assert_eq!(answer.page.latest_row_at, Some(EpochMs::new(2_500)));
        assert!(!answer.page.is_full);
    }

    #[test]
    fn rows_from_before_the_question_are_ignored_but_fill_the_page() {
        let answer = answer(&[row("BTC", "a", 999, "1"), row("BTC", "b", 998, "0"), row("BTC", "c", 1_000, "1")], 3);

        assert_eq!(ids(&answer), ["c"]);
        assert_eq!(answer.rows_before, 2);
        assert!(answer.rejected.is_empty() && answer.page.is_full);
    }

    #[test]
    fn an_empty_page_reaches_nowhere() {
        let answer = answer(&[], 100);

        assert_eq!(answer.page.latest_row_at, None);
        assert_eq!(answer.page.market_time, EpochMs::new(9_000));
        assert!(!answer.page.is_full);
    }

    #[test]
    fn of_two_answers_joined_no_refused_row_is_forgotten_and_no_row_miscounted() {
        let first = answer(&[row("BTC", "a", 999, "1"), row("BTC", "b", 1_000, "1"), row("BTC", "c", 1_500, "0")], 3);
        let second = answer(&[row("ETH", "d", 2_000, "1"), row("BTC", "e", 998, "1"), row("BTC", "f", 2_500, "1")], 9);

        let joined = first.followed_by(second);

        assert_eq!(ids(&joined), ["b", "f"]);
        assert_eq!(kinds(&joined), [RejectionKind::NotPositive, RejectionKind::Malformed]);
        assert_eq!(joined.rows_before, 2);
        assert_eq!((joined.page.latest_row_at, joined.page.is_full), (Some(EpochMs::new(2_500)), false));
    }

    proptest! {
        #[test]
        fn rows_are_sorted_by_time_and_keep_the_markets_order_within_a_millisecond(times in prop::collection::vec(1_000i64..1_010, 0..60)) {
            let rows: Vec<_> = times.iter().enumerate().map(|(index, ts)| row("BTC", &index.to_string(), *ts, "1")).collect();
            let answer = answer(&rows, 100);
            let order = |trade: &Trade| (trade.traded_at, trade.id.as_str().parse::<usize>().expect("index"));
            prop_assert_eq!(answer.page.trades.len(), times.len());
            prop_assert!(answer.page.trades.is_sorted_by_key(order));
        }
    }
}
