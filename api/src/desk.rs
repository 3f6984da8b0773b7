//! What every handler is handed: the store with a deadline, the present, and
//! the few settings that shape an answer.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use store::answers::{Known, Standing};
use store::{Store, StoreError};
use tape::{EpochMs, Interval, Ticker};
use tracing::{error, warn};

use crate::clock::Clock;
use crate::config::{Config, MarketClock};
use crate::floors::Floors;
use crate::lookups::Lookups;
use crate::memory::Memory;
use crate::metrics::Metrics;
use crate::problem::{Code, Problem, echo};

/// How many names an answer lists of what there is instead.
const NAMES_LISTED: u32 = 20;

/// REST may have confirmed nothing for so many times as long as the newest figure may be old.
const UNCONFIRMED_FACTOR: i64 = 6;

/// What every handler is handed.
#[derive(Clone)]
pub struct Desk {
    /// The database.
    pub store: Store,
    /// The interval that figures are calculated for.
    pub interval: Interval,
    /// The newest answers, kept at hand.
    pub memory: Arc<Memory>,
    /// How far consolidated figures were told.
    pub floors: Arc<Floors>,
    /// Where marks are asked for together.
    pub lookups: Lookups,
    /// What is counted.
    pub metrics: Metrics,
    clock: Clock,
    market_clock: MarketClock,
    stale_after_ms: i64,
    deadline: Duration,
}

impl Desk {
    /// A desk in front of a store.
    pub fn new(store: Store, config: &Config, clock: Clock) -> Self {
        Self {
            store,
            interval: config.interval,
            memory: Arc::default(),
            floors: Arc::default(),
            lookups: Lookups::default(),
            metrics: Metrics::default(),
            clock,
            market_clock: config.market_clock,
            stale_after_ms: config.stale_after_ms,
            deadline: config.db_deadline,
        }
    }

    /// The present.
    pub fn now(&self) -> EpochMs {
        self.clock.now()
    }

    /// The present that a ticker's age is counted from. Of a market that is not
    /// live it is the one REST reported, and goes on from there when REST no
    /// longer answers.
    pub fn present_of(&self, standing: &Standing) -> EpochMs {
        let now = self.now();
        match (self.market_clock, standing.market_time, standing.checked_at) {
            (MarketClock::Market, Some(market_time), Some(checked_at)) => {
                market_time.plus_ms(now.ms_since(checked_at).max(0))
            }
            _ => now,
        }
    }

    /// How long ago an instant is for a ticker, never less than nothing.
    pub fn age_ms(&self, standing: &Standing, instant: EpochMs) -> i64 {
        self.present_of(standing).ms_since(instant).max(0)
    }

    /// Whether a ticker has had no newer figure for too long.
    pub fn is_stale(&self, standing: &Standing) -> bool {
        standing.newest_mark.is_none_or(|mark| self.age_ms(standing, mark) > self.stale_after_ms)
    }

    /// Whether trades may be absent from a ticker's newest figures: there is no
    /// newer one, or REST has confirmed nothing for so much longer than it
    /// usually takes that the exchange may not tell anything at all.
    pub fn is_doubtful(&self, standing: &Standing) -> bool {
        let usual_ms = standing.time_to_final.map_or(0, |measured| measured.p99_ms);
        let limit_ms = (UNCONFIRMED_FACTOR * self.stale_after_ms).max(2 * usual_ms);
        let behind_ms = standing.newest_mark.map_or(0, |mark| mark.ms_since(standing.settled_until));
        self.is_stale(standing) || limit_ms < behind_ms
    }

    /// How old the newest figure may be.
    pub fn stale_after_ms(&self) -> i64 {
        self.stale_after_ms
    }

