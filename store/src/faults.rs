//! The ledger of what the socket did wrong, and the counts of what it brought.

use std::collections::BTreeMap;

use tape::{EpochMs, Fault, Ticker, Trade, TradeId};

use crate::StoreError;
use crate::columns::KeyColumns;
use crate::numeric::NumericUnit;
use crate::trades::name;
use crate::txn::WriteTxn;

/// The kind under which trades are counted that were heard as they were.
pub const COUNT_MATCHED: &str = "matched";

/// The kind under which trades are counted that were made before we listened.
pub const COUNT_UNHEARD: &str = "unheard";

/// The kind under which settled trades are counted that were read again and
/// told just as before.
pub const COUNT_AUDITED: &str = "audited";

/// So many more, or fewer, of a kind in a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountDelta {
    /// The ticker; empty when a frame named none.
    pub ticker: String,
    /// When the minute begins.
    pub minute: EpochMs,
    /// What is counted.
    pub kind: String,
    /// How many more, or fewer.
    pub delta: i64,
}

impl WriteTxn {
    /// Adds faults to the ledger.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn faults_insert(&self, faults: &[Fault], found_at: EpochMs) -> Result<(), StoreError> {
        if faults.is_empty() {
            return Ok(());
        }
        let tickers: Vec<&str> = faults.iter().map(|fault| fault.ticker.as_str()).collect();
        let ids: Vec<&str> = faults.iter().map(|fault| fault.id.as_str()).collect();
        let kinds: Vec<&str> = faults.iter().map(|fault| fault.kind.as_str()).collect();
        let at: Vec<i64> = faults.iter().map(|fault| fault.at.ms()).collect();
        let (heard_at, heard_prices, heard_quantities) = sides(faults.iter().map(|fault| fault.heard.as_ref()));
        let (true_at, true_prices, true_quantities) = sides(faults.iter().map(|fault| fault.truth.as_ref()));
        let received_at: Vec<Option<i64>> = faults.iter().map(|fault| fault.received_at.map(EpochMs::ms)).collect();
        self.session
            .execute(
                include_str!("../sql/faults_insert.sql"),
                &[
                    &self.venue,
                    &tickers,
                    &ids,
                    &kinds,
                    &at,
                    &heard_at,
                    &heard_prices,
                    &heard_quantities,
                    &true_at,
                    &true_prices,
                    &true_quantities,
                    &received_at,
                    &found_at.ms(),
                ],
            )
            .await?;
        Ok(())
    }

    /// Takes back that trades were missing: the socket brought them after all.
    /// Returns those that had been in the ledger as missing.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn missing_withdraw(&self, names: &[(Ticker, TradeId)]) -> Result<Vec<(Ticker, TradeId)>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let KeyColumns { tickers, ids } = KeyColumns::new(names);
        let sql = include_str!("../sql/missing_withdraw.sql");
        let rows = self.session.query(sql, &[&self.venue, &tickers, &ids]).await?;
        rows.iter().map(name).collect()
    }

    /// Adds to the counts per minute. A count never falls below zero, and one
    /// that comes to nothing is not kept.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn counts_add(&self, deltas: &[CountDelta]) -> Result<(), StoreError> {
        let mut sums: BTreeMap<(&str, i64, &str), i64> = BTreeMap::new();
        for CountDelta { ticker, minute, kind, delta } in deltas {
            *sums.entry((ticker, minute.ms(), kind)).or_default() += delta;
        }
        sums.retain(|_, delta| *delta != 0);
        if sums.is_empty() {
            return Ok(());
        }
        let tickers: Vec<&str> = sums.keys().map(|key| key.0).collect();
        let minutes: Vec<i64> = sums.keys().map(|key| key.1).collect();
        let kinds: Vec<&str> = sums.keys().map(|key| key.2).collect();
        let deltas: Vec<i64> = sums.values().copied().collect();
        let sql = include_str!("../sql/counts_add.sql");
        self.session.execute(sql, &[&self.venue, &tickers, &minutes, &kinds, &deltas]).await?;
        let is_any_less = deltas.iter().any(|delta| *delta < 0);
        if is_any_less {
            let sql = include_str!("../sql/counts_clean.sql");
            self.session.execute(sql, &[&self.venue, &tickers, &minutes, &kinds]).await?;
        }
        Ok(())
    }
}

pub(crate) type Side = (Vec<Option<i64>>, Vec<Option<NumericUnit>>, Vec<Option<NumericUnit>>);

/// One side of faults, or of corrections, as columns: times, prices and quantities.
pub(crate) fn sides<'a>(trades: impl Iterator<Item = Option<&'a Trade>>) -> Side {
    let mut side = Side::default();
    for trade in trades {
        side.0.push(trade.map(|trade| trade.traded_at.ms()));
        side.1.push(trade.map(|trade| trade.price.into()));
        side.2.push(trade.map(|trade| trade.quantity.into()));
    }
    side
}
