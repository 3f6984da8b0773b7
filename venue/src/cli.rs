//! What can be told to the program on its command line.

mod spoken;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::bail;
use clap::{Args, Parser, Subcommand};
use tape::{EpochMs, Ticker};
use venue::dialect::pair::DEFAULT_PAIRS;
use venue::profile::DEFAULT_TICKERS;
use venue::{Dialect, FaultKind, FaultRates, MarketKind, RestConfig, Speed, VenueConfig};

/// A practice market on your own machine: its socket lies on purpose, its REST channel tells the
/// truth, and it keeps the exact ledger of both. While it runs, GET / lists all it answers.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do; to serve, unless said otherwise.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub options: Options,
}

const EXAMPLES: &str = "\
Examples:
  venue                                          a generated market, honest on both channels
  venue --faults 0.05                            the same, with 5% of every fault of single trades
  venue --tape day.csv.gz --speed 10             a recorded day, happening again ten times as fast
  venue --tape day.csv.gz --as-recorded          the day as past: all of it is REST history
  venue --dialect binance --faults 0.05          the same lies, told as Binance would tell them
  venue describe day.csv.gz                      what a tape holds, as JSON
  curl localhost:61792/                          all endpoints and the state of a running venue";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the market (the default).
    Serve(Box<Options>),
    /// Print what a tape holds as JSON: tickers, rows, trades (distinct), first_ts, last_ts.
    Describe {
        /// CSV with columns ticker, ts, quantity, price, tradeid; plain, gzip or zstd.
        file: PathBuf,
    },
}

/// How to serve.
#[derive(Debug, Args)]
pub struct Options {
    /// Address to listen at.
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port to listen at; 0 takes any free one, which the first line of output names.
    #[arg(long, default_value_t = 61792)]
    port: u16,
    /// What the generated market and all faults follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Trades of a ticker (and faults in all) that are remembered; older ones are forgotten.
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    keep: usize,
    /// Frames that may wait for one listener before it is disconnected as too slow.
    #[arg(long, default_value_t = 16_384, value_name = "N")]
    queue: usize,
    /// Keep the ledgers of the socket in a file: started with it again, a venue that was killed
    /// still knows what it had said and done.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    #[command(flatten)]
    spoken: spoken::SpokenOptions,
    #[command(flatten)]
    generated: GeneratedOptions,
    #[command(flatten)]
    recorded: RecordedOptions,
    #[command(flatten)]
    faults: FaultOptions,
    #[command(flatten)]
    rest: RestOptions,
}

/// A generated market.
#[derive(Debug, Args)]
#[command(next_help_heading = "Generated market (the default)")]
struct GeneratedOptions {
    /// Tickers, the liveliest first [default: BTC,ETH,SOL,SHIB,XMR; pairs against USDT in a dialect]
    #[arg(long, value_delimiter = ',')]
    tickers: Vec<String>,
    /// Tickers that fall silent for minutes [default: the last one, when there are several]
    #[arg(long, value_delimiter = ',')]
    quiet: Option<Vec<String>>,
    /// Trades a second over all tickers.
    #[arg(long, default_value_t = 20.0)]
    rate: f64,
    /// Past that REST knows at the start, such as 90s, 15m or 2h.
    #[arg(long, default_value = "15m", value_parser = duration)]
    history: Duration,
}

/// A recorded market instead.
#[derive(Debug, Args)]
#[command(next_help_heading = "Recorded market")]
struct RecordedOptions {
    /// A tape: CSV with columns ticker, ts, quantity, price, tradeid; plain, gzip or zstd.
    #[arg(long, value_name = "FILE")]
    tape: Option<PathBuf>,
    /// Keep the tape's times: all of it is REST history and the present stands still.
    #[arg(long, requires = "tape")]
    as_recorded: bool,
    /// Where the present stands, as epoch milliseconds or RFC 3339 [default: last trade + 60 s]
    #[arg(long, requires = "as_recorded", value_name = "INSTANT", value_parser = instant)]
    present: Option<EpochMs>,
    /// Pace of a replay: 1, 10, any whole factor, or max (as fast as the listeners take it).
    #[arg(long, requires = "tape", conflicts_with = "as_recorded", default_value = "1", value_parser = speed)]
    speed: Speed,
    /// When the replay's first trade happens again [default: now]; the same instant after a
    /// restart continues the same replay.
    #[arg(long, requires = "tape", conflicts_with = "as_recorded", value_name = "INSTANT", value_parser = instant)]
    starts_at: Option<EpochMs>,
}

