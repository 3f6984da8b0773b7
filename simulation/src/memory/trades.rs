//! Trades as heard and as confirmed, and those kept aside.

use std::collections::BTreeMap;

use store::StoreError;
use tape::{Bucket, Confirmation, EpochMs, Extremes, Heard, Known, Mark, Standing, Sums, Ticker, Trade, TradeId};

use super::disk::{Disk, TradeName, TradeRow, Writes};
use super::txn::Txn;
use super::view::View;

pub(super) type TradeView<'a> = View<'a, TradeName, TradeRow>;

pub(super) fn trades<'a>(disk: &'a Disk, writes: &'a mut Writes) -> TradeView<'a> {
    View { held: &disk.trades, own: &mut writes.trades }
}

fn unplaced<'a>(disk: &'a Disk, writes: &'a mut Writes) -> TradeView<'a> {
    View { held: &disk.unplaced, own: &mut writes.unplaced }
}

impl Txn {
    pub(super) async fn trades_known(&self, names: &[TradeName]) -> Result<Vec<Known>, StoreError> {
        self.step("trades_known", names.len()).await?;
        let (state, mut writes) = self.sight();
        let mut names = names.to_vec();
        names.sort();
        names.dedup();
        let mut find = |name: &TradeName| {
            let placed = trades(&state.disk, &mut writes).get(name).cloned();
            placed.or_else(|| unplaced(&state.disk, &mut writes).get(name).cloned())
        };
        Ok(names.iter().filter_map(|name| find(name).map(|row| known(name, &row))).collect())
    }

    pub(super) async fn trades_heard_until(&self, reaches: &[(Ticker, EpochMs)]) -> Result<Vec<Known>, StoreError> {
        self.step("trades_heard_until", reaches.len()).await?;
        let (state, mut writes) = self.sight();
        let mut latest: BTreeMap<&Ticker, EpochMs> = BTreeMap::new();
        for (ticker, until) in reaches {
            let reach = latest.entry(ticker).or_insert(*until);
            *reach = (*reach).max(*until);
        }
        let mut found = Vec::new();
        for (ticker, until) in latest {
            let aside = of_ticker(&unplaced(&state.disk, &mut writes), ticker);
            found.extend(aside.iter().map(|(name, row)| known(name, row)));
            let tickers = View { held: &state.disk.tickers, own: &mut writes.tickers };
            let Some(after) = tickers.get(ticker).map(|row| row.watermark.settled_until()) else { continue };
            let committed = state.disk.trades_after(ticker, after).take_while(|(_, row)| row.at <= until);
            let mut names: Vec<TradeName> = committed.map(|(id, _)| (ticker.clone(), id.clone())).collect();
            names.extend(writes.trades.keys().filter(|name| name.0 == *ticker).cloned());
            names.sort();
            names.dedup();
            let view = trades(&state.disk, &mut writes);
            for name in names {
                let Some(row) = view.get(&name) else { continue };
                if !row.is_validated && after < row.at && row.at <= until {
                    found.push(known(&name, row));
                }
            }
        }
        Ok(found)
    }

    pub(super) async fn trades_copy_heard(&self, heard: &[Heard]) -> Result<bool, StoreError> {
        self.step("trades_copy_heard", heard.len()).await?;
        let (state, mut writes) = self.sight();
        if !unplaced(&state.disk, &mut writes).is_empty() {
            return Ok(false);
        }
        let mut view = trades(&state.disk, &mut writes);
        let firsts: Vec<(TradeName, TradeRow)> = firsts(heard).into_iter().collect();
        if firsts.iter().any(|(name, _)| view.get(name).is_some()) {
            return Ok(false);
        }
        firsts.into_iter().for_each(|(name, row)| view.put(name, row));
        Ok(true)
    }

