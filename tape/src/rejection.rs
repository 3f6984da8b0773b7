//! Why a trade was refused at the door. A bad trade is data, not an error: it
//! is counted by [`RejectionKind`], kept with its frame, and never enters a figure.

use crate::EpochMs;

/// Why something a venue said is not a trade we can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The frame or row is not what the protocol describes at all.
    #[error("malformed: {0}")]
    Malformed(String),
    /// A field is absent.
    #[error("{field} is missing")]
    MissingField {
        /// The field's name on the wire.
        field: &'static str,
    },
    /// A field has a type that cannot be read as what it should be.
    #[error("{field} has the wrong type: {found}")]
    WrongType {
        /// The field's name on the wire.
        field: &'static str,
        /// What stood there, shortened.
        found: String,
    },
    /// A price or quantity is zero or negative.
    #[error("{field} is not positive: {value}")]
    NotPositive {
        /// `price` or `quantity`.
        field: &'static str,
        /// The text that was refused.
        value: String,
    },
    /// A price or quantity has more digits than can be held exactly.
    #[error("{field} cannot be held exactly: {value}")]
    NotExact {
        /// `price` or `quantity`.
        field: &'static str,
        /// The text that was refused.
        value: String,
    },
    /// The trade has no id, or one that is no identifier.
    #[error("no usable trade id: {0:?}")]
    NoTradeId(String),
    /// The ticker is empty, too long, or has characters no ticker has.
    #[error("not a ticker: {0:?}")]
    BadTicker(String),
    /// The trade claims to be older than anything we keep.
    #[error("traded at {traded_at}, at or before the oldest time kept, {oldest}")]
    TooOld {
        /// The claimed time.
        traded_at: EpochMs,
        /// The time at or before which trades are refused.
        oldest: EpochMs,
    },
    /// The trade claims to be from the future.
    #[error("traded at {traded_at}, after the latest time accepted, {latest}")]
    FromTheFuture {
        /// The claimed time.
        traded_at: EpochMs,
        /// The latest time accepted.
        latest: EpochMs,
    },
    /// The message is larger than the limit.
    #[error("a message of {bytes} bytes is over the limit")]
    Oversized {
        /// Its size.
        bytes: usize,
    },
}

/// What rejections are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RejectionKind {
    /// Not a message of the protocol.
    Malformed,
    /// A field missing or of the wrong type.
    WrongType,
    /// Zero or negative price or quantity.
    NotPositive,
    /// More digits than can be held exactly.
    NotExact,
    /// No usable trade id.
    NoTradeId,
    /// Not a ticker.
    BadTicker,
    /// Older than anything kept.
    TooOld,
    /// From the future.
    Future,
    /// Over the size limit.
    Oversized,
}

impl RejectionKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::WrongType,
        Self::NotPositive,
        Self::NotExact,
        Self::NoTradeId,
        Self::BadTicker,
        Self::TooOld,
        Self::Future,
        Self::Oversized,
    ];

    /// The kind's name in counters, tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::WrongType => "wrong_type",
            Self::NotPositive => "not_positive",
            Self::NotExact => "not_exact",
            Self::NoTradeId => "no_trade_id",
            Self::BadTicker => "bad_ticker",
            Self::TooOld => "too_old",
            Self::Future => "future",
            Self::Oversized => "oversized",
        }
    }
}

impl Rejection {
    /// The kind this rejection is counted under.
    pub fn kind(&self) -> RejectionKind {
        match self {
            Self::Malformed(_) => RejectionKind::Malformed,
            Self::MissingField { .. } | Self::WrongType { .. } => RejectionKind::WrongType,
            Self::NotPositive { .. } => RejectionKind::NotPositive,
            Self::NotExact { .. } => RejectionKind::NotExact,
            Self::NoTradeId(_) => RejectionKind::NoTradeId,
            Self::BadTicker(_) => RejectionKind::BadTicker,
            Self::TooOld { .. } => RejectionKind::TooOld,
            Self::FromTheFuture { .. } => RejectionKind::Future,
            Self::Oversized { .. } => RejectionKind::Oversized,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_name_that_counters_and_tables_know() {
        let names = RejectionKind::ALL.map(RejectionKind::as_str);

        let known = ["malformed", "wrong_type", "not_positive", "not_exact", "no_trade_id", "bad_ticker", "too_old"];
        assert_eq!(names[..7], known);
        assert_eq!(names[7..], ["future", "oversized"]);
    }
}
