//! What REST answered for some tickers: confirmed trades, verdicts, final
//! figures and watermarks, in one transaction.

use std::collections::HashMap;

use market::Answer;
use store::{Advance, Channel, Figure, Incident, Refused};
use tape::{EpochMs, Known, Outcome, Ticker, TradeId, Verdict, Watermark, reconcile};
use tokio::sync::oneshot;

use super::hearing::Counts;
use super::{Engine, SessionError};
use crate::clock;

/// Rejected rows kept per answer; the others are counted only.
const REFUSED_KEPT_PER_ANSWER: usize = 20;

/// One REST answer, and who waits to hear what it settled.
pub struct Asked {
    /// The ticker asked for.
    pub ticker: Ticker,
    /// The watermark it was asked from.
    pub watermark: Watermark,
    /// What came.
    pub answer: Answer,
    /// Where the new watermark goes.
    pub reply: oneshot::Sender<Settled>,
}

/// What became of an answer.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Where to ask from next.
    pub watermark: Watermark,
    /// Whether to ask at once.
    pub has_more: bool,
}

/// One ticker's page and what it comes to.
struct Verdicts {
    ticker: Ticker,
    was: Watermark,
    market_time: EpochMs,
    outcome: Outcome,
}

impl Engine {
    /// Commits the answers of several tickers, at most one each.
    ///
    /// # Errors
    /// Whatever the store says; nothing is written then.
    pub async fn settle(&mut self, asked: Vec<Asked>) -> Result<(), SessionError> {
        let mut pages = Vec::with_capacity(asked.len());
        let mut refused = Vec::new();
        let mut replies = Vec::with_capacity(asked.len());
        for Asked { ticker, watermark, answer, reply } in asked {
            // An answer to an older question settles nothing any more.
            let is_current = self.books.get(&ticker).is_some_and(|book| *book.watermark() == watermark);
            if is_current {
                self.clock.heard_of(answer.page.market_time);
                refused.extend(refused_rows(&ticker, &answer));
                pages.push((ticker.clone(), watermark, answer.page));
            }
            replies.push((ticker, reply));
        }

        let txn = self.store.begin(&self.leadership).await?;
        let ids: Vec<(Ticker, TradeId)> = pages
            .iter()
            .flat_map(|(ticker, _, page)| page.trades.iter().map(|trade| (ticker.clone(), trade.id.clone())))
            .collect();
        let patience = self.settings.patience;
        let reaches: Vec<(Ticker, EpochMs)> =
            pages.iter().map(|(ticker, was, page)| (ticker.clone(), page.reach(was, patience))).collect();
        let known = merge_known(txn.trades_known(&ids).await?, txn.trades_heard_until(&reaches).await?);

        let mut all = Vec::with_capacity(pages.len());
        for (ticker, was, page) in pages {
            let own = known.get(&ticker).map_or(&[][..], Vec::as_slice);
            let outcome = reconcile(&was, &page, own, patience);
            all.push(Verdicts { ticker, was, market_time: page.market_time, outcome });
        }
        let mut finals = Vec::new();
        let mut newest = Vec::new();
        for Verdicts { ticker, outcome, .. } in &all {
            let Some(book) = self.books.get_mut(ticker) else { continue };
            let said = book.settle(outcome)?;
            let interval = self.settings.interval;
            finals.extend(said.iter().map(|said| Figure::new(ticker.clone(), interval, *said)));
            // Normally the live marks are ahead; a market that stands still has none.
            let is_ahead = said.last().is_some_and(|said| said.mark >= self.live_at);
            if let (true, Some(last)) = (is_ahead, said.last()) {
                newest.push(Figure::new(ticker.clone(), interval, *last));
            }
        }
        let now = clock::wall();
        let collect =
            |part: fn(&Outcome) -> Vec<Known>| -> Vec<Known> { all.iter().flat_map(|it| part(&it.outcome)).collect() };
        let confirmations: Vec<_> = all.iter().flat_map(|it| it.outcome.confirmations.iter().cloned()).collect();
        let corrections: Vec<_> =
            all.iter().flat_map(|it| it.outcome.corrections.iter().map(|correction| correction.now.clone())).collect();
        let phantoms: Vec<(Ticker, TradeId)> =
            collect(|outcome| outcome.phantoms.clone()).into_iter().map(|it| (it.trade.ticker, it.trade.id)).collect();
        let faults: Vec<_> = all.iter().flat_map(|it| it.outcome.faults(self.settings.late_after_ms)).collect();
        let mut counts = Counts::default();
        for confirmation in &confirmations {
            let kind = match confirmation.verdict {
                Verdict::Matched => store::COUNT_MATCHED,
                Verdict::Unheard => store::COUNT_UNHEARD,
                Verdict::Altered { .. } | Verdict::Missing => continue,
            };
            counts.add(&confirmation.trade.ticker, confirmation.trade.traded_at, kind, 1);
        }
        for fault in &faults {
            counts.add(&fault.ticker, fault.at, fault.kind.as_str(), 1);
        }
        for refused in &refused {
            counts.add_refused(refused);
        }
        let incidents: Vec<Incident> = all.iter().filter_map(unpageable_millisecond).collect();
        let advances: Vec<Advance> = all
            .iter()
            .map(|it| Advance {
                ticker: it.ticker.clone(),
                from: it.was.clone(),
                to: it.outcome.watermark.clone(),
                market_time: it.market_time,
            })
            .collect();

        txn.trades_confirm(&confirmations).await?;
        txn.trades_correct(&corrections).await?;
        txn.trades_remove_heard(&phantoms).await?;
        txn.trades_unplace(&collect(|outcome| outcome.unplaced.clone())).await?;
        txn.faults_insert(&faults, now).await?;
        txn.counts_add(&counts.into_deltas()).await?;
        txn.rejections_insert(&refused).await?;
        txn.incidents_insert(&incidents, now).await?;
        let changed_finals = txn.figures_insert_final(&finals, now).await?;
        txn.latest_upsert(&newest, true, now).await?;
        txn.watermarks_advance(&advances, now).await?;
        txn.commit().await?;

        if changed_finals > 0 {
            tracing::error!(
                changed_finals,
                "{changed_finals} marks are final with other values; they were left as they are"
            );
        }
        self.metrics.settled(&finals, &confirmations, &faults, now);
        for incident in &incidents {
            tracing::warn!(ticker = %incident.ticker, "{}: {}", incident.ticker, incident.detail);
        }
        let mut has_more: HashMap<Ticker, bool> = all.into_iter().map(|it| (it.ticker, it.outcome.has_more)).collect();
        for (ticker, reply) in replies {
            let Some(book) = self.books.get(&ticker) else { continue };
            let has_more = has_more.remove(&ticker).unwrap_or(true);
            // Who asked may be gone; the next session asks again.
            let _ = reply.send(Settled { watermark: book.watermark().clone(), has_more });
        }
        Ok(())
    }
}

/// What is held, per ticker, each trade once.
fn merge_known(by_id: Vec<Known>, unconfirmed: Vec<Known>) -> HashMap<Ticker, Vec<Known>> {
    let mut merged: HashMap<Ticker, HashMap<TradeId, Known>> = HashMap::new();
    for known in unconfirmed.into_iter().chain(by_id) {
        merged.entry(known.trade.ticker.clone()).or_default().insert(known.trade.id.clone(), known);
    }
    merged.into_iter().map(|(ticker, by_id)| (ticker, by_id.into_values().collect())).collect()
}

fn refused_rows(ticker: &Ticker, answer: &Answer) -> Vec<Refused> {
    let received_at = clock::wall();
    let kept = answer.rejected.iter().take(REFUSED_KEPT_PER_ANSWER);
    kept.map(|(rejection, row)| Refused {
        channel: Channel::Rest,
        ticker: Some(ticker.clone()),
        kind: rejection.kind(),
        reason: rejection.to_string(),
        frame: row.clone(),
        received_at,
    })
    .collect()
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
