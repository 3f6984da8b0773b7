//! The environment, read once into typed values. Every wrong variable is named
//! with its value and what is accepted, all of them at once.

mod markets;
mod values;
mod variables;

use std::fmt::Write as _;
use std::num::NonZeroU32;
use std::time::Duration;

use chrono::Utc;
use serde::Deserialize;
use tape::bound::{Coverage, Terms};
use tape::{EpochMs, Interval, Suspects, Ticker};
use url::Url;

use values::{
    backfill_from, interval, log_format, market_clock, or, or_off, retention, share, text, tickers, venue_name,
};
pub use variables::VARIABLES;

/// The variables as they come.
#[derive(Debug, Default, Clone, Deserialize)]
struct Raw {
    pg_string: Option<String>,
    market: Option<String>,
    market_ws_url: Option<String>,
    market_rest_url: Option<String>,
    exchange: Option<String>,
    tickers: Option<String>,
    interval: Option<String>,
    backfill_from: Option<String>,
    retention: Option<String>,
    market_clock: Option<String>,
    settle_delay: Option<String>,
    allowed_skew: Option<String>,
    late_after: Option<String>,
    suspect_future: Option<String>,
    suspect_price_band: Option<String>,
    suspect_quantity_factor: Option<String>,
    poll_every: Option<String>,
    rest_rate: Option<String>,
    audit_share: Option<String>,
    audit_every: Option<String>,
    page_limit: Option<String>,
    rest_timeout: Option<String>,
    silence_timeout: Option<String>,
    batch_limit: Option<String>,
    queue_limit: Option<String>,
    max_tickers: Option<String>,
    db_pool: Option<String>,
    bound_coverage: Option<String>,
    bound_min_marks: Option<String>,
    worker_host: Option<String>,
    worker_port: Option<String>,
    log_format: Option<String>,
    log: Option<String>,
}

/// Where a new ticker's tape begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackfillFrom {
    /// When the ticker is first followed.
    Now,
    /// At an instant.
    At(EpochMs),
    /// So many milliseconds before the ticker is first followed.
    Back(i64),
}

/// What the marks follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketClock {
    /// Our own clock.
    Wall,
    /// The present that REST reports.
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

/// Everything the worker is told from outside. Each field's variable and
/// default stand in [`VARIABLES`].
#[derive(Debug, Clone)]
pub struct Config {
    /// `PG_STRING`.
    pub pg_string: String,
    /// `MARKET`.
    pub market: market::Market,
    /// `MARKET_WS_URL`.
    pub market_ws_url: Url,
    /// `MARKET_REST_URL`.
    pub market_rest_url: Url,
    /// `EXCHANGE`.
    pub venue: String,
    /// `TICKERS`.
    pub tickers: Vec<Ticker>,
    /// `INTERVAL`; whole seconds.
    pub interval: Interval,
    /// `BACKFILL_FROM`.
    pub backfill_from: BackfillFrom,
    /// `RETENTION` in milliseconds; none is forever.
    pub retention_ms: Option<i64>,
    /// `MARKET_CLOCK`.
    pub market_clock: MarketClock,
    /// `SETTLE_DELAY` in milliseconds.
    pub settle_delay_ms: i64,
    /// `ALLOWED_SKEW` in milliseconds.
    pub allowed_skew_ms: i64,
    /// `LATE_AFTER` in milliseconds.
    pub late_after_ms: i64,
    /// `SUSPECT_FUTURE`, `SUSPECT_PRICE_BAND`, `SUSPECT_QUANTITY_FACTOR`.
    pub suspects: Suspects,
    /// `POLL_EVERY`.
    pub poll_every: Duration,
    /// `REST_RATE`.
    pub rest_rate: NonZeroU32,
    /// `AUDIT_SHARE`: from 0 to 1.
    pub audit_share: f64,
    /// `AUDIT_EVERY`.
    pub audit_every: Duration,
    /// `PAGE_LIMIT`.
    pub page_limit: usize,
    /// `REST_TIMEOUT`.
    pub rest_timeout: Duration,
    /// `SILENCE_TIMEOUT`.
    pub silence_timeout: Duration,
    /// `BATCH_LIMIT`.
    pub batch_limit: usize,
    /// `QUEUE_LIMIT`.
    pub queue_limit: usize,
    /// `MAX_TICKERS`.
    pub max_tickers: usize,
    /// `DB_POOL`.
    pub db_pool: usize,
    /// `BOUND_COVERAGE` and `BOUND_MIN_MARKS`.
    pub bound_terms: Terms,
    /// `WORKER_HOST`.
    pub host: String,
    /// `WORKER_PORT`.
    pub port: u16,
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
    /// Reads the process environment: a configuration for each market.
    ///
    /// # Errors
    /// Names every variable that is wrong, its value and what is accepted.
    pub fn all_from_env() -> Result<Vec<Self>, ConfigError> {
        Self::all_from_vars(std::env::vars())
    }

