//! The database of the run: a private cluster, durable as a real one, that is
//! crashed, brought to a standstill and restarted.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use testkit::Cluster;
use tokio_postgres::NoTls;

use crate::process::send;

/// A small server that loses nothing it has committed.
const SETTINGS: &str = "
shared_buffers = 64MB
max_connections = 60
log_line_prefix = '%m [%p] '
";

/// The name of the database.
const DATABASE: &str = "crypto_market";

/// How often and for how long a start is tried: right after a crash the last
/// children may still hold the shared memory.
const START_WITHIN: Duration = Duration::from_secs(30);

/// A running server. It and its folder are gone when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
    is_kept: bool,
}

impl Postgres {
    /// Makes and starts a cluster below a folder, with an empty database.
    pub async fn launch(parent: &Path) -> anyhow::Result<Self> {
        let parent = parent.to_owned();
        let cluster = tokio::task::spawn_blocking(move || Cluster::launch(&parent, SETTINGS)).await;
        let postgres = Self { cluster: cluster.context("could not make a Postgres cluster")?, is_kept: false };
        let (client, connection) = tokio_postgres::connect(&postgres.cluster.admin_url(), NoTls).await?;
        tokio::spawn(connection);
        client.batch_execute(&format!("create database {DATABASE}")).await?;
        Ok(postgres)
    }

    /// The URL of the database.
    pub fn url(&self) -> String {
        let admin_url = self.cluster.admin_url();
        let server = admin_url.rsplit_once('/').map_or(admin_url.as_str(), |(server, _)| server);
        format!("{server}/{DATABASE}")
    }

    /// Stops it: `immediate` as a crash would, `fast` as an operator does.
    pub async fn stop(&self, mode: &'static str) -> anyhow::Result<()> {
        let cluster = self.cluster.clone();
        let stopped = tokio::task::spawn_blocking(move || cluster.stop(mode)).await;
        stopped.context("Postgres did not stop")
    }

    /// Starts it again, on the same port and data.
    pub async fn start(&self) -> anyhow::Result<()> {
        let began_at = Instant::now();
        loop {
            let cluster = self.cluster.clone();
            let started = tokio::task::spawn_blocking(move || cluster.start()).await;
            match started {
                Ok(()) => return Ok(()),
                Err(error) if began_at.elapsed() > START_WITHIN => return Err(error).context("Postgres did not start"),
                Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
            }
        }
    }

    /// Brings all its processes to a standstill.
    pub fn pause(&self) -> anyhow::Result<()> {
        let server = self.id()?;
        // First the one that makes others: then their number is settled.
        send("STOP", &[server])?;
        self.each_child("STOP")
    }

    /// Lets all of them go on.
    pub fn resume(&self) -> anyhow::Result<()> {
        self.each_child("CONT")?;
        send("CONT", &[self.id()?])
    }

    /// Stops it for good and lets the data stay in a folder of this name.
    pub async fn keep_data(mut self, folder: &Path) -> anyhow::Result<()> {
        self.is_kept = true;
        let _ = self.resume();
        let stopped = self.stop("fast").await;
        // Out of the folder that its watcher will remove.
        std::fs::rename(self.cluster.folder().join("data"), folder)?;
        let _ = std::fs::rename(self.log(), folder.with_extension("log"));
        stopped
    }

    /// What the server says.
    pub fn log(&self) -> PathBuf {
        self.cluster.folder().join("log")
    }

    fn id(&self) -> anyhow::Result<u32> {
        let path = self.cluster.folder().join("data/postmaster.pid");
        let text = std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))?;
        text.lines().next().and_then(|line| line.trim().parse().ok()).context("the server's file names no process")
    }

    fn each_child(&self, signal: &str) -> anyhow::Result<()> {
        let server = self.id()?.to_string();
        let output = Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().context("could not run ps")?;
        let text = String::from_utf8_lossy(&output.stdout);
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if let (Some(child), Some(parent)) = (words.next(), words.next())
                && parent == server
                && let Ok(child) = child.parse()
            {
                // One that has just ended by itself is no matter.
                let _ = send(signal, &[child]);
            }
        }
        if text.trim().is_empty() { bail!("ps lists no processes") } else { Ok(()) }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = self.resume();
        }
        self.cluster.remove();
    }
}
