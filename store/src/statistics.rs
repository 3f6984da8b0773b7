//! What Postgres knows about our tables when it plans.
//!
//! On a table it has never looked at, Postgres takes a look-up by exchange,
//! ticker and id to cost the same by any index that begins with exchange and
//! ticker, and keeps that plan. Its own analysis comes a minute later; a
//! backfill has written half a million trades by then.

use crate::row::column;
use crate::{Store, StoreError};

impl Store {
    /// Lets Postgres look at the tables once there is something in them, and
    /// says whether that was needed. Afterwards it does so by itself.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn statistics_ensure(&self) -> Result<bool, StoreError> {
        let session = self.session().await?;
        let row = session.query_opt(include_str!("../sql/statistics_of_trades.sql"), &[]).await?;
        let Some(row) = row.filter(|row| column(row, "has_trades").is_ok_and(|has_trades: bool| has_trades)) else {
            return Ok(false);
        };
        let has_statistics: bool = column(&row, "has_statistics")?;
        if !has_statistics {
            session.batch("analyzing new tables", include_str!("../sql/statistics_make.sql")).await?;
        }
        Ok(!has_statistics)
    }
}
