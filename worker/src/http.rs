//! The worker's own small port: `/health` for people and orchestrators,
//! `/metrics` for Prometheus.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use prometheus_client::registry::Registry;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::metrics::Metrics;

/// A worker that leads and has not written a mark for so long is not well.
const MARKS_STALE_AFTER_MS: i64 = 10_000;

/// Every exchange followed, by its name.
type Followed = Vec<(String, Arc<Metrics>)>;

struct Shared {
    followed: Followed,
    registry: Registry,
}

/// Answers until it is told to stop.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    followed: Followed,
    registry: Registry,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let shared = Arc::new(Shared { followed, registry });
    let routes = Router::new().route("/health", get(health)).route("/metrics", get(print_metrics)).with_state(shared);
    let server = axum::serve(listener, routes);
    // Idle connections are cut with the server: there is nothing to finish.
    tokio::select! {
        ended = server => ended,
        () = shutdown.cancelled() => Ok(()),
    }
}

/// How one exchange is followed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Ok,
    Waiting,
    Stale,
    GivenUp,
}

impl Standing {
    fn of(metrics: &Metrics, now: i64) -> Self {
        if metrics.given_up.get() == 1 {
            return Self::GivenUp;
        }
        let is_leading = metrics.leading.get() == 1;
        let last = metrics.last_mark_ms().max(metrics.last_settled_ms());
        match (is_leading, now - last > MARKS_STALE_AFTER_MS) {
            (true, false) => Self::Ok,
            (true, true) => Self::Stale,
            (false, _) => Self::Waiting,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Waiting => "waiting to lead",
            Self::Stale => "stale",
            Self::GivenUp => "given up",
        }
    }
}

/// 200 while leading with fresh marks, or waiting to lead; 503 otherwise. The
/// worst of all exchanges counts.
async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let now = clock::wall().ms();
    let of_one = |metrics: &Metrics| {
        json!({
            "status": Standing::of(metrics, now).as_str(),
            "leading": metrics.leading.get() == 1,
            "tickers": metrics.tickers.get(),
            "last_mark": metrics.last_mark_ms(),
            "last_settled": metrics.last_settled_ms(),
            "lag_ms": metrics.lag_ms.get(),
            "sessions_lost": metrics.sessions_lost.get(),
        })
    };
    let worst =
        shared.followed.iter().map(|(_, metrics)| Standing::of(metrics, now)).max().unwrap_or(Standing::Waiting);
    let code = if worst >= Standing::Stale { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let body = match shared.followed.as_slice() {
        [(_, metrics)] => of_one(metrics),
        all => {
            let each: serde_json::Map<_, _> = all.iter().map(|(name, it)| (name.clone(), of_one(it))).collect();
            json!({ "status": worst.as_str(), "exchanges": each })
        }
    };
    (code, Json(body)).into_response()
}

async fn print_metrics(State(shared): State<Arc<Shared>>) -> Response {
    let mut text = String::new();
    if prometheus_client::encoding::text::encode(&mut text, &shared.registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// Asks a worker on this machine for its health.
///
/// # Errors
/// When it does not answer within three seconds, or says it is not well.
pub async fn ask_health(port: u16) -> anyhow::Result<()> {
    let ask = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").await?;
        let mut answer = String::new();
        // Our own answer is far smaller; whoever else answers is not read to the end.
        stream.take(64 * 1024).read_to_string(&mut answer).await?;
        Ok::<_, std::io::Error>(answer)
    };
    let answer = tokio::time::timeout(Duration::from_secs(3), ask).await.context("no answer within 3 s")??;
    let status = answer.lines().next().unwrap_or_default();
    anyhow::ensure!(status.split(' ').nth(1) == Some("200"), "the worker answers {status:?}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exchange_given_up_is_not_mistaken_for_one_that_waits_to_lead() {
        let metrics = Metrics::default();
        assert_eq!(Standing::of(&metrics, 0).as_str(), "waiting to lead");

        metrics.given_up.set(1);

        assert_eq!(Standing::of(&metrics, 0).as_str(), "given up");
        assert!(Standing::Stale < Standing::GivenUp, "it counts as the worst");
    }
}
