//! What a venue is told before it starts. Every default is a good one for tests:
//! a silent, honest market on a free port, into which trades are put by hand.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use tape::EpochMs;

use crate::dialect::Dialect;
use crate::dialect::manners::Manners;
use crate::fault::FaultRates;

/// Everything a venue is told before it starts.
#[derive(Debug, Clone)]
pub struct VenueConfig {
    /// The address to listen at.
    pub host: String,
    /// The port to listen at; 0 takes any that is free.
    pub port: u16,
    /// What all chance follows from.
    pub seed: u64,
    /// Where trades come from.
    pub market: MarketKind,
    /// Which language is spoken.
    pub dialect: Dialect,
    /// How it is spoken.
    pub manners: Manners,
    /// Which fraction of trades claims a time before that of the trade made before it.
    pub disorder: f64,
    /// How the socket lies.
    pub faults: FaultRates,
    /// How long one silence lasts.
    pub silence_for: Duration,
    /// How REST behaves.
    pub rest: RestConfig,
    /// How many trades of a ticker, and how many faults, are remembered.
    pub keep: usize,
    /// How many frames may wait for one listener before it is sent away.
    pub queue: usize,
    /// How often listeners are pinged.
    pub ping_every: Duration,
    /// The file in which the ledgers of the socket outlive the process.
    pub ledger: Option<PathBuf>,
}

/// Where the trades of a market come from.
#[derive(Debug, Clone)]
pub enum MarketKind {
    /// From the hands of a test.
    Scripted {
        /// Tickers known from the start; others become known with their first trade.
        tickers: Vec<String>,
    },
    /// From a generator.
    Generated {
        /// The tickers, the liveliest first.
        tickers: Vec<String>,
        /// Which of them trade rarely.
        quiet: Vec<String>,
        /// Trades a second over all lively tickers.
        rate: f64,
        /// How long a past REST knows at the start.
        history: Duration,
    },
    /// From a recorded tape that happens again.
    Replay {
        /// The file.
        tape: PathBuf,
        /// How fast.
        speed: Speed,
        /// When its first trade happens again; at the start unless given.
        starts_at: Option<EpochMs>,
    },
    /// From a recorded tape that is past.
    Recorded {
        /// The file.
        tape: PathBuf,
        /// Where the market's present stands; a minute after the last trade unless given.
        present: Option<EpochMs>,
    },
}

/// How fast a tape is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// So many times its own pace.
    Times(NonZeroU32),
    /// As fast as the listeners take it; not at all without any.
    Max,
}

impl Speed {
    /// So many times its own pace, if that is not zero.
    pub fn times(times: u32) -> Option<Self> {
        NonZeroU32::new(times).map(Self::Times)
    }

    /// Reads `1`, `10`, `10x` or `max`.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "max" {
            return Some(Self::Max);
        }
        text.strip_suffix('x').unwrap_or(text).parse().ok().and_then(Self::times)
    }
}

/// How REST behaves.
#[derive(Debug, Clone)]
pub struct RestConfig {
    /// How long every answer takes.
    pub latency: Duration,
    /// Which fraction of requests fails, by 500, 503, an HTML page and cut-off JSON in turn.
    pub fail: f64,
    /// How many requests a second are answered; the others get 429.
    pub rate_limit: Option<NonZeroU32>,
    /// Which fraction of requests is never answered.
    pub hang: f64,
    /// How long after it happened REST knows a trade.
    pub lag: Duration,
    /// How many trades a page has at most.
    pub page_limit: usize,
    /// Whether `afterId` is understood.
    pub after_id: bool,
    /// Whether answers carry `X-Market-Time`.
    pub market_time: bool,
}

impl Default for RestConfig {
    fn default() -> Self {
        Self {
            latency: Duration::ZERO,
            fail: 0.0,
            rate_limit: None,
            hang: 0.0,
            lag: Duration::ZERO,
            page_limit: 100,
            after_id: true,
            market_time: true,
        }
    }
}

impl Default for VenueConfig {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 0,
            seed: 1,
            market: MarketKind::Scripted { tickers: Vec::new() },
            dialect: Dialect::GENERIC,
            manners: Manners::default(),
            disorder: 0.0,
            faults: FaultRates::NONE,
            silence_for: Duration::from_secs(3),
            rest: RestConfig::default(),
            keep: 1_000_000,
            queue: 16_384,
            ping_every: Duration::from_secs(15),
            ledger: None,
        }
    }
}

impl VenueConfig {
    /// A silent market of these tickers.
    pub fn scripted(tickers: &[&str]) -> Self {
        let tickers = tickers.iter().map(|ticker| (*ticker).to_owned()).collect();
        Self { market: MarketKind::Scripted { tickers }, ..Self::default() }
    }

    /// A generated market of the default tickers, the last of them quiet.
    pub fn generated(rate: f64, history: Duration) -> Self {
        let tickers = crate::profile::DEFAULT_TICKERS.map(str::to_owned).to_vec();
        let quiet = tickers.iter().rev().take(1).cloned().collect();
        Self { market: MarketKind::Generated { tickers, quiet, rate, history }, ..Self::default() }
    }

    /// The same market in another language.
    pub fn speaking(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// A tape that happens again, from now on.
    pub fn replay(tape: impl Into<PathBuf>, speed: Speed) -> Self {
        Self { market: MarketKind::Replay { tape: tape.into(), speed, starts_at: None }, ..Self::default() }
    }

    /// A tape that is past.
    pub fn recorded(tape: impl Into<PathBuf>) -> Self {
        Self { market: MarketKind::Recorded { tape: tape.into(), present: None }, ..Self::default() }
    }
}

/// Reads epoch milliseconds or RFC 3339.
pub fn parse_instant(text: &str) -> Option<EpochMs> {
    if let Ok(ms) = text.parse() {
        return Some(EpochMs::new(ms));
    }
    let time = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(EpochMs::new(time.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_is_a_factor_or_max() {
        assert_eq!(Speed::parse("10"), Speed::times(10));
        assert_eq!(Speed::parse("10x"), Speed::times(10));
        assert_eq!(Speed::parse("max"), Some(Speed::Max));
        for text in ["0", "", "fast", "-1", "1.5"] {
            assert_eq!(Speed::parse(text), None, "{text}");
        }
    }
}
