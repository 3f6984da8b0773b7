//! What judged pages change, but for the figures.

use market::Gap;
use store::{Advance, CountDelta, Incident, Refused};
use tape::{Confirmation, EpochMs, Fault, Known, Outcome, Ticker, Trade, TradeId, Verdict, Watermark, book};

use super::SessionError;
use super::hearing::Counts;
use super::suspecting::count_grades;
use crate::tables::TablesTxn;

/// One ticker's page and what it comes to.
pub(super) struct Verdicts {
    pub(super) ticker: Ticker,
    pub(super) was: Watermark,
    pub(super) market_time: EpochMs,
    pub(super) outcome: Outcome,
    /// What that settles.
    pub(super) settled: Vec<book::Settled>,
    pub(super) gaps: Vec<Gap>,
    /// Whether the trades beyond its question are written already.
    pub(super) is_written: bool,
}

/// Everything some pages change.
pub(super) struct Findings {
    /// Those that are not written yet.
    confirmations: Vec<Confirmation>,
    /// How many there are in all.
    pub(super) confirmed: usize,
    corrections: Vec<Trade>,
    phantoms: Vec<(Ticker, TradeId)>,
    unplaced: Vec<Known>,
    pub(super) faults: Vec<Fault>,
    pub(super) counts: Vec<CountDelta>,
    pub(super) incidents: Vec<Incident>,
    pub(super) advances: Vec<Advance>,
}

impl Findings {
    /// What the verdicts and the refused rows come to.
    pub(super) fn of(verdicts: &[Verdicts], refused: &[Refused], late_after_ms: i64) -> Self {
        let mut confirmations = Vec::new();
        let mut corrections = Vec::new();
        let mut phantoms = Vec::new();
        let mut unplaced = Vec::new();
        let mut faults = Vec::new();
        let mut advances = Vec::with_capacity(verdicts.len());
        for Verdicts { ticker, was, market_time, outcome, is_written, .. } in verdicts {
            let is_left = |it: &&Confirmation| !is_written || it.trade.traded_at <= was.ask_from();
            confirmations.extend(outcome.confirmations.iter().filter(is_left).cloned());
            corrections.extend(outcome.corrections.iter().map(|correction| correction.now.clone()));
            phantoms.extend(outcome.phantoms.iter().map(|it| (it.trade.ticker.clone(), it.trade.id.clone())));
            unplaced.extend(outcome.unplaced.iter().cloned());
            faults.extend(outcome.faults(late_after_ms));
            let (from, to) = (was.clone(), outcome.watermark.clone());
            advances.push(Advance { ticker: ticker.clone(), from, to, market_time: *market_time, time_to_final: None });
        }
        let confirmed = || verdicts.iter().flat_map(|it| &it.outcome.confirmations);
        let mut counts = count(confirmed(), &faults, refused);
        counts.extend(count_grades(verdicts.iter().flat_map(|it| it.outcome.grades())));
        let incidents = verdicts.iter().flat_map(|it| unpageable_millisecond(it).into_iter().chain(gaps(it))).collect();
        let confirmed = confirmed().count();
        Self { confirmations, confirmed, corrections, phantoms, unplaced, faults, counts, incidents, advances }
    }

    /// Writes all but the counts, the figures and the watermarks.
    pub(super) async fn write(&self, txn: &impl TablesTxn, now: EpochMs) -> Result<(), SessionError> {
        txn.trades_confirm(&self.confirmations).await?;
        txn.trades_correct(&self.corrections).await?;
        txn.trades_remove_heard(&self.phantoms).await?;
        txn.trades_unplace(&self.unplaced).await?;
        txn.faults_insert(&self.faults, now).await?;
        txn.incidents_insert(&self.incidents, now).await?;
        Ok(())
    }
}

fn count<'a>(
    confirmations: impl Iterator<Item = &'a Confirmation>,
    faults: &[Fault],
    refused: &[Refused],
) -> Vec<CountDelta> {
    let mut counts = Counts::default();
    for confirmation in confirmations {
        let kind = match confirmation.verdict {
            Verdict::Matched => store::COUNT_MATCHED,
            Verdict::Unheard => store::COUNT_UNHEARD,
            // Counted with the faults.
            Verdict::Altered { .. } | Verdict::Missing => continue,
        };
        counts.add(&confirmation.trade.ticker, confirmation.trade.traded_at, kind, 1);
    }
    for fault in faults {
        counts.add(&fault.ticker, fault.at, fault.kind.as_str(), 1);
    }
    for refused in refused {
        counts.add_refused(refused);
    }
    counts.into_deltas()
}

fn unpageable_millisecond(verdicts: &Verdicts) -> Option<Incident> {
    let at = verdicts.outcome.unpageable?;
    Some(Incident {
        ticker: verdicts.ticker.clone(),
        kind: "unpageable_millisecond".to_owned(),
        from: at,
        to: at,
        detail: format!(
            "more trades share the millisecond {at} than a page holds, and the venue has no way to page inside it; those beyond the page are not counted"
        ),
    })
}

/// Where the market itself lacks trades, or can no longer be asked for them.
fn gaps(verdicts: &Verdicts) -> impl Iterator<Item = Incident> {
    verdicts.gaps.iter().map(|gap| Incident {
        ticker: verdicts.ticker.clone(),
        kind: "gap".to_owned(),
        from: gap.from,
        to: gap.to,
        detail: gap.detail.clone(),
    })
}
