//! What REST answered for some tickers: confirmed trades, verdicts, final
//! figures and watermarks, in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use market::{Answer, Gap};
use store::{Advance, ChainStep, Channel, CountDelta, Figure, Incident, Refused};
use tape::book::{self, Inconsistent};
use tape::{
    Book, Confirmation, EpochMs, Fault, Known, Outcome, Page, Ticker, Trade, TradeId, Verdict, Watermark, reconcile,
};
use tokio::sync::oneshot;

use super::chaining::ChainedFinals;
use super::hearing::Counts;
use super::suspecting::count_grades;
use super::{Engine, SessionError};
use crate::tables::{Tables, TablesTxn, TradeName};

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

/// From so many trades on that nobody heard of it is worth trying to write them
/// before looking what is held.
const WORTH_TRYING: usize = 50;

/// Books that hold no more seconds than these together are copied, to judge what
/// may turn out otherwise: a megabyte or so.
const SECONDS_COPIED: usize = 4_000;

/// One ticker's page and what it comes to.
struct Verdicts {
    ticker: Ticker,
    was: Watermark,
    market_time: EpochMs,
    outcome: Outcome,
    /// What that settles, until it is chained.
    settled: Vec<book::Settled>,
    gaps: Vec<Gap>,
    /// Whether the trades beyond its question are written already.
    is_written: bool,
}

/// A page that answers the question still open for its ticker.
struct Current {
    ticker: Ticker,
    was: Watermark,
    page: Page,
    gaps: Vec<Gap>,
}

/// Everything some pages change, in the order it is written.
struct Findings {
    /// Those that are not written yet.
    confirmations: Vec<Confirmation>,
    /// How many there are in all.
    confirmed: usize,
    corrections: Vec<Trade>,
    phantoms: Vec<(Ticker, TradeId)>,
    unplaced: Vec<Known>,
    faults: Vec<Fault>,
    counts: Vec<CountDelta>,
    refused: Vec<Refused>,
    incidents: Vec<Incident>,
    advances: Vec<Advance>,
}

/// From so many marks of one ticker on it is worth asking whether anything was
/// said of one: if not, they are written while they are chained.
const WORTH_ASKING: usize = 500;

/// What became final.
#[derive(Default)]
struct Finals {
    /// Those that are not written yet.
    finals: Vec<Figure>,
    /// Those that are.
    written: Vec<Figure>,
    /// Those that are newer than any live mark: normally the live ones are
    /// ahead, but a market that stands still has none.
    newest: Vec<Figure>,
    steps: Vec<ChainStep>,
}

