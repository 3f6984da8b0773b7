//! What the database holds in the end, all of one moment.

use std::collections::BTreeMap;

use anyhow::Context as _;
use tokio_postgres::{IsolationLevel, NoTls, Row};

use crate::exact::Exact;
use crate::house::INTERVAL_MS;
use crate::sums::Sums;
use crate::truth::{Name, Trade};

/// How far a ticker is known.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Trades after this are kept.
    pub tape_from: i64,
    /// Everything up to here is confirmed.
    pub settled_until: i64,
}

/// A figure of a mark.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its price.
    pub price: Option<Exact>,
    /// What it is made of.
    pub sums: Sums,
    /// How many of its trades are confirmed.
    pub confirmed_trades: u64,
    /// Since when it is final, if it is.
    pub final_at: Option<i64>,
}

/// A fault that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its kind.
    pub kind: String,
    /// Of which trade.
    pub name: Name,
    /// What was heard, if anything was.
    pub heard: Option<Trade>,
    /// What is true, if anything is.
    pub truth: Option<Trade>,
    /// When it was heard.
    pub received_at: Option<i64>,
}

/// A frame that was refused.
#[derive(Debug, Clone)]
pub struct Refused {
    /// As what.
    pub kind: String,
    /// The frame.
    pub frame: String,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Tables {
    /// The tickers.
    pub standings: BTreeMap<String, Standing>,
    /// The trades, and whether each is confirmed.
    pub trades: BTreeMap<Name, (Trade, bool)>,
    /// The figures, by ticker and mark.
    pub figures: BTreeMap<(String, i64), Figure>,
    /// The faults found.
    pub faults: Vec<Found>,
    /// The frames refused.
    pub refused: Vec<Refused>,
    /// What was counted, by kind.
    pub counts: BTreeMap<String, i64>,
    /// Heard trades without a place: when each was heard.
    pub unplaced: Vec<(Name, i64)>,
    /// How many incidents and restatements there are.
    pub incidents: i64,
    /// See above.
    pub restatements: i64,
}

impl Tables {
    /// Reads everything.
    pub async fn read(database: &str) -> anyhow::Result<Self> {
        let (mut client, connection) = tokio_postgres::connect(database, NoTls).await?;
        let connection = tokio::spawn(connection);
        client.batch_execute("set search_path = crypto_market").await?;
        let txn =
            client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await?;
        let mut tables = Self::default();
        for row in txn.query("select ticker, tape_from, validated_until from tickers_validation_timestamp", &[]).await?
        {
            let standing = Standing { tape_from: row.get(1), settled_until: row.get(2) };
            tables.standings.insert(row.get(0), standing);
        }
        let sql = "select ticker, tradeid, ts, price::text, quantity::text, is_validated from transactions";
        for row in txn.query(sql, &[]).await? {
            let trade = trade(&row, 2)?.context("a trade")?;
            tables.trades.insert((row.get(0), row.get(1)), (trade, row.get(5)));
        }
        let sql = "select ticker, ts, price::text, trades, volume::text, notional::text, confirmed_trades, final_at
            from vwap_history where interval = $1";
        for row in txn.query(sql, &[&INTERVAL_MS]).await? {
            tables.figures.insert((row.get(0), row.get(1)), figure(&row)?);
        }
        let sql = "select ticker, tradeid, heard_ts, heard_price::text, heard_quantity::text,
            true_ts, true_price::text, true_quantity::text, kind, received_at from feed_faults";
        for row in txn.query(sql, &[]).await? {
            let name = (row.get(0), row.get(1));
            let (heard, truth) = (trade(&row, 2)?, trade(&row, 5)?);
            tables.faults.push(Found { kind: row.get(8), name, heard, truth, received_at: row.get(9) });
        }
        let sql = "select kind, frame from rejections where channel = 'socket'";
        for row in txn.query(sql, &[]).await? {
            tables.refused.push(Refused { kind: row.get(0), frame: row.get(1) });
        }
        for row in txn.query("select kind, sum(trades)::bigint from feed_counts group by kind", &[]).await? {
            tables.counts.insert(row.get(0), row.get(1));
        }
        for row in txn.query("select ticker, tradeid, received_at from unplaced_trades", &[]).await? {
            tables.unplaced.push(((row.get(0), row.get(1)), row.get(2)));
        }
        tables.incidents = txn.query_one("select count(*) from incidents", &[]).await?.get(0);
        tables.restatements = txn.query_one("select count(*) from restatements", &[]).await?.get(0);
        connection.abort();
        Ok(tables)
    }
}

/// The time, price and quantity that stand at a column and the next two.
fn trade(row: &Row, at: usize) -> anyhow::Result<Option<Trade>> {
    let Some(ts) = row.get(at) else { return Ok(None) };
    let exact = |at: usize| Exact::read(row.get(at)).context("a decimal");
    Ok(Some(Trade { ts, price: exact(at + 1)?, quantity: exact(at + 2)? }))
}

fn figure(row: &Row) -> anyhow::Result<Figure> {
    let exact = |at: usize| Exact::read(row.get(at)).context("a decimal");
    let count = |at: usize| row.get::<_, i64>(at).unsigned_abs();
    let price: Option<&str> = row.get(2);
    Ok(Figure {
        price: price.map(|price| Exact::read(price).context("a price")).transpose()?,
        sums: Sums { trades: count(3), volume: exact(4)?, notional: exact(5)? },
        confirmed_trades: count(6),
        final_at: row.get(7),
    })
}
