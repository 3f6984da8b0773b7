//! A cluster of one test's own, which the test may kill and start again.

use std::path::Path;

use crate::TestDatabase;
use crate::cluster::{Cluster, FOR_TESTS};

/// A cluster nobody else uses, with one migrated database; gone with the test.
#[derive(Debug)]
pub struct OwnCluster {
    cluster: Cluster,
    database: TestDatabase,
}

/// Starts a cluster for this test alone: about a second.
///
/// # Panics
/// When there is no Postgres, with the command that installs one.
pub async fn own_cluster() -> OwnCluster {
    let launching = || Cluster::launch(Path::new(&std::env::temp_dir()), FOR_TESTS);
    let cluster = tokio::task::spawn_blocking(launching).await.expect("the cluster starts");
    let database = TestDatabase::create(cluster.admin_url()).await;
    OwnCluster { cluster, database }
}

impl OwnCluster {
    /// Its database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Kills the server as a crash would: nothing is written, nobody is told.
    pub async fn stop_immediate(&self) {
        let cluster = self.cluster.clone();
        tokio::task::spawn_blocking(move || cluster.stop_immediate()).await.expect("the server stops");
    }

    /// Starts the server again, on the same port.
    pub async fn start(&self) {
        let cluster = self.cluster.clone();
        tokio::task::spawn_blocking(move || cluster.start()).await.expect("the server starts");
    }
}

impl Drop for OwnCluster {
    fn drop(&mut self) {
        self.cluster.remove();
    }
}
