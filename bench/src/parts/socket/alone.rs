//! What a socket's trades are beside: the same rows, known before, written by one
//! statement after the other for as long, into tables that grow as much.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::mpsc;

use super::TICKERS;
use super::feeder::{made, now_ms};
use crate::ceiling::{ROWS, TradeRow, TradeWriter, Vouched, Way};
use crate::filled::Filled;

/// So many statements' rows are made ahead.
const AHEAD: usize = 4;

/// Writes what the market would tell, and returns how many trades a second.
///
/// # Errors
/// When Postgres refuses.
pub async fn alone(way: Way, lasting: Duration) -> anyhow::Result<f64> {
    let filled = Filled::as_shipped().await?;
    let client = filled.client().await?;
    let writer = TradeWriter::new(&client, way, "generic", Vouched::Heard).await?;
    let (to, mut rows) = mpsc::channel(AHEAD);
    let making = tokio::task::spawn_blocking(move || make(&to));
    let began = Instant::now();
    // As ours is watched: when it has gone on for a while.
    while began.elapsed() < lasting / 3 {
        writer.write(&next(&mut rows).await?).await?;
    }
    let (since, mut committed) = (Instant::now(), 0);
    while since.elapsed() < lasting {
        let rows = next(&mut rows).await?;
        writer.write(&rows).await?;
        committed += rows.len();
    }
    let committed_per_s = committed as f64 / since.elapsed().as_secs_f64();
    drop(rows);
    making.await??;
    Ok(committed_per_s)
}

async fn next(rows: &mut mpsc::Receiver<Vec<TradeRow>>) -> anyhow::Result<Vec<TradeRow>> {
    rows.recv().await.context("no rows")
}

/// Makes rows until nobody takes them; those of a statement ticker by ticker in the
/// order of their ids, as it pays to write them.
fn make(to: &mpsc::Sender<Vec<TradeRow>>) -> anyhow::Result<()> {
    for first in (0..).step_by(ROWS) {
        let made_now = now_ms()?;
        let mut batch: Vec<_> = (first..first + ROWS as u64).map(|count| made(count, TICKERS, made_now)).collect();
        batch.sort_by_key(|made| (made.ticker, made.id));
        let rows = batch.iter().map(|made| TradeRow::of(made, Vouched::Heard)).collect::<anyhow::Result<_>>()?;
        if to.blocking_send(rows).is_err() {
            break;
        }
    }
    Ok(())
}
