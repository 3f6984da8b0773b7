//! Reads a history of which only the newest trades can be asked for: again and
//! again, so that each answer overlaps the one before.
//!
//! An answer that does not overlap leaves a hole that can no longer be filled.
//! It is named, and reading goes on behind it.

use std::collections::BTreeMap;

use tape::{EpochMs, Ticker, Trade, Watermark};
use url::Url;

use super::PageError;
use super::answer::{Answer, Request};
use super::ask::Ask;
use super::client::ROW_LIMIT;
use crate::headers::MarketTime;
use crate::reading::{Anchor, ByOverlap, Gap, NumberedRow};
use crate::said::{Decoded, Row};

/// What of an answer's beginning may be cut off while it is made.
const MARGIN_MS: i64 = 1_000;

/// What one ticker's answers have shown and is not confirmed yet. Rows younger
/// than the settle delay are believed later, when they may have left the page.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The highest id such that all shown at or below it are confirmed or here.
    newest: Option<u64>,
    trades: BTreeMap<u64, Trade>,
}

/// Reads one ticker of one market by pages that overlap.
pub(super) struct ByOverlapReader<'a, A> {
    pub by_overlap: &'a dyn ByOverlap,
    pub asker: &'a A,
    pub base: &'a Url,
    pub ticker: &'a Ticker,
    pub page_limit: usize,
}

/// One answer, sorted by id.
struct Shot {
    rows: BTreeMap<u64, (Decoded, String)>,
    market_time: MarketTime,
    is_short: bool,
    /// From when on it holds everything, whatever is on it.
    reaches_back_to: Option<EpochMs>,
}

impl Shown {
    /// Begins after a trade, as far as one is known.
    pub fn from(anchor: Option<Anchor>) -> Self {
        Self { newest: anchor.map(|anchor| anchor.id), trades: BTreeMap::new() }
    }

    /// Everything at or before this is confirmed.
    pub fn settled(&mut self, until: EpochMs) {
        self.trades.retain(|_, trade| until < trade.traded_at);
    }
}

impl<A: Ask> ByOverlapReader<'_, A> {
    /// Everything shown that is not confirmed yet.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn read(&self, watermark: &Watermark, shown: &mut Shown) -> Result<Answer, PageError> {
        let mut way = self.first_way(watermark, shown);
        let mut shot = self.shoot(way).await?;
        while !shot.overlaps(watermark, shown) && self.by_overlap.newest(self.base, self.ticker, way + 1).is_some() {
            way += 1;
            self.asker.pause().await;
            shot = self.shoot(way).await?;
        }
        let gap = (!shot.overlaps(watermark, shown)).then(|| shot.gap(watermark, shown)).flatten();
        Ok(self.answer(shot, gap, watermark, shown))
    }

    /// The shortest question that can reach back to what is known.
    fn first_way(&self, _watermark: &Watermark, _shown: &Shown) -> usize {
        0
    }

    async fn shoot(&self, way: usize) -> Result<Shot, PageError> {
        let question = self.by_overlap.newest(self.base, self.ticker, way).expect("the way was there a moment ago");
        let told = self.asker.ask(self.ticker, question).await?;
        let rows = self.by_overlap.rows(&told.body, self.ticker).map_err(|bad| told.unreadable(bad))?;
        let is_short = rows.len() < self.page_limit;
        let reach_ms = self.by_overlap.reaches_back(way).map(|it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX));
        let market_time = told.market_time;
        let numbered = |NumberedRow { id, row: Row { decoded, text } }: NumberedRow<'_>| {
            id.map(|id| (id, (decoded, text.to_owned())))
        };
        Ok(Shot {
            rows: rows.into_iter().filter_map(numbered).collect(),
            market_time,
            is_short: is_short && reach_ms.is_none(),
            reaches_back_to: reach_ms.map(|ms| market_time.present.minus_ms(ms - MARGIN_MS)),
        })
    }

    fn answer(&self, shot: Shot, gap: Option<Gap>, watermark: &Watermark, shown: &mut Shown) -> Answer {
        let mut refused = Vec::new();
        for (id, (decoded, text)) in &shot.rows {
            let is_new = shown.newest.is_none_or(|newest| newest < *id);
            match decoded {
                Ok(trade) if is_new && watermark.settled_until() < trade.traded_at => {
                    shown.trades.insert(*id, trade.clone());
                }
                Err(_) if is_new => refused.push(Row { decoded: decoded.clone(), text }),
                Ok(_) | Err(_) => {}
            }
        }
        let last = shot.rows.keys().next_back().copied();
        shown.newest = shown.newest.max(last);
        while ROW_LIMIT < shown.trades.len() {
            shown.trades.pop_first();
        }
        let kept = shown.trades.values().map(|trade| Row { decoded: Ok(trade.clone()), text: "" });
        let (ticker, ask_from) = (self.ticker, watermark.ask_from());
        let request = Request { ticker, ask_from, page_limit: usize::MAX, market_time: shot.market_time };
        let answer = request.answer(refused.into_iter().chain(kept).collect());
        let everything = EpochMs::new(i64::MAX / 2);
        answer.vouched(everything, false, self.by_overlap.time_grain_ms()).with_gaps(gap.into_iter().collect())
    }
}

impl Shot {
    /// Whether nothing can lie between what is known and this.
    fn overlaps(&self, watermark: &Watermark, shown: &Shown) -> bool {
        if self.reaches_back_to.is_some_and(|reach| reach <= watermark.ask_from()) || self.is_short {
            return true;
        }
        let Some((oldest, (decoded, _))) = self.rows.first_key_value() else { return false };
        match shown.newest {
            Some(newest) => *oldest <= newest,
            // Nothing is known yet: enough that it reaches back to where the tape begins.
            None => decoded.as_ref().is_ok_and(|trade| trade.traded_at < watermark.ask_from()),
        }
    }

    /// What lies between what is known and this.
    fn gap(&self, watermark: &Watermark, shown: &Shown) -> Option<Gap> {
        let from = shown.trades.values().map(|trade| trade.traded_at).max();
        let from = from.unwrap_or_else(|| watermark.settled_until()).max(watermark.settled_until());
        let oldest = self.rows.values().find_map(|(decoded, _)| decoded.as_ref().ok().map(|trade| trade.traded_at));
        let to = oldest.or(self.reaches_back_to)?.max(from);
        let detail = format!("the exchange tells its newest trades only, and those after {from} had passed by {to}");
        Some(Gap { from, to, detail })
    }
}
