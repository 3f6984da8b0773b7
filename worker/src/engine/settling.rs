//! What REST answered for some tickers: confirmed trades, verdicts, final
//! figures and watermarks, in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};

use market::{Answer, Gap};
use store::{ChainStep, Channel, Figure, Refused};
use tape::book::Inconsistent;
use tape::{Book, EpochMs, Known, Page, Ticker, Trade, TradeId, Watermark, reconcile};
use tokio::sync::oneshot;

use super::chaining::ChainedFinals;
use super::findings::{Findings, Verdicts};
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

/// A page that answers the question still open for its ticker.
struct Current {
    ticker: Ticker,
    was: Watermark,
    page: Page,
    gaps: Vec<Gap>,
}

/// From so many marks of one ticker on it is worth asking whether anything was
/// said of one: if not, they are written while they are chained.
const WORTH_ASKING: usize = 500;

/// What became final.
#[derive(Default)]
struct Finals {
    /// How many figures.
    count: usize,
    /// How long the live ones of them took, in milliseconds.
    took_ms: Vec<i64>,
    /// Those that are not written yet.
    unwritten: Vec<Figure>,
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
        let verdicts = self.judge(&txn, &pages).await?;
        let now = self.clock.wall();
        let late_after_ms = self.settings.late_after_ms;
        let find = || Findings::of(&verdicts, &refused, late_after_ms);
        let mut found = None;
        let finals = self.final_figures(&txn, &verdicts, now, || found = Some(find())).await?;
        let Finals { count, took_ms, unwritten, newest, steps } = finals;
        let mut findings = found.unwrap_or_else(find);
        for advance in &mut findings.advances {
            advance.time_to_final = self.timing.measured_anew(&advance.ticker);
        }
        findings.counts.extend(std::mem::take(&mut self.audited).into_deltas());
        findings.write(&txn, now).await?;
        txn.rejections_insert(&refused).await?;
        self.bounds.settle(&txn, &unwritten).await?;
        let changed_finals = txn.figures_insert_final(&unwritten, now).await?;
        // In one round trip, since none depends on another, and no rows are copied any more.
        tokio::try_join!(
            biased;
            txn.counts_add(&findings.counts),
            txn.chain_advance(&steps),
            txn.latest_upsert(&newest, true, now),
            txn.watermarks_advance(&findings.advances, now),
        )?;
        // What was judged is not looked at any more, and takes a while to be freed.
        let has_more: HashMap<Ticker, bool> =
            verdicts.iter().map(|it| (it.ticker.clone(), it.outcome.has_more)).collect();
        let (committed, ()) = tokio::join!(biased; txn.commit(), async { drop((verdicts, pages, unwritten)) });
        committed?;

        if changed_finals > 0 {
            tracing::error!(
                changed_finals,
                "{changed_finals} marks are final with other values; they were left as they are"
            );
        }
        for incident in &findings.incidents {
            tracing::warn!(ticker = %incident.ticker, "{}: {}", incident.ticker, incident.detail);
        }
        self.metrics.settled(count, &took_ms, findings.confirmed, &findings.faults, now);
        self.reply(replies, &has_more);
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
    /// `meanwhile` is done once while it writes, or never where none are many.
    async fn final_figures(
        &mut self,
        txn: &impl TablesTxn,
        verdicts: &[Verdicts],
        now: EpochMs,
        meanwhile: impl FnOnce() + Send,
    ) -> Result<Finals, SessionError> {
        let mut all = Finals::default();
        let mut meanwhile = Some(meanwhile);
        for Verdicts { ticker, outcome, settled, .. } in verdicts {
            let mut appending = self.chains.append(ticker, settled, &outcome.watermark);
            let are_written = match appending.span().filter(|_| WORTH_ASKING <= appending.marks().len()) {
                Some(span) => {
                    let once = || {
                        if let Some(meanwhile) = meanwhile.take() {
                            meanwhile();
                        }
                    };
                    txn.figures_copy_final(&span, &mut appending, now, once).await?
                }
                None => false,
            };
            all.count += appending.marks().len();
            let became_at = self.clock.now().unwrap_or(now);
            all.took_ms.extend(self.timing.became_final(ticker, appending.marks(), self.live_at, became_at));
            let ChainedFinals { figures, last, step } = appending.finish(are_written);
            all.newest.extend(last.filter(|figure| self.live_at <= figure.mark));
            all.unwritten.extend(figures);
            all.steps.extend(step);
        }
        Ok(all)
    }

    /// Tells who asked where to ask from next; `has_more` of the tickers that were judged.
    fn reply(&self, replies: Vec<(Ticker, oneshot::Sender<Settled>)>, has_more: &HashMap<Ticker, bool>) {
        for (ticker, reply) in replies {
            let Some(book) = self.books.get(&ticker) else { continue };
            // What was not judged was asked from an older watermark: ask again at once.
            let has_more = has_more.get(&ticker).copied().unwrap_or(true);
            // Who asked may be gone; the next session asks again.
            let _ = reply.send(Settled { watermark: book.watermark().clone(), has_more });
        }
    }
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
