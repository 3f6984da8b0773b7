//! What REST answers: the truth, page by page, as far as it knows it yet.

use market::Answer;
use tape::{EpochMs, Page, Ticker, Trade, Watermark};

use super::truth::Truth;

/// The true channel.
#[derive(Debug)]
pub struct Rest {
    /// What it answers from.
    pub truth: Truth,
    /// Rows of a full page.
    pub page_limit: usize,
    /// Whether it can go on within a millisecond.
    pub pages_by_id: bool,
    /// Whether it tells its present to the second only.
    pub tells_seconds_only: bool,
}

impl Rest {
    /// The page of a ticker that follows a watermark, as it is known at a moment.
    pub fn page(&self, ticker: &Ticker, watermark: &Watermark, now: i64) -> Answer {
        let all = self.truth.trades.get(ticker).map_or(&[][..], Vec::as_slice);
        let from = all.partition_point(|it| it.trade.traded_at < watermark.ask_from());
        let mut asked = &all[from..];
        if let (true, Some(last)) = (self.pages_by_id, watermark.ask_after())
            && let Some(at) = asked.iter().position(|it| it.trade.id == *last)
        {
            asked = &asked[at + 1..];
        }
        // Nothing far ahead of the present is known, so the look ends there.
        let near = asked.iter().take_while(|it| it.trade.traded_at.ms() <= now);
        let known = near.filter(|it| it.visible_at <= now).map(|it| it.trade.clone());
        let trades: Vec<Trade> = known.take(self.page_limit).collect();
        let market_time = if self.tells_seconds_only { now.div_euclid(1_000) * 1_000 } else { now };
        let page = Page {
            latest_row_at: trades.iter().map(|trade| trade.traded_at).max(),
            is_full: self.page_limit <= trades.len(),
            market_time: EpochMs::new(market_time),
            trades,
        };
        Answer { page, rejected: Vec::new(), rows_before: 0 }
    }
}
