//! The chain of final figures: complete, the same whoever kept it and however
//! often they were killed, and made of what Postgres itself says of the trades.

use std::collections::BTreeMap;
use std::time::Duration;

use tape::EpochMs;
use testkit::eventually;
use tokio_postgres::Client;
use venue::{FaultRates, Venue, VenueConfig};

use crate::stage::{PATIENCE, Stage, Worker, now, number, settled, tape_from, vars};

/// Every link of a ticker by its mark: entry and hexadecimal link.
async fn links(client: &Client, name: &str) -> BTreeMap<i64, (i64, String)> {
    let sql = "select ts, entry, encode(link, 'hex') from vwap_history
        where ticker = $1 and is_validated and link is not null";
    let rows = client.query(sql, &[&name]).await.expect("the links");
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect()
}

/// Walks the chain of a ticker in SQL alone, over the trades as they are kept:
/// how many links are not what Postgres' own sha256 makes of them.
pub async fn links_that_postgres_makes_otherwise(client: &Client, name: &str) -> i64 {
    let sql = format!(
        "with said as (
            select figure.*, coalesce(
                lag(encode(link, 'hex')) over (order by ts),
                encode(sha256(convert_to('truetape-chain-1 ' || exchange || ' ' || ticker || ' ' || interval || E'\\n', 'UTF8')), 'hex')
            ) as previous
            from vwap_history as figure where ticker = '{name}' and is_validated
        )
        select count(*) from said
        cross join lateral (
            select encode(sha256(convert_to(coalesce(string_agg(
                    trade.ts || ' ' || trade.tradeid || ' ' || trim_scale(trade.price) || ' ' || trim_scale(trade.quantity) || E'\\n',
                    '' order by trade.ts, trade.tradeid collate \"C\"), ''), 'UTF8')), 'hex') as second_digest
            from transactions as trade
            where trade.exchange = said.exchange and trade.ticker = said.ticker and trade.is_validated
                and trade.ts > said.ts - 1000 and trade.ts <= said.ts
        ) as second
        where encode(link, 'hex') is distinct from encode(sha256(convert_to(concat_ws(' ', previous, entry, exchange, ticker,
            interval, ts, 0, trades, trim_scale(volume), trim_scale(notional), second_digest) || E'\\n', 'UTF8')), 'hex')"
    );
    number(client, &sql).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_final_figure_has_the_link_that_postgres_makes_of_its_trades() {
    let market = VenueConfig { faults: FaultRates::all(0.05), ..VenueConfig::generated(80.0, Duration::from_secs(20)) };
    let stage = Stage::start(market, &[("INTERVAL", "10s"), ("BACKFILL_FROM", "-15s"), ("TICKERS", "BTC,ETH")]).await;
    let client = stage.database.client().await;
    let until = now().plus_ms(3_000);

    for name in ["BTC", "ETH"] {
        stage.settled(name, until).await;
        let links = links(&client, name).await;
        let entries: Vec<i64> = links.values().map(|link| link.0).collect();
        let expected: Vec<i64> = (1..).take(entries.len()).collect();
        assert_eq!(entries, expected, "{name}: an entry for every mark, in order");
        assert!(links.len() >= 15, "{name}: {} marks", links.len());
        assert_eq!(links_that_postgres_makes_otherwise(&client, name).await, 0, "{name}");
        let early = format!(
            "select count(*) from vwap_history where ticker = '{name}' and is_validated and final_watermark < ts"
        );
        assert_eq!(number(&client, &early).await, 0, "{name}: no watermark makes final what is after it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_again_and_again_keeps_the_same_chain_as_one_that_never_was() {
    let market =
        VenueConfig { faults: FaultRates::all(0.05), ..VenueConfig::generated(120.0, Duration::from_secs(20)) };
    let venue = Venue::start(market).await.expect("the venue starts");
    let (spared, killed) = (testkit::database().await, testkit::database().await);
    // The same first moment for both, in the middle of a second.
    let from = (now().ms() / 1_000 * 1_000 - 9_387).to_string();
    let more = [("INTERVAL", "5s"), ("BACKFILL_FROM", from.as_str()), ("TICKERS", "BTC,ETH")];
    let _undisturbed = Worker::start(vars(&venue, &spared.url(), &more)).await;
    let disturbed = vars(&venue, &killed.url(), &more);
    let mut worker = Worker::start(disturbed.clone()).await;
    for after_ms in [730, 1_610, 395, 1_020, 560, 85, 1_340] {
        let until = now().plus_ms(after_ms);
        eventually("the moment to end it", PATIENCE, || async { (until <= now()).then_some(()) }).await;
        worker.kill();
        worker = Worker::start(disturbed.clone()).await;
    }

    let until = now().plus_ms(1_500);
    let (spared, killed) = (spared.client().await, killed.client().await);
    for name in ["BTC", "ETH"] {
        settled(&spared, name, until).await;
        settled(&killed, name, until).await;
        assert_eq!(tape_from(&spared, name).await, tape_from(&killed, name).await);
        let (mut theirs, mut ours) = (links(&spared, name).await, links(&killed, name).await);
        theirs.retain(|mark, _| EpochMs::new(*mark) <= until);
        ours.retain(|mark, _| EpochMs::new(*mark) <= until);
        assert!(ours.len() >= 10, "{name}: {} marks", ours.len());
        assert_eq!(ours, theirs, "{name}");
        assert_eq!(links_that_postgres_makes_otherwise(&killed, name).await, 0, "{name}");
    }
}
