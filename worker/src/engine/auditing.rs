//! What reading settled trades again came to. Where the exchange changed its
//! mind, trades, figures, chain and ledger follow in one transaction.

use std::collections::VecDeque;

use store::{AskedHoldings, ChainStep, Restatement};
use tape::audit::{Holdings, still_stands};
use tape::{
    Amendment, Book, Confirmation, EpochMs, Finding, HeldFinal, Known, Mark, Standing, Ticker, Trade, TradeId, Verdict,
};
use tokio::sync::oneshot;

use super::{Engine, SessionError};
use crate::tables::{Tables, TablesTxn};

/// Trades are read in spans of so many seconds: what is held at once is bounded
/// whatever the window's length.
const SECONDS_AT_ONCE: i64 = 600;

/// So many marks are restated in one transaction at most.
const MARKS_RESTATED: i64 = 5_000;

/// One ticker's second reading, and who waits until it is dealt with.
pub struct Audited {
    /// The ticker.
    pub ticker: Ticker,
    /// The times of the trades told as before.
    pub agreed: Vec<EpochMs>,
    /// The changes of mind that two readings agree on.
    pub findings: Vec<Finding>,
    /// Told when all this is committed.
    pub reply: oneshot::Sender<()>,
}

impl<T: Tables> Engine<T> {
    /// Takes second readings in, up to a transaction's worth of findings; those
    /// that are left stay, for when the next mark has been looked to. Without
    /// findings nothing is written now: the counts go with the next settlement.
    ///
    /// # Errors
    /// Whatever the store says; nothing of a finding is written then.
    pub async fn audit(&mut self, waiting: &mut VecDeque<Audited>) -> Result<(), SessionError> {
        while let Some(audited) = waiting.front_mut() {
            for at in audited.agreed.drain(..) {
                self.audited.add(&audited.ticker, at, store::COUNT_AUDITED, 1);
            }
            let affordable = self.affordable().min(audited.findings.len());
            let group: Vec<Finding> = audited.findings.drain(..affordable).collect();
            let is_dealt_with = audited.findings.is_empty();
            if !group.is_empty() {
                self.follow_findings(&audited.ticker, &group).await?;
            }
            if is_dealt_with {
                // Who asked may be gone; the next session reads again.
                let _ = waiting.pop_front().map(|audited| audited.reply.send(()));
            }
            if !group.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// How many findings one transaction can restate the marks of; one finding
    /// is never parted.
    fn affordable(&self) -> usize {
        let marks_each = self.settings.seconds.saturating_mul(2).max(1);
        usize::try_from(MARKS_RESTATED / marks_each).unwrap_or(1).max(1)
    }

    /// Follows changes of mind about a ticker's settled trades, all in one transaction.
    async fn follow_findings(&mut self, ticker: &Ticker, findings: &[Finding]) -> Result<(), SessionError> {
        let Some(last_settled) = self.books.get(ticker).map(|book| Book::last_settled_mark(book.watermark())) else {
            return Ok(());
        };
        let txn = self.tables.begin().await?;
        let Some(held) = hold(&txn, ticker, findings).await? else { return Ok(()) };
        let findings: Vec<Finding> = findings.iter().filter(|finding| still_stands(finding, &held)).cloned().collect();
        if findings.is_empty() {
            return txn.commit().await.map_err(SessionError::from);
        }

        let mut amendment = Amendment::new(&findings, self.settings.seconds, last_settled);
        take_in_trades(&txn, ticker, &mut amendment).await?;
        let mut finals: Vec<HeldFinal> = Vec::new();
        for &(first, last) in amendment.ranges() {
            finals.extend(txn.finals_held(ticker, self.settings.interval, first, last).await?);
        }
        let restated = amendment.restated(held.tape_from, &finals);
        let (restatements, step): (Vec<Restatement>, Option<ChainStep>) = self.chains.restate(ticker, &restated);

        let now = self.clock.wall();
        let heard = |finding: &Finding| heard_copy(&held, finding);
        write_trades(&txn, &findings, heard).await?;
        let changed = txn.figures_restate(&restatements, now).await?;
        if changed != restatements.len() as u64 {
            // An entry of the chain would be counted that nobody finds.
            return Err(SessionError::NotRestated { ticker: ticker.clone() });
        }
        txn.chain_advance(step.as_slice()).await?;
        txn.corrections_insert(&findings, changed, now).await?;
        txn.commit().await?;

        if let Some(book) = self.books.get_mut(ticker) {
            for finding in &findings {
                book.amend(finding.was(), finding.now(), heard_copy(&held, finding))?;
            }
        }
        self.metrics.corrected(&findings, changed);
        let trades = findings.len();
        tracing::warn!(
            %ticker,
            trades,
            restated = changed,
            "the exchange changed its mind about {trades} settled trades of {ticker}, {changed} figures are restated: {}{}",
            findings[0],
            if trades > 1 { ", and more" } else { "" }
        );
        Ok(())
    }
}

/// What is held under the names of findings, with the tape from its first whole second on.
async fn hold(txn: &impl TablesTxn, ticker: &Ticker, findings: &[Finding]) -> Result<Option<Holdings>, SessionError> {
    let names: Vec<TradeId> = findings.iter().map(|finding| finding.name().1.clone()).collect();
    let none = EpochMs::new(0);
    let held = txn.holdings_hold(AskedHoldings { ticker, after: none, until: none, names: &names }).await?;
    Ok(held.map(from_whole_second))
}

/// The same holdings, of which only seconds that are kept whole are judged.
pub(crate) fn from_whole_second(held: Holdings) -> Holdings {
    Holdings { tape_from: Mark::at_or_after(held.tape_from).at(), ..held }
}

async fn take_in_trades(
    txn: &impl TablesTxn,
    ticker: &Ticker,
    amendment: &mut Amendment<'_>,
) -> Result<(), SessionError> {
    for (mut after, until) in amendment.spans() {
        while after < until {
            let next = after.minus_seconds(-SECONDS_AT_ONCE).min(until);
            amendment.take_in(txn.trades_confirmed(ticker, after.at(), next.at()).await?);
            after = next;
        }
    }
    Ok(())
}

async fn write_trades<'a>(
    txn: &impl TablesTxn,
    findings: &[Finding],
    heard: impl Fn(&Finding) -> Option<&'a Known>,
) -> Result<(), SessionError> {
    let mut altered: Vec<Trade> = Vec::new();
    let mut added = Vec::new();
    let mut withdrawn = Vec::new();
    for finding in findings {
        match finding {
            Finding::Altered { now, .. } => altered.push(now.clone()),
            Finding::Added { now } => {
                let received_at = heard(finding).and_then(received_at);
                added.push(Confirmation {
                    trade: now.clone(),
                    verdict: Verdict::Unheard,
                    received_at,
                    suspicion: None,
                });
            }
            Finding::Withdrawn { was } => withdrawn.push((was.ticker.clone(), was.id.clone())),
        }
    }
    txn.trades_correct(&altered).await?;
    txn.trades_confirm(&added).await?;
    txn.trades_withdraw(&withdrawn).await?;
    Ok(())
}

/// The copy of an added trade that was only heard so far.
fn heard_copy<'a>(held: &'a Holdings, finding: &Finding) -> Option<&'a Known> {
    let (_, id) = finding.name();
    held.trades.iter().find(|known| known.trade.id == *id && received_at(known).is_some())
}

fn received_at(known: &Known) -> Option<EpochMs> {
    match known.standing {
        Standing::Heard { received_at, .. } => Some(received_at),
        Standing::Confirmed { .. } => None,
    }
}
