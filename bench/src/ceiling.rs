//! What writing cannot be faster than: rows known before, put into the same
//! tables with the same indexes through one connection, each statement on disk
//! before the next.

use std::pin::pin;

use anyhow::{Context as _, ensure};
use postgres_types::{ToSql, Type};
use store::Numeric;
use tape::Fixed;
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

use crate::made::{Made, ticker_name};

/// Rows of one statement: more gain next to nothing.
const ROWS: usize = 5_000;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `insert … select … from unnest`.
    Insert,
    /// Binary `copy`.
    Copy,
}

/// Whether REST or only the socket vouches for the trades that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vouched {
    /// REST.
    Confirmed,
    /// The socket.
    Heard,
}

/// Writes trades of one exchange.
///
/// # Errors
/// When Postgres refuses, or not all were written.
pub async fn write_trades(
    client: &Client,
    way: Way,
    exchange: &str,
    tape: &[Made],
    vouched: Vouched,
) -> anyhow::Result<()> {
    const COLUMNS: &str = "exchange, ticker, tradeid, ts, price, quantity, is_validated, received_at";
    const TYPES: [Type; 8] =
        [Type::TEXT, Type::TEXT, Type::TEXT, Type::INT8, Type::NUMERIC, Type::NUMERIC, Type::BOOL, Type::INT8];
    let is_validated = vouched == Vouched::Confirmed;
    let received_at = |made: &Made| (!is_validated).then_some(made.traded_at_ms + 5);
    let insert = format!(
        "insert into transactions ({COLUMNS})
        select $1, ticker, tradeid, ts, price, quantity, $2, received_at
        from unnest($3::text[], $4::text[], $5::bigint[], $6::numeric[], $7::numeric[], $8::bigint[])
            as made (ticker, tradeid, ts, price, quantity, received_at)"
    );
    let copy = format!("copy transactions ({COLUMNS}) from stdin (format binary)");
    let statement = client.prepare(if way == Way::Insert { &insert } else { &copy }).await?;
    for made in tape.chunks(ROWS) {
        let tickers: Vec<String> = made.iter().map(|made| ticker_name(made.ticker)).collect();
        let ids: Vec<String> = made.iter().map(|made| made.id.to_string()).collect();
        let times: Vec<i64> = made.iter().map(|made| made.traded_at_ms).collect();
        let prices = made.iter().map(|made| number(&made.price_text())).collect::<anyhow::Result<Vec<_>>>()?;
        let quantities = made.iter().map(|made| number(&made.quantity_text())).collect::<anyhow::Result<Vec<_>>>()?;
        let heard: Vec<Option<i64>> = made.iter().map(received_at).collect();
        let written = match way {
            Way::Insert => {
                let params: [&(dyn ToSql + Sync); 8] =
                    [&exchange, &is_validated, &tickers, &ids, &times, &prices, &quantities, &heard];
                client.execute(&statement, &params).await?
            }
            Way::Copy => {
                let mut writer = pin!(BinaryCopyInWriter::new(client.copy_in(&statement).await?, &TYPES));
                for at in 0..ids.len() {
                    let row: [&(dyn ToSql + Sync); 8] = [
                        &exchange,
                        &tickers[at],
                        &ids[at],
                        &times[at],
                        &prices[at],
                        &quantities[at],
                        &is_validated,
                        &heard[at],
                    ];
                    writer.as_mut().write(&row).await?;
                }
                writer.finish().await?
            }
        };
        ensure!(written == made.len() as u64, "{written} trades written of {}", made.len());
    }
    Ok(())
}

/// Writes a final figure of one ticker for each mark, all alike.
///
/// # Errors
/// When Postgres refuses, or not all were written.
pub async fn write_figures(
    client: &Client,
    way: Way,
    exchange: &str,
    ticker: &str,
    marks: &[i64],
) -> anyhow::Result<()> {
    const COLUMNS: &str = "exchange, ticker, interval, ts, price, volume, notional, trades, confirmed_trades,
        entry, link, final_watermark, is_validated, calculated_at, final_at";
    const TYPES: [Type; 15] = [
        Type::TEXT,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
        Type::NUMERIC,
        Type::NUMERIC,
        Type::NUMERIC,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::BYTEA,
        Type::INT8,
        Type::BOOL,
        Type::INT8,
        Type::INT8,
    ];
    let copy = format!("copy vwap_history ({COLUMNS}) from stdin (format binary)");
    let insert = format!(
        "insert into vwap_history ({COLUMNS})
        select $1, $2, 300000, ts, 61320.440123456789012345678901, 3000.12345678, 183963000.1234567891, 3000, 3000,
            ts, decode(repeat('5a', 32), 'hex'), ts, true, ts, ts
        from unnest($3::bigint[]) as mark (ts)"
    );
    let statement = client.prepare(if way == Way::Insert { &insert } else { &copy }).await?;
    let price: Numeric<24> = Numeric(Fixed::parse("61320.440123456789012345678901").context("a price of 24 decimals")?);
    let volume: Numeric<18> = number("3000.12345678")?;
    let notional: Numeric<36> = Numeric(Fixed::parse("183963000.1234567891").context("a notional")?);
    let (interval, trades, link) = (300_000_i64, 3_000_i64, [0x5a_u8; 32]);
    for marks in marks.chunks(ROWS) {
        let written = match way {
            Way::Insert => client.execute(&statement, &[&exchange, &ticker, &marks]).await?,
            Way::Copy => {
                let mut writer = pin!(BinaryCopyInWriter::new(client.copy_in(&statement).await?, &TYPES));
                for mark in marks {
                    let row: [&(dyn ToSql + Sync); 15] = [
                        &exchange,
                        &ticker,
                        &interval,
                        mark,
                        &price,
                        &volume,
                        &notional,
                        &trades,
                        &trades,
                        mark,
                        &&link[..],
                        mark,
                        &true,
                        mark,
                        mark,
                    ];
                    writer.as_mut().write(&row).await?;
                }
                writer.finish().await?
            }
        };
        ensure!(written == marks.len() as u64, "{written} marks written of {}", marks.len());
    }
    Ok(())
}

fn number(text: &str) -> anyhow::Result<Numeric<18>> {
    Ok(Numeric(Fixed::parse(text).with_context(|| format!("{text} is no number"))?))
}
