//! Where the database is, and how long anything may take there.

use std::time::Duration;

use tokio_postgres::Config;

use crate::StoreError;

/// The schema that holds every table of ours.
pub(crate) const SCHEMA: &str = "crypto_market";

/// How to reach the database. Every wait has a limit.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// `postgres://user:password@host:port/database`.
    pub url: String,
    /// What Postgres shows as the name of our connections.
    pub application_name: String,
    /// How many connections the pool holds at most.
    pub pool_size: usize,
    /// How long one statement may run.
    pub statement_timeout: Duration,
    /// How long a transaction may stay open without a statement.
    pub idle_in_transaction_timeout: Duration,
    /// How long opening a network connection may take.
    pub connect_timeout: Duration,
    /// How long to wait for a free connection of the pool.
    pub wait_timeout: Duration,
    /// How long opening a connection and logging in may take.
    pub create_timeout: Duration,
    /// How long the check of a connection given back may take.
    pub recycle_timeout: Duration,
    /// How long all migrations, waiting for another's included, may take.
    pub migrate_timeout: Duration,
}

impl StoreConfig {
    /// The defaults for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            application_name: "truetape".to_owned(),
            pool_size: 8,
            statement_timeout: Duration::from_secs(10),
            idle_in_transaction_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(3),
            wait_timeout: Duration::from_secs(5),
            create_timeout: Duration::from_secs(5),
            recycle_timeout: Duration::from_secs(3),
            migrate_timeout: Duration::from_secs(120),
        }
    }

    /// How long we wait for an answer: the server's own limit comes first, this
    /// one is for a server that no longer speaks at all.
    pub(crate) fn answer_timeout(&self) -> Duration {
        self.statement_timeout + Duration::from_secs(2)
    }

    /// What a connection is opened with, ending statements after `statement_timeout`.
    pub(crate) fn connection(&self, statement_timeout: Duration) -> Result<Config, StoreError> {
        let mut config: Config = self.url.parse().map_err(StoreError::misconfigured)?;
        // Nothing of ours runs for so long that compiling it first would pay, which Postgres does
        // once a statement looks dear, as some do where tables have grown.
        let ours = format!(
            "-c search_path={SCHEMA} -c jit=off -c statement_timeout={} -c idle_in_transaction_session_timeout={}",
            statement_timeout.as_millis(),
            self.idle_in_transaction_timeout.as_millis()
        );
        let options = match config.get_options() {
            Some(given) => format!("{given} {ours}"),
            None => ours,
        };
        config
            .options(options)
            .application_name(&self.application_name)
            .connect_timeout(self.connect_timeout)
            .tcp_user_timeout(self.answer_timeout())
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3);
        Ok(config)
    }
}

impl std::fmt::Debug for StoreConfig {
    /// Without the URL: it carries the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreConfig")
            .field("application_name", &self.application_name)
            .field("pool_size", &self.pool_size)
            .field("statement_timeout", &self.statement_timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_never_printed() {
        let config = StoreConfig::new("postgres://user:secret@localhost/x");

        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn a_url_that_is_none_is_a_permanent_error() {
        let error = StoreConfig::new("localhost:5432").connection(Duration::from_secs(1)).expect_err("no url");

        assert!(matches!(error, StoreError::Misconfigured { .. }));
        assert!(!error.is_transient());
    }

    #[test]
    fn options_of_the_url_are_kept() {
        let config = StoreConfig::new("postgres://localhost/x?options=-c%20work_mem%3D8MB");
        let connection = config.connection(Duration::from_secs(1)).expect("a url");

        assert!(connection.get_options().expect("options").starts_with("-c work_mem=8MB -c search_path="));
    }
}
