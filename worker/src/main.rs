//! The worker: hears a market's socket, confirms it by REST, and writes exact
//! rolling VWAP figures to Postgres.

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use worker::{Config, config, replay, run, telemetry, verify};

/// Hears a market's socket, confirms it by REST, and writes exact rolling VWAP
/// figures to Postgres. Configured by environment variables.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Bring the database's tables up to date, and end.
    Migrate,
    /// Ask a running worker for its health: exit code 0 when it is well.
    Healthcheck,
    /// Recompute a receipt, or the chain between two, from the exchange's REST
    /// endpoint alone (MARKET, MARKET_REST_URL), without any database. Exit code 0
    /// when all agrees, 1 when something differs, 2 when that could not be told.
    Verify(verify::VerifyArguments),
    /// Write the exact figure of every ticker at every second of a recorded tape,
    /// without any database or market. Repeated rows count once; a window without
    /// trades has no price.
    Replay(replay::ReplayArguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let matches = Arguments::command().after_help(variables()).get_matches();
    let arguments = Arguments::from_arg_matches(&matches)?;
    match &arguments.command {
        Some(Command::Replay(arguments)) => {
            replay::run(arguments)?;
            return Ok(ExitCode::SUCCESS);
        }
        Some(Command::Verify(arguments)) => return Ok(verify::run(only_config(), arguments).await),
        _ => {}
    }
    let configs = read_configs()?;
    let config = configs.first().context("MARKET names no market")?.clone();
    telemetry::init(&config.log, config.log_format);
    match arguments.command {
        None => work(&config, configs).await?,
        Some(Command::Migrate) => {
            store::migrate(&run::store_config(&config)).await.context("could not migrate")?;
            tracing::info!("the tables are up to date");
        }
        Some(Command::Healthcheck) => worker::http::ask_health(config.port).await?,
        Some(Command::Verify(_) | Command::Replay(_)) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn read_configs() -> anyhow::Result<Vec<Config>> {
    // A missing .env is the normal case; a broken one must not be ignored.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        return Err(error).context("could not read .env");
    }
    Ok(Config::all_from_env()?)
}

fn only_config() -> anyhow::Result<Config> {
    let [config] = <[Config; 1]>::try_from(read_configs()?)
        .map_err(|_| anyhow::anyhow!("verify asks one market: MARKET should name that of the receipt"))?;
    Ok(config)
}

async fn work(config: &Config, configs: Vec<Config>) -> anyhow::Result<()> {
    let address = (config.host.clone(), config.port);
    let listener = TcpListener::bind(&address)
        .await
        .with_context(|| format!("could not listen on {}:{} (WORKER_HOST, WORKER_PORT)", address.0, address.1))?;
    tracing::info!("health and metrics at http://{}", listener.local_addr()?);
    let shutdown = CancellationToken::new();
    stop_on_signal(shutdown.clone())?;
    worker::run(configs, listener, shutdown).await?;
    tracing::info!("stopped");
    Ok(())
}

fn stop_on_signal(shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        shutdown.cancel();
    });
    Ok(())
}

fn variables() -> String {
    let mut text = String::from("Environment variables (a .env file is read too):\n");
    for (name, default, meaning) in config::VARIABLES {
        let _ = write!(text, "  {name}\n          {meaning} [default: {default}]\n");
    }
    text
}