    pub(super) async fn trades_insert_heard(&self, heard: &[Heard]) -> Result<Vec<TradeName>, StoreError> {
        self.step("trades_insert_heard", heard.len()).await?;
        let (state, mut writes) = self.sight();
        let mut new = Vec::new();
        for (name, row) in firsts(heard) {
            let is_aside = unplaced(&state.disk, &mut writes).get(&name).is_some();
            let mut view = trades(&state.disk, &mut writes);
            if !is_aside && view.get(&name).is_none() {
                view.put(name.clone(), row);
                new.push(name);
            }
        }
        Ok(new)
    }

    pub(super) async fn trades_insert_unplaced(&self, heard: &[Heard]) -> Result<Vec<TradeName>, StoreError> {
        self.step("trades_insert_unplaced", heard.len()).await?;
        let (state, mut writes) = self.sight();
        let mut new = Vec::new();
        for (name, row) in firsts(heard) {
            let mut view = unplaced(&state.disk, &mut writes);
            if view.get(&name).is_none() {
                view.put(name.clone(), row);
                new.push(name);
            }
        }
        Ok(new)
    }

    pub(super) async fn trades_mark_heard(&self, heard: &[Heard]) -> Result<u64, StoreError> {
        self.step("trades_mark_heard", heard.len()).await?;
        let (state, mut writes) = self.sight();
        let mut marked = 0;
        for (name, row) in firsts(heard) {
            let mut view = trades(&state.disk, &mut writes);
            let held = view.get(&name).filter(|held| held.is_validated && held.received_at.is_none()).cloned();
            if let Some(held) = held {
                view.put(name, TradeRow { received_at: row.received_at, ..held });
                marked += 1;
            }
        }
        Ok(marked)
    }

    pub(super) async fn trades_copy_confirmed(
        &self,
        given: &[&Trade],
        meanwhile: impl FnOnce() + Send,
    ) -> Result<bool, StoreError> {
        self.step("trades_copy_confirmed", given.len()).await?;
        meanwhile();
        let (state, mut writes) = self.sight();
        let mut view = trades(&state.disk, &mut writes);
        if given.iter().any(|trade| view.get(&name(trade)).is_some()) {
            return Ok(false);
        }
        // Of two with one name the first counts.
        for trade in given.iter().rev() {
            view.put(name(trade), row(trade, true, None));
        }
        Ok(true)
    }

    pub(super) async fn trades_confirm(&self, confirmations: &[Confirmation]) -> Result<(), StoreError> {
        self.step("trades_confirm", confirmations.len()).await?;
        let (state, mut writes) = self.sight();
        let mut firsts: BTreeMap<TradeName, &Confirmation> = BTreeMap::new();
        for confirmation in confirmations {
            firsts.entry(name(&confirmation.trade)).or_insert(confirmation);
        }
        for (name, Confirmation { trade, received_at, .. }) in firsts {
            let mut view = trades(&state.disk, &mut writes);
            let received_at = view.get(&name).and_then(|held| held.received_at).or(*received_at);
            view.put(name.clone(), row(trade, true, received_at));
            unplaced(&state.disk, &mut writes).take(&name);
        }
        Ok(())
    }

    pub(super) async fn trades_correct(&self, corrections: &[Trade]) -> Result<u64, StoreError> {
        self.step("trades_correct", corrections.len()).await?;
        let (state, mut writes) = self.sight();
        let mut firsts: BTreeMap<TradeName, &Trade> = BTreeMap::new();
        for trade in corrections {
            firsts.entry(name(trade)).or_insert(trade);
        }
        let mut corrected = 0;
        for (name, trade) in firsts {
            let mut view = trades(&state.disk, &mut writes);
            if let Some(held) = view.get(&name).filter(|held| held.is_validated).cloned() {
                view.put(name, row(trade, true, held.received_at));
                corrected += 1;
            }
        }
        Ok(corrected)
    }

    pub(super) async fn trades_remove_heard(&self, names: &[TradeName]) -> Result<(), StoreError> {
        self.step("trades_remove_heard", names.len()).await?;
        let (state, mut writes) = self.sight();
        for name in names {
            let mut view = trades(&state.disk, &mut writes);
            if view.get(name).is_some_and(|held| !held.is_validated) {
                view.take(name);
            }
            unplaced(&state.disk, &mut writes).take(name);
        }
        Ok(())
    }

