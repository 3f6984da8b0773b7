//! Reaching the database, migrating it, and its partitions.

use std::time::Duration;

use store::{Store, StoreConfig, StoreError};
use testkit::{at, database, eventually, own_cluster};

#[tokio::test]
async fn a_store_reaches_its_database() {
    let database = database().await;

    assert!(database.store().is_reachable().await);
}

#[tokio::test]
async fn ten_programs_that_migrate_at_once_all_succeed_and_the_tables_are_made_once() {
    let database = database().await;
    let client = database.client().await;
    client.batch_execute("drop schema crypto_market cascade").await.expect("an empty database");

    let starts: Vec<_> = (0..10)
        .map(|_| {
            let config = database.config();
            tokio::spawn(async move { store::migrate(&config).await })
        })
        .collect();
    for start in starts {
        start.await.expect("no panic").expect("every one succeeds");
    }

    let written = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations")).expect("a folder").count();
    let ran = client.query_one("select count(*) from refinery_schema_history", &[]).await.expect("a history");
    assert_eq!(ran.get::<_, i64>(0), i64::try_from(written).expect("a few"), "each once");
}

#[tokio::test]
async fn a_database_that_is_not_migrated_yet_is_worth_another_try() {
    let database = database().await;
    database.client().await.batch_execute("drop schema crypto_market cascade").await.expect("an empty database");

    let error = database.store().history_partitions_ensure(at(0), at(0)).await.expect_err("no tables");

    assert!(matches!(error, StoreError::Unmigrated { .. }), "{error:?}");
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_day_is_made_once_however_many_ask_for_it_at_the_same_time() {
    let database = database().await;
    let (from, to) = (at(1_684_083_600_000), at(1_684_083_600_000 + 3 * 86_400_000));
    let rivals: Vec<_> = (0..8)
        .map(|_| {
            let store = database.store();
            tokio::spawn(async move { store.history_partitions_ensure(from, to).await })
        })
        .collect();
    for rival in rivals {
        rival.await.expect("no panic").expect("every one succeeds");
    }

    let made = database
        .client()
        .await
        .query("select relname::text from pg_class where relispartition and relkind = 'r'", &[])
        .await
        .expect("a catalog");
    let mut names: Vec<String> = made.iter().map(|row| row.get(0)).collect();
    names.sort();
    assert_eq!(
        names,
        ["vwap_history_20230514", "vwap_history_20230515", "vwap_history_20230516", "vwap_history_20230517"]
    );
}

#[tokio::test]
async fn days_that_are_known_cost_no_database() {
    let cluster = own_cluster().await;
    let store = cluster.database().store();
    store.history_partitions_ensure(at(0), at(0)).await.expect("made");
    cluster.stop_immediate().await;

    store.history_partitions_ensure(at(0), at(86_399_999)).await.expect("known");
    store.history_partitions_ensure(at(0), at(86_400_000)).await.expect_err("the next day is not");
}

#[tokio::test]
async fn a_killed_database_is_unavailable_and_the_same_store_goes_on_when_it_is_back() {
    let cluster = own_cluster().await;
    let store = cluster.database().store();
    assert!(store.is_reachable().await);

    cluster.stop_immediate().await;
    let error = store.ping().await.expect_err("it is away");
    assert!(error.is_transient(), "{error:?}");

    cluster.start().await;
    eventually("the store to reach its database again", Duration::from_secs(10), || async {
        store.is_reachable().await.then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_nobody_serves_is_refused_within_the_deadline() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let config = StoreConfig {
        create_timeout: Duration::from_millis(200),
        ..StoreConfig::new(format!("postgres://postgres@127.0.0.1:{port}/postgres"))
    };
    let store = Store::connect(&config).expect("a URL");

    let error = store.ping().await.expect_err("it takes connections and never answers");

    assert!(error.is_transient(), "{error:?}");
    assert!(store::migrate(&config).await.expect_err("nor does it migrate").is_transient());
}
