//! Confirmed trades are the true ones, row for row.

use std::collections::BTreeSet;

use tape::{Ticker, Trade};

use super::{Case, Complaints};
use crate::feed::Truth;
use crate::memory::disk::TickerRow;

/// What an unpageable millisecond is called in the tables.
const UNPAGEABLE: &str = "unpageable_millisecond";

impl Case<'_> {
    /// The trades of a ticker's tape as a truth has them, in order of time: those
    /// after its beginning. Of a millisecond that REST cannot page through, which an
    /// incident says, those are left out that REST never gave.
    pub fn tape<'a>(
        &'a self,
        truth: &'a Truth,
        ticker: &'a Ticker,
        row: &'a TickerRow,
    ) -> impl Iterator<Item = &'a Trade> {
        let unpageable = self.unpageable(ticker);
        let all = truth.trades.get(ticker).into_iter().flatten().map(|it| &it.trade);
        all.filter(move |trade| {
            let is_held =
                || self.disk.trades.get(&(ticker.clone(), trade.id.clone())).is_some_and(|it| it.is_validated);
            row.tape_from < trade.traded_at && (!unpageable.contains(&trade.traded_at.ms()) || is_held())
        })
    }

    fn unpageable(&self, ticker: &Ticker) -> BTreeSet<i64> {
        let own = self.disk.incidents.keys().filter(|key| key.0 == *ticker && key.1 == UNPAGEABLE);
        own.map(|key| key.2.ms()).collect()
    }
}

pub fn check(case: &Case<'_>, complaints: &mut Complaints) {
    for (ticker, row) in &case.disk.tickers {
        let confirmed = case.disk.trades.iter().filter(|(name, it)| name.0 == *ticker && it.is_validated).count();
        let mut expected = 0;
        for trade in case.tape(case.truth, ticker, row) {
            expected += 1;
            let held = case.disk.trades.get(&(ticker.clone(), trade.id.clone())).filter(|it| it.is_validated);
            let is_true =
                held.is_some_and(|it| (it.at, it.price, it.quantity) == (trade.traded_at, trade.price, trade.quantity));
            if !is_true {
                complaints.push(format!("{ticker} {}: held is {held:?}, true is {trade:?}", trade.id));
            }
        }
        if confirmed != expected {
            complaints.push(format!("{ticker}: {confirmed} trades are confirmed, {expected} were made"));
        }
        check_unpageable(case, ticker, complaints);
    }
    let left = case.disk.trades.iter().filter(|(_, row)| !row.is_validated).count() + case.disk.unplaced.len();
    if left > 0 {
        complaints.push(format!("{left} heard trades were never judged"));
    }
}

/// An incident is recorded only where a whole page fits into one millisecond
/// and the market cannot page inside it.
fn check_unpageable(case: &Case<'_>, ticker: &Ticker, complaints: &mut Complaints) {
    let trades = case.truth.trades.get(ticker).map_or(&[][..], Vec::as_slice);
    for at in case.unpageable(ticker) {
        let together = trades.iter().filter(|it| it.trade.traded_at.ms() == at).count();
        if case.scenario.pages_by_id || together < case.scenario.config.page_limit {
            complaints.push(format!("{ticker}: an incident at {at}, where {together} trades were made"));
        }
    }
}
