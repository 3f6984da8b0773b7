//! Reads settled trades again, at random, under a share of the rate all
//! tickers have. What differs twice is handed to the engine, which decides.

mod course;

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use market::{Answer, Backoff, RestClient};
use store::{Store, TickerState};
use tape::audit::agreed_on;
use tape::{EpochMs, Finding, Patience, Ticker, TradeId, Watermark};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::engine::Audited;
use crate::metrics::Metrics;
use crate::reconciler::anchored_reader;
use crate::run::chain;

pub use course::{Control, Course, Dice, Reading, Target};

/// The delay after a failure; it grows with failures in a row.
pub const FIRST_RETRY: Duration = Duration::from_secs(1);

/// The longest such delay.
pub const LAST_RETRY: Duration = Duration::from_secs(60);

/// A finding counts when REST says the same so much later.
pub const CONFIRM_AFTER: Duration = Duration::from_secs(2);

/// How often the tickers are looked up.
pub const LOOK_UP_EVERY: Duration = Duration::from_secs(5);

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
    /// The pace of a share of so much weight a second, for readings of so much each; none for no share.
    pub fn of_share(
        share: f64,
        per_second: NonZeroU32,
        of_a_reading: NonZeroU32,
        per_ticker: Duration,
    ) -> Option<Self> {
        let per_second = share * f64::from(per_second.get()) / f64::from(of_a_reading.get());
        (per_second > 0.0).then(|| Self { shortest: Duration::from_secs_f64(1.0 / per_second), per_ticker })
    }

    /// How long to wait between two readings when so many tickers are followed.
    pub fn pause(self, tickers: usize) -> Duration {
        let tickers = u32::try_from(tickers).unwrap_or(u32::MAX).max(1);
        self.shortest.max(self.per_ticker / tickers)
    }
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
        let mut course = Course::new(self.window_ms);
        loop {
            let round = self.round(&mut tickers, &mut looked_up, &mut course);
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
        course: &mut Course,
    ) -> Result<(), Unread> {
        if looked_up.is_none_or(|at| at.elapsed() >= LOOK_UP_EVERY) {
            *tickers = self.store.watermarks(&self.venue).await.map_err(|error| failed(&error))?;
            *looked_up = Some(Instant::now());
        }
        let dice = Dice { ticker: rand::random(), is_recent: rand::random(), moment: rand::random() };
        let Some(target) = course.next(tickers, dice) else { return Ok(()) };
        let first = self.read(&target).await?;
        course.has_read(&target, &first);
        let findings = if first.audit.findings.is_empty() {
            Vec::new()
        } else {
            self.metrics.audit_suspicions.inc_by(first.audit.findings.len() as u64);
            sleep(CONFIRM_AFTER).await;
            let second = self.read(&target).await?;
            let findings = agreed_on(&first.audit.findings, &second.audit.findings);
            let findings = self.without_the_forgotten(&target, &second, findings).await?;
            self.metrics.audit_unconfirmed.inc_by((first.audit.findings.len() - findings.len()) as u64);
            findings
        };
        course.has_found(&target.ticker, &findings);
        self.hand_over(target.ticker, first.audit.agreed, findings).await
    }

    /// Leaves out what the market may have forgotten rather than withdrawn: no
    /// answer shows anything from before it.
    async fn without_the_forgotten(
        &self,
        target: &Target,
        reading: &Reading,
        mut findings: Vec<Finding>,
    ) -> Result<Vec<Finding>, Unread> {
        let Some(until) = reading.doubted_after(&findings) else { return Ok(findings) };
        let before =
            self.store.trade_anchor(&self.venue, &target.ticker, until).await.map_err(|error| failed(&error))?;
        if let Some(control) = before.map(|(_, made_at)| Control::at(made_at)) {
            let answer = self.ask(&target.ticker, &control.question()).await?;
            if control.is_answered(&answer) {
                return Ok(findings);
            }
        }
        let forgotten: HashSet<TradeId> = reading.in_front(&findings).map(|finding| finding.name().1.clone()).collect();
        findings.retain(|finding| !forgotten.contains(finding.name().1));
        Ok(findings)
    }

    /// Asks REST once more, and holds the answer against the tables.
    async fn read(&self, target: &Target) -> Result<Reading, Unread> {
        let answer = self.ask(&target.ticker, &target.question()).await?;
        self.metrics.audits.inc();
        let names = Target::names(&answer);
        let held = match target.asked(&answer, &names) {
            Some(asked) => self.store.holdings(&self.venue, asked).await.map_err(|error| failed(&error))?,
            None => None,
        };
        let reading = Reading::of(target, &answer, held, self.patience);
        self.metrics.audited_trades.inc_by(reading.audit.agreed.len() as u64);
        Ok(reading)
    }

    async fn ask(&self, ticker: &Ticker, question: &Watermark) -> Result<Answer, Unread> {
        let reader = anchored_reader(&self.rest, &self.store, &self.venue, ticker, question.settled_until()).await;
        let mut reader = reader.map_err(|error| failed(&error))?;
        reader.page(question).await.map_err(|error| {
            let retry_after = error.retry_after();
            tracing::debug!(%ticker, "nothing of {ticker} was read again: {}", chain(&error));
            Unread::Failed { retry_after }
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_a_share_of_the_rate_and_never_hurries_one_ticker() {
        let five = Duration::from_secs(5);
        let (rate, weight) = (NonZeroU32::new(500).expect("a rate"), NonZeroU32::MIN);
        let pace = Pace::of_share(0.1, rate, weight, five).expect("a share");

        assert_eq!(pace.pause(1), five);
        assert_eq!(pace.pause(1_000), Duration::from_millis(20));
        assert!(Pace::of_share(0.0, rate, weight, five).is_none());
        let scarce =
            Pace::of_share(0.1, NonZeroU32::new(5).expect("a rate"), rate, five).expect("a share, however small");
        assert_eq!(scarce.pause(1_000), Duration::from_secs(1_000));
    }
}
