//! Reads a history whose ids have no holes: from an id on, forward, every next
//! id proven to be the next.
//!
//! Sources for the ways of single markets are named in their folders. What all
//! share: an answer that does not go on with the next id proves nothing. It is
//! asked for in every other way the market has, then once more after a while;
//! only then is the hole taken for real, named, and passed.

use std::collections::BTreeMap;

use tape::{EpochMs, Ticker, Watermark};
use url::Url;

use super::answer::{Answer, Request};
use super::ask::{Ask, Told};
use super::client::ROW_LIMIT;
use super::trail::Trail;
use super::{PageError, ROWS_TOGETHER};
use crate::NotAPage;
use crate::headers::MarketTime;
use crate::reading::{Anchor, ById, DISORDER, Gap, NumberedRow};
use crate::said::{Decoded, Row};

/// [`DISORDER`] in milliseconds.
const DISORDER_MS: i64 = DISORDER.as_millis() as i64;

/// Steps of a search or of a walk back at most.
const STEPS_LIMIT: usize = 2_000;

/// A row that outlives the answer it came with.
struct Kept {
    decoded: Decoded,
    text: String,
}

/// Reads one ticker of one market by its ids.
pub(super) struct ByIdReader<'a, A> {
    pub by_id: &'a dyn ById,
    pub asker: &'a A,
    pub base: &'a Url,
    pub ticker: &'a Ticker,
    pub page_limit: usize,
}

/// What has been read so far of one answer.
struct Harvest {
    last: Anchor,
    rows: Vec<(Anchor, Kept)>,
    gaps: Vec<Gap>,
    /// The latest time met; times may fall while ids rise.
    latest: EpochMs,
    market_time: Option<MarketTime>,
}

/// What followed a trade, as far as one question or walk tells.
enum Followed {
    /// These, by rising id, and whether more may follow at once.
    By(BTreeMap<u64, Kept>, bool),
    /// Nothing, and that is proven.
    Nothing,
}

