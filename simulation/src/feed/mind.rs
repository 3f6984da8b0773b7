//! The market changes its mind: it alters, withdraws and inserts trades that it
//! told otherwise, or not at all, when they were settled.
//!
//! Only what the auditor can find is changed, and only when it can be said
//! without doubt what the ledger of faults must hold: a trade is on the settled
//! tape, no copy of it is still to come or to be taken in, its millisecond fits
//! on a page (where it goes with room left, for a row that proves what is gone),
//! and it is not its ticker's last. Everything else is chance: it may move within the settled tape or out
//! of it, change twice before it is read once, or be put back as it was.

use std::collections::BTreeSet;

use tape::{EpochMs, Finding, Mark, Price, Quantity, Ticker, Trade, TradeId};

use super::truth::{TrueTrade, Truth, decimal};
use crate::chance::Chance;
use crate::memory::disk::{Disk, TradeName};

/// How soon a change is tried again that could not be made.
const TRY_EVERY_MS: i64 = 1_000;

/// How many trades are looked at in one try.
const CANDIDATES: usize = 6;

/// How far a trade moves, and an inserted one lies from another.
const MOVES_MS: [i64; 9] = [1, -1, 999, -1_000, 1_001, 7_000, -20_000, 310_000, -300_000];

/// What the market says, and what of it will change.
#[derive(Debug)]
pub struct Mind {
    /// What was truly traded, as it is told now.
    pub truth: Truth,
    /// Every change so far, in order.
    pub changes: Vec<Finding>,
    /// Rows given that are no trades.
    pub refused_rows: u64,
    /// Names of changed trades that may not be held as they are told.
    open: BTreeSet<TradeName>,
    due: Vec<i64>,
    next_try_at: i64,
    page_limit: usize,
    chance: Chance,
}

/// What is known of the run when the market changes its mind.
pub struct Present<'a> {
    /// The moment.
    pub now: i64,
    /// The tables.
    pub disk: &'a Disk,
    /// Whether a copy of a trade is still to come, or to be taken in.
    pub is_awaited: &'a dyn Fn(&TradeName) -> bool,
}

impl Mind {
    /// A market that will change its mind at some moments.
    pub fn new(truth: Truth, mut due: Vec<i64>, page_limit: usize, seed: u64) -> Self {
        due.sort_unstable();
        let chance = Chance::of(seed, "mind");
        Self {
            truth,
            changes: Vec::new(),
            refused_rows: 0,
            open: BTreeSet::new(),
            due,
            next_try_at: 0,
            page_limit,
            chance,
        }
    }

    /// Changes what is due, if it can be.
    pub fn act(&mut self, present: &Present<'_>) {
        if self.due.first().is_none_or(|due| present.now < *due) || present.now < self.next_try_at {
            return;
        }
        self.next_try_at = present.now + TRY_EVERY_MS;
        for _ in 0..CANDIDATES {
            if let Some(change) = self.change(present) {
                self.due.remove(0);
                self.truth.change(&change, present.now);
                let (ticker, id) = change.name();
                self.open.insert((ticker.clone(), id.clone()));
                self.changes.push(change);
                return;
            }
        }
    }

    /// The trades that changed and are not held as they are told now, each with
    /// the first time at which a reading would find it.
    pub fn not_followed(&mut self, disk: &Disk) -> Vec<(Ticker, EpochMs)> {
        let mut found = Vec::new();
        self.open.retain(|(ticker, id)| {
            let told = self.truth.find(ticker, id);
            let held = disk.trades.get(&(ticker.clone(), id.clone())).filter(|row| row.is_validated);
            let is_followed = match (told, held) {
                (Some(told), Some(held)) => {
                    (told.traded_at, told.price, told.quantity) == (held.at, held.price, held.quantity)
                }
                (told, held) => told.is_none() && held.is_none(),
            };
            let times = told.map(|told| told.traded_at).into_iter().chain(held.map(|held| held.at));
            found.extend(times.min().filter(|_| !is_followed).map(|at| (ticker.clone(), at)));
            !is_followed
        });
        found
    }

