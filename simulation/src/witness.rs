//! Watches every commit: what may never happen is noticed when it happens, and
//! what workers were given and committed is kept for the ledger's sake.

mod said;

use std::collections::{BTreeMap, BTreeSet};

use market::Said;
use tape::{EpochMs, Finding};

use crate::memory::disk::{Disk, TradeName, TradeRow, Writes};
use crate::process::is_named;
use said::{Held, SCANNED_EVERY_S};

/// More violations than this are not kept.
const VIOLATIONS_KEPT: usize = 20;

/// What a worker took from its socket in one batch, and when by its own clock.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The worker's present.
    pub now: EpochMs,
    /// What it took.
    pub said: Vec<Said>,
}

/// How a trade came to be confirmed.
#[derive(Debug, Clone, Copy)]
pub struct Confirmed {
    /// In which commit.
    pub commit: u64,
    /// Since when the worker that committed it was listening.
    pub listening_since: Option<EpochMs>,
    /// With which time.
    pub at: EpochMs,
    /// Whether an audit brought it.
    pub is_audited: bool,
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Witness {
    /// What may never happen, and did.
    pub violations: Vec<String>,
    /// Batches whose commit took place, by commit.
    pub batches: BTreeMap<u64, Batch>,
    /// The confirmations of each trade: one, unless it was withdrawn in between.
    pub confirmed: BTreeMap<TradeName, Vec<Confirmed>>,
    /// Statements so far.
    pub statements: u64,
    /// Commits so far.
    pub commits: u64,
    digest: u64,
    pending: BTreeMap<usize, Batch>,
    listening: BTreeMap<usize, EpochMs>,
    /// Workers whose term began when everything committed was still there.
    has_all: BTreeSet<usize>,
}

impl Witness {
    /// Takes note of a statement.
    pub fn note(&mut self, now: i64, doing: &str, rows: usize) {
        self.statements += 1;
        self.mix(&now.to_le_bytes());
        self.mix(doing.as_bytes());
        self.mix(&rows.to_le_bytes());
    }

    /// A number that depends on every statement and its order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Adds bytes to the digest (FNV-1a).
    pub fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.digest = (self.digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// A worker is about to write what it heard.
    pub fn is_hearing(&mut self, worker: usize, batch: Batch) {
        self.pending.insert(worker, batch);
    }

    /// A worker has heard, one way or the other.
    pub fn has_heard(&mut self, worker: usize) {
        self.pending.remove(&worker);
    }

    /// Since when a worker has been listening.
    pub fn listens(&mut self, worker: usize, since: EpochMs) {
        self.listening.insert(worker, since);
    }

    /// A worker begins a term, or is gone.
    pub fn forgets(&mut self, worker: usize) {
        self.pending.remove(&worker);
        self.listening.remove(&worker);
        self.has_all.insert(worker);
    }

    /// Whether a worker is writing, or about to write, a copy of a trade.
    pub fn is_writing(&self, name: &TradeName) -> bool {
        let mut said = self.pending.values().flat_map(|batch| &batch.said);
        said.any(|said| matches!(said, Said::Trade(heard) if is_named(heard, &name.0, &name.1)))
    }

    /// Keeps a violation.
    pub fn accuse(&mut self, what: String) {
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(what);
        }
    }

    /// A crash of the server undid a commit.
    pub fn undone(&mut self, commit: u64) {
        // Until its term ends, a worker knows more than the tables.
        self.has_all.clear();
        self.batches.remove(&commit);
        self.confirmed.values_mut().for_each(|all| all.retain(|confirmed| confirmed.commit != commit));
    }

    /// Looks at what is about to be committed.
    pub fn watch(&mut self, disk: &Disk, writes: &Writes, by: (usize, u64), epoch: i64, current_epoch: i64) {
        let (worker, commit) = by;
        self.commits += 1;
        if epoch != current_epoch {
            self.accuse(format!("a commit of epoch {epoch} took place in epoch {current_epoch}"));
        }
        if let Some(batch) = self.pending.remove(&worker) {
            self.batches.insert(commit, batch);
        }
        self.watch_trades(disk, writes, worker, commit);
        self.watch_figures(disk, writes);
        if self.has_all.contains(&worker) {
            self.watch_said(disk, writes);
        }
        for (ticker, row) in &writes.tickers {
            let (Some(was), Some(row)) = (disk.tickers.get(ticker), row) else { continue };
            if was.watermark != row.watermark && !was.watermark.is_before(&row.watermark) {
                self.accuse(format!("the watermark of {ticker} went from {:?} to {:?}", was.watermark, row.watermark));
            }
        }
    }

