//! Finds where to begin in a history that is read by ids: the last id before a moment.

use std::collections::BTreeMap;

use tape::EpochMs;

use super::PageError;
use super::ask::Ask;
use super::by_id::ByIdReader;
use super::harvest::Kept;
use crate::reading::Anchor;

/// Halvings at most: as many as an id has bits.
const HALVINGS_LIMIT: usize = 64;

impl<A: Ask> ByIdReader<'_, A> {
    /// A trade such that it and all before it are from before this moment.
    ///
    /// # Errors
    /// [`PageError`] says whether and when to ask again.
    pub(super) async fn seek(&self, from: EpochMs) -> Result<Anchor, PageError> {
        if let Some(question) = self.by_id.seek(self.about, from) {
            let told = self.asker.ask(self.about.ticker, question).await?;
            if let Some(id) = self.by_id.sought(&told.body).map_err(|not_a_page| told.unreadable(not_a_page))? {
                return Ok(Anchor { id, traded_at: from.minus_ms(1) });
            }
        }
        let Some(newest) = self.rows_before(None).await? else {
            return Err(self.unavailable("it cannot be asked for its newest trades".to_owned()));
        };
        if newest.is_empty() {
            return Ok(Anchor { id: 0, traded_at: from.minus_ms(1) });
        }
        if let Some(last) = last_before(&newest, from) {
            return Ok(last);
        }
        let below = newest.keys().next().copied().unwrap_or_default();
        self.search(from, below).await
    }

    /// Halves the ids below one, which is not from before the moment, until
    /// what is left is.
    async fn search(&self, from: EpochMs, below: u64) -> Result<Anchor, PageError> {
        let (mut before, mut after) = (Anchor { id: 0, traded_at: from.minus_ms(1) }, below);
        for _ in 0..HALVINGS_LIMIT {
            if after <= before.id + 1 {
                return Ok(before);
            }
            let middle = before.id + (after - before.id) / 2;
            let Some(rows) = self.rows_before(Some(middle + 1)).await? else {
                return Err(self.unavailable(format!("it cannot be asked for what lies before trade {below}")));
            };
            let newest_at = rows.values().rev().find_map(Kept::traded_at);
            match newest_at.filter(|at| from <= *at) {
                Some(_) => {
                    if let Some(last) = last_before(&rows, from) {
                        return Ok(last);
                    }
                    after = rows.keys().next().copied().unwrap_or(middle).min(middle);
                }
                // From before, or from before the history there is.
                None => before = Anchor { id: middle, traded_at: newest_at.unwrap_or(before.traded_at) },
            }
        }
        Ok(before)
    }

    /// The newest rows, or those just before an id; none where that cannot be asked.
    async fn rows_before(&self, before: Option<u64>) -> Result<Option<BTreeMap<u64, Kept>>, PageError> {
        let Some(question) = self.by_id.older(self.about, before) else { return Ok(None) };
        let told = self.asker.ask(self.about.ticker, question).await?;
        let (sheet, _) = self.read_sheet(&told)?;
        Ok(Some(sheet.rows))
    }
}

/// The last of the rows that begin a page and are from before the moment.
fn last_before(rows: &BTreeMap<u64, Kept>, from: EpochMs) -> Option<Anchor> {
    let dated = rows.iter().map_while(|(id, kept)| Some(Anchor { id: *id, traded_at: kept.traded_at()? }));
    dated.take_while(|anchor| anchor.traded_at < from).last()
}