impl<A: Ask> ByIdReader<'_, A> {
    /// Everything that follows the trail, as far as it is of use at once.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn read(&self, watermark: &Watermark, trail: &mut Trail) -> Result<Answer, PageError> {
        let anchor = match trail.anchor() {
            Some(anchor) => anchor,
            None => self.seek(watermark.ask_from().minus_ms(DISORDER_MS)).await?,
        };
        let mut harvest = Harvest::after(anchor);
        let mut is_at_end = false;
        while !is_at_end && !harvest.is_enough(watermark) {
            match self.next(&mut harvest).await? {
                Followed::Nothing => is_at_end = true,
                Followed::By(rows, goes_on) => {
                    is_at_end = !harvest.take_in(rows) && !goes_on;
                    if !is_at_end {
                        self.asker.pause().await;
                    }
                }
            }
            if ROW_LIMIT < harvest.rows.len() {
                let why = format!("more than {ROW_LIMIT} trades lie within {DISORDER_MS} ms");
                return Err(harvest.refused(self.base, why));
            }
        }
        trail.read(harvest.rows.iter().map(|(anchor, _)| *anchor));
        Ok(harvest.answer(self.ticker, watermark, is_at_end))
    }

    /// What follows the last trade read: proven to follow it, or with the hole named.
    async fn next(&self, harvest: &mut Harvest) -> Result<Followed, PageError> {
        let mut found = BTreeMap::new();
        for is_second_thought in [false, true] {
            if is_second_thought {
                self.asker.wait_for_second_thoughts().await;
            }
            match self.follow(harvest, &mut found).await? {
                Some(followed) => return Ok(followed),
                None => continue,
            }
        }
        let Some(first) = found.keys().next().copied() else {
            let why = format!("no answer goes on from trade {}", harvest.last.id);
            return Err(harvest.refused(self.base, why));
        };
        harvest.pass_to(first, found.get(&first).and_then(Kept::traded_at));
        Ok(Followed::By(found, true))
    }

    /// Asks in every way there is; none when none of them shows the next id.
    async fn follow(
        &self,
        harvest: &mut Harvest,
        found: &mut BTreeMap<u64, Kept>,
    ) -> Result<Option<Followed>, PageError> {
        let last = harvest.last;
        let mut way = 0;
        while let Some(question) = self.by_id.after(self.base, self.ticker, last, way) {
            let answer = self.asker.ask(self.ticker, question).await;
            let told = match answer {
                // Only the usual way is known to be taken by every market.
                Err(PageError::Declined { .. }) => {
                    way += 1;
                    continue;
                }
                told => told?,
            };
            harvest.market_time = Some(told.market_time);
            let rows = self.rows(&told)?;
            let (all, newest) = (rows.len(), rows.keys().next_back().copied());
            let following: BTreeMap<u64, Kept> = rows.into_iter().filter(|(id, _)| last.id < *id).collect();
            let is_proof = if all == 0 { self.by_id.empty_is_proof() } else { newest == Some(last.id) };
            if following.is_empty() && is_proof {
                return Ok(Some(Followed::Nothing));
            }
            if following.contains_key(&(last.id + 1)) {
                let has_room = self.by_id.has_room(all, following.len(), self.page_limit);
                return Ok(Some(Followed::By(following, !has_room)));
            }
            keep_nearest(found, following, self.page_limit);
            way += 1;
        }
        self.walk_back(harvest, found).await
    }

    /// From the newest trade backward until the next id, where the market can be asked so.
    async fn walk_back(
        &self,
        harvest: &mut Harvest,
        found: &mut BTreeMap<u64, Kept>,
    ) -> Result<Option<Followed>, PageError> {
        let next = harvest.last.id + 1;
        let mut before = None;
        for _ in 0..STEPS_LIMIT {
            let Some(question) = self.by_id.older(self.base, self.ticker, before) else { return Ok(None) };
            let told = self.asker.ask(self.ticker, question).await?;
            harvest.market_time = Some(told.market_time);
            let rows = self.rows(&told)?;
            let (Some(oldest), Some(newest)) = (rows.keys().next().copied(), rows.keys().next_back().copied()) else {
                return Ok(None);
            };
            if before.is_none() && newest < next {
                return Ok(Some(Followed::Nothing));
            }
            let is_proof = rows.contains_key(&next);
            let following = rows.into_iter().filter(|(id, _)| next <= *id).collect();
            keep_nearest(found, following, ROWS_TOGETHER);
            if is_proof {
                // The walk kept what lies nearest; what lies beyond is asked for again.
                return Ok(Some(Followed::By(std::mem::take(found), true)));
            }
            if oldest <= next || before == Some(oldest) {
                return Ok(None);
            }
            before = Some(oldest);
            self.asker.pause().await;
        }
        Ok(None)
    }

    /// A trade before which everything is from before this moment.
    async fn seek(&self, from: EpochMs) -> Result<Anchor, PageError> {
        let beginning = |id: u64| Anchor { id, traded_at: from.minus_ms(1) };
        if let Some(question) = self.by_id.seek(self.base, self.ticker, from) {
            let told = self.asker.ask(self.ticker, question).await?;
            let sought = self.by_id.sought(&told.body).map_err(|not_a_page| told.unreadable(not_a_page))?;
            if let Some(id) = sought {
                return Ok(beginning(id));
            }
        }
        // Nothing was made since: then the newest is from before; or there is nothing but a search.
        let newest = self.newest(None).await?;
        let Some((&newest_id, _)) = newest.last_key_value() else { return Ok(beginning(0)) };
        let is_before = |kept: &Kept| kept.traded_at().is_some_and(|at| at < from);
        if newest.values().next().is_some_and(is_before) {
            let last_before = newest.iter().take_while(|(_, kept)| is_before(kept)).last();
            return Ok(beginning(last_before.map_or(newest_id, |(id, _)| *id)));
        }
        let oldest_id = newest.keys().next().copied().unwrap_or(newest_id);
        self.search(from, oldest_id).await.map(beginning)
    }

    /// Halves the ids below one until what is left is from before the moment.
    async fn search(&self, from: EpochMs, below: u64) -> Result<u64, PageError> {
        let (mut before, mut after) = (0, below);
        while before + 1 < after {
            let middle = before + (after - before) / 2;
            let rows = self.newest(Some(middle + 1)).await?;
            // History may begin later than with the first id.
            let at = rows.last_key_value().and_then(|(_, kept)| kept.traded_at());
            let first = rows.keys().next().copied();
            match (at, first) {
                (Some(at), Some(first)) if from <= at => {
                    let is_within = rows.values().next().and_then(Kept::traded_at).is_some_and(|at| at < from);
                    if is_within {
                        let last = rows.iter().take_while(|(_, kept)| kept.traded_at().is_some_and(|at| at < from));
                        return Ok(last.last().map_or(first - 1, |(id, _)| *id));
                    }
                    after = first.min(middle);
                }
                _ => before = middle,
            }
            self.asker.pause().await;
        }
        Ok(before)
    }

    /// The newest rows, or those just before an id.
    async fn newest(&self, before: Option<u64>) -> Result<BTreeMap<u64, Kept>, PageError> {
        let Some(question) = self.by_id.older(self.base, self.ticker, before) else { return Ok(BTreeMap::new()) };
        let told = self.asker.ask(self.ticker, question).await?;
        self.rows(&told)
    }

    fn rows(&self, told: &Told) -> Result<BTreeMap<u64, Kept>, PageError> {
        let rows = self.by_id.rows(&told.body, self.ticker).map_err(|not_a_page| told.unreadable(not_a_page))?;
        rows.into_iter().map(|NumberedRow { id, row }| kept(id, row).map_err(|bad| told.unreadable(bad))).collect()
    }
}

