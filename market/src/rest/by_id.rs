//! Reads a history whose ids have no holes: from an id on, forward, every next
//! id proven to be the next.
//!
//! Sources for the ways of single markets are named in their folders. What all
//! share: an answer that does not go on with the next id proves nothing. It is
//! asked for in every other way the market has, then once more after a while;
//! only then, and only when it is not so fresh that the market may still be
//! filling it, is the hole taken for real, named, and passed. An answer that
//! does not even hold what was told before proves nothing either.

use std::collections::BTreeMap;

use tape::Watermark;

use super::answer::Answer;
use super::ask::{Ask, Told};
use super::client::ROW_LIMIT;
use super::harvest::{Harvest, Kept};
use super::trail::Trail;
use super::{PageError, ROWS_TOGETHER};
use crate::NotAPage;
use crate::reading::{About, ById, DISORDER, NumberedRow, Question, Shows};
use crate::said::Row;

/// [`DISORDER`] in milliseconds.
pub(super) const DISORDER_MS: i64 = DISORDER.as_millis() as i64;

/// How old what lies behind a hole must be for the hole to be believed: until then
/// the market may be filling it.
const HOLE_BELIEVED_AFTER_MS: i64 = 10_000;

/// Questions of a walk back at most: many times what halving takes.
const STEPS_LIMIT: usize = 500;

/// Reads one ticker of one market by its ids.
pub(super) struct ByIdReader<'a, A> {
    pub by_id: &'a dyn ById,
    pub asker: &'a A,
    pub about: About<'a>,
}

/// The rows of one answer, and how many there were, those without an id included.
pub(super) struct Sheet {
    count: usize,
    pub rows: BTreeMap<u64, Kept>,
}

/// What followed a trade, as far as one question or walk tells.
enum Followed {
    /// These, by rising id, and whether more may follow at once.
    By(BTreeMap<u64, Kept>, bool),
    /// Nothing, and that is proven.
    Nothing,
    /// A hole too fresh to be believed.
    AFreshHole,
}

