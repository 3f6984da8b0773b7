//! The exchange's own trades of a span, page by page, under the same rules by
//! which the worker believes a page, and within the same rate.

use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use market::{Answer, Backoff, Reader, RestClient};
use tape::{EpochMs, Known, Outcome, Patience, Standing, Ticker, Trade, Watermark, reconcile};
use tokio::time::sleep;

use crate::config::Config;
use crate::session;

/// Delays after failures in a row.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// Failures in a row before it is given up.
const TRIES: usize = 8;

/// The longest span settled by one page.
const STEP_MS: i64 = 5_000_000;

/// The most pages of one question.
const PAGES_LIMIT: u64 = 1_000_000;

/// Asks the exchange.
pub struct RestTrades {
    rest: RestClient,
    patience: Patience,
}

/// How much was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Pages read.
    pub pages: u64,
    /// Trades on them that belong to the span.
    pub trades: u64,
    /// Rows that are no trades.
    pub refused: u64,
}

impl RestTrades {
    /// Prepares to ask the market that is configured.
    ///
    /// # Errors
    /// When its address cannot be asked at all.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let patience = Patience {
            settle_delay_ms: config.settle_delay_ms,
            allowed_skew_ms: config.allowed_skew_ms,
            longest_step_ms: STEP_MS,
            listening_since: None,
        };
        Ok(Self { rest: session::rest(config)?, patience })
    }

    /// Reads the trades in `(after, until]`. `settled` is told of every step:
    /// the new trades, in the venue's order, and up to when they are complete.
    ///
    /// # Errors
    /// When the exchange does not tell all of the span, or `settled` gives up.
    pub async fn read(
        &self,
        ticker: &Ticker,
        after: EpochMs,
        until: EpochMs,
        mut settled: impl FnMut(Vec<Trade>, EpochMs) -> anyhow::Result<()>,
    ) -> anyhow::Result<Effort> {
        let mut watermark = Watermark::Through(after);
        let mut reader = self.rest.reader(ticker.clone(), None);
        let mut effort = Effort::default();
        // What the next page may repeat: the trades of the millisecond reading stopped in.
        let mut known: Vec<Known> = Vec::new();
        while watermark.settled_until() < until {
            ensure!(effort.pages < PAGES_LIMIT, "more than {PAGES_LIMIT} pages were needed");
            let answer = page(&mut reader, &watermark).await?;
            effort.pages += 1;
            if let Some(gap) = answer.gaps.iter().find(|gap| gap.from <= until) {
                bail!("the exchange no longer tells the trades between {} and {}: {}", gap.from, gap.to, gap.detail);
            }
            effort.refused += answer.rejected.len() as u64;
            let outcome = reconcile(&watermark, &answer.page, &known, self.patience);
            refuse_what_cannot_be_checked(&outcome, until)?;
            let trades: Vec<Trade> = outcome.confirmations.into_iter().map(|it| it.trade).collect();
            known.extend(trades.iter().cloned().map(confirmed));
            watermark = outcome.watermark;
            known.retain(|known| watermark.ask_from() <= known.trade.traded_at);
            let of_span: Vec<Trade> = trades.into_iter().filter(|trade| trade.traded_at <= until).collect();
            effort.trades += of_span.len() as u64;
            settled(of_span, watermark.settled_until().min(until))?;
            let is_stuck = !outcome.has_more && watermark.settled_until() < until;
            ensure!(
                !is_stuck,
                "the exchange tells its trades up to {} only, not up to {until}",
                watermark.settled_until()
            );
        }
        Ok(effort)
    }
}

async fn page(reader: &mut Reader, watermark: &Watermark) -> anyhow::Result<Answer> {
    let mut backoff = Backoff::new(FIRST_RETRY, LAST_RETRY);
    let mut tries = 1;
    loop {
        match reader.page(watermark).await {
            Ok(answer) => return Ok(answer),
            Err(error) if error.is_transient() && tries < TRIES => {
                sleep(error.retry_after().unwrap_or_else(|| backoff.delay())).await;
                tries += 1;
            }
            Err(error) => return Err(error).context("the exchange gives no page"),
        }
    }
}

fn refuse_what_cannot_be_checked(outcome: &Outcome, until: EpochMs) -> anyhow::Result<()> {
    if let Some(at) = outcome.unpageable.filter(|at| *at <= until) {
        bail!("more trades share the millisecond {at} than a page of the exchange holds");
    }
    if let Some(correction) = outcome.corrections.first() {
        bail!("the exchange changed its mind about trade {} while it was asked", correction.now.id);
    }
    Ok(())
}

fn confirmed(trade: Trade) -> Known {
    Known { trade, standing: Standing::Confirmed { was_heard: false } }
}
