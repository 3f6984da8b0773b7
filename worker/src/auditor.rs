//! Reads settled trades again, at random, under a share of the rate all
//! tickers have. What differs twice is handed to the engine, which decides.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use market::{Backoff, RestClient};
use store::{AskedHoldings, Store, TickerState};
use tape::audit::{Audit, Span, agreed_on, audit};
use tape::{EpochMs, Finding, Patience, Ticker, Watermark};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::engine::{Audited, from_whole_second};
use crate::metrics::Metrics;
use crate::run::chain;

/// Delays after failures in a row.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LAST_RETRY: Duration = Duration::from_secs(60);

/// A finding counts when REST says the same so much later.
const CONFIRM_AFTER: Duration = Duration::from_secs(2);

/// How often the tickers are looked up.
const LOOK_UP_EVERY: Duration = Duration::from_secs(5);

/// Half of all readings begin within the latest hour.
const RECENT_MS: i64 = 3_600_000;

/// Readings around one change of mind at most.
const NEARBY_READINGS: u32 = 50;

/// Changes of mind whose surroundings wait to be read at most.
const NEARBY_WAITING: usize = 100;

/// Reads settled trades again.
pub struct Auditor {
    /// The market's REST channel, under the rate all tickers share.
    pub rest: Arc<RestClient>,
    /// What is held.
    pub store: Store,
    /// The venue.
    pub venue: String,
    /// How far an answer is believed.
    pub patience: Patience,
    /// How long the windows are, in milliseconds.
    pub window_ms: i64,
    /// The pace.
    pub pace: Pace,
    /// Where what was read goes.
    pub audited: mpsc::Sender<Audited>,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// How often settled trades are read again.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Between two readings at least, whatever they are of: the share of the rate.
    pub shortest: Duration,
    /// Between two readings of one ticker, on average.
    pub per_ticker: Duration,
}

impl Pace {
    /// The pace of a share of so many requests a second; none for no share.
    pub fn of_share(share: f64, requests_per_second: u32, per_ticker: Duration) -> Option<Self> {
        let per_second = share * f64::from(requests_per_second);
        (per_second > 0.0).then(|| Self { shortest: Duration::from_secs_f64(1.0 / per_second), per_ticker })
    }

    fn pause(self, tickers: usize) -> Duration {
        let tickers = u32::try_from(tickers).unwrap_or(u32::MAX).max(1);
        self.shortest.max(self.per_ticker / tickers)
    }
}

/// From where one reading begins, and where more of them go on to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    ticker: Ticker,
    from: EpochMs,
    until: EpochMs,
    readings_left: u32,
}

/// One answer held against what is held.
struct Reading {
    audit: Audit,
    /// Where the next reading begins, if there was a row at all.
    goes_on_from: Option<EpochMs>,
}

/// Why there is nothing to go on with.
enum Unread {
    SessionOver,
    Failed { retry_after: Option<Duration> },
}

impl Auditor {
    /// Audits until it is told to stop.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
        let mut tickers: Vec<TickerState> = Vec::new();
        let mut looked_up: Option<Instant> = None;
        let mut nearby = VecDeque::new();
        loop {
            let round = self.round(&mut tickers, &mut looked_up, &mut nearby);
            let Some(round) = shutdown.run_until_cancelled(round).await else { return };
            let pace = self.pace.pause(tickers.len());
            let pause = match round {
                Ok(()) => {
                    backoff.reset();
                    pace
                }
                Err(Unread::SessionOver) => return,
                Err(Unread::Failed { retry_after }) => retry_after.unwrap_or_else(|| backoff.delay()).max(pace),
            };
            if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }

