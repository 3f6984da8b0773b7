//! Reads a history of which only the newest trades can be asked for: again and
//! again, so that each answer overlaps the one before.
//!
//! An answer that does not overlap leaves a hole that can no longer be filled.
//! It is named, and reading goes on behind it.

use std::collections::BTreeMap;

use tape::{EpochMs, Trade, Watermark};

use super::PageError;
use super::answer::{Answer, Request};
use super::ask::Ask;
use super::by_id::DISORDER_MS;
use crate::headers::MarketTime;
use crate::reading::{About, Anchor, ByOverlap, Gap, NumberedRow};
use crate::said::{Decoded, Row};

/// What of an answer's beginning may be cut off while it is made, and while
/// times are told in whole seconds.
const MARGIN_MS: i64 = 3_000;

/// Trades of one ticker that wait to be confirmed, at most.
const WAITING_LIMIT: usize = 200_000;

/// What one ticker's answers have shown and is not confirmed yet. Rows younger
/// than the settle delay are believed later, when they may have left the page.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The highest id shown, and when that trade was made.
    newest: Option<Anchor>,
    /// The highest id that an answer showed: what is higher is news.
    told: Option<u64>,
    /// What is from before this is none of ours.
    begins_after: Option<EpochMs>,
    trades: BTreeMap<u64, Trade>,
}

/// Reads one ticker of one market by pages that overlap.
pub(super) struct ByOverlapReader<'a, A> {
    pub by_overlap: &'a dyn ByOverlap,
    pub asker: &'a A,
    pub about: About<'a>,
}

/// One answer, sorted by id.
struct Shot {
    rows: BTreeMap<u64, (Decoded, String)>,
    /// Rows that cannot be told apart from others.
    without_id: Vec<(Decoded, String)>,
    market_time: MarketTime,
    /// Fewer rows than a page holds.
    is_short: bool,
    /// From when on it holds everything, whatever is on it.
    reaches_back_to: Option<EpochMs>,
}

impl Shown {
    /// Begins after a trade, as far as one is known.
    pub fn from(anchor: Option<Anchor>) -> Self {
        Self { newest: anchor, ..Self::default() }
    }

    /// Everything at or before this is confirmed.
    pub fn settled(&mut self, until: EpochMs) {
        self.trades.retain(|_, trade| until < trade.traded_at);
    }

    /// Forgets the oldest that are too many. Gives the span they are from.
    fn forget_the_oldest(&mut self) -> Option<Gap> {
        let mut forgotten = Vec::new();
        while WAITING_LIMIT < self.trades.len() {
            forgotten.extend(self.trades.pop_first().map(|(_, trade)| trade.traded_at));
        }
        let (from, to) = (forgotten.iter().min()?.minus_ms(1), *forgotten.iter().max()?);
        let detail = format!("{} trades waited too long to be confirmed and were forgotten", forgotten.len());
        Some(Gap { from, to, detail })
    }
}

impl<A: Ask> ByOverlapReader<'_, A> {
    /// Everything shown that is not confirmed yet.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn read(&self, watermark: &Watermark, shown: &mut Shown) -> Result<Answer, PageError> {
        if shown.newest.is_none() {
            shown.begins_after.get_or_insert(watermark.settled_until());
        }
        let (mut way, mut shorter) = (0, None);
        let shot = loop {
            let shot = match (self.shoot(way).await, shorter.take()) {
                // More than can be taken in: what a shorter span told has to do.
                (Err(PageError::TooLarge { .. }), Some(shorter)) => break shorter,
                (shot, _) => shot?,
            };
            let Some(shot) = shot else {
                return Err(self.unavailable("it cannot be asked for its newest trades".to_owned()));
            };
            if let Some(forgotten) = shot.lacks(shown) {
                let (id, at) = (forgotten.id, forgotten.traded_at);
                return Err(self.unavailable(format!("trade {id} of {at} was told before and is not told now")));
            }
            let has_longer = self.by_overlap.newest(self.about.base, self.about.ticker, way + 1).is_some();
            if shot.overlaps(watermark, shown) || !has_longer {
                break shot;
            }
            shorter = Some(shot);
            way += 1;
        };
        let gap = if shot.overlaps(watermark, shown) { None } else { shot.gap(watermark, shown) };
        Ok(self.answer(shot, gap, watermark, shown))
    }

    /// Asks the question that reaches so far back; none when there is none.
    async fn shoot(&self, way: usize) -> Result<Option<Shot>, PageError> {
        let About { base, ticker, page_limit } = self.about;
        let Some(question) = self.by_overlap.newest(base, ticker, way) else { return Ok(None) };
        let told = self.asker.ask(ticker, question).await?;
        let all = self.by_overlap.rows(&told.body, ticker).map_err(|bad| told.unreadable(bad))?;
        let is_short = all.len() < page_limit;
        let (mut rows, mut without_id) = (BTreeMap::new(), Vec::new());
        for NumberedRow { id, row: Row { decoded, text } } in all {
            let row = (decoded, text.to_owned());
            match id {
                Some(id) => drop(rows.insert(id, row)),
                None => without_id.push(row),
            }
        }
        let reach_ms = self.by_overlap.reaches_back(way).map(|it| i64::try_from(it.as_millis()).unwrap_or(i64::MAX));
        let market_time = told.market_time;
        let reaches_back_to = reach_ms.map(|ms| market_time.present.minus_ms(ms - MARGIN_MS));
        Ok(Some(Shot { rows, without_id, market_time, is_short, reaches_back_to }))
    }

    fn answer(&self, shot: Shot, gap: Option<Gap>, watermark: &Watermark, shown: &mut Shown) -> Answer {
        let grain_ms = self.by_overlap.time_grain_ms();
        // A time told in whole seconds may be any within its second, that of the watermark too.
        let ask_from = watermark.ask_from().floor_to(grain_ms);
        let mut refused: Vec<Row<'_>> = Vec::new();
        refused.extend(shot.without_id.iter().map(|(decoded, text)| Row { decoded: decoded.clone(), text }));
        for (id, (decoded, text)) in &shot.rows {
            match decoded {
                // Also one with a lower id than another shown before: it may have been told late.
                Ok(trade) if ask_from <= trade.traded_at => drop(shown.trades.insert(*id, trade.clone())),
                Err(_) if shown.newest.is_none_or(|newest| newest.id < *id) => {
                    refused.push(Row { decoded: decoded.clone(), text });
                }
                Ok(_) | Err(_) => {}
            }
        }
        let late = shot.late(shown, ask_from);
        shown.told = shown.told.max(shot.rows.keys().next_back().copied());
        shown.newest =
            shot.newest().filter(|last| shown.newest.is_none_or(|newest| newest.id < last.id)).or(shown.newest);
        let gaps = gap.into_iter().chain(late).chain(shown.forget_the_oldest()).collect();
        let kept = shown.trades.values().map(|trade| Row { decoded: Ok(trade.clone()), text: "" });
        let (ticker, page_limit) = (self.about.ticker, usize::MAX);
        let request = Request { ticker, ask_from, page_limit, market_time: shot.market_time };
        let answer = request.answer(refused.into_iter().chain(kept).collect());
        answer.vouched(EpochMs::MAX, false, grain_ms).with_gaps(gaps)
    }

    fn unavailable(&self, words: String) -> PageError {
        PageError::Unavailable { url: Box::new(self.about.base.clone()), words }
    }
}

