//! The simulated tables behind the traits the engine asks.

use std::collections::HashMap;
use std::sync::Arc;

use store::audits::AskedHoldings;
use store::{
    Advance, BoundsKept, ChainStep, CountDelta, Figure, Incident, MarkSpan, Pieces, Refused, Restatement, StoreError,
    TickerState,
};
use tape::audit::Holdings;
use tape::bound::{Hour, Lesson, SaidBefore};
use tape::{
    Bucket, Confirmation, EpochMs, Fault, Finding, Head, Heard, HeldFinal, Interval, Known, Mark, Ticker, Trade,
    Watermark,
};
use worker::tables::{Tables, TablesTxn};

use super::disk::{TickerRow, TradeName, Writes};
use super::server::{Server, unavailable};
use super::txn::Txn;
use super::{Disk, bounds, trades, watermarks};

/// The name of the simulated venue.
pub const VENUE: &str = "simulated";

/// The tables, and the right to write them for as long as the connection lives.
#[derive(Debug)]
pub struct SimTables {
    server: Arc<Server>,
    worker: usize,
    epoch: i64,
    connection: u64,
}

impl SimTables {
    /// Tries to become the leader. None when another leads or still writes.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn lead(server: &Arc<Server>, worker: usize) -> Result<Option<Self>, StoreError> {
        server.step("lead", worker).await?;
        let mut state = server.state();
        // Raising the epoch waits for transactions that hold it: ask again later.
        if state.lock.is_some() || state.open > 0 {
            return Ok(None);
        }
        state.epoch += 1;
        state.next_connection += 1;
        let (epoch, connection) = (state.epoch, state.next_connection);
        state.lock = Some(connection);
        Ok(Some(Self { server: Arc::clone(server), worker, epoch, connection }))
    }

    async fn begin_with(&self, doing: &'static str, is_relaxed: bool) -> Result<Txn, StoreError> {
        self.server.step(doing, 0).await?;
        let mut state = self.server.state();
        if state.epoch != self.epoch {
            return Err(self.deposed());
        }
        Ok(Txn::new(&self.server, &mut state, self.worker, self.epoch, is_relaxed))
    }

    async fn read<T>(&self, doing: &'static str, rows: usize, read: impl FnOnce(&Disk) -> T) -> Result<T, StoreError> {
        self.server.step(doing, rows).await?;
        Ok(read(&self.server.state().disk))
    }

    fn deposed(&self) -> StoreError {
        StoreError::Deposed { venue: VENUE.to_owned(), epoch: self.epoch }
    }
}

impl Drop for SimTables {
    fn drop(&mut self) {
        let mut state = self.server.state();
        if state.lock == Some(self.connection) {
            state.lock = None;
        }
    }
}

impl Tables for SimTables {
    type Txn = Txn;

    fn venue(&self) -> &str {
        VENUE
    }

    fn is_leading(&self) -> bool {
        let noticed_at = self.server.state().lost.get(&self.connection).copied();
        noticed_at.is_none_or(|at| self.server.time.now() < at)
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.server.step("check", 0).await?;
        let state = self.server.state();
        if state.lost.contains_key(&self.connection) {
            return Err(unavailable("check"));
        }
        if state.epoch == self.epoch { Ok(()) } else { Err(self.deposed()) }
    }

    async fn watermarks(&self) -> Result<Vec<TickerState>, StoreError> {
        self.read("watermarks", 0, watermarks::states).await
    }

    async fn window_buckets(&self, after: &[(Ticker, EpochMs)]) -> Result<HashMap<Ticker, Vec<Bucket>>, StoreError> {
        let buckets = |disk: &Disk| {
            after.iter().map(|(ticker, after)| (ticker.clone(), trades::buckets(disk, ticker, *after))).collect()
        };
        self.read("window_buckets", after.len(), buckets).await
    }

