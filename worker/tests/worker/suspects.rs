//! Heard trades that cannot be right are held back until REST has spoken, and
//! no final figure depends on who was suspected.

use std::time::Duration;

use testkit::{TestDatabase, eventually};
use tokio_postgres::Client;
use venue::{FaultRates, Running, TrueTrade, Venue, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric, finals_equal_the_truth};
use crate::stage::{PATIENCE, Stage, Worker, now, number, settled, tape_from, vars};

/// What the newest figure says: price, trades, held back.
async fn latest(client: &Client, said: (&str, i64, i64), after: i64) -> i64 {
    let sql = "select ts from latest_vwap_history where ticker = 'BTC' and ts > $1
        and trim_scale(price)::text = $2 and trades = $3 and quarantined_trades = $4";
    eventually(&format!("a figure that says {said:?}"), PATIENCE, || async {
        let row = client.query_opt(sql, &[&after, &said.0, &said.1, &said.2]).await.expect("the latest");
        row.map(|row| row.get(0))
    })
    .await
}

/// How many trades are counted as a kind.
async fn counted(client: &Client, kind: &str) -> i64 {
    number(client, &format!("select coalesce(sum(trades), 0)::bigint from feed_counts where kind = '{kind}'")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn suspects_are_held_back_over_a_restart_until_rest_has_spoken_and_the_filter_is_graded() {
    let began = now();
    let past = |venue: &Running| {
        for number in 0..25 {
            let at = began.ms() - 30_000 + number;
            venue.truth_only(TrueTrade::new("BTC", at, "100", "1", &format!("past-{number}")).expect("a trade"));
        }
    };
    let more = [("TICKERS", "BTC"), ("BACKFILL_FROM", "-60s"), ("SETTLE_DELAY", "15s"), ("ALLOWED_SKEW", "1s")];
    let mut stage = Stage::start_after(VenueConfig::scripted(&["BTC"]), &more, past).await;
    let client = stage.database.client().await;
    stage.settled("BTC", began.minus_ms(15_000)).await;

    stage.venue.make_trade("BTC", "1000", "1").expect("a true trade, far from the others");
    let ghost_at = now().ms();
    let ghost = format!(r#"{{"ticker":"BTC","ts":{ghost_at},"quantity":500,"price":100,"tradeid":"ghost"}}"#);
    stage.venue.say(&ghost);
    stage.venue.say(&ghost.replace(":500,", ":1,"));
    let said_at = latest(&client, ("100", 25, 2), 0).await;
    assert_eq!((counted(&client, "suspected_price").await, counted(&client, "suspected_quantity").await), (1, 1));
    stage.worker.take().expect("a worker").kill();
    stage.worker = Some(stage.another_worker().await);
    latest(&client, ("100", 25, 2), said_at).await;

    stage.settled("BTC", now()).await;
    latest(&client, ("134.615384615384615384615385", 26, 0), said_at).await;
    eventually("the phantom to be decided", PATIENCE, || async {
        (counted(&client, "suspected_quantity_phantom").await == 1).then_some(())
    })
    .await;
    assert_eq!(counted(&client, "suspected_price_matched").await, 1);
    assert_eq!(number(&client, "select count(*) from transactions where suspicion is not null").await, 0);
    assert_eq!(number(&client, "select count(*) from unplaced_trades").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_contradicts_rest_is_suspected_rightly_at_once() {
    let at = now().minus_ms(2_500);
    let past = |venue: &Running| {
        venue.truth_only(TrueTrade::new("BTC", at.ms(), "100", "1", "a").expect("a trade"));
    };
    let back = [("TICKERS", "BTC"), ("BACKFILL_FROM", "-10s")];
    let stage = Stage::start_after(VenueConfig::scripted(&["BTC"]), &back, past).await;
    let client = stage.database.client().await;
    stage.settled("BTC", at).await;

    let said = |id: &str| format!(r#"{{"ticker":"BTC","ts":{at},"quantity":1,"price":999,"tradeid":"{id}"}}"#);
    stage.venue.say(&said("a"));
    stage.venue.say(&said("of-a-settled-time"));

    eventually("both to be suspected", PATIENCE, || async {
        (counted(&client, "suspected_contradicted").await == 2).then_some(())
    })
    .await;
    eventually("both to be graded", PATIENCE, || async {
        let altered = counted(&client, "suspected_contradicted_altered").await;
        let phantom = counted(&client, "suspected_contradicted_phantom").await;
        ((altered, phantom) == (1, 1)).then_some(())
    })
    .await;
}

/// A worker of its own on a market that others follow too.
struct Follower {
    database: TestDatabase,
    _worker: Worker,
}

impl Follower {
    async fn start(venue: &Running, filter: [&str; 3]) -> Self {
        let database = testkit::database().await;
        let [future, price, quantity] = filter;
        let more = [
            ("INTERVAL", "10s"),
            ("TICKERS", "BTC,SHIB"),
            ("BACKFILL_FROM", "-20s"),
            ("SUSPECT_FUTURE", future),
            ("SUSPECT_PRICE_BAND", price),
            ("SUSPECT_QUANTITY_FACTOR", quantity),
        ];
        let worker = Worker::start(vars(venue, &database.url(), &more)).await;
        Self { database, _worker: worker }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn final_figures_are_the_truth_whoever_is_suspected() {
    let market = VenueConfig { faults: FaultRates::all(0.05), ..VenueConfig::generated(80.0, Duration::from_secs(30)) };
    let venue = Venue::start(market).await.expect("the venue starts");
    let mut followers = Vec::new();
    for filter in [["off", "off", "off"], ["250ms", "100", "10"], ["0ms", "0", "1"]] {
        followers.push(Follower::start(&venue, filter).await);
    }
    assert!(venue.wait_for_listeners(3, PATIENCE).await, "three workers listen");
    let until = now().plus_ms(12_000);

    let mut suspected = Vec::new();
    for follower in &followers {
        let client = follower.database.client().await;
        for name in ["BTC", "SHIB"] {
            settled(&client, name, until).await;
            let from = tape_from(&client, name).await;
            confirmed_trades_are_the_truth(&client, &venue, name, from, until).await;
            finals_equal_numeric(&client, name, from, until).await;
            // Windows that begin before the tape hold less than the truth.
            finals_equal_the_truth(&client, &venue, name, from.plus_ms(10_000), until).await;
        }
        let kinds = "'suspected_price', 'suspected_quantity', 'suspected_future'";
        let sql = format!("select coalesce(sum(trades), 0)::bigint from feed_counts where kind in ({kinds})");
        suspected.push(number(&client, &sql).await);
    }

    assert_eq!(suspected[0], 0, "a filter that is off");
    assert!(suspected[0] < suspected[1] && suspected[1] < suspected[2], "{suspected:?}");
}
