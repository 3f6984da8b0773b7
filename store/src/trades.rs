//! Trades as the socket brought them. Nothing here touches a value that REST confirmed.

use bytes::BytesMut;
use postgres_types::Type;
use tape::{EpochMs, Heard, Known, Standing, Suspicion, Ticker, TradeId};
use tokio_postgres::Row;

use crate::StoreError;
use crate::columns::{KeyColumns, TradeColumns, TradeRow, sorted};
use crate::copying::{Column, CopyStatement, ROWS_OF_A_PIECE, put_rows};
use crate::row::{column, ticker, trade, trade_id};
use crate::session::Params;
use crate::txn::WriteTxn;

impl WriteTxn {
    /// What is held under these names, whoever vouches for it. Of a trade that
    /// is confirmed, only that is told.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn trades_known(&self, names: &[(Ticker, TradeId)]) -> Result<Vec<Known>, StoreError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let KeyColumns { tickers, ids } = KeyColumns::new(names);
        let sql = include_str!("../sql/trades_known.sql");
        let rows = self.session.query(sql, &[&self.venue, &tickers, &ids]).await?;
        rows.iter().map(known).collect()
    }

    /// Every trade of these tickers that was heard and is not confirmed, and
    /// claims a time up to the given one; those kept aside included.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn trades_heard_until(&self, reaches: &[(Ticker, EpochMs)]) -> Result<Vec<Known>, StoreError> {
        if reaches.is_empty() {
            return Ok(Vec::new());
        }
        let mut reaches: Vec<(&str, i64)> =
            reaches.iter().map(|(ticker, until)| (ticker.as_str(), until.ms())).collect();
        reaches.sort_unstable();
        // Of two reaches of one ticker the later covers both.
        reaches.reverse();
        reaches.dedup_by_key(|reach| reach.0);
        let (tickers, until): (Vec<&str>, Vec<i64>) = reaches.into_iter().unzip();
        let sql = include_str!("../sql/trades_heard_until.sql");
        let rows = self.session.query(sql, &[&self.venue, &tickers, &until]).await?;
        rows.iter().map(known).collect()
    }

    /// Adds heard trades if nothing is held under any of their names; false,
    /// and none is added, when something is, or may be aside.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_copy_heard(&self, heard: &[Heard]) -> Result<bool, StoreError> {
        let aside = self.session.query_opt(include_str!("../sql/unplaced_any.sql"), &[&self.venue]).await?;
        if aside.map_or(Ok(true), |row| column(&row, "is_any"))? {
            return Ok(false);
        }
        let rows = sorted(heard.iter().map(row_of));
        let mut pieces = rows.chunks(ROWS_OF_A_PIECE);
        let more = |text: &mut BytesMut| {
            let Some(piece) = pieces.next() else { return Ok(false) };
            let columns = TradeColumns::of_sorted(piece);
            let mut copied = columns.of_every_trade(&self.venue, &false);
            copied.push(Column::each(Type::INT8, &columns.received_at));
            copied.push(Column::each(Type::TEXT, &columns.suspicions));
            put_rows(text, &copied, piece.len())?;
            Ok(true)
        };
        self.copy_unless_held(&CopyStatement::Kept(include_str!("../sql/trades_copy_heard.sql")), more, || ()).await
    }

    /// Adds heard trades and names those that were new. One that is there
    /// already is left as it is, whoever vouches for it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_insert_heard(&self, heard: &[Heard]) -> Result<Vec<(Ticker, TradeId)>, StoreError> {
        self.insert(include_str!("../sql/trades_insert_heard.sql"), heard).await
    }

    /// Keeps heard trades aside that claim a settled time, and names those that
    /// were not there yet. They count in no figure.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_insert_unplaced(&self, heard: &[Heard]) -> Result<Vec<(Ticker, TradeId)>, StoreError> {
        self.insert(include_str!("../sql/trades_insert_unplaced.sql"), heard).await
    }

    /// Notes of confirmed trades that the socket brought them after all. Their
    /// values stay as REST said, whatever the copy says.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_mark_heard(&self, heard: &[Heard]) -> Result<u64, StoreError> {
        if heard.is_empty() {
            return Ok(0);
        }
        let TradeColumns { tickers, ids, received_at, .. } = columns(heard);
        let sql = include_str!("../sql/trades_mark_heard.sql");
        self.session.execute(sql, &[&self.venue, &tickers, &ids, &received_at]).await
    }

    /// Takes out heard trades that are not confirmed, wherever they are kept.
    /// A confirmed one stays.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_remove_heard(&self, names: &[(Ticker, TradeId)]) -> Result<(), StoreError> {
        if names.is_empty() {
            return Ok(());
        }
        let KeyColumns { tickers, ids } = KeyColumns::new(names);
        let params: Params<'_> = &[&self.venue, &tickers, &ids];
        tokio::try_join!(
            self.session.execute(include_str!("../sql/trades_remove_heard.sql"), params),
            self.session.execute(include_str!("../sql/trades_remove_unplaced.sql"), params),
        )?;
        Ok(())
    }

    /// Moves heard trades aside, with the values they were heard with. One
    /// that is aside already, or confirmed, stays where it is.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn trades_unplace(&self, unplaced: &[Known]) -> Result<(), StoreError> {
        if unplaced.is_empty() {
            return Ok(());
        }
        let KeyColumns { tickers, ids } =
            KeyColumns::of(unplaced.iter().map(|known| (&known.trade.ticker, &known.trade.id)));
        self.session.execute(include_str!("../sql/trades_unplace.sql"), &[&self.venue, &tickers, &ids]).await?;
        Ok(())
    }

    async fn insert(&self, sql: &'static str, heard: &[Heard]) -> Result<Vec<(Ticker, TradeId)>, StoreError> {
        if heard.is_empty() {
            return Ok(Vec::new());
        }
        let TradeColumns { tickers, ids, traded_at, prices, quantities, received_at, suspicions } = columns(heard);
        let rows = self
            .session
            .query(sql, &[&self.venue, &tickers, &ids, &traded_at, &prices, &quantities, &received_at, &suspicions])
            .await?;
        rows.iter().map(name).collect()
    }
}

