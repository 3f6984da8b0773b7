//! What is read and written when REST has changed its mind about settled trades.

use std::collections::BTreeSet;

use store::audits::AskedHoldings;
use store::{Restatement, StoreError};
use tape::audit::Holdings;
use tape::{EpochMs, Finding, HeldFinal, Interval, Mark, Ticker, Trade, TradeId};

use super::disk::{CorrectionRow, Disk, FigureRow, LatestRow, RestatementRow, TradeName, TradeRow, Writes};
use super::trades;
use super::txn::Txn;
use super::view::View;

impl Txn {
    pub(super) async fn holdings_hold(&self, asked: AskedHoldings<'_>) -> Result<Option<Holdings>, StoreError> {
        self.step("holdings_hold", asked.names.len()).await?;
        let (state, mut writes) = self.sight();
        Ok(holdings(&state.disk, &mut writes, asked))
    }

    pub(super) async fn trades_confirmed(
        &self,
        ticker: &Ticker,
        after: EpochMs,
        until: EpochMs,
    ) -> Result<Vec<Trade>, StoreError> {
        self.step("trades_confirmed", 0).await?;
        let (state, mut writes) = self.sight();
        let rows = rows_between(&state.disk, &mut writes, ticker, after, until);
        let confirmed = rows.iter().filter(|(_, row)| row.is_validated);
        Ok(confirmed.map(|(name, row)| trades::trade(name, row)).collect())
    }

    pub(super) async fn finals_held(
        &self,
        ticker: &Ticker,
        interval: Interval,
        first: Mark,
        last: Mark,
    ) -> Result<Vec<HeldFinal>, StoreError> {
        self.step("finals_held", 0).await?;
        let (state, mut writes) = self.sight();
        let view = View { held: &state.disk.figures, own: &mut writes.figures };
        let is_within = |key: &(Ticker, Interval, Mark)| key.0 == *ticker && key.1 == interval && key.2 <= last;
        let rows = view.range(&(ticker.clone(), interval, first), is_within);
        let finals = rows.into_iter().filter(|(_, row)| row.final_at.is_some());
        let held = |((_, _, mark), FigureRow { sums, revision, chained, .. }): (_, FigureRow)| HeldFinal {
            mark,
            sums,
            revision,
            is_chained: chained.is_some(),
        };
        Ok(finals.map(held).collect())
    }

    pub(super) async fn trades_withdraw(&self, names: &[TradeName]) -> Result<u64, StoreError> {
        self.step("trades_withdraw", names.len()).await?;
        let (state, mut writes) = self.sight();
        let mut view = trades::trades(&state.disk, &mut writes);
        let mut withdrawn = 0;
        for name in names {
            if view.get(name).is_some_and(|row| row.is_validated) {
                view.take(name);
                withdrawn += 1;
            }
        }
        Ok(withdrawn)
    }

    pub(super) async fn figures_restate(
        &self,
        restatements: &[Restatement],
        restated_at: EpochMs,
    ) -> Result<u64, StoreError> {
        self.step("figures_restate", restatements.len()).await?;
        let (state, mut writes) = self.sight();
        let mut seen = BTreeSet::new();
        let mut changed = 0;
        for Restatement { figure, reason, appended } in restatements {
            let key = (figure.ticker.clone(), figure.interval, figure.mark);
            if !seen.insert(key.clone()) {
                continue;
            }
            let mut figures = View { held: &state.disk.figures, own: &mut writes.figures };
            let Some(held) = figures.get(&key).filter(|held| held.final_at.is_some()).cloned() else { continue };
            let is_other_second = appended.is_some_and(|it| it.old_second_digest != it.new_second_digest);
            if held.sums == figure.sums && !is_other_second {
                continue;
            }
            let (new, price, revision) = (figure.sums, figure.sums.vwap(), held.revision + 1);
            let old = held.sums;
            figures.put(key, FigureRow { price, sums: new, confirmed_trades: new.trades, revision, ..held });
            let entry = (figure.ticker.clone(), figure.interval, figure.mark, revision);
            let row = RestatementRow { reason: reason.clone(), old, new, appended: *appended, restated_at };
            writes.restatements.insert(entry, Some(row));
            let mut latest = View { held: &state.disk.latest, own: &mut writes.latest };
            let key = (figure.ticker.clone(), figure.interval);
            if let Some(held) = latest.get(&key).filter(|held| held.mark == figure.mark && held.is_final).cloned() {
                let calculated_at = restated_at;
                latest.put(key, LatestRow { sums: new, confirmed_trades: new.trades, calculated_at, ..held });
            }
            changed += 1;
        }
        Ok(changed)
    }