    /// Reads the given variables: a configuration for each market.
    ///
    /// # Errors
    /// As [`Config::all_from_env`].
    pub fn all_from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Vec<Self>, ConfigError> {
        let configs: Vec<Self> =
            markets::of_each(vars.into_iter().collect())?.into_iter().map(Self::from_vars).collect::<Result<_, _>>()?;
        markets::refuse_shared_names(&configs)?;
        Ok(configs)
    }

    /// Reads the given variables of one market.
    ///
    /// # Errors
    /// As [`Config::all_from_env`].
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
        let market = self.parse("MARKET", raw.market, &market::Market::names(), |text| text.parse().ok());
        let market = market.unwrap_or(market::Market::GENERIC);
        let (socket, rest) = (market.adapter().socket_terms(), market.adapter().rest_terms());
        let needs_tickers = socket.needs_tickers;
        let config = Config {
            pg_string: self.pg_string(raw.pg_string),
            market,
            market_ws_url: self.url("MARKET_WS_URL", or(raw.market_ws_url, socket.url), &["ws", "wss"]),
            market_rest_url: self.url("MARKET_REST_URL", or(raw.market_rest_url, rest.url), &["http", "https"]),
            venue: match raw.exchange.filter(|name| !name.trim().is_empty()) {
                Some(name) => {
                    self.parse("EXCHANGE", Some(name), "1 to 32 plain characters", venue_name).unwrap_or_default()
                }
                None => market.as_str().to_owned(),
            },
            tickers: self.parse("TICKERS", raw.tickers, "tickers separated by commas", tickers).unwrap_or_default(),
            interval: self
                .parse("INTERVAL", raw.interval, "whole seconds from 1s to 24h, as 300000 or 5m", interval)
                .unwrap_or(Interval::DEFAULT),
            backfill_from: self
                .parse("BACKFILL_FROM", raw.backfill_from, "now, RFC 3339, epoch milliseconds, or -10m", backfill_from)
                .unwrap_or(BackfillFrom::Now),
            retention_ms: self.parse("RETENTION", raw.retention, "forever, or 1h and more", retention).flatten(),
            market_clock: self
                .parse("MARKET_CLOCK", raw.market_clock, "wall or market", market_clock)
                .unwrap_or(MarketClock::Wall),
            settle_delay_ms: self.millis(
                "SETTLE_DELAY",
                or(raw.settle_delay, rest.settle_delay.as_millis()),
                0,
                3_600_000,
            ),
            allowed_skew_ms: self.millis("ALLOWED_SKEW", raw.allowed_skew, 0, 600_000),
            late_after_ms: self.millis("LATE_AFTER", raw.late_after, 1, 3_600_000),
            suspects: self.suspects(raw.suspect_future, raw.suspect_price_band, raw.suspect_quantity_factor),
            poll_every: self.duration("POLL_EVERY", raw.poll_every, 50, 3_600_000),
            rest_rate: NonZeroU32::new(self.count("REST_RATE", or(raw.rest_rate, rest.weight_per_second), 1, 100_000))
                .unwrap_or(NonZeroU32::MIN),
            audit_share: self
                .parse("AUDIT_SHARE", raw.audit_share, "a fraction from 0 to 1, as 0.1", share)
                .unwrap_or_default(),
            audit_every: self.duration("AUDIT_EVERY", raw.audit_every, 10, 86_400_000),
            page_limit: self.count("PAGE_LIMIT", or(raw.page_limit, rest.page_limit), 1, 10_000),
            rest_timeout: self.duration("REST_TIMEOUT", raw.rest_timeout, 100, 300_000),
            silence_timeout: self.duration("SILENCE_TIMEOUT", raw.silence_timeout, 100, 86_400_000),
            batch_limit: self.count("BATCH_LIMIT", raw.batch_limit, 1, 50_000),
            queue_limit: self.count("QUEUE_LIMIT", raw.queue_limit, 1, 10_000_000),
            max_tickers: self.count("MAX_TICKERS", raw.max_tickers, 1, 100_000),
            db_pool: self.count("DB_POOL", raw.db_pool, 2, 100),
            bound_terms: Terms {
                coverage: self
                    .parse("BOUND_COVERAGE", raw.bound_coverage, "a share from 0.5 to 0.9999", Coverage::parse)
                    .unwrap_or(Coverage::DEFAULT),
                min_marks: self.count("BOUND_MIN_MARKS", raw.bound_min_marks, 1, 86_400),
            },
            host: text("WORKER_HOST", raw.worker_host),
            port: self.count("WORKER_PORT", raw.worker_port, 0, 65_535),
            log_format: self.parse("LOG_FORMAT", raw.log_format, "text or json", log_format).unwrap_or(LogFormat::Text),
            log: text("LOG", raw.log),
        };
        self.check_backfill(&config);
        if needs_tickers && config.tickers.is_empty() {
            self.refuse("TICKERS", "", "at least one, as BTC/USDT: this market tells only what is asked for");
        }
        let is_odd = |ticker: &&Ticker| needs_tickers && !is_pair(ticker.as_str());
        if let Some(odd) = config.tickers.iter().find(is_odd) {
            self.refuse("TICKERS", odd.as_str(), "pairs as BTC/USDT, in capitals: whatever the exchange calls them");
        }
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