    /// Waits for an answer of the store, but not for longer than a client would.
    ///
    /// # Errors
    /// What the client is told instead; the log gets the whole chain.
    pub async fn ask<T>(&self, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, Problem> {
        let Ok(answer) = tokio::time::timeout(self.deadline, answer).await else {
            let deadline_ms = self.deadline.as_millis();
            warn!(deadline_ms, "the database did not answer within {deadline_ms} ms");
            let detail =
                format!("The database did not answer within {deadline_ms} ms. Try again, or ask for a shorter span.");
            return Err(Problem::new(Code::DatabaseSlow, detail));
        };
        answer.map_err(|failure| problem_of(&failure))
    }

    /// Why a ticker, or the exchange named with it, is not known, and what there is.
    pub async fn unknown(&self, venue: Option<&str>, ticker: &Ticker) -> Problem {
        let listed = self.ask(self.store.tickers_known(venue, None, self.interval, NAMES_LISTED)).await;
        let known = match listed {
            Ok(known) => known,
            Err(problem) => return problem,
        };
        if known.is_empty()
            && let Some(venue) = venue
        {
            return self.unknown_venue(venue).await;
        }
        let mut names: Vec<String> = known.iter().map(|known| known.standing.ticker.to_string()).collect();
        names.dedup();
        let place = venue.map(|venue| format!(" of exchange {}", echo(venue))).unwrap_or_default();
        let detail = if names.is_empty() {
            format!("There is no ticker {}: no ticker is followed yet.", echo(ticker.as_str()))
        } else {
            format!(
                "There is no ticker {}{place}. There is, for instance: {}.",
                echo(ticker.as_str()),
                names.join(", ")
            )
        };
        Problem::new(Code::UnknownTicker, detail).about("ticker").offering(names)
    }

    /// Why an exchange is not known, and which there are.
    pub async fn unknown_venue(&self, venue: &str) -> Problem {
        let listed = self.ask(self.store.tickers_known(None, None, self.interval, 10_000)).await;
        let known = match listed {
            Ok(known) => known,
            Err(problem) => return problem,
        };
        let mut names: Vec<String> = known.into_iter().map(|known| known.standing.venue).collect();
        names.dedup();
        names.truncate(NAMES_LISTED as usize);
        let detail = if names.is_empty() {
            format!("There is no exchange {}: none is followed yet.", echo(venue))
        } else {
            format!("There is no exchange {}. There is: {}.", echo(venue), names.join(", "))
        };
        Problem::new(Code::UnknownExchange, detail).about("exchange").offering(names)
    }

    /// The one ticker that was meant: named without an exchange it must be one
    /// that a single exchange has.
    ///
    /// # Errors
    /// What there is instead, or which exchanges there are to choose from.
    pub async fn the_one<T>(
        &self,
        mut found: Vec<T>,
        venue: Option<&str>,
        ticker: &Ticker,
        standing: impl Fn(&T) -> &Standing,
    ) -> Result<T, Problem> {
        if found.len() > 1 {
            let names: Vec<String> = found.iter().map(|one| standing(one).venue.clone()).collect();
            let listed = names.join(", ");
            let detail = format!("Several exchanges trade {ticker}. Name one with exchange=: {listed}.");
            let problem = Problem::new(Code::AmbiguousExchange, detail);
            return Err(problem.about("exchange").accepting(listed).offering(names));
        }
        match found.pop() {
            Some(one) => {
                self.memory.saw(standing(&one));
                Ok(one)
            }
            None => Err(self.unknown(venue, ticker).await),
        }
    }

    /// The ticker that was meant, with how far it is known.
    ///
    /// # Errors
    /// As [`Desk::the_one`].
    pub async fn known(&self, venue: Option<&str>, ticker: &Ticker) -> Result<Known, Problem> {
        let found = self.known_on(venue, ticker).await?;
        self.the_one(found, venue, ticker, |known| &known.standing).await
    }

    /// How far a ticker is known on each exchange meant that has it.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn known_on(&self, venue: Option<&str>, ticker: &Ticker) -> Result<Vec<Known>, Problem> {
        self.ask(self.store.tickers_known(venue, Some(ticker), self.interval, NAMES_LISTED)).await
    }
}

/// What the client is told of a failure.
fn problem_of(failure: &StoreError) -> Problem {
    let chain = chain_of(failure);
    let (code, detail) = match failure {
        StoreError::Unavailable { .. } => {
            (Code::DatabaseAway, "The database cannot be used now. It is tried again with every request.")
        }
        StoreError::Unmigrated { .. } => {
            (Code::DatabaseUnfit, "The database has no tables yet. The worker, or bin/start_db, lays them out.")
        }
        StoreError::Refused { .. }
        | StoreError::Unreadable { .. }
        | StoreError::Misconfigured { .. }
        | StoreError::Conflict { .. }
        | StoreError::Deposed { .. } => {
            (Code::DatabaseUnfit, "The database refused the question. The log of the api says why.")
        }
    };
    if failure.is_transient() {
        warn!("could not answer: {chain}");
    } else {
        error!("could not answer: {chain}");
    }
    Problem::new(code, detail)
}

/// What went wrong, and why, and why that.
pub fn chain_of(failure: &StoreError) -> String {
    let mut chain = failure.to_string();
    let mut source = std::error::Error::source(failure);
    while let Some(cause) = source {
        chain = format!("{chain}: {cause}");
        source = cause.source();
    }
    chain
}
