//! What a backfill cannot be faster than: its pages read by somebody who does
//! nothing with them, its rows written by somebody who knows them all before.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use market::{Market, RestClient, RestSettings};
use tape::{EpochMs, Ticker, Watermark};

use super::house::{EXCHANGE, House};
use crate::made::{BEGINS_AT_MS, Made, Plan, ticker_name};

/// Rows of one statement: more gain nothing.
const ROWS: usize = 5_000;

/// Reads every page of the tape, one after the other. Returns the seconds it
/// took, and how many trades of the tape came.
pub async fn read(house: &House, plan: Plan) -> anyhow::Result<(f64, u64)> {
    let url = format!("http://127.0.0.1:{}/trades", house.venue_port).parse()?;
    let rate = NonZeroU32::new(1_000_000).context("a rate")?;
    let settings = RestSettings::new(Market::GENERIC).at_rate(Market::GENERIC, rate);
    let present = EpochMs::new(BEGINS_AT_MS + 1000 * plan.seconds + 60_000);
    let clock = Arc::new(move || present);
    let client = RestClient::new(Market::GENERIC, url, settings, clock)?;
    let ticker = Ticker::new(&ticker_name(0))?;
    let last_mark = EpochMs::new(BEGINS_AT_MS + 1000 * plan.seconds);
    let began = Instant::now();
    let mut position = Watermark::Through(EpochMs::new(BEGINS_AT_MS - 1));
    let mut trades = 0;
    loop {
        let page = client.page(&ticker, &position).await?.page;
        trades += page.trades.iter().filter(|trade| trade.traded_at <= last_mark).count();
        let Some(last) = page.trades.last() else { break };
        position = Watermark::Within { at: last.traded_at, last: last.id.clone() };
    }
    Ok((began.elapsed().as_secs_f64(), u64::try_from(trades)?))
}

/// Writes the trades and a final figure for every second into the same tables
/// with the same indexes, as few and as large statements as pay, each on disk
/// before the next.
pub async fn write(house: &House, tape: &[Made], seconds: i64) -> anyhow::Result<f64> {
    let (_, client) = house.database("ceiling").await?;
    let days = BEGINS_AT_MS / 86_400_000..=(BEGINS_AT_MS + 1000 * seconds) / 86_400_000;
    for day in days {
        let (from, to) = (day * 86_400_000, (day + 1) * 86_400_000);
        let sql = format!("create table day_{day} partition of vwap_history for values from ({from}) to ({to})");
        client.batch_execute(&sql).await?;
    }
    let insert_trades = client
        .prepare(
            "insert into transactions (exchange, ticker, tradeid, ts, price, quantity, is_validated)
            select $1, $2, id, ts, price::numeric, quantity::numeric, true
            from unnest($3::text[], $4::bigint[], $5::text[], $6::text[]) as made (id, ts, price, quantity)",
        )
        .await?;
    let insert_figures = client
        .prepare(
            "insert into vwap_history (exchange, ticker, interval, ts, price, volume, notional, trades,
                confirmed_trades, entry, link, final_watermark, is_validated, calculated_at, final_at)
            select $1, $2, 300000, ts, 61320.440123456789012345678901, 3000.12345678, 183963000.1234567891, 3000,
                3000, ts, decode(repeat('5a', 32), 'hex'), ts, true, ts, ts
            from unnest($3::bigint[]) as mark (ts)",
        )
        .await?;
    let name = ticker_name(0);
    let began = Instant::now();
    for made in tape.chunks(ROWS) {
        let ids: Vec<String> = made.iter().map(|made| made.id.to_string()).collect();
        let times: Vec<i64> = made.iter().map(|made| made.traded_at_ms).collect();
        let prices: Vec<String> = made.iter().map(Made::price_text).collect();
        let quantities: Vec<String> = made.iter().map(Made::quantity_text).collect();
        let written = client.execute(&insert_trades, &[&EXCHANGE, &name, &ids, &times, &prices, &quantities]).await?;
        if written != made.len() as u64 {
            bail!("{written} trades written of {}", made.len());
        }
    }
    let marks: Vec<i64> = (1..=seconds).map(|second| BEGINS_AT_MS + 1000 * second).collect();
    for marks in marks.chunks(ROWS) {
        client.execute(&insert_figures, &[&EXCHANGE, &name, &marks]).await?;
    }
    Ok(began.elapsed().as_secs_f64())
}