impl Shot {
    /// The trade with the highest id, as far as its time can be read.
    fn newest(&self) -> Option<Anchor> {
        let dated = |(id, (decoded, _)): (&u64, &(Decoded, String))| {
            let traded_at = decoded.as_ref().map_or_else(|refusal| refusal.traded_at, |trade| Some(trade.traded_at));
            traded_at.map(|traded_at| Anchor { id: *id, traded_at })
        };
        self.rows.iter().rev().find_map(dated)
    }

    /// The trade that was told before and should be told here, but is not: then
    /// this is an old answer, and what it does not tell proves nothing.
    fn lacks(&self, shown: &Shown) -> Option<Anchor> {
        let told_before = shown.newest?;
        let should_be_here = self.reaches_back_to.is_none_or(|reach| reach < told_before.traded_at);
        let is_older = self.rows.keys().next_back().is_none_or(|newest| *newest < told_before.id);
        (should_be_here && is_older).then_some(told_before)
    }

    /// The span of trades that were not told when their time was settled: too late for figures
    /// that are final.
    fn late(&self, shown: &Shown, ask_from: EpochMs) -> Option<Gap> {
        let told = shown.told?;
        let is_ours = |at: EpochMs| shown.begins_after.is_none_or(|after| after < at);
        let is_settled = |at: &EpochMs| *at < ask_from && is_ours(*at);
        let news = self.rows.range(told + 1..).filter_map(|(_, (decoded, _))| decoded.as_ref().ok());
        let late: Vec<EpochMs> = news.map(|trade| trade.traded_at).filter(is_settled).collect();
        let (from, to) = (late.iter().min()?.minus_ms(1), *late.iter().max()?);
        let detail = format!("the exchange told {} trades only after their time was settled without them", late.len());
        Some(Gap { from, to, detail })
    }

    /// Whether nothing can lie between what is known and this.
    fn overlaps(&self, watermark: &Watermark, shown: &Shown) -> bool {
        if self.reaches_back_to.is_some_and(|reach| reach <= watermark.ask_from()) {
            return true;
        }
        let oldest = self.rows.first_key_value();
        match (shown.newest, oldest) {
            (Some(newest), Some((oldest, _))) => *oldest <= newest.id,
            // Nothing is known yet: enough that it reaches back to where the tape begins,
            // or that there are no more trades than these.
            (None, Some((_, (decoded, _)))) => {
                let is_before = |at: EpochMs| at < watermark.ask_from();
                decoded.as_ref().is_ok_and(|trade| is_before(trade.traded_at)) || self.is_all_there_is()
            }
            (None, None) => self.is_all_there_is(),
            (Some(_), None) => false,
        }
    }

    fn is_all_there_is(&self) -> bool {
        self.is_short && self.reaches_back_to.is_none() && self.without_id.is_empty()
    }

    /// What lies between what is known and this.
    fn gap(&self, watermark: &Watermark, shown: &Shown) -> Option<Gap> {
        let settled_until = watermark.settled_until();
        let trades = self.rows.values().filter_map(|(decoded, _)| decoded.as_ref().ok());
        let oldest = trades.map(|trade| trade.traded_at).next().or(self.reaches_back_to)?;
        let known_until = shown.newest.map_or(settled_until, |newest| newest.traded_at);
        // Where it begins with what should have been told before, so may what is missing.
        let is_late = shown.told.is_some() && oldest <= settled_until;
        let from = if is_late { known_until.min(settled_until) } else { known_until.max(settled_until) };
        // What is missing may have been made a little after the first that is there.
        let to = oldest.plus_ms(DISORDER_MS).max(from);
        let detail =
            format!("the exchange tells its newest trades only, and those after {from} had passed by {oldest}");
        Some(Gap { from, to, detail })
    }
}