    fn suspects(&mut self, future: Option<String>, price: Option<String>, quantity: Option<String>) -> Suspects {
        const BEYOND_MS: std::ops::RangeInclusive<i64> = 0..=600_000;
        const BEYOND_BPS: std::ops::RangeInclusive<u32> = 0..=1_000_000;
        const TIMES: std::ops::RangeInclusive<u32> = 1..=1_000_000;
        let future_ms = |text: &str| tape::time::parse_duration_ms(text).filter(|ms| BEYOND_MS.contains(ms));
        let bps = |text: &str| text.parse().ok().filter(|bps| BEYOND_BPS.contains(bps));
        let times = |text: &str| text.parse().ok().filter(|times| TIMES.contains(times));
        let (within_ms, within_bps) = ("off, or a duration from 0ms to 10m", "off, or basis points from 0 to 1000000");
        let within_times = "off, or a whole number from 1 to 1000000";
        Suspects {
            future_ms: self.parse("SUSPECT_FUTURE", future, within_ms, or_off(future_ms)).flatten(),
            price_band_bps: self.parse("SUSPECT_PRICE_BAND", price, within_bps, or_off(bps)).flatten(),
            quantity_factor: self.parse("SUSPECT_QUANTITY_FACTOR", quantity, within_times, or_off(times)).flatten(),
        }
    }

    /// A tape that begins before what is kept would be refused row by row.
    fn check_backfill(&mut self, config: &Config) {
        let now_ms = Utc::now().timestamp_millis();
        if matches!(config.backfill_from, BackfillFrom::At(from) if now_ms < from.ms()) {
            self.refuse("BACKFILL_FROM", "in the future", "a moment of the past");
        }
        let Some(retention_ms) = config.retention_ms else { return };
        let is_kept = match config.backfill_from {
            BackfillFrom::Now => true,
            BackfillFrom::Back(back_ms) => back_ms < retention_ms,
            BackfillFrom::At(from) => config.market_clock == MarketClock::Market || now_ms - retention_ms < from.ms(),
        };
        if !is_kept {
            self.refuse("BACKFILL_FROM", "older than RETENTION", "a later moment, or RETENTION=forever");
        }
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

    fn url(&mut self, name: &str, value: Option<String>, schemes: &[&str]) -> Url {
        let accepted = format!("a URL that begins with {}://", schemes.join(":// or "));
        let read = |text: &str| Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()) && url.has_host());
        let nowhere = || Url::parse("http://localhost").expect("a constant URL");
        self.parse(name, value, &accepted, read).unwrap_or_else(nowhere)
    }

    fn count<T: TryFrom<u64> + Default>(&mut self, name: &str, value: Option<String>, least: u64, most: u64) -> T {
        let accepted = format!("a whole number from {least} to {most}");
        let read = |text: &str| {
            let number: u64 = text.parse().ok()?;
            if !(least..=most).contains(&number) {
                return None;
            }
            T::try_from(number).ok()
        };
        self.parse(name, value, &accepted, read).unwrap_or_default()
    }

    fn millis(&mut self, name: &str, value: Option<String>, least: i64, most: i64) -> i64 {
        let accepted = format!("milliseconds or a duration such as 5s, from {least}ms to {most}ms");
        let read = |text: &str| tape::time::parse_duration_ms(text).filter(|ms| (least..=most).contains(ms));
        self.parse(name, value, &accepted, read).unwrap_or_default()
    }

    fn duration(&mut self, name: &str, value: Option<String>, least: i64, most: i64) -> Duration {
        Duration::from_millis(self.millis(name, value, least, most).unsigned_abs())
    }
}

/// Two codes in capitals: one way to write what is traded, so that it is the same everywhere.
fn is_pair(ticker: &str) -> bool {
    let is_code =
        |code: &str| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    ticker.split_once('/').is_some_and(|(base, quote)| is_code(base) && is_code(quote))
}

#[cfg(test)]
mod tests;
