//! Trades as REST confirmed them.

use bytes::BytesMut;
use tape::{Confirmation, Trade};

use crate::StoreError;
use crate::columns::{TradeColumns, sorted};
use crate::copying::{CopyStatement, ROWS_OF_A_PIECE, put_rows};
use crate::session::Params;
use crate::txn::WriteTxn;

impl WriteTxn {
    /// Writes confirmed trades that nobody has heard of. Nothing may be kept
    /// aside under their names. Where anything else is held under one of them,
    /// none is written, and the answer is false.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_copy_confirmed(
        &self,
        trades: &[&Trade],
        meanwhile: impl FnOnce() + Send,
    ) -> Result<bool, StoreError> {
        if trades.is_empty() {
            meanwhile();
            return Ok(true);
        }
        let rows = sorted(trades.iter().map(|trade| (*trade, None, None)));
        let mut pieces = rows.chunks(ROWS_OF_A_PIECE);
        let more = |text: &mut BytesMut| {
            let Some(piece) = pieces.next() else { return Ok(false) };
            put_rows(text, &TradeColumns::of_sorted(piece).of_every_trade(&self.venue, &true), piece.len())?;
            Ok(true)
        };
        self.copy_unless_held(&CopyStatement::Kept(include_str!("../sql/trades_copy_confirmed.sql")), more, meanwhile)
            .await
    }

    /// Writes the true values of trades. When the socket brought one first is
    /// kept; a copy kept aside is taken away, since the trade has its place now.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_confirm(&self, confirmations: &[Confirmation]) -> Result<(), StoreError> {
        if confirmations.is_empty() {
            return Ok(());
        }
        let TradeColumns { tickers, ids, traded_at, prices, quantities, received_at, .. } =
            TradeColumns::new(confirmations.iter().map(|it| (&it.trade, it.received_at, None)));
        let params: Params<'_> = &[&self.venue, &tickers, &ids, &traded_at, &prices, &quantities, &received_at];
        let aside: Params<'_> = &[&self.venue, &tickers, &ids];
        tokio::try_join!(
            self.session.execute(include_str!("../sql/trades_confirm.sql"), params),
            self.session.execute(include_str!("../sql/trades_remove_unplaced.sql"), aside),
        )?;
        Ok(())
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
