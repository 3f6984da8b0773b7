//! Holds the tables against the venue's truth and against Postgres' own
//! arithmetic: nothing here uses a sum or a quotient of the code under test.

use std::collections::BTreeMap;

use tape::EpochMs;
use tokio_postgres::Client;
use venue::{Running, WindowTruth};

use crate::stage::{number, ticker};

/// Confirmed trades after an instant and up to another, by id: time, price, quantity.
type Rows = BTreeMap<String, (i64, String, String)>;

/// Asserts that the confirmed trades of a span are the true ones, row for row.
/// Returns how many there were.
pub async fn confirmed_trades_are_the_truth(
    client: &Client,
    venue: &Running,
    name: &str,
    after: EpochMs,
    until: EpochMs,
) -> usize {
    let sql = "select tradeid, ts, trim_scale(price)::text, trim_scale(quantity)::text from transactions
        where ticker = $1 and is_validated and ts > $2 and ts <= $3";
    let rows = client.query(sql, &[&name, &after.ms(), &until.ms()]).await.expect("the trades");
    let held: Rows = rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3)))).collect();
    let truth: Rows = venue
        .truth(&ticker(name), after, until)
        .into_iter()
        .map(|(trade, _)| {
            let trade = trade.to_trade();
            (trade.id.to_string(), (trade.traded_at.ms(), trade.price.to_string(), trade.quantity.to_string()))
        })
        .collect();
    assert_eq!(held.len(), truth.len(), "{name}: as many confirmed trades as true ones in ({after}, {until}]");
    for (id, row) in &truth {
        assert_eq!(held.get(id), Some(row), "{name}: trade {id}");
    }
    truth.len()
}

/// Asserts that every mark in `(after, until]` is final and equals what
/// Postgres' numeric makes of the confirmed trades, and that no price strays
/// from the exact quotient by more than half a unit of its last decimal.
/// Returns how many marks were held against it.
pub async fn finals_equal_numeric(client: &Client, name: &str, after: EpochMs, until: EpochMs) -> i64 {
    let first = after.ms().div_euclid(1000) + 1;
    let last = until.ms().div_euclid(1000);
    let span = format!("ticker = '{name}' and ts > {} and ts <= {}", after.ms(), until.ms());
    let finals = number(client, &format!("select count(*) from vwap_history where is_validated and {span}")).await;
    assert_eq!(finals, last - first + 1, "{name}: every mark in ({after}, {until}] is final");

    let wrong = format!(
        "select count(*) from vwap_history as figure
        cross join lateral (
            select count(*) as trades, coalesce(sum(quantity), 0) as volume,
                coalesce(sum(price * quantity), 0) as notional, min(price) as low, max(price) as high
            from transactions as trade
            where trade.exchange = figure.exchange and trade.ticker = figure.ticker and trade.is_validated
                and trade.ts > figure.ts - figure.interval and trade.ts <= figure.ts
        ) as truth
        where {span} and (
            figure.trades <> truth.trades or figure.volume <> truth.volume or figure.notional <> truth.notional
            or abs(figure.price * truth.volume - truth.notional) > truth.volume * 0.0000000000000000000000005
            or figure.price < truth.low or figure.price > truth.high
            or (figure.price is null) <> (truth.trades = 0)
        )"
    );
    assert_eq!(
        number(client, &wrong.replace("ticker = '", "figure.ticker = '").replace(" and ts ", " and figure.ts ")).await,
        0,
        "{name}: figures that differ from numeric"
    );
    finals
}

/// Asserts that some marks of a span equal the exact sums of the venue's own truth.
pub async fn finals_equal_the_truth(client: &Client, venue: &Running, name: &str, after: EpochMs, until: EpochMs) {
    let sql =
        "select ts, interval, trades, trim_scale(volume)::text, trim_scale(notional)::text, trim_scale(price)::text
        from vwap_history where ticker = $1 and is_validated and ts > $2 and ts <= $3 order by ts";
    let rows = client.query(sql, &[&name, &after.ms(), &until.ms()]).await.expect("the figures");
    assert!(!rows.is_empty(), "{name}: no final figure in ({after}, {until}]");
    for row in &rows {
        let at = EpochMs::new(row.get(0));
        let truth = venue.window(&ticker(name), at, row.get(1)).expect("a ticker of the venue");
        let held = WindowTruth {
            count: row.get::<_, i64>(2).unsigned_abs(),
            volume: row.get(3),
            notional: row.get(4),
            vwap: row.get(5),
        };
        assert_eq!(held, truth, "{name} at {at}");
    }
}
