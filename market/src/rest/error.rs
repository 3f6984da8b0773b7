//! Why a market gave us no page, named after what can be done about it.

use std::time::Duration;

use reqwest::StatusCode;
use tape::Ticker;
use url::Url;

use crate::NotAPage;

/// Why a market gave us no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// No connection, or it broke before the answer was whole.
    #[error("could not get an answer from {url}")]
    Unreachable {
        /// What was asked.
        url: Box<Url>,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// A deadline passed.
    #[error("{url} did not answer in time")]
    TimedOut {
        /// What was asked.
        url: Box<Url>,
        /// Which deadline it was.
        #[source]
        source: reqwest::Error,
    },
    /// An answer with a status that holds no page.
    #[error("{url} answered {status}")]
    Refused {
        /// What was asked.
        url: Box<Url>,
        /// The status.
        status: StatusCode,
        /// How long the market asked us to stay away.
        retry_after: Option<Duration>,
    },
    /// The market says that it cannot answer now.
    #[error("{url} cannot answer now: {words:?}")]
    Unavailable {
        /// What was asked.
        url: Box<Url>,
        /// In its words.
        words: String,
    },
    /// The market will not answer this question.
    #[error("{url} refused the question: {words:?}")]
    Declined {
        /// What was asked.
        url: Box<Url>,
        /// In its words.
        words: String,
    },
    /// We asked too often.
    #[error("{url} answered that it was asked too often")]
    RateLimited {
        /// What was asked.
        url: Box<Url>,
        /// How long everyone stays away from the market now.
        retry_after: Duration,
    },
    /// The answer is not a page: HTML, half an array, not even text.
    #[error("{url} answered with something that is no page, beginning {beginning:?}")]
    Unreadable {
        /// What was asked.
        url: Box<Url>,
        /// How the answer begins.
        beginning: String,
        /// What is wrong with it.
        #[source]
        source: NotAPage,
    },
    /// The answer is larger than the limit.
    #[error("{url} answered with more than {limit_bytes} bytes")]
    TooLarge {
        /// What was asked.
        url: Box<Url>,
        /// The limit.
        limit_bytes: usize,
    },
    /// The market does not know the ticker.
    #[error("{url} does not know {ticker}")]
    UnknownTicker {
        /// What was asked.
        url: Box<Url>,
        /// The ticker.
        ticker: Ticker,
    },
    /// It was never our turn to ask.
    #[error("no turn to ask for {ticker} came in time")]
    NoTurn {
        /// The ticker.
        ticker: Ticker,
        /// How long everyone still stays away from the market.
        pause_left: Duration,
    },
}

impl PageError {
    /// Whether the same question may get an answer later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::RateLimited { .. }
            | Self::Unreadable { .. }
            | Self::Unavailable { .. }
            | Self::NoTurn { .. } => true,
            Self::Refused { status, .. } => {
                let is_worth_another_try = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY].contains(status);
                status.is_server_error() || is_worth_another_try
            }
            Self::TooLarge { .. } | Self::UnknownTicker { .. } | Self::Declined { .. } => false,
        }
    }

    /// How long to stay away at least, where the market said so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            Self::NoTurn { pause_left, .. } => Some(*pause_left),
            Self::Refused { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Unreadable { .. }
            | Self::Unavailable { .. }
            | Self::Declined { .. }
            | Self::TooLarge { .. }
            | Self::UnknownTicker { .. } => None,
        }
    }

    /// The error's name in counters.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::TimedOut { .. } => "timed_out",
            Self::Refused { .. } => "refused",
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::Declined { .. } => "declined",
            Self::Unreadable { .. } => "unreadable",
            Self::TooLarge { .. } => "too_large",
            Self::UnknownTicker { .. } => "unknown_ticker",
            Self::NoTurn { .. } => "no_turn",
        }
    }
}