impl<T: Tables> Engine<T> {
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
                refused.extend(refused_rows(&ticker, &answer, self.clock.wall()));
                pages.push(Current { ticker: ticker.clone(), was: watermark, page: answer.page, gaps: answer.gaps });
            }
            replies.push((ticker, reply));
        }

        let txn = self.tables.begin().await?;
        let mut verdicts = self.judge(&txn, &pages).await?;
        let now = self.clock.wall();
        let Finals { finals, written, newest, steps } = self.final_figures(&txn, &mut verdicts, now).await?;
        let mut findings = Findings::of(&verdicts, refused, self.settings.late_after_ms);
        let both = || written.iter().chain(&finals);
        let took_ms = self.timing.became_final(both(), self.live_at, self.clock.now().unwrap_or(now));
        for advance in &mut findings.advances {
            advance.time_to_final = self.timing.measured_anew(&advance.ticker);
        }
        findings.counts.extend(std::mem::take(&mut self.audited).into_deltas());
        findings.write(&txn, now).await?;
        self.bounds.settle(&txn, &finals).await?;
        let changed_finals = txn.figures_insert_final(&finals, now).await?;
        txn.chain_advance(&steps).await?;
        txn.latest_upsert(&newest, true, now).await?;
        txn.watermarks_advance(&findings.advances, now).await?;
        txn.commit().await?;

        if changed_finals > 0 {
            tracing::error!(
                changed_finals,
                "{changed_finals} marks are final with other values; they were left as they are"
            );
        }
        for incident in &findings.incidents {
            tracing::warn!(ticker = %incident.ticker, "{}: {}", incident.ticker, incident.detail);
        }
        self.metrics.settled(both().count(), &took_ms, findings.confirmed, &findings.faults, now);
        self.reply(replies, &verdicts);
        Ok(())
    }

    /// Holds each page against what is known of its trades, and takes what it
    /// settles into the ticker's book.
    async fn judge(&mut self, txn: &impl TablesTxn, pages: &[Current]) -> Result<Vec<Verdicts>, SessionError> {
        let patience = self.settings.patience;
        let reaches: Vec<(Ticker, EpochMs)> =
            pages.iter().map(|it| (it.ticker.clone(), it.page.reach(&it.was, patience))).collect();
        let heard = txn.trades_heard_until(&reaches).await?;
        let heard_of: HashSet<&Ticker> = heard.iter().map(|known| &known.trade.ticker).collect();
        let is_unheard = |it: &Current| !heard_of.contains(&it.ticker);

        // Where nobody heard anything, as in a backfill, what REST tells anew is
        // not held either; whether that is so, writing it tells for nothing.
        let mut unheld: Vec<&Trade> = Vec::new();
        for it in pages.iter().filter(|it| is_unheard(it)) {
            unheld.extend(it.page.beyond_its_question(&it.was, patience));
        }
        if WORTH_TRYING <= unheld.len() {
            let known = merge_known(txn.trades_known(&asked_names(pages, is_unheard)).await?, heard.clone());
            // Postgres is at work for longer than it takes to judge as if all were new.
            let before = self.copies_of_books(pages);
            let mut verdicts = None;
            let judge = || verdicts = before.is_some().then(|| self.verdicts(pages, &known, is_unheard));
            if txn.trades_copy_confirmed(&unheld, judge).await? {
                return Ok(verdicts.unwrap_or_else(|| self.verdicts(pages, &known, is_unheard))?);
            }
            for (ticker, book) in before.into_iter().flatten() {
                self.books.insert(ticker, book);
            }
        }
        let known = merge_known(txn.trades_known(&asked_names(pages, |_| false)).await?, heard);
        Ok(self.verdicts(pages, &known, |_| false)?)
    }

    /// The books of some pages as they are; none when that is too much to copy.
    fn copies_of_books(&self, pages: &[Current]) -> Option<Vec<(Ticker, Book)>> {
        let books = || pages.iter().filter_map(|it| Some((&it.ticker, self.books.get(&it.ticker)?)));
        let held_seconds: usize = books().map(|(_, book)| book.held_seconds()).sum();
        (held_seconds <= SECONDS_COPIED).then(|| books().map(|(ticker, book)| (ticker.clone(), book.clone())).collect())
    }

    fn verdicts(
        &mut self,
        pages: &[Current],
        known: &BTreeMap<Ticker, Vec<Known>>,
        is_written: impl Fn(&Current) -> bool,
    ) -> Result<Vec<Verdicts>, Inconsistent> {
        let mut verdicts = Vec::with_capacity(pages.len());
        for it in pages {
            let Current { ticker, was, page, gaps } = it;
            let own = known.get(ticker).map_or(&[][..], Vec::as_slice);
            let outcome = reconcile(was, page, own, self.settings.patience);
            let settled = self.books.get_mut(ticker).map(|book| book.settle(&outcome)).transpose()?;
            verdicts.push(Verdicts {
                ticker: ticker.clone(),
                was: was.clone(),
                market_time: page.market_time,
                outcome,
                settled: settled.unwrap_or_default(),
                gaps: gaps.clone(),
                is_written: is_written(it),
            });
        }
        Ok(verdicts)
    }

    /// The final figures of every mark passed, each with its place in the chain.
    /// Where there are many of which nothing was said, they are written as they
    /// are made: else Postgres would wait for us, and then we for Postgres.
    async fn final_figures(
        &mut self,
        txn: &impl TablesTxn,
        verdicts: &mut [Verdicts],
        now: EpochMs,
    ) -> Result<Finals, SessionError> {
        let mut all = Finals::default();
        for Verdicts { ticker, outcome, settled, .. } in verdicts {
            let mut appending = self.chains.append(ticker, std::mem::take(settled), &outcome.watermark);
            let is_written = match appending.span().filter(|_| WORTH_ASKING <= appending.left()) {
                Some(span) => txn.figures_copy_final(&span, &mut appending, now).await?,
                None => false,
            };
            let ChainedFinals { figures, step } = appending.finish();
            all.newest.extend(figures.last().filter(|figure| self.live_at <= figure.mark).cloned());
            if is_written { &mut all.written } else { &mut all.finals }.extend(figures);
            all.steps.extend(step);
        }
        Ok(all)
    }

    fn reply(&self, replies: Vec<(Ticker, oneshot::Sender<Settled>)>, verdicts: &[Verdicts]) {
        let has_more: HashMap<&Ticker, bool> = verdicts.iter().map(|it| (&it.ticker, it.outcome.has_more)).collect();
        for (ticker, reply) in replies {
            let Some(book) = self.books.get(&ticker) else { continue };
            // What was not judged was asked from an older watermark: ask again at once.
            let has_more = has_more.get(&ticker).copied().unwrap_or(true);
            // Who asked may be gone; the next session asks again.
            let _ = reply.send(Settled { watermark: book.watermark().clone(), has_more });
        }
    }
}