/// Faults of the socket, as fractions of trades; at most one strikes a trade.
#[derive(Debug, Args)]
#[command(next_help_heading = "Faults of the socket (fractions of trades, at most one strikes a trade)")]
struct FaultOptions {
    /// Every kind at once, silence and cut 50 times rarer; the kinds below override it.
    #[arg(long, value_name = "RATE", default_value_t = 0.0)]
    faults: f64,
    /// The frame is never sent.
    #[arg(long, value_name = "RATE")]
    drop: Option<f64>,
    /// The same frame comes again within 200 ms.
    #[arg(long, value_name = "RATE")]
    duplicate: Option<f64>,
    /// The frame is held up to 200 ms, so that later ones overtake it.
    #[arg(long, value_name = "RATE")]
    reorder: Option<f64>,
    /// The frame comes 2 to 5 s late.
    #[arg(long, value_name = "RATE")]
    delay: Option<f64>,
    /// Another price under the same id.
    #[arg(long, value_name = "RATE")]
    alter_price: Option<f64>,
    /// Another quantity under the same id.
    #[arg(long, value_name = "RATE")]
    alter_quantity: Option<f64>,
    /// A time up to 30 s off under the same id.
    #[arg(long, value_name = "RATE")]
    alter_time: Option<f64>,
    /// An extra frame about a trade that never was.
    #[arg(long, value_name = "RATE")]
    phantom: Option<f64>,
    /// Broken JSON, HTML, garbage, arrays instead of the frame.
    #[arg(long, value_name = "RATE")]
    malformed: Option<f64>,
    /// A field missing, of a wrong type, or with a value no trade has.
    #[arg(long, value_name = "RATE")]
    wrong_type: Option<f64>,
    /// The frame claims to be an hour to years ahead.
    #[arg(long, value_name = "RATE")]
    future: Option<f64>,
    /// Nothing is sent for a while, though the connection lives.
    #[arg(long, value_name = "RATE")]
    silence: Option<f64>,
    /// Every connection ends at once, without a close frame.
    #[arg(long, value_name = "RATE")]
    cut: Option<f64>,
    /// How long one silence lasts.
    #[arg(long, default_value = "3s", value_parser = duration)]
    silence_for: Duration,
}

/// How REST behaves.
#[derive(Debug, Args)]
#[command(next_help_heading = "REST (POST /control/rest changes it at run time)")]
struct RestOptions {
    /// How long every answer takes.
    #[arg(long, default_value = "0", value_name = "TIME", value_parser = duration)]
    rest_latency: Duration,
    /// Fraction of requests that fail: 500, 503, an HTML page, cut-off JSON in turn.
    #[arg(long, default_value_t = 0.0, value_name = "RATE")]
    rest_fail: f64,
    /// Requests a second that are answered; the others get 429 with Retry-After.
    #[arg(long, value_name = "N")]
    rest_rate_limit: Option<NonZeroU32>,
    /// Fraction of requests that are never answered.
    #[arg(long, default_value_t = 0.0, value_name = "RATE")]
    rest_hang: f64,
    /// How long after it happened REST knows a trade; X-Market-Time lags by as much.
    #[arg(long, default_value = "0", value_name = "TIME", value_parser = duration)]
    rest_lag: Duration,
    /// Trades on a page.
    #[arg(long, default_value_t = 100, value_name = "N")]
    page_limit: usize,
    /// Do not understand afterId.
    #[arg(long)]
    no_after_id: bool,
    /// Do not send X-Market-Time, only Date.
    #[arg(long)]
    no_market_time: bool,
}

impl Options {
    /// The configuration these options describe.
    pub fn into_config(self) -> anyhow::Result<VenueConfig> {
        let market = match self.recorded.tape {
            Some(tape) if self.recorded.as_recorded => MarketKind::Recorded { tape, present: self.recorded.present },
            Some(tape) => MarketKind::Replay { tape, speed: self.recorded.speed, starts_at: self.recorded.starts_at },
            None => self.generated.into_market(self.spoken.dialect)?,
        };
        Ok(VenueConfig {
            dialect: self.spoken.dialect,
            manners: self.spoken.manners()?,
            disorder: self.spoken.disorder,
            host: self.host,
            port: self.port,
            seed: self.seed,
            market,
            faults: self.faults.rates(),
            silence_for: self.faults.silence_for,
            rest: RestConfig {
                latency: self.rest.rest_latency,
                fail: self.rest.rest_fail,
                rate_limit: self.rest.rest_rate_limit,
                hang: self.rest.rest_hang,
                lag: self.rest.rest_lag,
                page_limit: self.rest.page_limit,
                after_id: !self.rest.no_after_id,
                market_time: !self.rest.no_market_time,
            },
            keep: self.keep,
            queue: self.queue,
            ledger: self.ledger,
            ..VenueConfig::default()
        })
    }
}