    pub(super) async fn corrections_insert(
        &self,
        findings: &[Finding],
        restated: u64,
        found_at: EpochMs,
    ) -> Result<(), StoreError> {
        self.step("corrections_insert", findings.len()).await?;
        let (mut state, mut writes) = self.sight();
        for finding in findings {
            let row = CorrectionRow { finding: finding.clone(), restated, found_at };
            writes.corrections.insert(state.take_id(), Some(row));
        }
        Ok(())
    }
}

/// A ticker's trades in `(after, until]`, as the transaction sees them.
fn rows_between(
    disk: &Disk,
    writes: &mut Writes,
    ticker: &Ticker,
    after: EpochMs,
    until: EpochMs,
) -> Vec<(TradeName, TradeRow)> {
    let committed = disk.trades_after(ticker, after).take_while(|(_, row)| row.at <= until);
    let mut names: BTreeSet<TradeName> = committed.map(|(id, _)| (ticker.clone(), id.clone())).collect();
    names.extend(writes.trades.keys().filter(|name| name.0 == *ticker).cloned());
    let view = trades::trades(disk, writes);
    let is_within = |row: &&TradeRow| after < row.at && row.at <= until;
    let seen = |name: TradeName| view.get(&name).filter(is_within).cloned().map(|row| (name, row));
    names.into_iter().filter_map(seen).collect()
}

/// The last confirmed trade of a ticker up to an instant, and when it was made.
pub(super) fn anchor(disk: &Disk, ticker: &Ticker, until: EpochMs) -> Option<(TradeId, EpochMs)> {
    let earlier = disk.trades_after(ticker, EpochMs::new(i64::MIN)).take_while(|(_, row)| row.at <= until);
    earlier.filter(|(_, row)| row.is_validated).last().map(|(id, row)| (id.clone(), row.at))
}

/// What is held of a ticker's settled trades, and under some names.
pub(super) fn holdings(disk: &Disk, writes: &mut Writes, asked: AskedHoldings<'_>) -> Option<Holdings> {
    let AskedHoldings { ticker, after, until, names } = asked;
    let tickers = View { held: &disk.tickers, own: &mut writes.tickers };
    let standing = tickers.get(ticker).cloned()?;
    let settled_until = standing.watermark.settled_until();
    let (after, until) = (after.max(standing.tape_from), until.min(settled_until));
    let mut found = rows_between(disk, writes, ticker, after, until);
    let spanned: BTreeSet<TradeName> = found.iter().map(|(name, _)| name.clone()).collect();
    let view = trades::trades(disk, writes);
    for id in names.iter().collect::<BTreeSet<_>>() {
        let name = (ticker.clone(), id.clone());
        if let Some(row) = view.get(&name).filter(|_| !spanned.contains(&name)) {
            found.push((name, row.clone()));
        }
    }
    found.sort_by(|(a_name, a), (b_name, b)| (a.at, a_name).cmp(&(b.at, b_name)));
    let held = found.iter().map(|(name, row)| trades::known(name, row)).collect();
    Some(Holdings { tape_from: standing.tape_from, settled_until, trades: held })
}
