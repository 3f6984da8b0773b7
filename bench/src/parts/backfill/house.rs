//! The programs of a backfill: a private, durable Postgres, the practice market
//! with a recorded tape, and a worker that is started anew for each run.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use store::StoreConfig;
use testkit::{Cluster, free_port};
use tokio::time::sleep;
use tokio_postgres::{Client, NoTls};

use crate::Bench;

/// The name everything is stored under.
pub const EXCHANGE: &str = "generic";

/// A cluster as Debian ships it: every commit is on disk before it is one.
const SETTINGS: &str = "
shared_buffers = 128MB
max_connections = 50
";

/// Nothing may take longer.
const DEADLINE: Duration = Duration::from_secs(600);

/// How often it is looked whether a backfill is done.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Everything but the worker.
pub struct House {
    cluster: Cluster,
    venue: Running,
    /// Where the practice market answers.
    pub venue_port: u16,
    worker: PathBuf,
    log: PathBuf,
}

/// What of a tape is backfilled.
pub struct Stretch<'a> {
    /// The ticker.
    pub ticker: &'a str,
    /// From when on.
    pub from_ms: i64,
    /// The last mark that is waited for.
    pub last_mark_ms: i64,
}

/// What a backfill took and left.
pub struct Taken {
    /// From the start of the worker to the last final figure.
    pub wall_s: f64,
    /// Confirmed trades of the tape.
    pub trades: u64,
    /// Final marks.
    pub marks: i64,
}

impl House {
    /// Starts Postgres and the practice market with a tape, and waits for both.
    pub fn build(bench: &Bench, tape: &Path) -> anyhow::Result<Self> {
        let cluster = Cluster::launch(&std::env::temp_dir(), SETTINGS);
        let venue_port = free_port();
        let mut command = Command::new(bench.programs.join("venue"));
        command.args(["--port", &venue_port.to_string(), "--as-recorded", "--tape"]).arg(tape);
        let venue = Running::start(command, &bench.kept.join("venue.log"))?;
        let house = Self {
            cluster,
            venue,
            venue_port,
            worker: bench.programs.join("worker"),
            log: bench.kept.join("worker.log"),
        };
        house.wait_for_the_venue()?;
        Ok(house)
    }

    fn wait_for_the_venue(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.venue_port)).is_err() {
            if began.elapsed() > Duration::from_secs(60) {
                bail!("the practice market does not listen");
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// A new, empty, migrated database; any of the same name is gone.
    pub async fn database(&self, name: &str) -> anyhow::Result<(String, Client)> {
        let admin = connect(&self.cluster.admin_url()).await?;
        admin.batch_execute(&format!("drop database if exists {name} with (force)")).await?;
        admin.batch_execute(&format!("create database {name}")).await?;
        admin.batch_execute("checkpoint").await?;
        let admin_url = self.cluster.admin_url();
        let server = admin_url.strip_suffix("postgres").context("the URL ends with the database")?;
        let url = format!("{server}{name}");
        store::migrate(&StoreConfig::new(&url)).await?;
        let client = connect(&url).await?;
        client.batch_execute("set search_path = crypto_market").await?;
        Ok((url, client))
    }

    /// Lets a worker backfill a stretch of the tape into a new database.
    pub async fn backfill(&self, stretch: &Stretch<'_>) -> anyhow::Result<Taken> {
        let (url, client) = self.database("ours").await?;
        self.backfill_into(&url, &client, EXCHANGE, stretch).await
    }

    /// Lets a worker backfill a stretch of the tape into a database, under the
    /// name of an exchange that has nothing there.
    pub async fn backfill_into(
        &self,
        url: &str,
        client: &Client,
        exchange: &str,
        stretch: &Stretch<'_>,
    ) -> anyhow::Result<Taken> {
        let mut command = Command::new(&self.worker);
        command.env_clear().envs([
            ("PG_STRING", url),
            ("TICKERS", stretch.ticker),
            ("EXCHANGE", exchange),
            ("BACKFILL_FROM", &stretch.from_ms.to_string()),
            ("MARKET_CLOCK", "market"),
            ("RETENTION", "forever"),
            ("REST_RATE", "100000"),
            ("AUDIT_SHARE", "0"),
            ("WORKER_PORT", "0"),
            ("MARKET_WS_URL", &format!("ws://127.0.0.1:{}/stream", self.venue_port)),
            ("MARKET_REST_URL", &format!("http://127.0.0.1:{}/trades", self.venue_port)),
        ]);
        let began = Instant::now();
        let worker = Running::start(command, &self.log)?;
        let done =
            "select count(*) > 0 from tickers_validation_timestamp where exchange = $1 and validated_until >= $2";
        while !client.query_one(done, &[&exchange, &stretch.last_mark_ms]).await?.get::<_, bool>(0) {
            if began.elapsed() > DEADLINE {
                bail!("the backfill takes longer than {} s; see {}", DEADLINE.as_secs(), self.log.display());
            }
            sleep(LOOK_EVERY).await;
        }
        let wall_s = began.elapsed().as_secs_f64();
        drop(worker);
        let trades = "select count(*) from transactions where exchange = $1 and is_validated and ts <= $2";
        let trades: i64 = client.query_one(trades, &[&exchange, &stretch.last_mark_ms]).await?.get(0);
        let marks = "select count(*) from vwap_history where exchange = $1 and is_validated and ts <= $2";
        let marks: i64 = client.query_one(marks, &[&exchange, &stretch.last_mark_ms]).await?.get(0);
        Ok(Taken { wall_s, trades: u64::try_from(trades)?, marks })
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.venue.0.kill();
        self.cluster.remove();
    }
}

/// A child that ends when it is let go of.
struct Running(Child);

impl Running {
    fn start(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let to = std::fs::File::create(log).with_context(|| format!("could not make {}", log.display()))?;
        command.stdin(Stdio::null()).stdout(to.try_clone()?).stderr(to);
        Ok(Self(command.spawn().with_context(|| format!("could not start {command:?}"))?))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn connect(url: &str) -> anyhow::Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends with the client.
    tokio::spawn(connection);
    Ok(client)
}