impl GeneratedOptions {
    fn into_market(mut self, dialect: Dialect) -> anyhow::Result<MarketKind> {
        if self.tickers.is_empty() {
            let usual = if dialect.is_generic() { DEFAULT_TICKERS } else { DEFAULT_PAIRS };
            self.tickers = usual.map(str::to_owned).to_vec();
        }
        for ticker in &self.tickers {
            Ticker::new(ticker)?;
        }
        let quiet = match self.quiet {
            Some(quiet) => quiet.into_iter().filter(|ticker| !ticker.is_empty()).collect(),
            None if self.tickers.len() > 1 => self.tickers.iter().rev().take(1).cloned().collect(),
            None => Vec::new(),
        };
        if let Some(stranger) = quiet.iter().find(|ticker| !self.tickers.contains(ticker)) {
            bail!("--quiet names {stranger}, which is not among --tickers {}", self.tickers.join(","));
        }
        Ok(MarketKind::Generated { tickers: self.tickers, quiet, rate: self.rate, history: self.history })
    }
}

impl FaultOptions {
    fn rates(&self) -> FaultRates {
        let given = [
            (FaultKind::Drop, self.drop),
            (FaultKind::Duplicate, self.duplicate),
            (FaultKind::Reorder, self.reorder),
            (FaultKind::Delay, self.delay),
            (FaultKind::AlterPrice, self.alter_price),
            (FaultKind::AlterQuantity, self.alter_quantity),
            (FaultKind::AlterTime, self.alter_time),
            (FaultKind::Phantom, self.phantom),
            (FaultKind::Malformed, self.malformed),
            (FaultKind::WrongType, self.wrong_type),
            (FaultKind::Future, self.future),
            (FaultKind::Silence, self.silence),
            (FaultKind::Cut, self.cut),
        ];
        let all = FaultRates::all(self.faults);
        given.into_iter().fold(all, |rates, (kind, rate)| rate.map_or(rates, |rate| rates.with(kind, rate)))
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let ms = tape::time::parse_duration_ms(text).and_then(|ms| u64::try_from(ms).ok());
    ms.map(Duration::from_millis).ok_or_else(|| "expected a length of time such as 250ms, 3s or 15m".to_owned())
}

fn instant(text: &str) -> Result<EpochMs, String> {
    venue::config::parse_instant(text)
        .ok_or_else(|| "expected epoch milliseconds or RFC 3339, such as 2024-08-09T00:06:00Z".to_owned())
}

fn speed(text: &str) -> Result<Speed, String> {
    Speed::parse(text).ok_or_else(|| "expected a whole factor such as 1 or 10, or max".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn config(arguments: &[&str]) -> anyhow::Result<VenueConfig> {
        Cli::try_parse_from([&["venue"], arguments].concat())?.options.into_config()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_needs_no_word_and_the_last_default_ticker_is_quiet() {
        let config = config(&[]).expect("the defaults");

        assert_eq!(config.port, 61792);
        let MarketKind::Generated { tickers, quiet, .. } = config.market else { panic!("generated") };
        assert_eq!((tickers.len(), quiet), (5, vec!["XMR".to_owned()]));
        assert!(matches!(Cli::try_parse_from(["venue", "serve", "--seed", "3"]), Ok(Cli { command: Some(_), .. })));
    }

    #[test]
    fn one_rate_sets_every_fault_and_single_ones_override_it() {
        let faults = config(&["--faults", "0.05", "--drop", "0.2", "--cut", "0"]).expect("rates").faults;

        assert_eq!(faults.of(FaultKind::Drop), 0.2);
        assert_eq!(faults.of(FaultKind::Phantom), 0.05);
        assert_eq!(faults.of(FaultKind::Silence), 0.001);
        assert_eq!(faults.of(FaultKind::Cut), 0.0);
    }

    #[test]
    fn a_dialect_trades_pairs_unless_told_otherwise() {
        let spoken = config(&["--dialect", "binance", "--quirk", "since=inclusive", "--ban", "2s"]).expect("a dialect");
        assert_eq!((spoken.dialect.name(), spoken.manners.ban), ("binance", Some(Duration::from_secs(2))));
        let MarketKind::Generated { tickers, .. } = spoken.market else { panic!("generated") };
        assert_eq!(tickers[0], "BTC/USDT");
    }

    #[test]
    fn a_tape_is_replayed_or_served_as_recorded() {
        let replayed = config(&["--tape", "a.csv", "--speed", "max"]).expect("a replay").market;
        assert!(matches!(replayed, MarketKind::Replay { speed: Speed::Max, .. }));
        let at = "2024-08-09T00:06:00Z";
        let recorded = config(&["--tape", "a.csv", "--as-recorded", "--present", at]).expect("a recording").market;
        let MarketKind::Recorded { present, .. } = recorded else { panic!("recorded") };
        assert_eq!(present, Some(EpochMs::new(1_723_161_960_000)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for arguments in [
            &["--as-recorded"][..],
            &["--present", "1"],
            &["--tape", "a", "--as-recorded", "--speed", "2"],
            &["--tape", "a", "--speed", "0"],
            &["--history", "5x"],
            &["--quiet", "DOGE"],
            &["--tickers", "B T C"],
            &["--dialect", "esperanto"],
            &["--quirk", "since=never"],
        ] {
            assert!(config(arguments).is_err(), "{arguments:?}");
        }
    }
}
