//! The environment, read once into typed values. Every wrong variable is named
//! with its value and what is accepted, all of them at once.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use serde::Deserialize;
use tape::Interval;
use tape::time::parse_duration_ms;
use tracing_subscriber::EnvFilter;

/// Variable, default, meaning: the text of `--help` and the table of the README.
pub const VARIABLES: &[(&str, &str, &str)] = &[
    ("PG_STRING", "postgres://postgres:postgres@localhost:61791/crypto_market", "the database"),
    ("HOST", "127.0.0.1", "address to listen on; 0.0.0.0 for all"),
    ("PORT", "3003", "port to listen on; 0 for any free one"),
    (
        "INTERVAL",
        "300000",
        "length of the window, as the worker's: milliseconds or a duration (`5m`), whole seconds up to 24h",
    ),
    (
        "STALE_AFTER",
        "5s",
        "a ticker without a newer figure for so long is called stale, and consolidated figures do not wait for it; stale too is one of which REST confirms nothing for six times as long",
    ),
    (
        "MARKET_CLOCK",
        "wall",
        "`wall`, or `market`: ages count from the present that REST reports, for a market that is not live",
    ),
    (
        "LATEST_CACHE",
        "on",
        "`on`: `/latest` is answered from memory, kept right to the last commit by one more connection that listens; `off`: every time from the database, as behind a pooler that cannot listen",
    ),
    ("DB_POOL", "8", "database connections"),
    ("DB_DEADLINE", "5s", "how long one request waits for the database before it answers 503"),
    ("HTTP_WORKERS", "0", "threads that answer requests; 0 for one per core"),
    ("MAX_CONNECTIONS", "12000", "open connections per thread; further ones wait to be accepted"),
    ("LOG_FORMAT", "text", "`text` or `json`"),
    ("LOG", "info", "log filter, as in `info,api=debug`"),
];

/// The variables as they come.
#[derive(Debug, Default, Clone, Deserialize)]
struct Raw {
    pg_string: Option<String>,
    host: Option<String>,
    port: Option<String>,
    interval: Option<String>,
    stale_after: Option<String>,
    market_clock: Option<String>,
    latest_cache: Option<String>,
    db_pool: Option<String>,
    db_deadline: Option<String>,
    http_workers: Option<String>,
    max_connections: Option<String>,
    log_format: Option<String>,
    log: Option<String>,
}

/// What ages are counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketClock {
    /// Our own clock.
    Wall,
    /// The present that REST reported to the worker.
    Market,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Everything the api is told from outside. Each field's default and meaning
/// stand in [`VARIABLES`].
#[derive(Debug, Clone)]
pub struct Config {
    /// `PG_STRING`.
    pub pg_string: String,
    /// `HOST`.
    pub host: IpAddr,
    /// `PORT`.
    pub port: u16,
    /// `INTERVAL`; whole seconds.
    pub interval: Interval,
    /// `STALE_AFTER` in milliseconds.
    pub stale_after_ms: i64,
    /// `MARKET_CLOCK`.
    pub market_clock: MarketClock,
    /// `LATEST_CACHE`: whether `/latest` is answered from memory.
    pub latest_cache: bool,
    /// `DB_POOL`.
    pub db_pool: usize,
    /// `DB_DEADLINE`.
    pub db_deadline: Duration,
    /// `HTTP_WORKERS`; 0 for one per core.
    pub http_workers: usize,
    /// `MAX_CONNECTIONS`.
    pub max_connections: usize,
    /// `LOG_FORMAT`.
    pub log_format: LogFormat,
    /// `LOG`.
    pub log: String,
}

/// Every variable that stops the start, one a line.
#[derive(Debug, thiserror::Error)]
#[error("the configuration is wrong:{0}")]
pub struct ConfigError(String);

