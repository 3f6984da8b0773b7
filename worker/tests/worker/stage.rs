//! A venue, a database and a worker, each of one test's own.

use std::time::Duration;

use tape::{EpochMs, Ticker};
use testkit::{TestDatabase, eventually};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use venue::{Running, Venue, VenueConfig};
use worker::Config;

/// How long anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A worker inside the test's process.
pub struct Worker {
    shutdown: CancellationToken,
    task: Option<JoinHandle<anyhow::Result<()>>>,
    url: String,
}

/// The variables that point a worker at a venue and a database, and more.
pub fn vars(venue: &Running, pg_string: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let market = venue.dialect().name();
    let (ws_url, rest_url) = match socket_path(market) {
        None => (venue.ws_url(), venue.rest_url()),
        Some(path) => (venue.ws_at(path), venue.url()),
    };
    let mut vars = vec![
        ("PG_STRING".to_owned(), pg_string.to_owned()),
        ("MARKET".to_owned(), market.to_owned()),
        ("MARKET_WS_URL".to_owned(), ws_url),
        ("MARKET_REST_URL".to_owned(), rest_url),
        ("POLL_EVERY".to_owned(), "200ms".to_owned()),
    ];
    for (name, value) in more {
        vars.retain(|(other, _)| other != name);
        vars.push(((*name).to_owned(), (*value).to_owned()));
    }
    vars
}

/// Where an exchange's socket is on its host, as its adapter knows it; none of the generic one.
fn socket_path(market: &str) -> Option<&'static str> {
    match market {
        "binance" => Some("/ws"),
        "bybit" => Some("/v5/public/spot"),
        "coinbase" | "bitstamp" => Some("/"),
        "kraken" => Some("/v2"),
        "okx" => Some("/ws/v5/business"),
        _ => None,
    }
}

impl Worker {
    /// Starts a worker with these variables.
    pub async fn start(vars: Vec<(String, String)>) -> Self {
        let configs = Config::all_from_vars(vars).expect("a valid configuration");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(worker::run(configs, listener, shutdown.clone()));
        Self { shutdown, task: Some(task), url }
    }

    /// What `GET path` answers.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        get(&format!("{}{path}", self.url)).await
    }

    /// Stops it as SIGTERM would, and returns how it ended.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.cancel();
        let task = self.task.take().expect("a worker is stopped once");
        let ended = tokio::time::timeout(Duration::from_secs(5), task).await;
        ended.expect("a worker stops within five seconds").expect("a worker does not panic")
    }

    /// Ends it between any two awaits, as a kill would: nothing is finished or said goodbye to.
    pub fn kill(mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

/// A venue, a database and a worker.
pub struct Stage {
    /// The market.
    pub venue: Running,
    /// The tables.
    pub database: TestDatabase,
    /// The worker; none between a kill and a new start.
    pub worker: Option<Worker>,
    vars: Vec<(String, String)>,
}

impl Stage {
    /// Everything up, and the worker listening to the venue.
    pub async fn start(venue: VenueConfig, more: &[(&str, &str)]) -> Self {
        Self::start_after(venue, more, |_| {}).await
    }

    /// [`Stage::start`] with a venue that has a past already.
    pub async fn start_after(venue: VenueConfig, more: &[(&str, &str)], past: impl FnOnce(&Running)) -> Self {
        let venue = Venue::start(venue).await.expect("the venue starts");
        past(&venue);
        let database = testkit::database().await;
        let vars = vars(&venue, &database.url(), more);
        let worker = Some(Worker::start(vars.clone()).await);
        assert!(venue.wait_for_listeners(1, PATIENCE).await, "the worker does not listen");
        Self { venue, database, worker, vars }
    }

    /// Starts another worker with the same variables.
    pub async fn another_worker(&self) -> Worker {
        Worker::start(self.vars.clone()).await
    }

    /// Starts another worker, with some variables changed.
    pub async fn worker_with(&self, changed: &[(&str, &str)]) -> Worker {
        let is_changed = |name: &str| changed.iter().any(|(other, _)| *other == name);
        let kept = self.vars.iter().filter(|(name, _)| !is_changed(name)).cloned();
        let changed = changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Worker::start(kept.chain(changed).collect()).await
    }

    /// Waits until the ticker is settled at least until an instant.
    pub async fn settled(&self, ticker: &str, until: EpochMs) {
        settled(&self.database.client().await, ticker, until).await;
    }
}

/// What a URL on this machine answers.
pub async fn get(url: &str) -> Option<(u16, String)> {
    // The client wants to be able to read https, though nothing here does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().expect("a client");
    let answer = client.get(url).send().await.ok()?;
    let status = answer.status().as_u16();
    Some((status, answer.text().await.ok()?))
}

/// Waits until the ticker is settled at least until an instant.
pub async fn settled(client: &Client, ticker: &str, until: EpochMs) {
    let sql = "select validated_until from tickers_validation_timestamp where ticker = $1";
    eventually(&format!("{ticker} to be settled until {until}"), PATIENCE, || async {
        let row = client.query_opt(sql, &[&ticker]).await.ok()??;
        (until.ms() <= row.get::<_, i64>(0)).then_some(())
    })
    .await;
}

/// How far a ticker is settled now.
pub async fn settled_until(client: &Client, ticker: &str) -> EpochMs {
    let sql = "select validated_until from tickers_validation_timestamp where ticker = $1";
    EpochMs::new(client.query_one(sql, &[&ticker]).await.expect("a known ticker").get(0))
}

/// A ticker's first moment on the tape.
pub async fn tape_from(client: &Client, ticker: &str) -> EpochMs {
    let sql = "select tape_from from tickers_validation_timestamp where ticker = $1";
    EpochMs::new(client.query_one(sql, &[&ticker]).await.expect("a known ticker").get(0))
}

/// A number the database answers.
pub async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// Our own time, as tests see it.
pub fn now() -> EpochMs {
    worker::clock::wall()
}

/// Short for a ticker.
pub fn ticker(text: &str) -> Ticker {
    testkit::ticker(text)
}
