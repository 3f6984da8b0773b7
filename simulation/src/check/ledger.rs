//! The ledger of faults is what was done to the trades, kind by kind.
//!
//! What a worker was given and committed is known to the [`crate::witness`];
//! from that and the truth alone it follows what the ledger must say:
//!
//! - of each true trade, the first copy tells whether it is *altered*, and
//!   whether it is *late*: it came more than `LATE_AFTER` after it was made;
//! - each further copy is a *duplicate*;
//! - a true trade of which no copy came is *missing* if the worker that
//!   confirmed it had been listening when it was made;
//! - each copy of a trade that never was is a *phantom*, or a *duplicate* of one.
//!
//! Undecidable, and therefore allowed, is only this:
//!
//! - what nobody was given: frames of a time at which no worker listened, that
//!   found the queue full, or whose batch was lost with its worker or server.
//!   Nobody knows whether they came, so they count as not said;
//! - whether a copy of a phantom that comes after the verdict is a second
//!   phantom or a duplicate: the first is forgotten by then. Their sum is exact;
//! - a trade made before its tape begins: REST is never asked for it, so a copy
//!   of it cannot be told from a phantom. Likewise one that REST cannot page to.

use std::collections::BTreeMap;

use market::Said;
use tape::{EpochMs, FaultKind, Heard, Trade};

use super::{Case, Complaints};
use crate::memory::disk::TradeName;
use crate::witness::Confirmed;

/// How often each kind, of a trade or in all.
type Counts = BTreeMap<&'static str, i64>;

/// What was heard under each name, in order, and in which commit.
type Copies = BTreeMap<TradeName, Vec<(u64, Heard)>>;

const MATCHED: &str = "matched";
const UNHEARD: &str = "unheard";

pub fn check(case: &Case<'_>, complaints: &mut Complaints) {
    let (copies, refused) = heard(case);
    let mut expected: BTreeMap<TradeName, Counts> = BTreeMap::new();
    let mut outcomes = Counts::new();
    for (ticker, row) in &case.disk.tickers {
        for trade in case.tape(case.told, ticker, row) {
            let name = (ticker.clone(), trade.id.clone());
            let copies = copies.get(&name).map_or(&[][..], Vec::as_slice);
            let (faults, outcome) = expected_of(case, &name, trade, copies);
            *outcomes.entry(outcome).or_default() += 1;
            expected.insert(name, faults);
        }
    }
    for (name, confirmed) in case.confirmed_anew() {
        let outcome = unheard_as(confirmed.at, confirmed);
        *outcomes.entry(outcome).or_default() += 1;
        if outcome == FaultKind::Missing.as_str() {
            *expected.entry(name.clone()).or_default().entry(outcome).or_default() += 1;
        }
    }
    let mut found: BTreeMap<TradeName, Counts> = BTreeMap::new();
    for ((name, _), row) in &case.disk.faults {
        *found.entry(name.clone()).or_default().entry(row.fault.kind.as_str()).or_default() += 1;
    }
    for (name, expected) in &expected {
        let found = found.remove(name).unwrap_or_default();
        if found != *expected {
            complaints.push(format!("{} {}: faults are {found:?}, done was {expected:?}", name.0, name.1));
        }
    }
    for (name, copies) in copies.iter().filter(|(name, _)| !expected.contains_key(*name)) {
        let found = found.remove(name).unwrap_or_default();
        let is_sum = found.values().sum::<i64>() == i64::try_from(copies.len()).unwrap_or(0);
        let is_phantom = found.contains_key(FaultKind::Phantom.as_str());
        let is_else = found.keys().any(|kind| !["phantom", "duplicate"].contains(kind));
        if !is_sum || !is_phantom || is_else {
            complaints.push(format!("{} {}: {} copies of what never was: {found:?}", name.0, name.1, copies.len()));
        }
    }
    for (name, found) in found {
        complaints.push(format!("{} {}: faults {found:?} of what was never heard", name.0, name.1));
    }
    check_counts(case, outcomes, &refused, complaints);
}

