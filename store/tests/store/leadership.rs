//! One leader per venue, and a deposed one writes nothing.

use std::time::Duration;

use store::{Store, StoreConfig, StoreError};
use testkit::{at, database, eventually, heard, own_cluster, ticker, trade};

use crate::scene::{VENUE, lead, name, scene, through};

const SOON: Duration = Duration::from_secs(10);

/// Ends the connection of this database's leader; the cluster has others.
const CUT_THE_LEADER: &str = "select count(pg_terminate_backend(pid)) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";

const WAITING: &str = "select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'";

#[tokio::test]
async fn one_worker_leads_a_venue_and_the_next_takes_over_with_a_higher_epoch() {
    let database = database().await;
    let (one, other) = (database.store(), database.store());
    let first = lead(&one).await;

    assert!(other.lead(VENUE).await.expect("an answer").is_none());
    assert!(other.lead("elsewhere").await.expect("an answer").is_some(), "another venue has a leader of its own");
    assert!(first.is_alive());
    first.check().await.expect("still leading");

    let epoch = first.epoch();
    drop(first);
    let second =
        eventually("the lock to be given back", SOON, || async { other.lead(VENUE).await.ok().flatten() }).await;
    assert!(second.epoch() > epoch);
}

#[tokio::test]
async fn a_leader_that_has_not_noticed_its_fall_is_refused() {
    let scene = scene().await;
    let begun_before = scene.begin().await;
    begun_before.commit().await.expect("still leading");

    // The server loses the old leader's connection; a rival takes over.
    assert_eq!(scene.number(CUT_THE_LEADER).await, 1);
    let rival = scene.database.store();
    let second = eventually("the rival to lead", SOON, || async { rival.lead(VENUE).await.ok().flatten() }).await;

    let error = scene.store.begin(&scene.leadership).await.err().expect("refused");
    assert!(matches!(error, StoreError::Deposed { epoch, .. } if epoch == scene.leadership.epoch()), "{error:?}");
    assert!(!error.is_transient());
    eventually("the old leader to notice", SOON, || async { (!scene.leadership.is_alive()).then_some(()) }).await;
    scene.leadership.check().await.expect_err("no longer");

    rival.begin(&second).await.expect("the new leader writes").commit().await.expect("and commits");
}

#[tokio::test]
async fn a_new_leader_waits_for_what_the_old_one_has_begun() {
    let scene = scene().await;
    let begun = scene.begin().await;
    let trade = trade("BTC", "a", 1_000, "1", "1");
    begun.trades_insert_heard(&[heard(trade.clone(), 1_001)]).await.expect("written");
    assert_eq!(scene.number(CUT_THE_LEADER).await, 1);

    let rival = scene.database.store();
    let campaign = tokio::spawn(async move {
        eventually("the rival to lead", SOON, || async { rival.lead(VENUE).await.ok().flatten() }).await
    });
    eventually("the rival to wait for the transaction", SOON, || async {
        (scene.number(WAITING).await == 1).then_some(())
    })
    .await;
    begun.commit().await.expect("it was begun in its own epoch");

    let second = campaign.await.expect("no panic");
    let seen = scene.database.store().begin(&second).await.expect("leads").trades_known(&[name(&trade)]).await;
    assert_eq!(seen.expect("read").len(), 1);
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_no_trace() {
    let scene = scene().await;
    let trade = trade("BTC", "a", 1_000, "1", "1");

    let txn = scene.begin().await;
    txn.trades_insert_heard(&[heard(trade.clone(), 1_001)]).await.expect("written");
    drop(txn);

    assert_eq!(scene.known(&[name(&trade)]).await, []);
}

#[tokio::test]
async fn a_transaction_of_which_a_statement_failed_is_never_taken_for_committed() {
    let scene = scene().await;
    let txn = scene.begin().await;
    txn.trades_insert_heard(&[heard(trade("BTC", "a", 1_000, "1", "1"), 1_001)]).await.expect("written");
    // A step back is refused before anything is sent.
    let back = store::Advance {
        ticker: ticker("BTC"),
        from: through(0),
        to: through(-1),
        market_time: at(0),
        time_to_final: None,
    };
    txn.watermarks_advance(&[back], at(0)).await.expect_err("refused");

    txn.commit().await.expect_err("nor may the rest be committed");

    assert_eq!(scene.number("select count(*) from transactions").await, 0);
}

#[tokio::test]
async fn a_transaction_with_a_statement_given_up_half_way_is_never_committed() {
    let scene = scene().await;
    let txn = scene.begin().await;
    let said = [heard(trade("BTC", "a", 1_000, "1", "1"), 1_001)];
    let given_up = tokio::time::timeout(Duration::ZERO, txn.trades_insert_heard(&said)).await;
    assert!(given_up.is_err(), "it was begun and not answered");

    txn.commit().await.expect_err("nobody knows what became of it");

    assert_eq!(scene.number("select count(*) from transactions").await, 0);
}

#[tokio::test]
async fn a_server_killed_within_a_transaction_keeps_nothing_of_it() {
    let cluster = own_cluster().await;
    let store = cluster.database().store();
    let leadership = lead(&store).await;
    let kept = store.begin(&leadership).await.expect("leads");
    kept.trades_insert_heard(&[heard(trade("BTC", "kept", 1_000, "1", "1"), 1_001)]).await.expect("written");
    kept.commit().await.expect("committed");
    let lost = store.begin(&leadership).await.expect("leads");
    lost.trades_insert_heard(&[heard(trade("BTC", "lost", 1_000, "1", "1"), 1_001)]).await.expect("written");

    cluster.stop_immediate().await;
    let error = lost.commit().await.expect_err("the server is gone");
    assert!(error.is_transient(), "{error:?}");
    assert!(store.begin(&leadership).await.err().expect("still gone").is_transient());
    eventually("the leader to notice", SOON, || async { (!leadership.is_alive()).then_some(()) }).await;
    assert!(leadership.check().await.expect_err("gone").is_transient());

    cluster.start().await;
    let again = eventually("us to lead again", SOON, || async { store.lead(VENUE).await.ok().flatten() }).await;
    assert!(again.epoch() > leadership.epoch());
    let names = ["kept", "lost"].map(|id| name(&trade("BTC", id, 1_000, "1", "1")));
    let known = store.begin(&again).await.expect("leads").trades_known(&names).await.expect("read");
    assert_eq!(known.len(), 1);
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_ended_and_may_be_tried_again() {
    let mut scene = scene().await;
    let config = StoreConfig { statement_timeout: Duration::from_millis(100), ..scene.database.config() };
    let hasty = Store::connect(&config).expect("a URL");
    let blocker = scene.client.transaction().await.expect("begun");
    blocker.execute("select from tickers_validation_timestamp for update", &[]).await.expect("locked");

    let txn = hasty.begin(&scene.leadership).await.expect("we lead");
    let step = store::Advance {
        ticker: ticker("BTC"),
        from: through(0),
        to: through(1),
        market_time: at(0),
        time_to_final: None,
    };
    let error = txn.watermarks_advance(std::slice::from_ref(&step), at(0)).await.expect_err("someone is in the way");
    assert!(error.is_transient(), "{error:?}");
    drop(txn);

    blocker.rollback().await.expect("out of the way");
    let txn = hasty.begin(&scene.leadership).await.expect("we lead");
    txn.watermarks_advance(&[step], at(0)).await.expect("moved");
    txn.commit().await.expect("committed");
}
