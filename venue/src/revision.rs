//! A change of mind of the market about its past: what a venue does that
//! repairs its history. From then on REST and the truth say the new thing; the
//! socket, which spoke before, says nothing.

use tape::{EpochMs, Rejection, Ticker, TradeId};

use crate::true_trade::TrueTrade;

/// Revisions of one venue at most, over its whole life.
pub const MOST_REVISIONS: u64 = 100_000;

/// What the market thinks now of one trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The ticker.
    pub ticker: Ticker,
    /// The trade.
    pub id: TradeId,
    /// What changes.
    pub change: Change,
}

/// What changes about a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It has other values; what is not given stays.
    Alter {
        /// The new time.
        traded_at: Option<EpochMs>,
        /// The new price, in digits.
        price: Option<String>,
        /// The new quantity, in digits.
        quantity: Option<String>,
    },
    /// It never was.
    Withdraw,
    /// It was all along, though nobody was told.
    Insert {
        /// When it was made.
        traded_at: EpochMs,
        /// Its price, in digits.
        price: String,
        /// Its quantity, in digits.
        quantity: String,
    },
}

/// What a revision did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revised {
    /// The trade as it was; none for one that is new.
    pub was: Option<TrueTrade>,
    /// The trade as it is; none for one that is gone.
    pub now: Option<TrueTrade>,
}

/// Why a revision cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevisionError {
    /// There is no such trade to change.
    #[error("there is no trade {id} of {ticker} to change")]
    Unknown {
        /// The ticker.
        ticker: Ticker,
        /// The id asked for.
        id: TradeId,
    },
    /// A trade to insert is there already.
    #[error("there is a trade {id} of {ticker} already; to change it, leave out \"insert\"")]
    Taken {
        /// The ticker.
        ticker: Ticker,
        /// The id asked for.
        id: TradeId,
    },
    /// The new time is not in the past that is remembered.
    #[error("ts is {traded_at}, but the past that can be revised is after {after} and up to {until}")]
    NotThePast {
        /// The time asked for.
        traded_at: EpochMs,
        /// Trades at or before it are forgotten.
        after: EpochMs,
        /// The market's present.
        until: EpochMs,
    },
    /// The id is not a number, where ids are.
    #[error("ids of this dialect are numbers, not {id}")]
    NoNumber {
        /// The id asked for.
        id: TradeId,
    },
    /// The values are no trade's.
    #[error(transparent)]
    NoTrade(#[from] Rejection),
    /// The bound is reached.
    #[error("this venue has changed its mind {MOST_REVISIONS} times, and does not any more")]
    TooMany,
}

impl Change {
    /// The trade as it is after the change of one that `was`, if there was one.
    pub(crate) fn apply(
        &self,
        ticker: &Ticker,
        id: &TradeId,
        was: Option<&TrueTrade>,
    ) -> Result<Option<TrueTrade>, RevisionError> {
        let (ticker_text, id_text) = (ticker.as_str(), id.as_str());
        let unknown = || RevisionError::Unknown { ticker: ticker.clone(), id: id.clone() };
        match self {
            Self::Withdraw => was.map(|_| None).ok_or_else(unknown),
            Self::Alter { traded_at, price, quantity } => {
                let was = was.ok_or_else(unknown)?;
                let price = price.as_deref().unwrap_or(was.price());
                let quantity = quantity.as_deref().unwrap_or(was.quantity());
                let traded_at = traded_at.unwrap_or(was.traded_at);
                Ok(Some(TrueTrade::new(ticker_text, traded_at.ms(), price, quantity, id_text)?))
            }
            Self::Insert { traded_at, price, quantity } => {
                if was.is_some() {
                    return Err(RevisionError::Taken { ticker: ticker.clone(), id: id.clone() });
                }
                Ok(Some(TrueTrade::new(ticker_text, traded_at.ms(), price, quantity, id_text)?))
            }
        }
    }
}