/// What was given to a worker and committed: copies by trade, in order, and how
/// many frames were refused by kind.
fn heard(case: &Case<'_>) -> (Copies, BTreeMap<String, i64>) {
    let mut copies = Copies::new();
    let mut refused: BTreeMap<String, i64> = BTreeMap::new();
    let config = &case.scenario.config;
    for (commit, batch) in &case.witness.batches {
        let latest = batch.now.ms() + config.allowed_skew_ms;
        let oldest = config.retention_ms.map_or(0, |kept_ms| batch.now.ms() - kept_ms);
        for said in &batch.said {
            let refused_as = match said {
                Said::Rejected { rejection, .. } => rejection.kind().as_str(),
                Said::Trade(heard) if latest < heard.trade.traded_at.ms() => "future",
                Said::Trade(heard) if heard.trade.traded_at.ms() <= oldest => "too_old",
                Said::Trade(heard) => {
                    let name = (heard.trade.ticker.clone(), heard.trade.id.clone());
                    // One of a ticker beyond MAX_TICKERS is not kept.
                    if case.disk.tickers.contains_key(&name.0) {
                        copies.entry(name).or_default().push((*commit, heard.clone()));
                    }
                    continue;
                }
            };
            *refused.entry(format!("rejected_{refused_as}")).or_default() += 1;
        }
    }
    (copies, refused)
}

/// The faults of a true trade, and what it is counted as.
fn expected_of(case: &Case<'_>, name: &TradeName, trade: &Trade, copies: &[(u64, Heard)]) -> (Counts, &'static str) {
    let mut faults = Counts::new();
    let Some((_, first)) = copies.first() else {
        let confirmed = case.witness.confirmed.get(name).and_then(|all| all.first());
        let outcome = confirmed.map_or(UNHEARD, |confirmed| unheard_as(trade.traded_at, confirmed));
        if outcome == FaultKind::Missing.as_str() {
            faults.insert(outcome, 1);
        }
        return (faults, outcome);
    };
    let again = i64::try_from(copies.len()).unwrap_or(i64::MAX) - 1;
    if again > 0 {
        faults.insert(FaultKind::Duplicate.as_str(), again);
    }
    if case.scenario.config.late_after_ms < first.received_at.ms() - trade.traded_at.ms() {
        faults.insert(FaultKind::Late.as_str(), 1);
    }
    if first.trade == *trade {
        return (faults, MATCHED);
    }
    faults.insert(FaultKind::Altered.as_str(), 1);
    (faults, FaultKind::Altered.as_str())
}

/// What a trade is counted as of which no copy came.
fn unheard_as(traded_at: EpochMs, confirmed: &Confirmed) -> &'static str {
    let was_listening = confirmed.listening_since.is_some_and(|since| since <= traded_at);
    if was_listening { FaultKind::Missing.as_str() } else { UNHEARD }
}

impl Case<'_> {
    /// The confirmations, beside the first of what was told first, that an
    /// ordinary answer brought: of a trade that the market had moved out of the
    /// settled tape. It is judged again, and its copies are forgotten.
    pub fn confirmed_anew(&self) -> impl Iterator<Item = (&TradeName, &Confirmed)> {
        self.witness.confirmed.iter().flat_map(|(name, all)| {
            let is_told = self.told.find(&name.0, &name.1).is_some();
            let later = all.iter().skip(usize::from(is_told));
            later.filter(|confirmed| !confirmed.is_audited).map(move |confirmed| (name, confirmed))
        })
    }
}

/// The counts per minute add up to the ledger and to the trades confirmed.
fn check_counts(case: &Case<'_>, mut expected: Counts, refused: &BTreeMap<String, i64>, complaints: &mut Complaints) {
    let count = |kind: &str| -> i64 { case.disk.counts.iter().filter(|row| row.0.2 == kind).map(|row| row.1).sum() };
    for kind in [FaultKind::Duplicate, FaultKind::Late, FaultKind::Phantom] {
        let in_ledger = case.disk.faults.values().filter(|row| row.fault.kind == kind).count();
        expected.insert(kind.as_str(), i64::try_from(in_ledger).unwrap_or(i64::MAX));
    }
    for kind in [MATCHED, UNHEARD, "altered", "missing", "duplicate", "late", "phantom"] {
        let (counted, expected) = (count(kind), expected.get(kind).copied().unwrap_or(0));
        if counted != expected {
            complaints.push(format!("{counted} trades are counted as {kind}, {expected} were"));
        }
    }
    for (kind, expected) in refused {
        if count(kind) != *expected {
            complaints.push(format!("{} frames are counted as {kind}, {expected} were", count(kind)));
        }
    }
}