    pub(super) async fn trades_unplace(&self, moved: &[Known]) -> Result<(), StoreError> {
        self.step("trades_unplace", moved.len()).await?;
        let (state, mut writes) = self.sight();
        for known in moved {
            let name = name(&known.trade);
            let mut view = trades(&state.disk, &mut writes);
            if view.get(&name).is_none_or(|held| held.is_validated) {
                continue;
            }
            let held = view.take(&name);
            let mut aside = unplaced(&state.disk, &mut writes);
            if aside.get(&name).is_none()
                && let Some(held) = held
            {
                aside.put(name, held);
            }
        }
        Ok(())
    }
}

/// The sums of each second with trades after an instant.
pub(super) fn buckets(disk: &Disk, ticker: &Ticker, after: EpochMs) -> Vec<Bucket> {
    let mut seconds: BTreeMap<Mark, Bucket> = BTreeMap::new();
    for (_, row) in disk.trades_after(ticker, after) {
        let second = Mark::at_or_after(row.at);
        let bucket = seconds.entry(second).or_insert(Bucket {
            second,
            confirmed: Sums::EMPTY,
            heard: Sums::EMPTY,
            quarantined: Sums::EMPTY,
            extremes: None,
        });
        let side = match row.suspicion {
            _ if row.is_validated => &mut bucket.confirmed,
            None => &mut bucket.heard,
            Some(_) => &mut bucket.quarantined,
        };
        *side = side.plus(Sums::of(row.price, row.quantity));
        if row.is_validated {
            let own = Extremes::of(row.price, row.quantity, row.at, row.received_at);
            bucket.extremes = Some(bucket.extremes.map_or(own, |others| others.and(own)));
        }
    }
    seconds.into_values().collect()
}

/// The confirmed trades after an instant.
pub(super) fn unfinished(disk: &Disk, ticker: &Ticker, after: EpochMs) -> Vec<Trade> {
    let confirmed = disk.trades_after(ticker, after).filter(|(_, row)| row.is_validated);
    confirmed.map(|(id, row)| trade(&(ticker.clone(), id.clone()), row)).collect()
}

fn of_ticker(view: &TradeView<'_>, ticker: &Ticker) -> Vec<(TradeName, TradeRow)> {
    let least = TradeId::new("!").expect("no id sorts before it");
    view.range(&(ticker.clone(), least), |name| name.0 == *ticker)
}

fn firsts(heard: &[Heard]) -> BTreeMap<TradeName, TradeRow> {
    let mut firsts = BTreeMap::new();
    for Heard { trade, received_at, suspicion } in heard {
        let heard = || TradeRow { suspicion: *suspicion, ..row(trade, false, Some(*received_at)) };
        firsts.entry(name(trade)).or_insert_with(heard);
    }
    firsts
}

fn name(trade: &Trade) -> TradeName {
    (trade.ticker.clone(), trade.id.clone())
}

fn row(trade: &Trade, is_validated: bool, received_at: Option<EpochMs>) -> TradeRow {
    let (at, price, quantity) = (trade.traded_at, trade.price, trade.quantity);
    TradeRow { at, price, quantity, is_validated, received_at, suspicion: None }
}

pub(super) fn trade((ticker, id): &TradeName, row: &TradeRow) -> Trade {
    let TradeRow { at: traded_at, price, quantity, .. } = *row;
    Trade { ticker: ticker.clone(), id: id.clone(), traded_at, price, quantity }
}

pub(super) fn known(name: &TradeName, row: &TradeRow) -> Known {
    let standing = match row.received_at {
        Some(received_at) if !row.is_validated => Standing::Heard { received_at, suspicion: row.suspicion },
        received_at => Standing::Confirmed { was_heard: received_at.is_some() },
    };
    Known { trade: trade(name, row), standing }
}