    async fn round(
        &self,
        tickers: &mut Vec<TickerState>,
        looked_up: &mut Option<Instant>,
        nearby: &mut VecDeque<Target>,
    ) -> Result<(), Unread> {
        if looked_up.is_none_or(|at| at.elapsed() >= LOOK_UP_EVERY) {
            *tickers = self.store.watermarks(&self.venue).await.map_err(|error| failed(&error))?;
            *looked_up = Some(Instant::now());
        }
        let target = match nearby.pop_front() {
            Some(target) => target,
            None => match at_random(tickers) {
                Some(target) => target,
                None => return Ok(()),
            },
        };
        let first = self.read(&target).await?;
        go_on(nearby, &target, first.goes_on_from);
        let findings = if first.audit.findings.is_empty() {
            Vec::new()
        } else {
            self.metrics.audit_suspicions.inc_by(first.audit.findings.len() as u64);
            sleep(CONFIRM_AFTER).await;
            let second = self.read(&target).await?;
            let findings = agreed_on(&first.audit.findings, &second.audit.findings);
            self.metrics.audit_unconfirmed.inc_by((first.audit.findings.len() - findings.len()) as u64);
            findings
        };
        look_around(nearby, &target.ticker, &findings, self.window_ms);
        self.hand_over(target.ticker, first.audit.agreed, findings).await
    }

    /// Asks REST once more, and holds the answer against the tables.
    async fn read(&self, target: &Target) -> Result<Reading, Unread> {
        let asked_after = target.from.minus_ms(1);
        let answer = self.rest.page(&target.ticker, &Watermark::Through(asked_after)).await.map_err(|error| {
            let (ticker, retry_after) = (&target.ticker, error.retry_after());
            tracing::debug!(%ticker, "nothing of {ticker} was read again: {}", chain(&error));
            Unread::Failed { retry_after }
        })?;
        self.metrics.audits.inc();
        let page = answer.page;
        let nothing = Reading { audit: Audit::default(), goes_on_from: None };
        let Some(latest) = page.latest_row_at else { return Ok(nothing) };
        let names: Vec<_> = page.trades.iter().map(|trade| trade.id.clone()).collect();
        let asked = AskedHoldings { ticker: &target.ticker, after: asked_after, until: latest, names: &names };
        let held = self.store.holdings(&self.venue, asked).await.map_err(|error| failed(&error))?;
        let Some(held) = held.map(from_whole_second) else { return Ok(nothing) };
        let span = Span::told_by(&page, target.from, held.settled_until, self.patience);
        let audit = audit(&page, span, !answer.rejected.is_empty(), &held);
        self.metrics.audited_trades.inc_by(audit.agreed.len() as u64);
        Ok(Reading { audit, goes_on_from: Some(latest.max(target.from.plus_ms(1))) })
    }

    async fn hand_over(&self, ticker: Ticker, agreed: Vec<EpochMs>, findings: Vec<Finding>) -> Result<(), Unread> {
        if agreed.is_empty() && findings.is_empty() {
            return Ok(());
        }
        let is_waited_for = !findings.is_empty();
        let (reply, dealt_with) = oneshot::channel();
        let audited = Audited { ticker, agreed, findings, reply };
        self.audited.send(audited).await.map_err(|_| Unread::SessionOver)?;
        if !is_waited_for {
            return Ok(());
        }
        dealt_with.await.map_err(|_| Unread::SessionOver)
    }
}

fn failed(error: &store::StoreError) -> Unread {
    tracing::debug!("nothing was read again: {}", chain(error));
    Unread::Failed { retry_after: None }
}

/// A ticker and a moment of its settled tape, by chance.
fn at_random(tickers: &[TickerState]) -> Option<Target> {
    if tickers.is_empty() {
        return None;
    }
    let index = rand::random::<u32>() as usize % tickers.len();
    let state = &tickers[index];
    let from = moment(state.tape_from, state.watermark.settled_until(), rand::random(), rand::random())?;
    Some(Target { ticker: state.ticker.clone(), from, until: from, readings_left: 0 })
}

/// A moment of a tape by two rolls of chance: half within the latest hour, half
/// anywhere. It may fall a little before the beginning, which then counts, so
/// that the first trades are read as often as others.
fn moment(tape_from: EpochMs, settled_until: EpochMs, is_recent: bool, roll: u32) -> Option<EpochMs> {
    if settled_until <= tape_from {
        return None;
    }
    let begins = if is_recent { tape_from.max(settled_until.minus_ms(RECENT_MS)) } else { tape_from };
    let length_ms = settled_until.ms_since(begins);
    let lead_ms = (length_ms / 10).min(60_000);
    let offset = i128::from(length_ms + lead_ms) * i128::from(roll) / i128::from(u32::MAX);
    let rolled = begins.minus_ms(lead_ms).plus_ms(i64::try_from(offset).unwrap_or(0));
    Some(rolled.max(tape_from.plus_ms(1)))
}

