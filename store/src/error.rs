//! Why the store could not do what it was asked, named after what the caller can do.

use deadpool_postgres::PoolError;
use tokio_postgres::error::SqlState;

use tape::{Ticker, Watermark};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong between us and Postgres.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not now: try again. Whether a commit that ended so took place is not
    /// known; read the state again before going on.
    #[error("the database cannot be used now ({doing})")]
    Unavailable {
        /// What was being done.
        doing: String,
        /// What Postgres or the network said.
        #[source]
        source: Source,
    },
    /// The tables are not there yet, or not as new as we are: migrations have
    /// not run, or not all of them. Try again.
    #[error("the database has not been migrated ({doing})")]
    Unmigrated {
        /// What was being done.
        doing: String,
        /// What Postgres said.
        #[source]
        source: Source,
    },
    /// Another worker leads the venue now: stop writing.
    #[error("{venue} is led by another worker, our epoch {epoch} has passed")]
    Deposed {
        /// The venue.
        venue: String,
        /// The epoch we wrote in.
        epoch: i64,
    },
    /// The watermark is not where we believed: read the state again.
    #[error("the watermark of {ticker} is no longer at {expected:?}")]
    Conflict {
        /// The ticker.
        ticker: Ticker,
        /// Where it was believed to be.
        expected: Watermark,
    },
    /// Postgres refused what was asked, and would again.
    #[error("the database refused a statement ({doing})")]
    Refused {
        /// What was being done.
        doing: String,
        /// Why.
        #[source]
        source: Source,
    },
    /// What is stored is not what we store; nothing was guessed or rounded.
    #[error("column {column} holds what we cannot read")]
    Unreadable {
        /// The column.
        column: String,
        /// What is wrong with it.
        #[source]
        source: Source,
    },
    /// The configuration cannot work.
    #[error("not a database we can use")]
    Misconfigured {
        /// Why.
        #[source]
        source: Source,
    },
}

impl StoreError {
    /// Whether the same call may succeed later with nothing else changed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Unmigrated { .. } => true,
            Self::Deposed { .. }
            | Self::Conflict { .. }
            | Self::Refused { .. }
            | Self::Unreadable { .. }
            | Self::Misconfigured { .. } => false,
        }
    }

    pub(crate) fn misconfigured(source: impl Into<Source>) -> Self {
        Self::Misconfigured { source: source.into() }
    }

    pub(crate) fn unavailable(doing: &str, source: impl Into<Source>) -> Self {
        Self::Unavailable { doing: doing.to_owned(), source: source.into() }
    }

    /// Something that would not go better another time.
    pub fn refused(doing: &str, source: impl Into<Source>) -> Self {
        Self::Refused { doing: doing.to_owned(), source: source.into() }
    }

    pub(crate) fn unreadable(column: &str, source: impl Into<Source>) -> Self {
        Self::Unreadable { column: column.to_owned(), source: source.into() }
    }

    /// What an error of Postgres or of the connection means for the caller.
    pub(crate) fn of_postgres(doing: &str, source: tokio_postgres::Error) -> Self {
        let Some(code) = source.code() else {
            let is_our_mistake =
                std::error::Error::source(&source).is_some_and(|cause| cause.is::<tokio_postgres::types::WrongType>());
            let doing = doing.to_owned();
            let source = source.into();
            return if is_our_mistake { Self::Refused { doing, source } } else { Self::Unavailable { doing, source } };
        };
        let meaning = Meaning::of(code);
        let (doing, source) = (doing.to_owned(), source.into());
        match meaning {
            Meaning::Later => Self::Unavailable { doing, source },
            Meaning::Unmigrated => Self::Unmigrated { doing, source },
            Meaning::Never => Self::Refused { doing, source },
        }
    }

    /// What a failed migration means: Postgres may be away, or it may refuse.
    pub(crate) fn of_migration(doing: &str, error: refinery::Error) -> Self {
        let mut cause = std::error::Error::source(&error);
        while let Some(source) = cause {
            if let Some(postgres) = source.downcast_ref::<tokio_postgres::Error>() {
                let is_for_later = postgres.code().is_none_or(|code| Meaning::of(code) == Meaning::Later);
                return if is_for_later { Self::unavailable(doing, error) } else { Self::refused(doing, error) };
            }
            cause = source.source();
        }
        Self::refused(doing, error)
    }

    pub(crate) fn of_pool(doing: &str, error: PoolError) -> Self {
        match error {
            PoolError::Backend(source) => Self::of_postgres(doing, source),
            other => Self::unavailable(doing, other),
        }
    }
}

/// What a SQLSTATE says about trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    Later,
    Unmigrated,
    Never,
}

impl Meaning {
    fn of(code: &SqlState) -> Self {
        let of_missing = [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN, SqlState::INVALID_SCHEMA_NAME];
        if of_missing.contains(code) {
            return Self::Unmigrated;
        }
        // Connection, transaction rollback, insufficient resources, operator
        // intervention, system error; then single codes of mixed classes.
        let is_class_for_later = ["08", "40", "53", "57", "58"].contains(&&code.code()[..2]);
        let is_code_for_later = [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::OBJECT_IN_USE,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
            // Said of what was sent together with a statement that failed: never the cause.
            SqlState::IN_FAILED_SQL_TRANSACTION,
        ]
        .contains(code);
        if is_class_for_later || is_code_for_later { Self::Later } else { Self::Never }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shutdown_deadlock_and_timeout_are_for_later_and_a_refused_row_is_not() {
        let later = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::QUERY_CANCELED,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::IN_FAILED_SQL_TRANSACTION,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::TOO_MANY_CONNECTIONS,
            SqlState::DISK_FULL,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        for code in later {
            assert_eq!(Meaning::of(&code), Meaning::Later, "{code:?}");
        }
        for code in [SqlState::CHECK_VIOLATION, SqlState::SYNTAX_ERROR, SqlState::INVALID_PASSWORD] {
            assert_eq!(Meaning::of(&code), Meaning::Never, "{code:?}");
        }
        for code in [SqlState::UNDEFINED_TABLE, SqlState::UNDEFINED_COLUMN] {
            assert_eq!(Meaning::of(&code), Meaning::Unmigrated, "{code:?}");
        }
    }
}
