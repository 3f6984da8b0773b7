//! The store itself: a pool of connections, each wait of it limited.

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::partitions::KnownDays;
use crate::session::Session;
use crate::{StoreConfig, StoreError};

/// The database. Cheap to clone; all clones share one pool.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    config: Arc<StoreConfig>,
    pub(crate) known_days: Arc<KnownDays>,
}

impl Store {
    /// Prepares a pool. Nothing is sent yet, so a database that is away is no
    /// error here; use [`Store::is_reachable`] to know.
    ///
    /// # Errors
    /// [`StoreError::Misconfigured`] when the URL is none.
    pub fn connect(config: &StoreConfig) -> Result<Self, StoreError> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let connection = config.connection(config.statement_timeout)?;
        let pool = Pool::builder(Manager::from_config(connection, NoTls, recycling))
            .max_size(config.pool_size.max(1))
            .wait_timeout(Some(config.wait_timeout))
            .create_timeout(Some(config.create_timeout))
            .recycle_timeout(Some(config.recycle_timeout))
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(StoreError::misconfigured)?;
        Ok(Self { pool, config: Arc::new(config.clone()), known_days: Arc::default() })
    }

    /// Whether the database answers a question right now.
    pub async fn is_reachable(&self) -> bool {
        self.ping().await.is_ok()
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// Why there was none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.session().await?.batch("asking for a sign of life", "select 1").await
    }

    /// Closes every connection not in use, and opens no other: what is asked
    /// from now on is [`StoreError::Unavailable`].
    pub fn close(&self) {
        self.pool.close();
    }

    /// The configuration in use.
    pub fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// Takes a connection from the pool. A unit of work takes one and never a
    /// second: under load the pool would starve itself.
    pub(crate) async fn session(&self) -> Result<Session, StoreError> {
        let object = self.pool.get().await.map_err(|error| StoreError::of_pool("taking a connection", error))?;
        Ok(Session::new(object, self.config.answer_timeout()))
    }

    /// Opens a connection beside the pool, for what is bound to one session:
    /// advisory locks. The task drives it and ends with it.
    pub(crate) async fn dedicated(&self) -> Result<(Client, JoinHandle<()>), StoreError> {
        open_dedicated(&self.config, self.config.statement_timeout).await
    }
}

/// Opens a connection of its own, driven by a task that ends when either side does.
pub(crate) async fn open_dedicated(
    config: &StoreConfig,
    statement_timeout: Duration,
) -> Result<(Client, JoinHandle<()>), StoreError> {
    const DOING: &str = "opening a connection of its own";
    let connecting = config.connection(statement_timeout)?;
    let (client, connection) = tokio::time::timeout(config.create_timeout, connecting.connect(NoTls))
        .await
        .map_err(|elapsed| StoreError::unavailable(DOING, elapsed))?
        .map_err(|source| StoreError::of_postgres(DOING, source))?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a dedicated connection ended: {error}");
        }
    });
    Ok((client, driver))
}