fn columns(heard: &[Heard]) -> TradeColumns<'_> {
    TradeColumns::new(heard.iter().map(row_of))
}

fn row_of(heard: &Heard) -> TradeRow<'_> {
    (&heard.trade, Some(heard.received_at), heard.suspicion)
}

/// The name of a trade.
pub(crate) fn name(row: &Row) -> Result<(Ticker, TradeId), StoreError> {
    Ok((ticker(row, "ticker")?, trade_id(row, "tradeid")?))
}

fn suspicion(row: &Row) -> Result<Option<Suspicion>, StoreError> {
    let name: Option<String> = column(row, "suspicion")?;
    let unknown = |name: String| StoreError::unreadable("suspicion", format!("{name} is none of ours"));
    name.map(|name| Suspicion::parse(&name).ok_or_else(|| unknown(name))).transpose()
}

/// What is held under one name.
pub(crate) fn known(row: &Row) -> Result<Known, StoreError> {
    let trade = trade(row)?;
    let received_at: Option<i64> = column(row, "received_at")?;
    let is_confirmed: bool = column(row, "is_validated")?;
    let standing = match (is_confirmed, received_at) {
        (true, received_at) => Standing::Confirmed { was_heard: received_at.is_some() },
        (false, Some(received_at)) => {
            Standing::Heard { received_at: EpochMs::new(received_at), suspicion: suspicion(row)? }
        }
        (false, None) => return Err(StoreError::unreadable("received_at", "a trade nobody vouches for")),
    };
    Ok(Known { trade, standing })
}
