//! Proves by force that what is final is the truth: runs the real programs on a
//! real database, with every fault at once, kills, pauses and restarts each of
//! them at random, lets them converge, and holds tables and answers against the
//! market's truth.
//!
//! It is a black box around processes, tables and HTTP: it knows no code of
//! `tape`, `market`, `store`, `worker` or `api`, and does its own arithmetic.

mod clock;
mod exact;
mod schedule;
mod sums;

mod http;
mod orphans;
mod postgres;
mod process;

mod house;
mod storm;
mod witness;

mod asker;
mod tables;
mod truth;

mod compare;
mod sessions;
mod verdict;

mod run;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::run::{Ended, Run};

/// Runs the real programs through a storm of faults, kills and pauses, and
/// holds what they say in the end against the truth.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long the storm lasts, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(5..=86_400))]
    seconds: u64,
    /// What market, faults and blows follow from [default: another every time]
    #[arg(long)]
    seed: Option<u64>,
    /// The folder of the programs worker, api and venue.
    #[arg(long, value_name = "FOLDER")]
    programs: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { seconds, seed, programs } = Arguments::parse();
    let seed = seed.unwrap_or_else(|| clock::now_ms().unsigned_abs() % 1_000_000);
    let debug = if programs.ends_with("debug") { " --debug" } else { "" };
    let command = format!("bin/prove --seconds {seconds} --seed {seed}{debug}");
    eprintln!("prove: {command}");
    let run = Run { seed, length: Duration::from_secs(seconds), programs, command };
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        told_to_stop().await;
        // Nobody listens any more once the run is over.
        let _ = stop.send(true);
    });
    match run.to_the_end(stopped).await {
        Ok(Ended::Clean) => ExitCode::SUCCESS,
        Ok(Ended::NotClean) => ExitCode::FAILURE,
        Ok(Ended::Stopped) => {
            eprintln!("prove: stopped, and nothing is left behind");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("prove: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Until Ctrl-C or a request to end.
async fn told_to_stop() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
