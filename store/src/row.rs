//! Reading columns into the words of the tape. What is not ours is an error.

use postgres_types::FromSqlOwned;
use tokio_postgres::Row;

use tape::{Digest, EpochMs, Notional, Price, Quantity, Sums, Ticker, Trade, TradeId, Volume};

use crate::StoreError;
use crate::numeric::{Numeric, NumericUnit};

/// A column as it is.
pub(crate) fn column<T: FromSqlOwned>(row: &Row, name: &str) -> Result<T, StoreError> {
    row.try_get(name).map_err(|source| StoreError::unreadable(name, source))
}

/// A count that is never negative.
pub(crate) fn count(row: &Row, name: &str) -> Result<u64, StoreError> {
    let count: i64 = column(row, name)?;
    u64::try_from(count).map_err(|source| StoreError::unreadable(name, source))
}

/// An instant.
pub(crate) fn instant(row: &Row, name: &str) -> Result<EpochMs, StoreError> {
    column(row, name).map(EpochMs::new)
}

/// A ticker.
pub(crate) fn ticker(row: &Row, name: &str) -> Result<Ticker, StoreError> {
    let text: String = column(row, name)?;
    Ticker::new(&text).map_err(|source| StoreError::unreadable(name, source))
}

/// A trade id.
pub(crate) fn trade_id(row: &Row, name: &str) -> Result<TradeId, StoreError> {
    let text: String = column(row, name)?;
    TradeId::new(&text).map_err(|source| StoreError::unreadable(name, source))
}

/// A price.
pub(crate) fn price(row: &Row, name: &str) -> Result<Price, StoreError> {
    let numeric: NumericUnit = column(row, name)?;
    numeric.price().map_err(|source| StoreError::unreadable(name, source))
}

/// A quantity.
pub(crate) fn quantity(row: &Row, name: &str) -> Result<Quantity, StoreError> {
    let numeric: NumericUnit = column(row, name)?;
    numeric.quantity().map_err(|source| StoreError::unreadable(name, source))
}

/// The sums in three columns: count, volume and notional.
pub(crate) fn sums(row: &Row, trades: &str, volume: &str, notional: &str) -> Result<Sums, StoreError> {
    let (volume, notional): (Numeric<18>, Numeric<36>) = (column(row, volume)?, column(row, notional)?);
    let (volume, notional): (Volume, Notional) = (volume.0, notional.0);
    Ok(Sums { trades: count(row, trades)?, volume, notional })
}

/// A trade, with its ticker.
pub(crate) fn trade(row: &Row) -> Result<Trade, StoreError> {
    Ok(Trade {
        ticker: ticker(row, "ticker")?,
        id: trade_id(row, "tradeid")?,
        traded_at: instant(row, "ts")?,
        price: price(row, "price")?,
        quantity: quantity(row, "quantity")?,
    })
}

/// A digest.
pub(crate) fn digest(row: &Row, name: &str) -> Result<Digest, StoreError> {
    let digest: Option<Digest> = digest_if_any(row, name)?;
    digest.ok_or_else(|| StoreError::unreadable(name, "no digest where one must be"))
}

/// A digest that need not be there.
pub(crate) fn digest_if_any(row: &Row, name: &str) -> Result<Option<Digest>, StoreError> {
    let bytes: Option<Vec<u8>> = column(row, name)?;
    let read = |bytes: Vec<u8>| {
        let bytes = <[u8; 32]>::try_from(bytes);
        bytes.map(Digest::from_bytes).map_err(|_| StoreError::unreadable(name, "not the 32 bytes of a digest"))
    };
    bytes.map(read).transpose()
}
