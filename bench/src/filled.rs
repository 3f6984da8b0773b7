//! A Postgres of the bench's own, with figures and trades in its tables.

use anyhow::Context as _;
use store::StoreConfig;
use testkit::Cluster;
use tokio_postgres::{Client, NoTls};

const SETTINGS: &str = "
shared_buffers = 512MB
max_connections = 100
autovacuum = off
";

/// A migrated database, gone when dropped.
pub struct Filled {
    cluster: Cluster,
    /// Where it is.
    pub url: String,
}

impl Filled {
    /// Starts Postgres in a temporary folder, lays out the tables and runs a script.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn with(script: &str) -> anyhow::Result<Self> {
        Self::launched(SETTINGS, script).await
    }

    /// The same as Debian ships it, with nothing in its tables: every commit is
    /// on disk before it is one, and tables are cleaned while they are used.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn as_shipped() -> anyhow::Result<Self> {
        Self::launched("\nshared_buffers = 128MB\nmax_connections = 100\n", "").await
    }

    async fn launched(settings: &'static str, script: &str) -> anyhow::Result<Self> {
        let cluster = tokio::task::spawn_blocking(move || Cluster::launch(&std::env::temp_dir(), settings)).await?;
        let url = cluster.admin_url();
        let filled = Self { cluster, url };
        store::migrate(&StoreConfig::new(&filled.url)).await.context("could not lay out the tables")?;
        filled.client().await?.batch_execute(script).await.context("could not fill the tables")?;
        Ok(filled)
    }

    /// A connection.
    ///
    /// # Errors
    /// When there is none.
    pub async fn client(&self) -> anyhow::Result<Client> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute("set search_path = crypto_market").await?;
        Ok(client)
    }

    /// Its port and the database's name, for programs of Postgres.
    pub fn port(&self) -> &str {
        self.url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')).map_or("5432", |(port, _)| port)
    }
}

impl Drop for Filled {
    fn drop(&mut self) {
        self.cluster.remove();
    }
}
