//! Trades as REST confirmed them.

use tape::{Confirmation, Trade, Verdict};

use crate::StoreError;
use crate::columns::{KeyColumns, TradeColumns};
use crate::session::Params;
use crate::txn::WriteTxn;

impl WriteTxn {
    /// Writes the true values of trades. When the socket brought one first is
    /// kept; a copy kept aside is taken away, since the trade has its place now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_confirm(&self, confirmations: &[Confirmation]) -> Result<(), StoreError> {
        if confirmations.is_empty() {
            return Ok(());
        }
        let is_new =
            |it: &&Confirmation| self.has_statistics && matches!(it.verdict, Verdict::Missing | Verdict::Unheard);
        let (new, mut held): (Vec<_>, Vec<_>) = confirmations.iter().partition(is_new);
        if self.confirm(include_str!("../sql/trades_insert_confirmed.sql"), &new).await? < new.len() as u64 {
            // Something was held under one of the names after all, or a name was given twice.
            held = confirmations.iter().collect();
        }
        let KeyColumns { tickers, ids } =
            KeyColumns::of(confirmations.iter().map(|it| (&it.trade.ticker, &it.trade.id)));
        let aside: Params<'_> = &[&self.venue, &tickers, &ids];
        tokio::try_join!(
            self.confirm(include_str!("../sql/trades_confirm.sql"), &held),
            self.session.execute(include_str!("../sql/trades_remove_unplaced.sql"), aside),
        )?;
        Ok(())
    }

    async fn confirm(&self, sql: &'static str, confirmations: &[&Confirmation]) -> Result<u64, StoreError> {
        if confirmations.is_empty() {
            return Ok(0);
        }
        let TradeColumns { tickers, ids, traded_at, prices, quantities, received_at, .. } =
            TradeColumns::new(confirmations.iter().map(|it| (&it.trade, it.received_at, None)));
        let params: Params<'_> = &[&self.venue, &tickers, &ids, &traded_at, &prices, &quantities, &received_at];
        self.session.execute(sql, params).await
    }

    /// Gives confirmed trades the values REST gives them now, and tells how many there were.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_correct(&self, corrections: &[Trade]) -> Result<u64, StoreError> {
        if corrections.is_empty() {
            return Ok(0);
        }
        let TradeColumns { tickers, ids, traded_at, prices, quantities, .. } =
            TradeColumns::new(corrections.iter().map(|trade| (trade, None, None)));
        let sql = include_str!("../sql/trades_correct.sql");
        self.session.execute(sql, &[&self.venue, &tickers, &ids, &traded_at, &prices, &quantities]).await
    }
}
