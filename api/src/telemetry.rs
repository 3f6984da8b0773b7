//! Where log lines go and how they look.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// Sends log lines to standard error in the configured format.
///
/// # Errors
/// When logging was set up before.
pub fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::new(&config.log);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match config.log_format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("could not set up logging: {error}"))
}