impl Findings {
    fn of(verdicts: &[Verdicts], refused: Vec<Refused>, late_after_ms: i64) -> Self {
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
        let mut counts = count(confirmed(), &faults, &refused);
        counts.extend(count_grades(verdicts.iter().flat_map(|it| it.outcome.grades())));
        let incidents = verdicts.iter().flat_map(|it| unpageable_millisecond(it).into_iter().chain(gaps(it))).collect();
        let confirmed = confirmed().count();
        Self { confirmations, confirmed, corrections, phantoms, unplaced, faults, counts, refused, incidents, advances }
    }

    /// Writes all but the figures and the watermarks.
    async fn write(&self, txn: &impl TablesTxn, now: EpochMs) -> Result<(), SessionError> {
        txn.trades_confirm(&self.confirmations).await?;
        txn.trades_correct(&self.corrections).await?;
        txn.trades_remove_heard(&self.phantoms).await?;
        txn.trades_unplace(&self.unplaced).await?;
        txn.faults_insert(&self.faults, now).await?;
        txn.counts_add(&self.counts).await?;
        txn.rejections_insert(&self.refused).await?;
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

/// The names of pages' trades that may be held; of pages that are written as if
/// they were new, only those that they begin with again.
fn asked_names(pages: &[Current], is_written: impl Fn(&Current) -> bool) -> Vec<TradeName> {
    let mut names = Vec::new();
    for it in pages {
        let last = if is_written(it) { it.was.ask_from() } else { EpochMs::MAX };
        let asked = it.page.trades.iter().filter(|trade| trade.traded_at <= last);
        names.extend(asked.map(|trade| (it.ticker.clone(), trade.id.clone())));
    }
    names
}

/// What is held, per ticker, each trade once; in an order that does not change
/// from run to run, since verdicts are written in it.
fn merge_known(by_id: Vec<Known>, unconfirmed: Vec<Known>) -> BTreeMap<Ticker, Vec<Known>> {
    let mut merged: BTreeMap<Ticker, BTreeMap<TradeId, Known>> = BTreeMap::new();
    for known in unconfirmed.into_iter().chain(by_id) {
        merged.entry(known.trade.ticker.clone()).or_default().insert(known.trade.id.clone(), known);
    }
    merged.into_iter().map(|(ticker, by_id)| (ticker, by_id.into_values().collect())).collect()
}

fn refused_rows(ticker: &Ticker, answer: &Answer, received_at: EpochMs) -> Vec<Refused> {
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
