//! How a market comes to be: from what a venue is told before it starts.

use tape::{EpochMs, Ticker};

use crate::config::{MarketKind, VenueConfig};
use crate::dialect::pair;
use crate::generator::Generator;
use crate::ledger_file::LedgerFile;
use crate::making::{DISORDER_MS, Making};
use crate::market::{Habits, Market, Present};
use crate::profile::Profile;
use crate::running::{StartError, milliseconds};
use crate::source::{Replay, Source};
use crate::tape_file::TapeFile;

/// Where a recorded market's present stands after its last trade.
const AFTER_THE_TAPE_MS: i64 = 60_000;

/// Refuses what cannot be.
pub(crate) fn check(config: &VenueConfig) -> Result<(), StartError> {
    config.faults.check()?;
    for (name, rate) in [("the rate of failing REST requests", config.rest.fail), ("of hanging ones", config.rest.hang)]
    {
        if !(0.0..=1.0).contains(&rate) {
            return Err(StartError::OutOfRange { name, found: rate.to_string(), accepted: "between 0 and 1" });
        }
    }
    if !(0.0..=1.0).contains(&config.disorder) {
        let (found, accepted) = (config.disorder.to_string(), "between 0 and 1");
        return Err(StartError::OutOfRange { name: "the rate of disorder", found, accepted });
    }
    if config.rest.page_limit == 0 {
        let (found, accepted) = ("0".to_owned(), "at least 1");
        return Err(StartError::OutOfRange { name: "the page limit", found, accepted });
    }
    if let MarketKind::Generated { rate, .. } = &config.market
        && !(0.0..=10_000.0).contains(rate)
    {
        let (found, accepted) = (rate.to_string(), "between 0 and 10000 trades a second");
        return Err(StartError::OutOfRange { name: "the rate", found, accepted });
    }
    Ok(())
}

/// The market a configuration describes, at the moment it opens.
pub(crate) fn market_of(config: &VenueConfig, now: EpochMs) -> Result<Market, StartError> {
    let mut habits = Habits {
        seed: config.seed,
        faults: config.faults,
        silence_ms: milliseconds(config.silence_for),
        lag_ms: milliseconds(config.rest.lag),
        keep: config.keep.max(1),
        queue: config.queue,
        dialect: config.dialect,
        disorder_ms: if config.disorder > 0.0 { DISORDER_MS } else { 0 },
    };
    let making = Making { numbering: config.dialect.numbering(), disorder: config.disorder };
    let as_spoken = |ticker: Ticker| if config.dialect.is_generic() { Ok(ticker) } else { pair::as_pair(&ticker) };
    let read_tickers = |texts: &[String]| -> Result<Vec<Ticker>, StartError> {
        texts.iter().map(|text| Ticker::new(text).and_then(as_spoken).map_err(StartError::Ticker)).collect()
    };
    let read_tape = |path: &std::path::Path| -> Result<TapeFile, StartError> {
        let mut tape = TapeFile::read(path)?;
        for trade in &mut tape.trades {
            trade.ticker = as_spoken(trade.ticker.clone()).map_err(StartError::Ticker)?;
        }
        Ok(tape)
    };
    match &config.market {
        MarketKind::Scripted { tickers } => {
            let mut market = Market::new(habits, Source::Silent, read_tickers(tickers)?);
            keep_on_disk(&mut market, config)?;
            Ok(market)
        }
        MarketKind::Generated { tickers, quiet, rate, history } => {
            let tickers = read_tickers(tickers)?;
            let profiles = Profile::of_market(&tickers, &read_tickers(quiet)?, *rate);
            let from = now.minus_ms(milliseconds(*history));
            let generator = Generator::made_as(making, config.seed, profiles, from);
            let mut market = Market::new(habits, Source::Generated(generator), tickers);
            keep_on_disk(&mut market, config)?;
            market.open(now);
            Ok(market)
        }
        MarketKind::Replay { tape, speed, starts_at } => {
            let tape = read_tape(tape)?;
            let tickers = tape.tickers();
            let made = making.make(config.seed, tape.trades);
            let replay = Replay::of(made, starts_at.unwrap_or(now), *speed);
            let mut market = Market::new(habits, Source::Replay(replay), tickers);
            keep_on_disk(&mut market, config)?;
            market.open(now);
            Ok(market)
        }
        MarketKind::Recorded { tape, present } => {
            let tape = read_tape(tape)?;
            let present = present.unwrap_or_else(|| tape.last_at().plus_ms(AFTER_THE_TAPE_MS));
            // A tape is finite, and all of it is asked for.
            habits.keep = habits.keep.max(tape.trades.len());
            let mut market = Market::new(habits, Source::Silent, tape.tickers());
            keep_on_disk(&mut market, config)?;
            for made in making.make(config.seed, tape.trades) {
                market.place_in_the_past(made.trade);
            }
            market.set_present(Present::Standing(present));
            Ok(market)
        }
    }
}

/// Goes on with the ledgers of the configured file, if one is.
fn keep_on_disk(market: &mut Market, config: &VenueConfig) -> Result<(), StartError> {
    if let Some(path) = &config.ledger {
        let (file, remembered) =
            LedgerFile::open(path).map_err(|source| StartError::Ledger { path: path.clone(), source })?;
        market.keep_on_disk(file, remembered);
    }
    Ok(())
}
