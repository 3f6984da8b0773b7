//! The life of the process: reach the database, wait to lead, lead; begin anew
//! after whatever is transient, end with a name after what is not.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use market::Backoff;
use prometheus_client::registry::Registry;
use store::{Leadership, Store, StoreConfig, StoreError};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::engine::SessionError;
use crate::metrics::Metrics;
use crate::{http, session};

/// How often a waiting worker tries to lead.
const CAMPAIGN_EVERY: Duration = Duration::from_secs(1);

/// Delays between sessions that fail.
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// A session that lasted so long was a good one.
const GOOD_SESSION: Duration = Duration::from_secs(10);

/// What the store is told, of all that is configured.
pub fn store_config(config: &Config) -> StoreConfig {
    StoreConfig {
        application_name: "truetape worker".to_owned(),
        pool_size: config.db_pool,
        ..StoreConfig::new(&config.pg_string)
    }
}

/// Follows every market configured until told to stop. What fails for one of
/// them is no concern of the others.
///
/// # Errors
/// What ended it: a wrong configuration, or a part that ended by itself.
pub async fn run(configs: Vec<Config>, listener: TcpListener, shutdown: CancellationToken) -> anyhow::Result<()> {
    let over = shutdown.child_token();
    let mut registry = Registry::with_prefix("truetape");
    let mut followed = Vec::with_capacity(configs.len());
    let mut markets = JoinSet::new();
    for config in configs {
        let label = (Cow::Borrowed("exchange"), Cow::Owned(config.venue.clone()));
        let metrics = Arc::new(Metrics::registered(registry.sub_registry_with_label(label)));
        followed.push((config.venue.clone(), Arc::clone(&metrics)));
        let shutdown = over.clone();
        markets.spawn(async move {
            let store_config = store_config(&config);
            let ended = lead_for_life(&config, &store_config, &metrics, &shutdown).await;
            metrics.given_up.set(ended.is_err().into());
            ended.with_context(|| format!("{} is no longer followed", config.venue))
        });
    }
    let server = tokio::spawn(http::serve(listener, followed, registry, over.clone()));

    let ended = tokio::select! {
        ended = until_all_ended(&mut markets) => ended,
        served = server => match served {
            _ if shutdown.is_cancelled() => Ok(()),
            served => Err(anyhow::anyhow!("the worker's own port ended unexpectedly: {served:?}")),
        },
    };
    over.cancel();
    while markets.join_next().await.is_some() {}
    ended
}

/// Waits until no market is followed any more; the last failure is what ended it.
async fn until_all_ended(markets: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    let mut outcome = Ok(());
    while let Some(ended) = markets.join_next().await {
        let ended = ended.unwrap_or_else(|panic| Err(anyhow::anyhow!("following a market panicked: {panic}")));
        if let Err(error) = ended {
            if !markets.is_empty() {
                tracing::error!("{error:#}; the other exchanges still are");
            }
            outcome = Err(error);
        }
    }
    outcome
}

async fn lead_for_life(
    config: &Config,
    store_config: &StoreConfig,
    metrics: &Arc<Metrics>,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let mut backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
    loop {
        let began = Instant::now();
        let ended = one_term(config, store_config, metrics, shutdown).await;
        metrics.leading.set(0);
        let error = match ended {
            Ok(()) => return Ok(()),
            Err(error) if error.is_transient() => error,
            Err(error) => return Err(error).context("the worker cannot go on"),
        };
        if began.elapsed() > GOOD_SESSION {
            backoff.reset();
        }
        metrics.sessions_lost.inc();
        let delay = backoff.delay();
        tracing::warn!(?delay, "{}; beginning anew in {} ms", chain(&error), delay.as_millis());
        if shutdown.run_until_cancelled(sleep(delay)).await.is_none() {
            return Ok(());
        }
    }
}

/// From reaching the database to the end of one leadership. Returns only when
/// told to stop, or why it could not go on.
async fn one_term(
    config: &Config,
    store_config: &StoreConfig,
    metrics: &Arc<Metrics>,
    shutdown: &CancellationToken,
) -> Result<(), SessionError> {
    let prepared = shutdown.run_until_cancelled(async {
        store::migrate(store_config).await?;
        let store = Store::connect(store_config)?;
        let leadership = wait_to_lead(&store, &config.venue).await?;
        Ok::<_, StoreError>((store, leadership))
    });
    let Some(prepared) = prepared.await else { return Ok(()) };
    let (store, leadership) = prepared?;
    tracing::info!(venue = config.venue, "leading {}", config.venue);
    metrics.leading.set(1);
    session::lead(config, &store, leadership, metrics, shutdown).await
}

async fn wait_to_lead(store: &Store, venue: &str) -> Result<Leadership, StoreError> {
    let mut was_told = false;
    loop {
        if let Some(leadership) = store.lead(venue).await? {
            return Ok(leadership);
        }
        if !was_told {
            tracing::info!(venue, "another worker leads {venue}; waiting to take over");
            was_told = true;
        }
        sleep(CAMPAIGN_EVERY).await;
    }
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        line = format!("{line}: {source}");
        cause = source.source();
    }
    line
}
