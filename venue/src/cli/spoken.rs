//! In which language the market is to be spoken, and how strictly.

use std::time::Duration;

use clap::Args;
use venue::Dialect;
use venue::dialect::manners::{Manners, Quirks};

/// Whose language is spoken.
#[derive(Debug, Args)]
#[command(next_help_heading = "Dialect (over an exchange's own WebSocket and REST)")]
pub(super) struct SpokenOptions {
    /// generic, binance, bybit, coinbase, kraken, okx or bitstamp.
    #[arg(long, default_value = "generic", value_parser = dialect)]
    pub dialect: Dialect,
    /// Cut listeners that are silent for so long, instead of as long as the exchange allows.
    #[arg(long, value_name = "TIME", value_parser = super::duration)]
    keepalive: Option<Duration>,
    /// How long a ban lasts, instead of as long as the exchange's.
    #[arg(long, value_name = "TIME", value_parser = super::duration)]
    ban: Option<Duration>,
    /// Allow only so many percent of what the exchange allows.
    #[arg(long, value_name = "N")]
    limit_percent: Option<u32>,
    /// What documentation leaves open: after-beyond-newest=accept|refuse|empty, since=inclusive,
    /// groups=whole, trades-all=login, ids=quoted. May be given several times.
    #[arg(long, value_name = "NAME=ANSWER")]
    quirk: Vec<String>,
    /// Fraction of trades whose time is up to 300 ms before that of the trade made before.
    #[arg(long, default_value_t = 0.0, value_name = "RATE")]
    pub disorder: f64,
}

impl SpokenOptions {
    /// The manners these options describe.
    pub fn manners(&self) -> anyhow::Result<Manners> {
        let none = Ok(Quirks::default());
        let quirks = self.quirk.iter().fold(none, |quirks, name| quirks.and_then(|quirks| quirks.with(name)))?;
        Ok(Manners { keepalive: self.keepalive, ban: self.ban, limit_percent: self.limit_percent, quirks })
    }
}

fn dialect(text: &str) -> Result<Dialect, String> {
    let names = Dialect::ALL.map(|dialect| dialect.name().to_owned()).join(", ");
    Dialect::parse(text).ok_or_else(|| format!("expected one of {names}"))
}
