//! What writing cannot be faster than: rows known before, put into the same
//! tables with the same indexes through one connection, each statement on disk
//! before the next.

use std::pin::Pin;

use anyhow::{Context as _, anyhow, ensure};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::SinkExt;
use postgres_types::{IsNull, ToSql, Type};
use store::Numeric;
use tape::{Digest, Fixed};
use tokio_postgres::{Client, CopyInSink, Statement};

use crate::made::{Made, ticker_name};

/// Rows of one statement, as many as ours have at most.
pub const ROWS: usize = 20_000;

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

/// A trade as it is written.
pub struct TradeRow {
    ticker: String,
    id: String,
    at: i64,
    price: Numeric<18>,
    quantity: Numeric<18>,
    received_at: Option<i64>,
}

impl TradeRow {
    /// The row of a trade.
    ///
    /// # Errors
    /// When a number is none of ours.
    pub fn of(made: &Made, vouched: Vouched) -> anyhow::Result<Self> {
        Ok(Self {
            ticker: ticker_name(made.ticker),
            id: made.id.to_string(),
            at: made.traded_at_ms,
            price: number(&made.price_text())?,
            quantity: number(&made.quantity_text())?,
            received_at: (vouched == Vouched::Heard).then_some(made.traded_at_ms + 5),
        })
    }
}

/// Writes trades of one exchange.
pub struct TradeWriter<'a> {
    client: &'a Client,
    statement: Statement,
    way: Way,
    exchange: &'a str,
    is_validated: bool,
}

impl<'a> TradeWriter<'a> {
    const COLUMNS: &'static str = "exchange, ticker, tradeid, ts, price, quantity, is_validated, received_at";
    const TYPES: [Type; 8] =
        [Type::TEXT, Type::TEXT, Type::TEXT, Type::INT8, Type::NUMERIC, Type::NUMERIC, Type::BOOL, Type::INT8];

    /// One for trades that somebody vouches for.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub async fn new(client: &'a Client, way: Way, exchange: &'a str, vouched: Vouched) -> anyhow::Result<Self> {
        let columns = Self::COLUMNS;
        let insert = format!(
            "insert into transactions ({columns})
            select $1, ticker, tradeid, ts, price, quantity, $2, received_at
            from unnest($3::text[], $4::text[], $5::bigint[], $6::numeric[], $7::numeric[], $8::bigint[])
                as made (ticker, tradeid, ts, price, quantity, received_at)"
        );
        let copy = format!("copy transactions ({columns}) from stdin (format binary)");
        let statement = client.prepare(if way == Way::Insert { &insert } else { &copy }).await?;
        Ok(Self { client, statement, way, exchange, is_validated: vouched == Vouched::Confirmed })
    }

    /// Writes some, at most [`ROWS`] to a statement.
    ///
    /// # Errors
    /// When Postgres refuses, or not all were written.
    pub async fn write(&self, trades: &[TradeRow]) -> anyhow::Result<()> {
        for trades in trades.chunks(ROWS) {
            let written = match self.way {
                Way::Insert => self.insert(trades).await?,
                Way::Copy => self.copy(trades).await?,
            };
            ensure!(written == trades.len() as u64, "{written} trades written of {}", trades.len());
        }
        Ok(())
    }

    async fn insert(&self, trades: &[TradeRow]) -> anyhow::Result<u64> {
        let tickers: Vec<&str> = trades.iter().map(|it| it.ticker.as_str()).collect();
        let ids: Vec<&str> = trades.iter().map(|it| it.id.as_str()).collect();
        let times: Vec<i64> = trades.iter().map(|it| it.at).collect();
        let prices: Vec<_> = trades.iter().map(|it| &it.price).collect();
        let quantities: Vec<_> = trades.iter().map(|it| &it.quantity).collect();
        let received: Vec<_> = trades.iter().map(|it| it.received_at).collect();
        let params: [&(dyn ToSql + Sync); 8] =
            [&self.exchange, &self.is_validated, &tickers, &ids, &times, &prices, &quantities, &received];
        Ok(self.client.execute(&self.statement, &params).await?)
    }

    async fn copy(&self, trades: &[TradeRow]) -> anyhow::Result<u64> {
        let mut copying = Copying::begin(self.client, &self.statement, &Self::TYPES).await?;
        for TradeRow { ticker, id, at, price, quantity, received_at } in trades {
            let row: [&(dyn ToSql + Sync); 8] =
                [&self.exchange, ticker, id, at, price, quantity, &self.is_validated, received_at];
            copying.row(&row).await?;
        }
        copying.finish().await
    }
}

/// A final figure as it is written, no two alike.
pub struct FigureRow {
    mark: i64,
    price: Numeric<24>,
    volume: Numeric<18>,
    notional: Numeric<36>,
    link: [u8; 32],
}

