//! What the tables' CHECK constraints refuse. As in Postgres, a row that is
//! offered is looked at before whether there is one under its key.

use store::{Incident, StoreError};
use tape::{Mark, TimeToFinal};

use super::disk::{FigureRow, LatestRow};
use super::server::refused;
use super::txn::Txn;

impl Txn {
    /// Refuses what a table does not take; nothing can be committed then.
    pub(super) fn checks(&self, doing: &str, broken: Option<&'static str>) -> Result<(), StoreError> {
        let Some(broken) = broken else { return Ok(()) };
        self.fail();
        Err(refused(doing, format!("a row breaks a rule of its table: {broken}")))
    }
}

/// What a row of `vwap_history` breaks.
pub(super) fn figure(mark: Mark, row: &FigureRow) -> Option<&'static str> {
    let is_final = row.final_at.is_some();
    let broken = [
        (row.sums.trades < row.confirmed_trades, "no more are confirmed than there are"),
        (is_final && row.confirmed_trades != row.sums.trades, "what is final is confirmed"),
        (is_final && row.quarantined_trades > 0, "nothing final is quarantined"),
        (
            row.chained.is_some_and(|it| !is_final || it.final_watermark < mark.at()),
            "the watermark had passed the mark",
        ),
    ];
    first(&broken)
}

/// What a row of `latest_vwap_history` breaks.
pub(super) fn latest(row: &LatestRow) -> Option<&'static str> {
    first(&[(row.is_final && row.quarantined_trades > 0, "nothing final is quarantined")])
}

/// What a row of `incidents` breaks.
pub(super) fn incident(incident: &Incident) -> Option<&'static str> {
    first(&[(incident.to < incident.from, "no span ends before it begins")])
}

/// What the times to final of a row of `tickers_validation_timestamp` break.
pub(super) fn time_to_final(measured: Option<TimeToFinal>) -> Option<&'static str> {
    let is_in_order = |it: TimeToFinal| 0 <= it.p50_ms && it.p50_ms <= it.p99_ms && it.marks > 0;
    first(&[(measured.is_some_and(|it| !is_in_order(it)), "half take no longer than 99 of 100")])
}

fn first(rules: &[(bool, &'static str)]) -> Option<&'static str> {
    rules.iter().find(|(is_broken, _)| *is_broken).map(|(_, rule)| *rule)
}
