//! The tables as Postgres keeps them: every call is the store's own.

use std::collections::HashMap;

use store::{
    Advance, AskedHoldings, BoundsKept, ChainStep, CountDelta, Figure, Incident, Leadership, MarkSpan, Pieces, Refused,
    Restatement, Store, StoreError, TickerState, WriteTxn,
};
use tape::audit::Holdings;
use tape::bound::{Hour, Lesson, SaidBefore};
use tape::{
    Bucket, Confirmation, EpochMs, Fault, Finding, Head, Heard, HeldFinal, Interval, Known, Mark, Ticker, Trade,
};

use super::{Tables, TablesTxn, TradeName};

/// A store, and the right to write for one venue.
pub struct PostgresTables {
    store: Store,
    leadership: Leadership,
}

impl PostgresTables {
    /// The tables of the venue that is led.
    pub fn new(store: Store, leadership: Leadership) -> Self {
        Self { store, leadership }
    }
}

impl Tables for PostgresTables {
    type Txn = WriteTxn;

    fn venue(&self) -> &str {
        self.leadership.venue()
    }

    fn is_leading(&self) -> bool {
        self.leadership.is_alive()
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.leadership.check().await
    }

    async fn watermarks(&self) -> Result<Vec<TickerState>, StoreError> {
        self.store.watermarks(self.venue()).await
    }

    async fn window_buckets(&self, after: &[(Ticker, EpochMs)]) -> Result<HashMap<Ticker, Vec<Bucket>>, StoreError> {
        self.store.window_buckets(self.venue(), after).await
    }

    async fn trades_unfinished(&self, after: &[(Ticker, EpochMs)]) -> Result<HashMap<Ticker, Vec<Trade>>, StoreError> {
        self.store.trades_unfinished(self.venue(), after).await
    }

    async fn chain_heads(&self, interval: Interval) -> Result<Vec<(Ticker, Head)>, StoreError> {
        self.store.chain_heads(self.venue(), interval).await
    }

    async fn bounds_kept(&self, interval: Interval, from: Hour) -> Result<BoundsKept, StoreError> {
        self.store.bounds_kept(self.venue(), interval, from).await
    }

    async fn ticker_ensure(&self, begins: &[(Ticker, EpochMs)]) -> Result<(), StoreError> {
        self.store.ticker_ensure(self.venue(), begins).await
    }

    async fn begin(&self) -> Result<WriteTxn, StoreError> {
        self.store.begin(&self.leadership).await
    }

    async fn begin_relaxed(&self) -> Result<WriteTxn, StoreError> {
        self.store.begin_relaxed(&self.leadership).await
    }
}

impl TablesTxn for WriteTxn {
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

    async fn watermarks_advance(&self, advances: &[Advance], checked_at: EpochMs) -> Result<(), StoreError> {
        Self::watermarks_advance(self, advances, checked_at).await
    }

    async fn commit(self) -> Result<(), StoreError> {
        Self::commit(self).await
    }
}