/// A row without an id cannot be followed: then the answer as a whole is no page.
fn kept(id: Option<u64>, Row { decoded, text }: Row<'_>) -> Result<(u64, Kept), NotAPage> {
    let id = id.ok_or_else(|| NotAPage(format!("a row without a number for its id: {text}")))?;
    Ok((id, Kept { decoded, text: text.to_owned() }))
}

/// Adds rows and keeps the lowest ids.
fn keep_nearest(found: &mut BTreeMap<u64, Kept>, rows: BTreeMap<u64, Kept>, at_most: usize) {
    found.extend(rows);
    while at_most < found.len() {
        found.pop_last();
    }
}

impl Kept {
    fn traded_at(&self) -> Option<EpochMs> {
        match &self.decoded {
            Ok(trade) => Some(trade.traded_at),
            Err(refusal) => refusal.traded_at,
        }
    }
}

impl Harvest {
    fn after(last: Anchor) -> Self {
        Self { last, rows: Vec::new(), gaps: Vec::new(), latest: last.traded_at, market_time: None }
    }

    /// Up to when nothing can be missing any more, while more may follow.
    fn complete_until(&self) -> EpochMs {
        self.latest.minus_ms(DISORDER_MS)
    }

    fn is_enough(&self, watermark: &Watermark) -> bool {
        ROWS_TOGETHER <= self.rows.len() && watermark.settled_until() < self.complete_until()
    }

    /// Takes the rows in as far as each id is the next. Returns whether it was not to the end.
    fn take_in(&mut self, rows: BTreeMap<u64, Kept>) -> bool {
        for (id, kept) in rows {
            if id != self.last.id + 1 {
                return true;
            }
            // A row whose time cannot be read stands where the one before it did.
            let traded_at = kept.traded_at().unwrap_or(self.last.traded_at);
            let known_by_now = self.market_time.map_or(traded_at, |time| time.latest);
            self.latest = self.latest.max(traded_at.min(known_by_now));
            self.last = Anchor { id, traded_at };
            self.rows.push((self.last, kept));
        }
        false
    }

    /// Names the hole before an id and goes on behind it.
    fn pass_to(&mut self, first: u64, first_at: Option<EpochMs>) {
        let from = self.last.traded_at;
        let (missing, until) = (self.last.id + 1, first - 1);
        let detail = format!("the exchange's own history lacks the trades {missing} to {until}");
        self.gaps.push(Gap { from, to: first_at.unwrap_or(from).max(from), detail });
        self.last.id = until;
    }

    fn refused(&self, base: &Url, why: String) -> PageError {
        PageError::Unavailable { url: Box::new(base.clone()), words: why }
    }

    fn answer(self, ticker: &Ticker, watermark: &Watermark, is_at_end: bool) -> Answer {
        let complete_until = if is_at_end { EpochMs::new(i64::MAX / 2) } else { self.complete_until() };
        let market_time = self.market_time.unwrap_or(MarketTime { present: self.latest, latest: self.latest });
        let rows = self.rows.iter().map(|(_, kept)| Row { decoded: kept.decoded.clone(), text: &kept.text }).collect();
        let request = Request { ticker, ask_from: watermark.ask_from(), page_limit: usize::MAX, market_time };
        request.answer(rows).vouched(complete_until, !is_at_end, 1).with_gaps(self.gaps)
    }
}
