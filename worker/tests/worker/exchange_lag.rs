//! REST that trails the socket by seconds, and connections that end as announced
//! or unannounced, on each exchange: figures wait, and nothing is lost.

use std::time::Duration;

use tape::EpochMs;
use testkit::eventually;
use tokio_postgres::Client;
use venue::{FaultRates, RestConfig, VenueConfig};

use crate::six::{follow, holds_the_truth, lively, on_each};
use crate::stage::{PATIENCE, now, number};

#[tokio::test(flavor = "multi_thread")]
async fn rest_that_trails_the_socket_by_seconds_only_delays() {
    on_each(|exchange| async move {
        let rest = RestConfig { lag: Duration::from_secs(3), ..RestConfig::default() };
        let (stage, client) = follow(VenueConfig { rest, ..lively(exchange) }).await;

        holds_the_truth(&stage, &client).await;
    })
    .await;
}

/// Where an exchange announces the end of a connection, the next is heard beside it.
#[tokio::test(flavor = "multi_thread")]
async fn the_planned_end_of_a_connection_loses_nothing() {
    on_each(|exchange| async move {
        let honest = VenueConfig { faults: FaultRates::NONE, disorder: 0.0, ..lively(exchange) };
        let (stage, client) = follow(honest).await;

        let (began, connected) = (now(), stage.venue.state().listeners_joined);
        stage.venue.leave(Duration::from_secs(2));
        eventually(&format!("{exchange} to be heard on another connection"), PATIENCE, || async {
            (connected < stage.venue.state().listeners_joined && stage.venue.listeners() == 1).then_some(())
        })
        .await;
        let resumed = now().plus_ms(1_000);
        eventually("trades to be heard there", PATIENCE, || async { (resumed <= now()).then_some(()) }).await;

        holds_the_truth(&stage, &client).await;
        if ["binance", "okx", "bitstamp"].contains(&exchange) {
            assert_eq!(faults(&client, began).await, 0, "{exchange} announced it");
        }
    })
    .await;
}

async fn faults(client: &Client, from: EpochMs) -> i64 {
    let sql = format!("select count(*) from feed_faults where kind in ('missing', 'duplicate') and ts > {from}");
    number(client, &sql).await
}