    fn watch_trades(&mut self, disk: &Disk, writes: &Writes, worker: usize, commit: u64) {
        let listening_since = self.listening.get(&worker).copied();
        for (name, row) in &writes.trades {
            let was = disk.trades.get(name).filter(|row| row.is_validated);
            let is = row.as_ref().filter(|row| row.is_validated);
            let correction = correction(writes, name);
            match (was, is) {
                (Some(_), None) if correction.is_none_or(|it| it.now().is_some()) => {
                    self.accuse(format!("the confirmed trade {} {} is no longer confirmed", name.0, name.1));
                }
                (Some(was), Some(is))
                    if is_settled(disk, name, was.at) && is_other(was, is) && correction.is_none() =>
                {
                    self.accuse(format!("the settled trade {} {} changed without a word", name.0, name.1));
                }
                (None, Some(is)) => {
                    let is_audited = correction.is_some();
                    let confirmed = Confirmed { commit, listening_since, at: is.at, is_audited };
                    self.confirmed.entry(name.clone()).or_default().push(confirmed);
                }
                _ => {}
            }
        }
    }

    fn watch_figures(&mut self, disk: &Disk, writes: &Writes) {
        for ((ticker, interval, mark), row) in &writes.figures {
            let Some(was) = disk.figures.get(&(ticker.clone(), *interval, *mark)) else { continue };
            let entry = writes.restatements.get(&(ticker.clone(), *interval, *mark, was.revision + 1));
            let entry = entry.and_then(Option::as_ref);
            let same = row.as_ref().is_some_and(|row| {
                let is_rooted = (row.final_at, row.chained) == (was.final_at, was.chained);
                let is_said = entry.is_some_and(|it| (it.old, it.new) == (was.sums, row.sums));
                let is_same = entry.is_none() && row.sums == was.sums && row.price == was.price;
                let revision = was.revision + u32::from(entry.is_some());
                is_rooted && row.revision == revision && (is_same || is_said)
            });
            if was.final_at.is_some() && !same {
                self.accuse(format!("the final figure of {ticker} at {mark} changed without its restatement"));
            }
        }
        let restated = writes.restatements.len() as u64;
        let mut corrections = writes.corrections.values().flatten().peekable();
        if restated > 0 && corrections.peek().is_none() {
            self.accuse(format!("{restated} figures were restated, and no trade was corrected"));
        }
        if let Some(row) = corrections.find(|row| row.restated != restated) {
            self.accuse(format!("{restated} figures were restated, the ledger says {}", row.restated));
        }
    }

    /// What is said of a mark before it is final is what the tables hold then.
    fn watch_said(&mut self, disk: &Disk, writes: &Writes) {
        for ((ticker, interval, mark), row) in &writes.figures {
            let Some(row) = row.as_ref().filter(|row| row.final_at.is_none()) else { continue };
            if mark.at().ms() / 1_000 % SCANNED_EVERY_S != 0 {
                continue;
            }
            let held = Held::of(disk, ticker, mark.at().minus_ms(interval.ms()), mark.at());
            if !held.is_said_by(row) {
                self.accuse(format!("{ticker}: of the mark {mark} {row:?} is said, the tables hold {held:?}"));
            }
        }
    }
}

/// What a transaction says about a trade in the ledger of corrections.
fn correction<'a>(writes: &'a Writes, name: &TradeName) -> Option<&'a Finding> {
    let mut findings = writes.corrections.values().flatten().map(|row| &row.finding);
    findings.find(|finding| finding.name() == (&name.0, &name.1))
}

fn is_settled(disk: &Disk, name: &TradeName, at: EpochMs) -> bool {
    disk.tickers.get(&name.0).is_some_and(|row| at <= row.watermark.settled_until())
}

fn is_other(was: &TradeRow, is: &TradeRow) -> bool {
    (was.at, was.price, was.quantity) != (is.at, is.price, is.quantity)
}