    /// A change that may be made now.
    fn change(&mut self, present: &Present<'_>) -> Option<Finding> {
        let nth = self.chance.between(0, i64::try_from(present.disk.tickers.len()).ok()? - 1);
        let (ticker, _) = present.disk.tickers.iter().nth(usize::try_from(nth).ok()?)?;
        let trades = self.truth.trades.get(ticker).filter(|trades| !trades.is_empty())?;
        // Those of late lie in the windows that are still moving.
        let settled = trades.partition_point(|it| it.trade.traded_at <= settled_until(present, ticker));
        let recent = if self.chance.per_mille(500) { settled.saturating_sub(20) } else { 0 };
        let nth = self.chance.between(i64::try_from(recent).ok()?, i64::try_from(settled).ok()? - 1);
        let was = trades.get(usize::try_from(nth).ok()?)?.trade.clone();
        let (kind, moved_ms) = (self.chance.between(0, 3), *self.chance.pick(&MOVES_MS));
        let price = Price::parse(&decimal(&mut self.chance, 60_000, 2)).expect("a price");
        let quantity = Quantity::parse(&decimal(&mut self.chance, 30, 3)).expect("a quantity");
        let moved_at = was.traded_at.plus_ms(moved_ms);
        let id = TradeId::new(&format!("afterthought-{}", self.changes.len())).expect("an id");
        let change = match kind {
            0 => Finding::Altered { now: Trade { price, quantity, ..was.clone() }, was },
            1 => Finding::Altered { now: Trade { traded_at: moved_at, ..was.clone() }, was },
            2 => Finding::Added { now: Trade { id, traded_at: moved_at, price, quantity, ..was } },
            _ => Finding::Withdrawn { was },
        };
        self.may_be_made(present, &change).then_some(change)
    }

    fn may_be_made(&self, present: &Present<'_>, change: &Finding) -> bool {
        let (ticker, id) = change.name();
        let Some(row) = present.disk.tickers.get(ticker) else { return false };
        let whole_from = Mark::at_or_after(row.tape_from).at();
        let settled_until = settled_until(present, ticker);
        let Some(last) = self.truth.trades.get(ticker).and_then(|trades| trades.last()) else { return false };
        let has_incident = |at: EpochMs| {
            let own = present.disk.incidents.range((ticker.clone(), String::new(), EpochMs::new(0))..);
            own.take_while(|(key, _)| key.0 == *ticker).any(|(key, _)| key.2 == at)
        };
        let is_room = |at: EpochMs| self.truth.at(ticker, at) + 1 < self.page_limit && !has_incident(at);
        // A withdrawal is believed only behind an earlier trade: the first on the tape stays.
        let mut on_tape = self.truth.trades.get(ticker).into_iter().flatten().map(|it| it.trade.traded_at);
        let Some(first_at) = on_tape.find(|at| whole_from < *at) else { return false };
        let is_readable = |at: EpochMs| first_at < at && at < last.trade.traded_at && at.ms() <= present.now;
        let was_fits = change.was().is_none_or(|was| {
            let (at, name) = (was.traded_at, (ticker.clone(), id.clone()));
            is_readable(at)
                && at <= settled_until
                && self.truth.at(ticker, at) <= self.page_limit
                && !has_incident(at)
                && !(present.is_awaited)(&name)
        });
        let now_fits = change.now().is_none_or(|now| {
            let has_room = is_room(now.traded_at) || change.was().is_some_and(|was| was.traded_at == now.traded_at);
            is_readable(now.traded_at) && has_room && (change.was().is_some() || now.traded_at <= settled_until)
        });
        was_fits && now_fits && change.was() != change.now()
    }
}

fn settled_until(present: &Present<'_>, ticker: &Ticker) -> EpochMs {
    present.disk.tickers.get(ticker).map_or(EpochMs::new(0), |row| row.watermark.settled_until())
}

impl Truth {
    /// How many trades a millisecond has.
    fn at(&self, ticker: &Ticker, at: EpochMs) -> usize {
        let trades = self.trades.get(ticker).map_or(&[][..], Vec::as_slice);
        let from = trades.partition_point(|it| it.trade.traded_at < at);
        trades[from..].iter().take_while(|it| it.trade.traded_at == at).count()
    }

    /// Tells otherwise from now on.
    fn change(&mut self, change: &Finding, now: i64) {
        let (ticker, id) = change.name();
        let Some(trades) = self.trades.get_mut(ticker) else { return };
        trades.retain(|it| it.trade.id != *id);
        if let Some(trade) = change.now() {
            let at = trades.partition_point(|it| it.trade.traded_at <= trade.traded_at);
            trades.insert(at, TrueTrade { trade: trade.clone(), visible_at: now });
        }
    }
}