impl Config {
    /// Reads the process environment.
    ///
    /// # Errors
    /// Names every variable that is wrong, its value and what is accepted.
    pub fn from_env() -> Result<Self, ConfigError> {
        // A variable that is not UTF-8 is none of ours, or it will be missed as one.
        let vars =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_vars(vars)
    }

    /// Reads the given variables.
    ///
    /// # Errors
    /// As [`Config::from_env`].
    pub fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let raw: Raw = envy::from_iter(vars).map_err(|error| ConfigError(format!("\n  {error}")))?;
        Reader { wrong: String::new() }.read(raw)
    }
}

/// Collects what is wrong while it reads.
struct Reader {
    wrong: String,
}

impl Reader {
    fn read(mut self, raw: Raw) -> Result<Config, ConfigError> {
        let config = Config {
            pg_string: self.pg_string(raw.pg_string),
            host: self
                .parse("HOST", raw.host, "an IP address, as 127.0.0.1 or 0.0.0.0", |text| text.parse().ok())
                .unwrap_or([0; 4].into()),
            port: self.count("PORT", raw.port, 0, 65_535),
            interval: self
                .parse("INTERVAL", raw.interval, "whole seconds from 1s to 24h, as 300000 or 5m", interval)
                .unwrap_or(Interval::DEFAULT),
            stale_after_ms: self.millis("STALE_AFTER", raw.stale_after, 1_000, 86_400_000),
            market_clock: self
                .parse("MARKET_CLOCK", raw.market_clock, "wall or market", market_clock)
                .unwrap_or(MarketClock::Wall),
            latest_cache: self.parse("LATEST_CACHE", raw.latest_cache, "on or off", on_or_off).unwrap_or(true),
            db_pool: self.count("DB_POOL", raw.db_pool, 1, 200),
            db_deadline: Duration::from_millis(self.millis("DB_DEADLINE", raw.db_deadline, 100, 60_000).unsigned_abs()),
            http_workers: self.count("HTTP_WORKERS", raw.http_workers, 0, 64),
            max_connections: self.count("MAX_CONNECTIONS", raw.max_connections, 1, 100_000),
            log_format: self.parse("LOG_FORMAT", raw.log_format, "text or json", log_format).unwrap_or(LogFormat::Text),
            log: self
                .parse("LOG", raw.log, "a filter such as info,api=debug", |text| {
                    EnvFilter::try_new(text).ok().map(|_| text.to_owned())
                })
                .unwrap_or_default(),
        };
        if self.wrong.is_empty() { Ok(config) } else { Err(ConfigError(self.wrong)) }
    }

    /// A connection string may hold a password, so a wrong one is named and not shown.
    fn pg_string(&mut self, value: Option<String>) -> String {
        let value = text("PG_STRING", value);
        if !["postgres://", "postgresql://"].iter().any(|scheme| value.starts_with(scheme)) {
            self.refuse("PG_STRING", "(not shown)", "postgres://user:password@host:port/database");
        }
        value
    }

    fn refuse(&mut self, name: &str, value: &str, accepted: &str) {
        let _ = write!(self.wrong, "\n  {name} is {value:?}; accepted: {accepted}");
    }

    fn parse<T>(
        &mut self,
        name: &str,
        value: Option<String>,
        accepted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = text(name, value);
        let parsed = read(value.trim());
        if parsed.is_none() {
            self.refuse(name, &value, accepted);
        }
        parsed
    }

    fn count<T: TryFrom<u64> + Default>(&mut self, name: &str, value: Option<String>, least: u64, most: u64) -> T {
        let accepted = format!("a whole number from {least} to {most}");
        let in_range = |number: &u64| (least..=most).contains(number);
        let read = |text: &str| text.parse().ok().filter(in_range).and_then(|number| T::try_from(number).ok());
        self.parse(name, value, &accepted, read).unwrap_or_default()
    }

    fn millis(&mut self, name: &str, value: Option<String>, least: i64, most: i64) -> i64 {
        let accepted = format!("milliseconds or a duration such as 5s, from {least}ms to {most}ms");
        let read = |text: &str| parse_duration_ms(text).filter(|ms| (least..=most).contains(ms));
        self.parse(name, value, &accepted, read).unwrap_or_default()
    }
}