impl<A: Ask> ByIdReader<'_, A> {
    /// Everything that follows the trail, as far as it is of use at once.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub async fn read(&self, watermark: &Watermark, trail: &mut Trail) -> Result<Answer, PageError> {
        let anchor = match trail.anchor() {
            Some(anchor) => anchor,
            None => {
                let anchor = self.seek(watermark.ask_from().minus_ms(DISORDER_MS)).await?;
                trail.begin(anchor, watermark.settled_until())
            }
        };
        let mut harvest = Harvest::after(anchor);
        let (mut is_at_end, mut goes_on) = (false, true);
        while goes_on && !harvest.is_enough(watermark) {
            match self.next(&mut harvest).await? {
                Followed::Nothing => (is_at_end, goes_on) = (true, false),
                Followed::AFreshHole => goes_on = false,
                Followed::By(rows, more_may_follow) => {
                    let is_whole = harvest.take_in(rows);
                    goes_on = more_may_follow || !is_whole;
                    is_at_end = !goes_on;
                }
            }
            if ROW_LIMIT < harvest.rows.len() {
                return Err(self.unavailable(format!("more than {ROW_LIMIT} trades lie within {DISORDER_MS} ms")));
            }
        }
        let (last, told) = (harvest.last.id, trail.told());
        if let Some(told) = told.filter(|told| is_at_end && last < *told) {
            return Err(self.unavailable(format!("trade {told} was told before, and the newest now is {last}")));
        }
        trail.read(harvest.rows.iter().map(|(anchor, _)| *anchor));
        harvest.name_the_late(trail, told, watermark);
        Ok(harvest.answer(self.about.ticker, watermark, is_at_end, goes_on))
    }

    /// What follows the last trade read: proven to follow it, or with the hole named.
    async fn next(&self, harvest: &mut Harvest) -> Result<Followed, PageError> {
        let mut found = BTreeMap::new();
        for is_second_thought in [false, true] {
            if is_second_thought {
                self.asker.wait_for_second_thoughts().await;
            }
            if let Some(followed) = self.follow(harvest, &mut found).await? {
                return Ok(followed);
            }
            let first_at = found.values().next().and_then(Kept::traded_at);
            let believed_until = harvest.present().minus_ms(HOLE_BELIEVED_AFTER_MS);
            if first_at.is_some_and(|at| believed_until < at) {
                return Ok(Followed::AFreshHole);
            }
        }
        let Some(first) = found.keys().next().copied() else {
            return Err(self.unavailable(format!("no answer goes on from trade {}", harvest.last.id)));
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
        let shows = self.by_id.shows();
        let page_ids = u64::try_from(self.about.page_limit).unwrap_or(u64::MAX);
        // Nobody knows how a market answers a question for ids that do not exist yet: so it is
        // not put, and the newest page tells what there is.
        let is_near_the_end = harvest.newest.is_none_or(|newest| newest <= last.id.saturating_add(page_ids));
        let begins_with_newest = shows == Shows::TheNextIds && is_near_the_end;
        if begins_with_newest && let Some(followed) = self.what_the_newest_tells(harvest, found).await? {
            return Ok(Some(followed));
        }
        let mut way = 0;
        while let Some(question) = self.by_id.after(self.about, last, way) {
            let is_usual = way == 0;
            way += 1;
            let Sheet { count, rows } = match self.sheet(question, harvest).await {
                // Only the usual way is known to be taken by every market.
                Err(PageError::Declined { .. }) => continue,
                sheet => sheet?,
            };
            let (has_room, newest) = (count < self.about.page_limit, rows.keys().next_back().copied());
            let following: BTreeMap<u64, Kept> = rows.into_iter().filter(|(id, _)| last.id < *id).collect();
            if following.contains_key(&(last.id + 1)) {
                let more_may_follow = shows == Shows::TheNextIds || !has_room;
                return Ok(Some(Followed::By(following, more_may_follow)));
            }
            let is_the_end = match shows {
                Shows::TheAnchorAndOn => is_usual && has_room && newest == Some(last.id),
                Shows::TheNextIds => false,
            };
            if is_the_end {
                return Ok(Some(Followed::Nothing));
            }
            keep_nearest(found, following, self.about.page_limit);
        }
        if !begins_with_newest && let Some(followed) = self.what_the_newest_tells(harvest, found).await? {
            return Ok(Some(followed));
        }
        self.walk_back(harvest, found).await
    }

    /// What the newest page tells of what follows; none when the next id is not on it.
    async fn what_the_newest_tells(
        &self,
        harvest: &mut Harvest,
        found: &mut BTreeMap<u64, Kept>,
    ) -> Result<Option<Followed>, PageError> {
        let last = harvest.last.id;
        let Some(question) = self.by_id.older(self.about, None) else { return Ok(None) };
        let rows = self.sheet(question, harvest).await?.rows;
        let Some(newest) = rows.keys().next_back().copied() else {
            // A market without any trade yet; or one that forgot those it had.
            return Ok((last == 0).then_some(Followed::Nothing));
        };
        if newest < last {
            return Err(self.unavailable(format!("trade {last} was told before, and the newest now is {newest}")));
        }
        if newest == last {
            return Ok(Some(Followed::Nothing));
        }
        let following: BTreeMap<u64, Kept> = rows.into_iter().filter(|(id, _)| last < *id).collect();
        if following.contains_key(&(last + 1)) {
            return Ok(Some(Followed::By(following, false)));
        }
        keep_nearest(found, following, self.about.page_limit);
        Ok(None)
    }

    /// From the nearest trade found backward until the next id, where the market can be asked so.
    /// Halves what lies between, so that a hole costs little however long it is.
    async fn walk_back(
        &self,
        harvest: &mut Harvest,
        found: &mut BTreeMap<u64, Kept>,
    ) -> Result<Option<Followed>, PageError> {
        let last = harvest.last.id;
        let page_ids = u64::try_from(self.about.page_limit).unwrap_or(u64::MAX);
        // Nothing follows the last up to here.
        let mut nothing_until = last;
        for _ in 0..STEPS_LIMIT {
            let Some(nearest) = found.keys().next().copied() else { return Ok(None) };
            if nearest == last + 1 {
                // The walk kept what lies nearest; what lies beyond is asked for again.
                return Ok(Some(Followed::By(std::mem::take(found), true)));
            }
            let between = nearest - nothing_until - 1;
            if between == 0 {
                return Ok(None);
            }
            let before = if between <= page_ids { nearest } else { nothing_until + between / 2 + 1 };
            let Some(question) = self.by_id.older(self.about, Some(before)) else { return Ok(None) };
            let rows = self.sheet(question, harvest).await?.rows;
            let nearer: BTreeMap<u64, Kept> = rows.into_iter().filter(|(id, _)| last < *id && *id < before).collect();
            if nearer.is_empty() {
                nothing_until = before - 1;
            }
            keep_nearest(found, nearer, ROWS_TOGETHER);
        }
        Err(self.unavailable(format!("no way back to trade {last} within {STEPS_LIMIT} questions")))
    }

    async fn sheet(&self, question: Question, harvest: &mut Harvest) -> Result<Sheet, PageError> {
        let told = self.asker.ask(self.about.ticker, question).await?;
        let (sheet, without_id) = self.read_sheet(&told)?;
        harvest.refuse(without_id);
        harvest.market_time = Some(told.market_time);
        harvest.newest = harvest.newest.max(sheet.rows.keys().next_back().copied());
        Ok(sheet)
    }

    /// The rows by their ids, and those without one: where they are missing there
    /// will be a hole. An answer with no other rows is no page.
    pub(super) fn read_sheet(&self, told: &Told) -> Result<(Sheet, Vec<Kept>), PageError> {
        let all = self.by_id.rows(&told.body, self.about.ticker).map_err(|not_a_page| told.unreadable(not_a_page))?;
        let (count, mut rows, mut without_id) = (all.len(), BTreeMap::new(), Vec::new());
        for NumberedRow { id, row: Row { decoded, text } } in all {
            let kept = Kept { decoded, text: text.to_owned() };
            match id {
                Some(id) => drop(rows.insert(id, kept)),
                None => without_id.push(kept),
            }
        }
        if let (true, Some(first)) = (rows.is_empty(), without_id.first()) {
            let why = format!("no row has a number for its id: {}", first.text);
            return Err(told.unreadable(NotAPage(why)));
        }
        Ok((Sheet { count, rows }, without_id))
    }

    pub(super) fn unavailable(&self, words: String) -> PageError {
        PageError::Unavailable { url: Box::new(self.about.base.clone()), words }
    }
}

/// Adds rows and keeps the lowest ids.
fn keep_nearest(found: &mut BTreeMap<u64, Kept>, rows: BTreeMap<u64, Kept>, at_most: usize) {
    found.extend(rows);
    while at_most < found.len() {
        found.pop_last();
    }
}