impl FigureRow {
    /// The figure of a mark, as long as those of a market are.
    ///
    /// # Errors
    /// When the mark is no instant of ours.
    pub fn of(mark: i64) -> anyhow::Result<Self> {
        let of_mark = mark % 100_000_000;
        let price = Fixed::parse(&format!("61320.44012345{of_mark:08}45678901")).context("a price")?;
        let notional = Fixed::parse(&format!("183963{of_mark:08}.1234567891")).context("a notional")?;
        let volume = number(&format!("3000.{of_mark:08}"))?;
        let link = *Digest::of(mark.to_string().as_bytes()).bytes();
        Ok(Self { mark, price: Numeric(price), volume, notional: Numeric(notional), link })
    }
}

/// Writes final figures of one ticker, into the history or the partition of their day.
///
/// # Errors
/// When Postgres refuses, or not all were written.
pub async fn write_figures(
    client: &Client,
    way: Way,
    table: &str,
    exchange: &str,
    ticker: &str,
    figures: &[FigureRow],
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
    let copy = format!("copy {table} ({COLUMNS}) from stdin (format binary)");
    let insert = format!(
        "insert into {table} ({COLUMNS})
        select $1, $2, 300000, ts, price, volume, notional, 3000, 3000, ts, link, ts, true, ts, ts
        from unnest($3::bigint[], $4::numeric[], $5::numeric[], $6::numeric[], $7::bytea[])
            as figure (ts, price, volume, notional, link)"
    );
    let statement = client.prepare(if way == Way::Insert { &insert } else { &copy }).await?;
    let (interval, trades) = (300_000_i64, 3_000_i64);
    for figures in figures.chunks(ROWS) {
        let written = match way {
            Way::Insert => {
                let marks: Vec<i64> = figures.iter().map(|it| it.mark).collect();
                let prices: Vec<_> = figures.iter().map(|it| &it.price).collect();
                let volumes: Vec<_> = figures.iter().map(|it| &it.volume).collect();
                let notionals: Vec<_> = figures.iter().map(|it| &it.notional).collect();
                let links: Vec<&[u8]> = figures.iter().map(|it| &it.link[..]).collect();
                let params: [&(dyn ToSql + Sync); 7] =
                    [&exchange, &ticker, &marks, &prices, &volumes, &notionals, &links];
                client.execute(&statement, &params).await?
            }
            Way::Copy => {
                let mut copying = Copying::begin(client, &statement, &TYPES).await?;
                for FigureRow { mark, price, volume, notional, link } in figures {
                    let row: [&(dyn ToSql + Sync); 15] = [
                        &exchange,
                        &ticker,
                        &interval,
                        mark,
                        price,
                        volume,
                        notional,
                        &trades,
                        &trades,
                        mark,
                        &&link[..],
                        mark,
                        &true,
                        mark,
                        mark,
                    ];
                    copying.row(&row).await?;
                }
                copying.finish().await?
            }
        };
        ensure!(written == figures.len() as u64, "{written} marks written of {}", figures.len());
    }
    Ok(())
}

/// Rows in Postgres' binary form of `copy` (its manual, on COPY), handed on in
/// large pieces: the driver's own writer waits after every 4,000 bytes.
struct Copying<'a> {
    sink: Pin<Box<CopyInSink<Bytes>>>,
    types: &'a [Type],
    text: BytesMut,
}

impl<'a> Copying<'a> {
    const PIECE: usize = 64 * 1024;

    async fn begin(client: &Client, statement: &Statement, types: &'a [Type]) -> anyhow::Result<Self> {
        let sink = Box::pin(client.copy_in(statement).await?);
        let mut text = BytesMut::with_capacity(2 * Self::PIECE);
        text.put_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        Ok(Self { sink, types, text })
    }

    async fn row(&mut self, row: &[&(dyn ToSql + Sync)]) -> anyhow::Result<()> {
        self.text.put_i16(i16::try_from(row.len())?);
        for (value, kind) in row.iter().zip(self.types) {
            let begin = self.text.len();
            self.text.put_i32(-1);
            if let IsNull::No = value.to_sql_checked(kind, &mut self.text).map_err(|cause| anyhow!(cause))? {
                let length = i32::try_from(self.text.len() - begin - 4)?;
                self.text[begin..begin + 4].copy_from_slice(&length.to_be_bytes());
            }
        }
        if Self::PIECE < self.text.len() {
            let piece = std::mem::replace(&mut self.text, BytesMut::with_capacity(2 * Self::PIECE));
            self.sink.feed(piece.freeze()).await?;
        }
        Ok(())
    }

    async fn finish(mut self) -> anyhow::Result<u64> {
        self.text.put_i16(-1);
        self.sink.feed(self.text.freeze()).await?;
        Ok(self.sink.as_mut().finish().await?)
    }
}

fn number(text: &str) -> anyhow::Result<Numeric<18>> {
    Ok(Numeric(Fixed::parse(text).with_context(|| format!("{text} is no number"))?))
}