/// The value given, or the default when it is absent or blank.
fn text(name: &str, value: Option<String>) -> String {
    let given = value.filter(|text| !text.trim().is_empty());
    given.unwrap_or_else(|| {
        let variable = VARIABLES.iter().find(|variable| variable.0 == name);
        variable.map(|variable| variable.1.to_owned()).unwrap_or_default()
    })
}

fn interval(text: &str) -> Option<Interval> {
    let interval = Interval::parse(text)?;
    let seconds = interval.whole_seconds()?;
    (seconds <= 86_400).then_some(interval)
}

fn market_clock(text: &str) -> Option<MarketClock> {
    match text.to_ascii_lowercase().as_str() {
        "wall" => Some(MarketClock::Wall),
        "market" => Some(MarketClock::Market),
        _ => None,
    }
}

fn on_or_off(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn log_format(text: &str) -> Option<LogFormat> {
    match text.to_ascii_lowercase().as_str() {
        "text" => Some(LogFormat::Text),
        "json" => Some(LogFormat::Json),
        _ => None,
    }
}

/// The text of `--help` after the options: every variable with its default.
pub fn variables_help() -> String {
    let mut help = String::from("Environment variables (a file named .env is read too):\n");
    for (name, default, meaning) in VARIABLES {
        let _ = write!(help, "\n  {name}\n      {meaning}\n      [default: {default}]\n");
    }
    help
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Config, String> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::from_vars(vars).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_environment_gives_every_default() {
        let config = read(&[]).expect("defaults are valid");

        assert_eq!(config.interval, Interval::DEFAULT);
        assert_eq!((config.host.to_string().as_str(), config.port), ("127.0.0.1", 3003));
        assert_eq!(config.stale_after_ms, 5_000);
        assert_eq!(config.db_deadline, Duration::from_secs(5));
    }

    #[test]
    fn an_empty_value_counts_as_absent() {
        assert_eq!(read(&[("INTERVAL", ""), ("PORT", " ")]).expect("defaults").port, 3003);
    }

    #[test]
    fn every_wrong_variable_is_named_with_its_value_and_what_is_accepted() {
        let wrong = [
            ("HOST", "localhost:80"),
            ("PORT", "65536"),
            ("INTERVAL", "5x"),
            ("STALE_AFTER", "-1"),
            ("MARKET_CLOCK", "sundial"),
            ("LATEST_CACHE", "sometimes"),
            ("DB_POOL", "0"),
            ("DB_DEADLINE", "1ms"),
            ("HTTP_WORKERS", "many"),
            ("MAX_CONNECTIONS", "0"),
            ("LOG_FORMAT", "xml"),
            ("LOG", "[["),
        ];

        let message = read(&wrong).expect_err("all of them are wrong");
        for (name, value) in wrong {
            assert!(message.contains(&format!("{name} is {value:?}; accepted: ")), "{message}");
        }
    }

    #[test]
    fn a_wrong_connection_string_is_named_without_its_password() {
        let message = read(&[("PG_STRING", "mysql://me:secret@host")]).expect_err("not Postgres");

        assert!(message.contains("PG_STRING"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }

    #[test]
    fn the_interval_is_whole_seconds_however_it_is_written() {
        assert_eq!(read(&[("INTERVAL", "5m")]).expect("five minutes").interval.ms(), 300_000);
        assert!(read(&[("INTERVAL", "1500ms")]).is_err());
        assert!(read(&[("INTERVAL", "25h")]).is_err());
    }

    #[test]
    fn every_variable_is_in_the_help_with_its_default() {
        let help = variables_help();
        for (name, default, _) in VARIABLES {
            assert!(help.contains(&format!("  {name}\n")) && help.contains(&format!("[default: {default}]")), "{name}");
        }
    }
}
