//! What the market changed its mind about: the ledger of corrections leads from
//! what was told first to what is told now, and every restatement has its
//! reason, its place in the chain, and its values from the one before.

use std::collections::{BTreeMap, BTreeSet};

use tape::{Chain, Entry, Interval, Mark, Sums, Ticker, Trade, TradeId, TradesDigest};

use super::{Case, Complaints};
use crate::memory::disk::{FigureRow, RestatementRow};

/// Returns how many restatements were held against it all.
pub fn check(case: &Case<'_>, complaints: &mut Complaints) -> u64 {
    check_corrections(case, complaints);
    check_refused_rows(case, complaints);
    for ticker in case.disk.tickers.keys() {
        check_restatements(case, ticker, complaints);
    }
    case.disk.restatements.len() as u64
}

/// Each correction begins where the ones before it led, and the last ones lead
/// to what is told now.
fn check_corrections(case: &Case<'_>, complaints: &mut Complaints) {
    let anew: BTreeSet<(&Ticker, &TradeId)> = case.confirmed_anew().map(|(name, _)| (&name.0, &name.1)).collect();
    let mut led_to: BTreeMap<(&Ticker, &TradeId), Option<&Trade>> = BTreeMap::new();
    for row in case.disk.corrections.values() {
        let (ticker, id) = row.finding.name();
        let first = || case.told.find(ticker, id);
        let before = led_to.get(&(ticker, id)).copied().unwrap_or_else(first);
        // One that was withdrawn because it left the settled tape has been confirmed anew since.
        let has_come_back = || before.is_none() && anew.contains(&(ticker, id));
        if row.finding.was() != before && !has_come_back() {
            complaints.push(format!("{}: until then it was {before:?}", row.finding));
        }
        led_to.insert((ticker, id), row.finding.now());
    }
    for ((ticker, id), now) in led_to {
        let told = case.truth.find(ticker, id);
        let has_come_back = now.is_none() && anew.contains(&(ticker, id));
        if now != told && !has_come_back {
            complaints.push(format!("{ticker} {id}: corrections led to {now:?}, told is {told:?}"));
        }
    }
}

/// Rows that are no trades are kept and counted, and no others.
fn check_refused_rows(case: &Case<'_>, complaints: &mut Complaints) {
    let kept = case.disk.rejections.values().filter(|row| row.channel == store::Channel::Rest).count() as u64;
    let counted: i64 =
        case.disk.counts.iter().filter(|(key, _)| key.2.starts_with("rest_rejected_")).map(|(_, rows)| rows).sum();
    if u64::try_from(counted) != Ok(kept) || case.refused_rows < kept {
        let given = case.refused_rows;
        complaints.push(format!("{kept} refused rows are kept and {counted} counted, {given} were given"));
    }
}

fn check_restatements(case: &Case<'_>, ticker: &Ticker, complaints: &mut Complaints) {
    let interval = case.scenario.config.interval;
    let own: Vec<(Mark, u32, &RestatementRow)> = case
        .disk
        .restatements
        .iter()
        .filter(|(key, _)| key.0 == *ticker)
        .map(|((_, _, mark, revision), row)| (*mark, *revision, row))
        .collect();
    if own.is_empty() {
        return;
    }
    let mut before: Option<(Mark, u32, Sums)> = None;
    for &(mark, revision, row) in &own {
        let expected = match before {
            Some((earlier, revision, sums)) if earlier == mark => (revision + 1, sums),
            _ => (1, row.old),
        };
        if (revision, row.old) != expected {
            complaints.push(format!("{ticker}: revision {revision} of {mark} does not follow the one before: {row:?}"));
        }
        if !is_touched(case, ticker, mark, interval, row) {
            complaints.push(format!("{ticker}: {mark} was restated, and no change touches it: {row:?}"));
        }
        before = Some((mark, revision, row.new));
    }
    check_chain(case, ticker, &own, complaints);
}

/// Whether a change of mind can have changed what was restated.
fn is_touched(case: &Case<'_>, ticker: &Ticker, mark: Mark, interval: Interval, row: &RestatementRow) -> bool {
    let closes_at = mark.at().ms();
    let touches = |length_ms: i64| {
        let is_inside = |trade: &Trade| (closes_at - length_ms + 1..=closes_at).contains(&trade.traded_at.ms());
        let own = case.changes.iter().filter(|change| change.name().0 == ticker);
        own.flat_map(|change| [change.was(), change.now()]).flatten().any(is_inside)
    };
    let is_second_other = row.appended.is_some_and(|it| it.old_second_digest != it.new_second_digest);
    (row.old != row.new || is_second_other) && touches(interval.ms()) && (!is_second_other || touches(1_000))
}

/// Every entry of the chain is there once, and binds what its figure was, or became.
fn check_chain(
    case: &Case<'_>,
    ticker: &Ticker,
    restated: &[(Mark, u32, &RestatementRow)],
    complaints: &mut Complaints,
) {
    let interval = case.scenario.config.interval;
    let chain = Chain { exchange: crate::memory::VENUE.to_owned(), ticker: ticker.clone(), interval };
    let seconds = seconds(case, ticker);
    let nothing = TradesDigest::default().finish();
    let first_of: BTreeMap<Mark, &RestatementRow> =
        restated.iter().filter(|it| it.1 == 1).map(|(mark, _, row)| (*mark, *row)).collect();
    let mut entries = BTreeMap::new();
    let finals = case.disk.figures.iter().filter(|(key, row)| key.0 == *ticker && row.final_at.is_some());
    for ((_, _, mark), FigureRow { sums, chained, .. }) in finals {
        let Some(chained) = chained else { continue };
        let told = seconds.get(mark).map_or(nothing, |trades| TradesDigest::of(trades.iter().copied()));
        let first = first_of.get(mark);
        let second_digest = first.and_then(|row| row.appended).map_or(told, |appended| appended.old_second_digest);
        let sums = first.map_or(*sums, |row| row.old);
        entries
            .insert(chained.head.entry, (Entry { mark: *mark, revision: 0, sums, second_digest }, chained.head.link));
    }
    for (mark, revision, row) in restated {
        let Some(appended) = row.appended else { continue };
        let (sums, second_digest) = (row.new, appended.new_second_digest);
        let entry = Entry { mark: *mark, revision: *revision, sums, second_digest };
        entries.insert(appended.head.entry, (entry, appended.head.link));
    }
    let mut head = chain.genesis();
    for (number, (entry, link)) in entries {
        head = chain.append(&head, &entry);
        if (number, link) != (head.entry, head.link) {
            complaints.push(format!("{ticker}: entry {number} of the chain, of {}, binds something else", entry.mark));
            return;
        }
    }
    let held = case.disk.chain_heads.get(&(ticker.clone(), interval));
    if held != Some(&head) {
        complaints.push(format!("{ticker}: the chain ends at {held:?}, its entries at {head:?}"));
    }
}

/// The trades of each second as they are told now.
fn seconds<'a>(case: &'a Case<'_>, ticker: &'a Ticker) -> BTreeMap<Mark, Vec<&'a Trade>> {
    let mut seconds: BTreeMap<Mark, Vec<&Trade>> = BTreeMap::new();
    let row = &case.disk.tickers[ticker];
    for trade in case.tape(case.truth, ticker, row) {
        seconds.entry(Mark::at_or_after(trade.traded_at)).or_default().push(trade);
    }
    seconds
}
