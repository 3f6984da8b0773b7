//! How far each ticker is confirmed. A watermark moves only from where its
//! mover believes it to be, and only forward.

use tape::{EpochMs, Ticker, TimeToFinal, TradeId, Watermark};
use tokio_postgres::Row;

use crate::news::FIGURES_CHANNEL;
use crate::row::{column, instant, ticker, trade_id};
use crate::txn::WriteTxn;
use crate::{Store, StoreError};

/// What is kept of one ticker's progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickerState {
    /// The ticker.
    pub ticker: Ticker,
    /// How far it is confirmed.
    pub watermark: Watermark,
    /// Trades after this moment are kept.
    pub tape_from: EpochMs,
    /// The market's own present at its last answer.
    pub market_time: Option<EpochMs>,
}

/// A step of one ticker's watermark. From and to may be the same: then only
/// the times of the answer are noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advance {
    /// The ticker.
    pub ticker: Ticker,
    /// Where its watermark is believed to be.
    pub from: Watermark,
    /// Where it goes.
    pub to: Watermark,
    /// The market's own present when it answered.
    pub market_time: EpochMs,
    /// How long the latest live marks took to become final, where it was
    /// measured anew; else what was measured before stays.
    pub time_to_final: Option<TimeToFinal>,
}

impl Store {
    /// Every ticker of a venue, and how far it is confirmed.
    ///
    /// # Errors
    /// When the database cannot be asked, or holds what is no watermark.
    pub async fn watermarks(&self, venue: &str) -> Result<Vec<TickerState>, StoreError> {
        let session = self.session().await?;
        let rows = session.query(include_str!("../sql/watermarks.sql"), &[&venue]).await?;
        rows.iter().map(ticker_state).collect()
    }

    /// The last confirmed trade of a ticker up to an instant, and when it was made.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn trade_anchor(
        &self,
        venue: &str,
        ticker: &Ticker,
        until: EpochMs,
    ) -> Result<Option<(TradeId, EpochMs)>, StoreError> {
        let session = self.session().await?;
        let statement = include_str!("../sql/trade_anchor.sql");
        let rows = session.query(statement, &[&venue, &ticker.as_str(), &until.ms()]).await?;
        rows.first().map(|row| Ok((trade_id(row, "tradeid")?, instant(row, "ts")?))).transpose()
    }

    /// Gives tickers that have no watermark yet one at `from`: trades after
    /// that moment will be kept. The others are left as they are. Whoever listens
    /// is told that there are new ones.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn ticker_ensure(&self, venue: &str, begins: &[(Ticker, EpochMs)]) -> Result<(), StoreError> {
        let mut begins: Vec<(&str, i64)> = begins.iter().map(|(ticker, from)| (ticker.as_str(), from.ms())).collect();
        begins.sort_by_key(|begin| begin.0);
        begins.dedup_by_key(|begin| begin.0);
        let (tickers, from): (Vec<&str>, Vec<i64>) = begins.into_iter().unzip();
        let session = self.session().await?;
        let params: crate::session::Params<'_> = &[&venue, &tickers, &from, &FIGURES_CHANNEL];
        session.execute(include_str!("../sql/ticker_ensure.sql"), params).await?;
        Ok(())
    }
}

impl WriteTxn {
    /// Moves watermarks, each only if it still is where it is believed to be.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] naming the first that was not: the transaction
    /// cannot be committed then. [`StoreError::Refused`] for a step back.
    pub async fn watermarks_advance(&self, advances: &[Advance], checked_at: EpochMs) -> Result<(), StoreError> {
        let mut advances: Vec<&Advance> = advances.iter().collect();
        advances.sort_by(|a, b| a.ticker.cmp(&b.ticker));
        for advance in &advances {
            let Advance { ticker, from, to, .. } = advance;
            if from != to && !from.is_before(to) {
                self.session.fail();
                let reason = format!("{ticker} would go back from {from:?} to {to:?}");
                return Err(StoreError::refused("moving watermarks", reason));
            }
        }
        if advances.is_empty() {
            return Ok(());
        }
        let tickers: Vec<&str> = advances.iter().map(|advance| advance.ticker.as_str()).collect();
        let (from_until, from_id) = positions(advances.iter().map(|advance| &advance.from));
        let (to_until, to_id) = positions(advances.iter().map(|advance| &advance.to));
        let market_times: Vec<i64> = advances.iter().map(|advance| advance.market_time.ms()).collect();
        let times_to_final = || advances.iter().map(|advance| advance.time_to_final);
        let p50: Vec<Option<i64>> = times_to_final().map(|measured| measured.map(|it| it.p50_ms)).collect();
        let p99: Vec<Option<i64>> = times_to_final().map(|measured| measured.map(|it| it.p99_ms)).collect();
        let marks: Vec<Option<i32>> =
            times_to_final().map(|measured| measured.map(|it| i32::try_from(it.marks).unwrap_or(i32::MAX))).collect();
        let sql = include_str!("../sql/watermarks_advance.sql");
        let moved = self
            .session
            .query(
                sql,
                &[
                    &self.venue,
                    &tickers,
                    &from_until,
                    &from_id,
                    &to_until,
                    &to_id,
                    &market_times,
                    &checked_at.ms(),
                    &p50,
                    &p99,
                    &marks,
                ],
            )
            .await?;
        let mut moved_tickers = Vec::with_capacity(moved.len());
        for row in &moved {
            moved_tickers.push(ticker(row, "ticker")?);
        }
        let unmoved = advances.iter().find(|advance| !moved_tickers.contains(&advance.ticker));
        if let Some(Advance { ticker, from, .. }) = unmoved {
            self.session.fail();
            return Err(StoreError::Conflict { ticker: ticker.clone(), expected: from.clone() });
        }
        self.news.add(advances.iter().map(|advance| &advance.ticker));
        Ok(())
    }
}

/// Watermarks as two columns: settled until when, and the last trade read
/// within the next millisecond.
fn positions<'a>(watermarks: impl Iterator<Item = &'a Watermark>) -> (Vec<i64>, Vec<Option<&'a str>>) {
    watermarks
        .map(|watermark| (watermark.settled_until().ms(), watermark.ask_after().map(tape::TradeId::as_str)))
        .unzip()
}

fn ticker_state(row: &Row) -> Result<TickerState, StoreError> {
    let validated_until = instant(row, "validated_until")?;
    let position: Option<String> = column(row, "position_tradeid")?;
    let watermark = match position {
        None => Watermark::Through(validated_until),
        Some(_) => Watermark::Within { at: validated_until.plus_ms(1), last: trade_id(row, "position_tradeid")? },
    };
    let market_time: Option<i64> = column(row, "market_time")?;
    Ok(TickerState {
        ticker: ticker(row, "ticker")?,
        watermark,
        tape_from: instant(row, "tape_from")?,
        market_time: market_time.map(EpochMs::new),
    })
}
