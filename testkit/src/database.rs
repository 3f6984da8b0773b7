//! A migrated database for one test, made from a template in a few
//! milliseconds and dropped when the test ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use store::{Store, StoreConfig};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::{eventually, shared};

/// The advisory lock under which the template is made.
const TEMPLATE_LOCK: i64 = 0x7465_7374_6b69_7400;

const PATIENCE: Duration = Duration::from_secs(60);

/// A database of one test, dropped with it.
#[derive(Debug)]
pub struct TestDatabase {
    admin_url: String,
    name: String,
}

/// Makes a migrated, empty database in the cluster that all tests share.
///
/// # Panics
/// When there is no Postgres, with the command that installs one.
pub async fn database() -> TestDatabase {
    let admin_url = tokio::task::spawn_blocking(shared::admin_url).await.expect("there is a cluster");
    TestDatabase::create(admin_url).await
}

impl TestDatabase {
    pub(crate) async fn create(admin_url: String) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let admin = connect(&admin_url).await;
        let template = template(&admin, &admin_url).await;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{}_{count}", std::process::id());
        // A process of the same id may have been killed before it could drop its own.
        execute(&admin, &format!("drop database if exists {name} with (force)")).await;
        execute(&admin, &format!("create database {name} template {template}")).await;
        Self { admin_url, name }
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        with_database(&self.admin_url, &self.name)
    }

    /// How to reach the database, with limits that suit a test.
    pub fn config(&self) -> StoreConfig {
        StoreConfig { pool_size: 4, application_name: "testkit".to_owned(), ..StoreConfig::new(self.url()) }
    }

    /// A store on the database, with a pool of its own.
    pub fn store(&self) -> Store {
        Store::connect(&self.config()).expect("the URL is ours")
    }

    /// A plain connection, for looking at the tables from outside.
    pub async fn client(&self) -> Client {
        let client = connect(&self.url()).await;
        client.batch_execute("set search_path = crypto_market").await.expect("the schema is there");
        client
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (admin_url, name) = (self.admin_url.clone(), self.name.clone());
        // Dropping cannot await; a thread with a runtime of its own can.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let drop_database = async {
                    // The cluster may be stopped or gone: then so is the database.
                    if let Ok(admin) = try_connect(&admin_url).await {
                        let _ = admin.batch_execute(&format!("drop database if exists {name} with (force)")).await;
                    }
                };
                let _ = tokio::time::timeout(Duration::from_secs(10), drop_database).await;
            });
        });
        let _ = dropping.join();
    }
}

/// The name of the migrated template; the first to ask makes it.
async fn template(admin: &Client, admin_url: &str) -> String {
    let template = format!("truetape_template_{:016x}", store::schema_fingerprint());
    admin.execute("select pg_advisory_lock($1)", &[&TEMPLATE_LOCK]).await.expect("the lock becomes free");
    let found = admin.query("select from pg_database where datname = $1", &[&template]).await.expect("a catalog");
    if found.is_empty() {
        let building = format!("{template}_building");
        execute(admin, &format!("drop database if exists {building} with (force)")).await;
        execute(admin, &format!("create database {building}")).await;
        let config = StoreConfig::new(with_database(admin_url, &building));
        store::migrate(&config).await.expect("the migrations run");
        execute(admin, &format!("alter database {building} rename to {template}")).await;
        execute(admin, &format!("alter database {template} with is_template true allow_connections false")).await;
    }
    admin.execute("select pg_advisory_unlock($1)", &[&TEMPLATE_LOCK]).await.expect("it was taken");
    template
}

/// Runs one statement about databases, as soon as nobody is in the way.
async fn execute(admin: &Client, sql: &str) {
    eventually(&format!("`{sql}` to get through"), PATIENCE, || async {
        match admin.batch_execute(sql).await {
            Ok(()) => Some(()),
            Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) => None,
            Err(error) => panic!("{sql}: {error:?}"),
        }
    })
    .await;
}

async fn connect(url: &str) -> Client {
    eventually(&format!("{url} to take a connection"), PATIENCE, || async { try_connect(url).await.ok() }).await
}

async fn try_connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The URL with another database: what follows the last slash before any `?`.
fn with_database(url: &str, name: &str) -> String {
    let (base, options) = url.split_once('?').map_or((url, String::new()), |(base, rest)| (base, format!("?{rest}")));
    let authority_at = base.find("://").map_or(0, |at| at + 3);
    let server = base[authority_at..].find('/').map_or(base, |slash| &base[..authority_at + slash]);
    format!("{server}/{name}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_a_url_is_replaced() {
        assert_eq!(with_database("postgres://u:p@h:1/postgres", "x"), "postgres://u:p@h:1/x");
        assert_eq!(with_database("postgres://u@h:1", "x"), "postgres://u@h:1/x");
        assert_eq!(with_database("postgres://u@h:1/a?sslmode=disable", "x"), "postgres://u@h:1/x?sslmode=disable");
    }
}