    async fn trades_unfinished(&self, after: &[(Ticker, EpochMs)]) -> Result<HashMap<Ticker, Vec<Trade>>, StoreError> {
        let unfinished = |disk: &Disk| {
            let all = after.iter().map(|(ticker, after)| (ticker.clone(), trades::unfinished(disk, ticker, *after)));
            all.filter(|(_, trades)| !trades.is_empty()).collect()
        };
        self.read("trades_unfinished", after.len(), unfinished).await
    }

    async fn chain_heads(&self, interval: Interval) -> Result<Vec<(Ticker, Head)>, StoreError> {
        let heads = |disk: &Disk| {
            let own = disk.chain_heads.iter().filter(|(key, _)| key.1 == interval);
            own.map(|((ticker, _), head)| (ticker.clone(), *head)).collect()
        };
        self.read("chain_heads", 0, heads).await
    }

    async fn bounds_kept(&self, interval: Interval, from: Hour) -> Result<BoundsKept, StoreError> {
        self.read("bounds_kept", 0, |disk: &Disk| bounds::kept(disk, interval, from)).await
    }

    async fn ticker_ensure(&self, begins: &[(Ticker, EpochMs)]) -> Result<(), StoreError> {
        self.server.step("ticker_ensure", begins.len()).await?;
        let mut state = self.server.state();
        let mut writes = Writes::default();
        let mut sorted: Vec<&(Ticker, EpochMs)> = begins.iter().collect();
        sorted.sort_by_key(|begin| &begin.0);
        for (ticker, from) in sorted {
            if !state.disk.tickers.contains_key(ticker) && !writes.tickers.contains_key(ticker) {
                let watermark = Watermark::Through(*from);
                let row =
                    TickerRow { watermark, tape_from: *from, market_time: None, checked_at: None, time_to_final: None };
                writes.tickers.insert(ticker.clone(), Some(row));
            }
        }
        state.commit_alone(writes);
        Ok(())
    }

    async fn begin(&self) -> Result<Txn, StoreError> {
        self.begin_with("begin", false).await
    }

    async fn begin_relaxed(&self) -> Result<Txn, StoreError> {
        self.begin_with("begin_relaxed", true).await
    }
}

impl TablesTxn for Txn {
    async fn trades_known(&self, names: &[TradeName]) -> Result<Vec<Known>, StoreError> {
        Self::trades_known(self, names).await
    }

    async fn trades_heard_until(&self, reaches: &[(Ticker, EpochMs)]) -> Result<Vec<Known>, StoreError> {
        Self::trades_heard_until(self, reaches).await
    }

    async fn trades_copy_heard(&self, heard: &[Heard]) -> Result<bool, StoreError> {
        Self::trades_copy_heard(self, heard).await
    }

    async fn trades_insert_heard(&self, heard: &[Heard]) -> Result<Vec<TradeName>, StoreError> {
        Self::trades_insert_heard(self, heard).await
    }

    async fn trades_insert_unplaced(&self, heard: &[Heard]) -> Result<Vec<TradeName>, StoreError> {
        Self::trades_insert_unplaced(self, heard).await
    }

    async fn trades_mark_heard(&self, heard: &[Heard]) -> Result<u64, StoreError> {
        Self::trades_mark_heard(self, heard).await
    }

    async fn trades_copy_confirmed(
        &self,
        trades: &[&Trade],
        meanwhile: impl FnOnce() + Send,
    ) -> Result<bool, StoreError> {
        Self::trades_copy_confirmed(self, trades, meanwhile).await
    }

    async fn trades_confirm(&self, confirmations: &[Confirmation]) -> Result<(), StoreError> {
        Self::trades_confirm(self, confirmations).await
    }

    async fn trades_correct(&self, corrections: &[Trade]) -> Result<u64, StoreError> {
        Self::trades_correct(self, corrections).await
    }

    async fn trades_remove_heard(&self, names: &[TradeName]) -> Result<(), StoreError> {
        Self::trades_remove_heard(self, names).await
    }

    async fn trades_unplace(&self, unplaced: &[Known]) -> Result<(), StoreError> {
        Self::trades_unplace(self, unplaced).await
    }

