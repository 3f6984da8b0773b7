//! Asks REST, one task per ticker under one shared budget: from the watermark
//! on, at once while there is more, else at the polling pace. It decides
//! nothing about what comes back; the engine does.

use std::sync::Arc;
use std::time::Duration;

use market::{Backoff, RestClient};
use tape::{Ticker, Watermark};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::engine::{Asked, Follow, Settled};
use crate::metrics::Metrics;
use crate::run::chain;

/// Delays after failures in a row.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// What every ticker's task shares.
#[derive(Clone)]
pub struct Reconciler {
    /// The market's REST channel, under the rate all tickers share.
    pub rest: Arc<RestClient>,
    /// Pace of requests when there is nothing new.
    pub poll_every: Duration,
    /// Where answers go.
    pub answers: mpsc::Sender<Asked>,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

impl Reconciler {
    /// Starts a task for each ticker to follow, until it is told to stop.
    pub async fn run(self, mut follow: mpsc::UnboundedReceiver<Follow>, shutdown: CancellationToken) {
        let mut tasks = JoinSet::new();
        loop {
            let next = tokio::select! {
                next = follow.recv() => next,
                () = shutdown.cancelled() => None,
            };
            let Some(Follow { ticker, watermark }) = next else { break };
            tasks.spawn(self.clone().reconcile(ticker, watermark, shutdown.clone()));
        }
        while tasks.join_next().await.is_some() {}
    }

    async fn reconcile(self, ticker: Ticker, mut watermark: Watermark, shutdown: CancellationToken) {
        let mut backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
        while let Some(asked) = shutdown.run_until_cancelled(self.ask(&ticker, &watermark)).await {
            let pause = match asked {
                Ok(settled) => {
                    backoff.reset();
                    watermark = settled.watermark;
                    if settled.has_more { Duration::ZERO } else { self.poll_every }
                }
                Err(Unanswered::SessionOver) => return,
                Err(Unanswered::NoPage { retry_after }) => retry_after.unwrap_or_else(|| backoff.delay()),
            };
            if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    async fn ask(&self, ticker: &Ticker, watermark: &Watermark) -> Result<Settled, Unanswered> {
        let answer = match self.rest.page(ticker, watermark).await {
            Ok(answer) => answer,
            Err(error) => {
                self.metrics.rest_failures.inc();
                let retry_after = error.retry_after();
                tracing::warn!(%ticker, error = %chain(&error), "no page for {ticker}: {}", chain(&error));
                return Err(Unanswered::NoPage { retry_after });
            }
        };
        self.metrics.rest_answers.inc();
        let (reply, settled) = oneshot::channel();
        let asked = Asked { ticker: ticker.clone(), watermark: watermark.clone(), answer, reply };
        self.answers.send(asked).await.map_err(|_| Unanswered::SessionOver)?;
        settled.await.map_err(|_| Unanswered::SessionOver)
    }
}

/// Why there is nothing to go on with.
enum Unanswered {
    NoPage { retry_after: Option<Duration> },
    SessionOver,
}
