//! What is read by others than the leader, on connections of their own.

use std::sync::Arc;

use store::audits::AskedHoldings;
use store::{StoreError, TickerState};
use tape::audit::Holdings;
use tape::{EpochMs, Ticker, TradeId};

use super::disk::Writes;
use super::server::Server;
use super::{amending, watermarks};

/// Reads what is committed.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Server>);

impl Reader {
    /// A reader of a server.
    pub fn new(server: &Arc<Server>) -> Self {
        Self(Arc::clone(server))
    }

    /// How far each ticker is confirmed.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn watermarks(&self) -> Result<Vec<TickerState>, StoreError> {
        self.0.step("watermarks", 0).await?;
        Ok(watermarks::states(&self.0.state().disk))
    }

    /// What is held of a ticker's settled trades; none for one that is not followed.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn holdings(&self, asked: AskedHoldings<'_>) -> Result<Option<Holdings>, StoreError> {
        self.0.step("holdings", asked.names.len()).await?;
        Ok(amending::holdings(&self.0.state().disk, &mut Writes::default(), asked))
    }

    /// The last confirmed trade of a ticker up to an instant, and when it was made.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn trade_anchor(
        &self,
        ticker: &Ticker,
        until: EpochMs,
    ) -> Result<Option<(TradeId, EpochMs)>, StoreError> {
        self.0.step("trade_anchor", 0).await?;
        Ok(amending::anchor(&self.0.state().disk, ticker, until))
    }
}
