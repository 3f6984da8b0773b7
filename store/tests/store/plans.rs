//! What is asked every second must not read the whole tape: hot statements
//! use indexes, and confirming stays within a page.

use std::time::Duration;

use testkit::{at, eventually, heard, trade};

use crate::scene::{Scene, VENUE, scene, through};

async fn filled() -> Scene {
    let scene = scene().await;
    let fill = "
        insert into transactions
        select 'generic', 'T' || n % 20, n::text, n * 100, 1, 1, true, null from generate_series(1, 60000) as n;
        insert into tickers_validation_timestamp (exchange, ticker, validated_until, tape_from)
        select 'generic', 'T' || n, 6000000, 0 from generate_series(0, 19) as n;
        insert into feed_faults (exchange, ticker, tradeid, kind, ts, found_at)
        select 'generic', 'T' || n % 20, n::text, 'missing', n * 100, 0 from generate_series(1, 20000) as n;
        analyze";
    scene.client.batch_execute(fill).await.expect("filled");
    scene
}

/// The plan of a statement for given literals in place of its parameters.
async fn plan(scene: &Scene, sql: &str, literals: &[&str]) -> String {
    let mut statement = sql.to_owned();
    // Highest first: $1 is also how $10 begins.
    for (index, literal) in literals.iter().enumerate().rev() {
        statement = statement.replace(&format!("${}", index + 1), literal);
    }
    let rows = scene.client.query(&format!("explain {statement}"), &[]).await.expect("a plan");
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn hot_statements_never_scan_the_tape() {
    let scene = filled().await;
    let venue = "'generic'::text";
    let names = ["array['T1', 'T2']", "array['1', '2']"];
    let cases: [(&str, Vec<&str>); 10] = [
        (include_str!("../../sql/trades_known.sql"), vec![venue, names[0], names[1]]),
        (include_str!("../../sql/trades_heard_until.sql"), vec![venue, "array['T1']", "array[6000500::bigint]"]),
        (include_str!("../../sql/trades_mark_heard.sql"), vec![venue, names[0], names[1], "array[1::bigint, 2]"]),
        (include_str!("../../sql/trades_remove_heard.sql"), vec![venue, names[0], names[1]]),
        (include_str!("../../sql/window_buckets.sql"), vec![venue, "'T1'::text", "5950000::bigint"]),
        (include_str!("../../sql/missing_withdraw.sql"), vec![venue, names[0], names[1]]),
        (include_str!("../../sql/retain_trades.sql"), vec![venue, "100::bigint", "array['T1']", "array[5000::bigint]"]),
        (
            include_str!("../../sql/audit_held.sql"),
            vec![venue, "'T1'::text", "50000::bigint", "90000::bigint", "array['21', '41']"],
        ),
        (include_str!("../../sql/trades_confirmed.sql"), vec![venue, "'T1'::text", "50000::bigint", "90000::bigint"]),
        (include_str!("../../sql/trades_withdraw.sql"), vec![venue, names[0], names[1]]),
    ];
    for (sql, literals) in cases {
        let plan = plan(&scene, sql, &literals).await;
        assert!(plan.contains("transactions_") || plan.contains("feed_faults_by_trade"), "{sql}\n{plan}");
        for table in ["transactions", "feed_faults"] {
            assert!(!plan.contains(&format!("Seq Scan on {table}")), "{sql}\n{plan}");
        }
    }
}

#[tokio::test]
async fn a_moment_is_answered_from_its_days_alone_by_a_plan_that_is_made_once() {
    let scene = filled().await;
    for day in 0..8 {
        let bounds = format!("from ({}) to ({})", day * 86_400_000_i64, (day + 1) * 86_400_000_i64);
        let sql = format!("create table history_{day} partition of vwap_history for values {bounds}");
        scene.client.batch_execute(&sql).await.expect("a day");
    }
    let sql = include_str!("../../sql/answer_moment.sql");
    let prepare = "prepare moment (text, text, bigint, bigint, bigint, bigint, boolean) as";
    scene
        .client
        .batch_execute(&format!("set plan_cache_mode = force_generic_plan; {prepare} {sql}"))
        .await
        .expect("it");

    let explain = "explain execute moment ('generic', 'T1', 300000, 5000500, 5300500, 300000, false)";
    let rows = scene.client.query(explain, &[]).await.expect("a plan");
    let plan = rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join("\n");

    assert_eq!(plan.matches("Subplans Removed: 7").count(), 2, "{plan}");
    assert!(plan.contains("transactions_window"), "{plan}");
    for table in ["transactions", "history_"] {
        assert!(!plan.contains(&format!("Seq Scan on {table}")), "{plan}");
    }
}

#[tokio::test]
async fn new_tables_are_analyzed_once_there_is_something_in_them_and_not_again() {
    let scene = scene().await;
    assert!(!scene.store.statistics_ensure().await.expect("an answer"), "there is nothing to know");
    scene.hear(&[heard(trade("BTC", "a", 1_000, "1", "1"), 5)]).await;
    let known = "select count(*) from pg_stats where schemaname = current_schema() and tablename = 'transactions'";
    assert_eq!(scene.number(known).await, 0);

    assert!(scene.store.statistics_ensure().await.expect("an answer"));

    assert!(scene.number(known).await > 0);
    assert!(!scene.store.statistics_ensure().await.expect("an answer"), "it is known");
}

#[tokio::test]
async fn what_was_let_go_of_is_not_walked_past_again() {
    let scene = scene().await;
    let trades: Vec<_> = (1..=100).map(|n| trade("BTC", &n.to_string(), n * 1_000, "1", "1")).collect();
    scene.confirm(&trades).await;
    scene.advance("BTC", through(0), through(100_000)).await;
    let mut retention = scene.store.retention(VENUE);
    while retention.let_go(at(100_000), 10).await.expect("written") > 0 {}
    assert_eq!(scene.number("select count(*) from transactions").await, 0);

    let Scene { store, client, .. } = &scene;
    store.close();
    let counted = "select idx_tup_read from pg_stat_user_indexes where indexrelname = 'transactions_window'";
    let read: i64 = eventually("the reading to be counted", Duration::from_secs(20), || async {
        let read = client.query_one(counted, &[]).await.expect("statistics").get(0);
        (100 <= read).then_some(read)
    })
    .await;
    // Where a batch ended there may be more of the same millisecond.
    assert!(read <= 110, "{read} entries were read to delete 100");
}

#[tokio::test]
async fn confirming_what_was_heard_touches_no_index() {
    let scene = scene().await;
    let trades: Vec<_> = (0..1_000).map(|n| trade("BTC", &n.to_string(), 1_000 + n, "27000.120", "0.50")).collect();
    let said: Vec<_> = trades.iter().map(|trade| heard(trade.clone(), 5)).collect();
    scene.hear(&said).await;
    scene.confirm(&trades).await;

    // A connection that ends reports what it did at once.
    let Scene { store, client, .. } = &scene;
    store.close();
    let counted = "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'transactions'";
    let (updated, in_page): (i64, i64) = eventually("the updates to be counted", Duration::from_secs(20), || async {
        let row = client.query_one(counted, &[]).await.expect("statistics");
        (row.get::<_, i64>(0) > 0).then(|| (row.get(0), row.get(1)))
    })
    .await;
    assert_eq!((updated, in_page), (1_000, 1_000));
}
