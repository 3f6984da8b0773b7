//! Brings the tables up to date. Refinery takes no lock of its own, so all of
//! it happens under one of ours: any number of programs may start at once.

use std::time::Duration;

use tokio_postgres::Client;

use crate::config::SCHEMA;
use crate::pool::open_dedicated;
use crate::{StoreConfig, StoreError};

mod embedded {
    refinery::embed_migrations!("../migrations");
}

/// The advisory lock of the migrations.
const LOCK: i64 = 0x7472_7565_7461_7065;

const DOING: &str = "migrating";

/// Creates the schema and runs every migration not yet run, once, however many
/// programs ask for it at the same time.
///
/// # Errors
/// [`StoreError::Unavailable`] when it takes longer than the migrate timeout;
/// [`StoreError::Refused`] when a migration fails or differs from the one that ran.
pub async fn migrate(config: &StoreConfig) -> Result<(), StoreError> {
    let limit = config.migrate_timeout;
    let (mut client, driver) = open_dedicated(config, limit).await?;
    // The lock is the session's: it goes with the connection, whatever happens.
    let result = tokio::time::timeout(limit, migrate_locked(&mut client, limit)).await;
    drop(client);
    driver.abort();
    result.unwrap_or_else(|elapsed| Err(StoreError::unavailable(DOING, elapsed)))
}

async fn migrate_locked(client: &mut Client, limit: Duration) -> Result<(), StoreError> {
    let failed = |source| StoreError::of_postgres(DOING, source);
    client.batch_execute(&format!("set lock_timeout = {}", limit.as_millis())).await.map_err(failed)?;
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await.map_err(failed)?;
    client.batch_execute(&format!("create schema if not exists {SCHEMA}")).await.map_err(failed)?;
    let running = embedded::migrations::runner().run_async(client).await;
    running.map_err(|error| StoreError::of_migration(DOING, error))?;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await.map_err(failed)?;
    Ok(())
}

/// A number that changes whenever any migration does.
pub fn schema_fingerprint() -> u64 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().fold(0, |all, migration| all.rotate_left(7) ^ migration.checksum())
}
