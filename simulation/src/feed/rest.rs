//! What REST answers: the truth as it is by now, page by page, as far as it
//! knows it yet; and now and then a row that is none.

use std::sync::{Mutex, MutexGuard};

use market::headers::MarketTime;
use market::rest::Request;
use market::{Answer, Row, generic};
use tape::{EpochMs, Page, Ticker, Trade, Watermark};

use super::mind::Mind;
use super::truth::TrueTrade;

/// The true channel.
#[derive(Debug)]
pub struct Rest {
    /// What it answers from, and changes.
    pub mind: Mutex<Mind>,
    /// Rows of a full page.
    pub page_limit: usize,
    /// Whether it can go on within a millisecond.
    pub pages_by_id: bool,
    /// Whether it tells its present to the second only.
    pub tells_seconds_only: bool,
}

impl Rest {
    /// What it answers from.
    ///
    /// # Panics
    /// When something panicked while holding it.
    pub fn mind(&self) -> MutexGuard<'_, Mind> {
        self.mind.lock().expect("nothing panics while holding it")
    }

    /// The page of a ticker that follows a watermark, as it is known at a
    /// moment; with so many rows that are no trades, if there is room for them.
    pub fn page(&self, ticker: &Ticker, watermark: &Watermark, now: i64, refused_rows: usize) -> Answer {
        let mut mind = self.mind();
        let all = mind.truth.trades.get(ticker).map_or(&[][..], Vec::as_slice);
        let trades = self.listed(all, watermark, now);
        let present = EpochMs::new(if self.tells_seconds_only { now.div_euclid(1_000) * 1_000 } else { now });
        if refused_rows > 0 && trades.len() + refused_rows < self.page_limit {
            let body = broken_rows(ticker, trades.last(), refused_rows);
            let broken = generic::decode_page(&body).expect("rows");
            let told = trades.into_iter().map(|trade| Row { decoded: Ok(trade), text: "" });
            let market_time = MarketTime { present, latest: EpochMs::new(now) };
            let ask_from = watermark.ask_from();
            let request = Request { ticker, ask_from, page_limit: self.page_limit, market_time };
            let answer = request.answer(told.chain(broken).collect());
            mind.refused_rows += answer.rejected.len() as u64;
            return answer;
        }
        let page = Page {
            latest_row_at: trades.last().map(|trade| trade.traded_at),
            is_full: self.page_limit <= trades.len(),
            trades,
            ..Page::empty_at(present)
        };
        Answer { page, rejected: Vec::new(), rows_before: 0, gaps: Vec::new() }
    }

    fn listed(&self, all: &[TrueTrade], watermark: &Watermark, now: i64) -> Vec<Trade> {
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
        known.take(self.page_limit).collect()
    }
}

/// Rows that are none, the first of them at the time of the page's last.
fn broken_rows(ticker: &Ticker, last: Option<&Trade>, rows: usize) -> String {
    let at = last.map_or("\"never\"".to_owned(), |trade| trade.traded_at.to_string());
    let rows: Vec<String> = (0..rows)
        .map(|nth| match nth % 3 {
            0 => format!(r#"{{"ticker":"{ticker}","ts":{at},"quantity":0,"price":1,"tradeid":"nothing"}}"#),
            1 => r#"{"ticker":"ELSE","ts":1700000000000,"quantity":1,"price":1,"tradeid":"strayed"}"#.to_owned(),
            _ => "\"no row at all\"".to_owned(),
        })
        .collect();
    format!("[{}]", rows.join(","))
}