/// Who changes one trade often changes its neighbors: what surrounds a change
/// of mind is read next, as far as a window reaches.
fn look_around(nearby: &mut VecDeque<Target>, ticker: &Ticker, findings: &[Finding], window_ms: i64) {
    let times = || findings.iter().flat_map(|it| [it.was(), it.now()]).flatten().map(|trade| trade.traded_at);
    let (Some(first), Some(last)) = (times().min(), times().max()) else { return };
    if nearby.len() < NEARBY_WAITING {
        let (from, until) = (first.minus_ms(window_ms), last.plus_ms(window_ms));
        nearby.push_back(Target { ticker: ticker.clone(), from, until, readings_left: NEARBY_READINGS });
    }
}

fn go_on(nearby: &mut VecDeque<Target>, target: &Target, goes_on_from: Option<EpochMs>) {
    let Some(from) = goes_on_from.filter(|from| *from < target.until) else { return };
    if target.readings_left > 0 {
        nearby.push_front(Target { from, readings_left: target.readings_left - 1, ..target.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> EpochMs {
        EpochMs::new(ms)
    }

    #[test]
    fn the_pace_is_a_share_of_the_rate_and_never_hurries_one_ticker() {
        let five = Duration::from_secs(5);
        let pace = Pace::of_share(0.1, 500, five).expect("a share");

        assert_eq!(pace.pause(1), five);
        assert_eq!(pace.pause(1_000), Duration::from_millis(20));
        assert!(Pace::of_share(0.0, 500, five).is_none());
    }

    #[test]
    fn a_moment_lies_on_the_settled_tape_whatever_the_roll() {
        let (begins, ends) = (at(1_000), at(10_000_000));
        let recent = ends.minus_ms(RECENT_MS);

        for roll in [0, 1, u32::MAX / 2, u32::MAX] {
            for is_recent in [true, false] {
                let moment = moment(begins, ends, is_recent, roll).expect("a tape");
                assert!(begins < moment && moment <= ends, "{moment}");
                assert!(!is_recent || recent.minus_ms(60_000) <= moment, "{moment}");
            }
        }
        assert_eq!(moment(begins, ends, false, 0), Some(at(1_001)));
        assert_eq!(moment(begins, begins, false, 7), None);
    }

    #[test]
    fn what_surrounds_a_change_of_mind_is_read_next_within_a_bound() {
        let ticker = Ticker::new("BTC").expect("a ticker");
        let trade = tape::Trade {
            ticker: ticker.clone(),
            id: tape::TradeId::new("a").expect("an id"),
            traded_at: at(50_000),
            price: tape::Price::parse("1").expect("a price"),
            quantity: tape::Quantity::parse("1").expect("a quantity"),
        };
        let mut nearby = VecDeque::new();
        look_around(&mut nearby, &ticker, &[], 10_000);
        assert!(nearby.is_empty());

        for _ in 0..2 * NEARBY_WAITING {
            look_around(&mut nearby, &ticker, &[Finding::Withdrawn { was: trade.clone() }], 10_000);
        }
        assert_eq!(nearby.len(), NEARBY_WAITING);
        let target = nearby.pop_front().expect("one");
        assert_eq!((target.from, target.until), (at(40_000), at(60_000)));

        go_on(&mut nearby, &target, Some(at(45_000)));
        let next = nearby.pop_front().expect("it goes on");
        assert_eq!((next.from, next.readings_left), (at(45_000), NEARBY_READINGS - 1));
        go_on(&mut nearby, &next, Some(at(60_000)));
        assert_eq!(nearby.len(), NEARBY_WAITING - 1, "it is at its end");
    }
}