    async fn faults_insert(&self, faults: &[Fault], found_at: EpochMs) -> Result<(), StoreError> {
        Self::faults_insert(self, faults, found_at).await
    }

    async fn missing_withdraw(&self, names: &[TradeName]) -> Result<Vec<TradeName>, StoreError> {
        Self::missing_withdraw(self, names).await
    }

    async fn counts_add(&self, deltas: &[CountDelta]) -> Result<(), StoreError> {
        Self::counts_add(self, deltas).await
    }

    async fn rejections_insert(&self, refused: &[Refused]) -> Result<(), StoreError> {
        Self::rejections_insert(self, refused).await
    }

    async fn incidents_insert(&self, incidents: &[Incident], found_at: EpochMs) -> Result<u64, StoreError> {
        Self::incidents_insert(self, incidents, found_at).await
    }

    async fn figures_copy_final(
        &self,
        span: &MarkSpan,
        pieces: &mut dyn Pieces,
        final_at: EpochMs,
        meanwhile: impl FnOnce() + Send,
    ) -> Result<bool, StoreError> {
        Self::figures_copy_final(self, span, pieces, final_at, meanwhile).await
    }

    async fn figures_insert_final(&self, figures: &[Figure], final_at: EpochMs) -> Result<u64, StoreError> {
        Self::figures_insert_final(self, figures, final_at).await
    }

    async fn chain_advance(&self, steps: &[ChainStep]) -> Result<(), StoreError> {
        Self::chain_advance(self, steps).await
    }

    async fn figures_insert_provisional(&self, figures: &[Figure], calculated_at: EpochMs) -> Result<(), StoreError> {
        Self::figures_insert_provisional(self, figures, calculated_at).await
    }

    async fn latest_upsert(
        &self,
        figures: &[Figure],
        is_final: bool,
        calculated_at: EpochMs,
    ) -> Result<u64, StoreError> {
        Self::latest_upsert(self, figures, is_final, calculated_at).await
    }

    async fn watermarks_advance(&self, advances: &[Advance], checked_at: EpochMs) -> Result<(), StoreError> {
        Self::watermarks_advance(self, advances, checked_at).await
    }

    async fn holdings_hold(&self, asked: AskedHoldings<'_>) -> Result<Option<Holdings>, StoreError> {
        Self::holdings_hold(self, asked).await
    }

    async fn trades_confirmed(
        &self,
        ticker: &Ticker,
        after: EpochMs,
        until: EpochMs,
    ) -> Result<Vec<Trade>, StoreError> {
        Self::trades_confirmed(self, ticker, after, until).await
    }

    async fn finals_held(
        &self,
        ticker: &Ticker,
        interval: Interval,
        first: Mark,
        last: Mark,
    ) -> Result<Vec<HeldFinal>, StoreError> {
        Self::finals_held(self, ticker, interval, first, last).await
    }

    async fn trades_withdraw(&self, names: &[TradeName]) -> Result<u64, StoreError> {
        Self::trades_withdraw(self, names).await
    }

    async fn figures_restate(&self, restatements: &[Restatement], restated_at: EpochMs) -> Result<u64, StoreError> {
        Self::figures_restate(self, restatements, restated_at).await
    }

    async fn corrections_insert(
        &self,
        findings: &[Finding],
        restated: u64,
        found_at: EpochMs,
    ) -> Result<(), StoreError> {
        Self::corrections_insert(self, findings, restated, found_at).await
    }

    async fn bounds_said(
        &self,
        interval: Interval,
        marks: &[(Ticker, Mark)],
    ) -> Result<Vec<(Ticker, Mark, SaidBefore)>, StoreError> {
        Self::bounds_said(self, interval, marks).await
    }

    async fn bounds_learn(&self, interval: Interval, lessons: &[(Ticker, Lesson)]) -> Result<(), StoreError> {
        Self::bounds_learn(self, interval, lessons).await
    }

    async fn commit(self) -> Result<(), StoreError> {
        self.finish().await
    }
}
