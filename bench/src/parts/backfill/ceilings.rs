//! What a backfill cannot be faster than: its pages read by somebody who does
//! nothing with them, its rows written by somebody who knows them all before.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use market::{Market, RestClient, RestSettings};
use tape::{EpochMs, Ticker, Watermark};

use super::house::{EXCHANGE, House, Stretch};
use crate::ceiling::{FigureRow, TradeRow, TradeWriter, Vouched, Way, write_figures};
use crate::made::{BEGINS_AT_MS, Made, ticker_name};

/// Reads every page of a stretch, one after the other. Returns the seconds it
/// took, and how many trades of the stretch came.
pub async fn read(house: &House, stretch: &Stretch<'_>) -> anyhow::Result<(f64, u64)> {
    let url = format!("http://127.0.0.1:{}/trades", house.venue_port).parse()?;
    let rate = NonZeroU32::new(1_000_000).context("a rate")?;
    let settings = RestSettings::new(Market::GENERIC).at_rate(Market::GENERIC, rate);
    let last_mark = EpochMs::new(stretch.last_mark_ms);
    let present = last_mark.plus_ms(60_000);
    let clock = Arc::new(move || present);
    let client = RestClient::new(Market::GENERIC, url, settings, clock)?;
    let ticker = Ticker::new(stretch.ticker)?;
    let began = Instant::now();
    let mut position = Watermark::Through(EpochMs::new(stretch.from_ms - 1));
    let mut trades = 0;
    loop {
        let page = client.page(&ticker, &position).await?.page;
        trades += page.trades.iter().filter(|trade| trade.traded_at <= last_mark).count();
        let Some(last) = page.trades.last() else { break };
        position = Watermark::Within { at: last.traded_at, last: last.id.clone() };
    }
    Ok((began.elapsed().as_secs_f64(), u64::try_from(trades)?))
}

/// Where final figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Into the history; Postgres finds the day of each.
    History,
    /// Straight into the days' partitions.
    Days,
}

/// Writes the trades and a final figure for every second into the same tables
/// with the same indexes, as few and as large statements as pay, each on disk
/// before the next.
pub async fn write(house: &House, way: Way, target: Target, tape: &[Made], seconds: i64) -> anyhow::Result<f64> {
    let (_, client) = house.database("ceiling").await?;
    let day_of = |second: i64| (BEGINS_AT_MS + 1000 * second) / DAY_MS;
    for day in day_of(0)..=day_of(seconds) {
        let (from, to) = (day * DAY_MS, (day + 1) * DAY_MS);
        let sql = format!("create table day_{day} partition of vwap_history for values from ({from}) to ({to})");
        client.batch_execute(&sql).await?;
    }
    let seconds: Vec<i64> = (1..=seconds).collect();
    let parts: Vec<(String, &[i64])> = match target {
        Target::History => vec![("vwap_history".to_owned(), &seconds)],
        Target::Days => {
            let days = seconds.chunk_by(|a, b| day_of(*a) == day_of(*b));
            days.map(|of_day| (format!("day_{}", day_of(of_day[0])), of_day)).collect()
        }
    };
    let figures = |(table, part): (String, &[i64])| {
        let rows: anyhow::Result<Vec<FigureRow>> =
            part.iter().map(|second| FigureRow::of(BEGINS_AT_MS + 1000 * second)).collect();
        Ok((table, rows?))
    };
    let parts = parts.into_iter().map(figures).collect::<anyhow::Result<Vec<(String, Vec<FigureRow>)>>>()?;
    let trades = tape.iter().map(|made| TradeRow::of(made, Vouched::Confirmed)).collect::<anyhow::Result<Vec<_>>>()?;
    let began = Instant::now();
    TradeWriter::new(&client, way, EXCHANGE, Vouched::Confirmed).await?.write(&trades).await?;
    for (table, figures) in &parts {
        write_figures(&client, way, table, EXCHANGE, &ticker_name(0), figures).await?;
    }
    Ok(began.elapsed().as_secs_f64())
}

const DAY_MS: i64 = 86_400_000;
