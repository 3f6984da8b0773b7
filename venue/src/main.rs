//! The program `venue`: a practice market on your own machine.

mod cli;

use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use venue::tape_file::TapeFile;
use venue::{Venue, VenueConfig};

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The whole chain on one line: a person reads it, not a debugger.
            eprintln!("venue: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match cli.command {
        Some(Command::Describe { file }) => {
            println!("{:#}", TapeFile::read(&file)?.description());
            Ok(())
        }
        Some(Command::Serve(options)) => serve(options.into_config()?),
        None => serve(cli.options.into_config()?),
    }
}

#[tokio::main]
async fn serve(config: VenueConfig) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("could not listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("could not listen for Ctrl-C")?;
    let mut running = Venue::start(config).await?;
    println!("listening on {}", running.url());
    tracing::info!("GET {}/ lists what there is to ask", running.url());
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = running.stopped() => anyhow::bail!("the venue stopped by itself"),
    }
    running.stop().await;
    Ok(())
}
