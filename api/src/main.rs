//! The program `api`: answers questions about what the worker has calculated.

use std::net::{SocketAddr, TcpListener};

use anyhow::Context as _;
use api::config::variables_help;
use api::{Clock, Config, telemetry};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Answers questions over HTTP about the VWAP of every ticker: the newest
/// figure, that of any past millisecond, series, and the quality of the feed.
#[derive(Debug, Parser)]
#[command(version, after_help = variables_help())]
struct Arguments {}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> anyhow::Result<()> {
    let Arguments {} = Arguments::parse();
    read_env_file()?;
    let config = Config::from_env()?;
    telemetry::start(&config)?;
    let listener = listen(&config)?;
    let shutdown = CancellationToken::new();
    stop_on_signals(shutdown.clone())?;
    api::run(listener, &config, Clock::Wall, shutdown).await
}

fn read_env_file() -> anyhow::Result<()> {
    match dotenvy::dotenv() {
        Err(error) if !error.not_found() => Err(error).context("could not read .env"),
        _ => Ok(()),
    }
}

fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::new(config.host, config.port);
    TcpListener::bind(address)
        .with_context(|| format!("could not listen on {address}: choose another with HOST and PORT"))
}

fn stop_on_signals(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("told to stop by SIGTERM"),
            _ = interrupt.recv() => tracing::info!("told to stop by SIGINT"),
        }
        shutdown.cancel();
    });
    Ok(())
}
