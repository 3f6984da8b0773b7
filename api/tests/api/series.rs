//! `GET /vwap`.

use serde_json::Value;
use testkit::database;

use crate::running::Running;
use crate::seeded::{MARK, NOW, Seeded, TAPE_FROM, market};

fn marks(page: &Value) -> Vec<i64> {
    page["points"].as_array().expect("points").iter().map(|point| point["ts"].as_i64().expect("ts")).collect()
}

#[tokio::test]
async fn the_points_are_the_marks_of_the_span_with_both_ends() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let page = api.json(&format!("/vwap?ticker=BTC&from={}&to={}", MARK - 22_000, MARK - 20_000)).await;

    assert_eq!(marks(&page), [MARK - 22_000, MARK - 21_000, MARK - 20_000]);
    let sums = bitcoin.sums(MARK - 21_000, 300_000);
    assert_eq!(page["points"][1]["price"], sums.vwap().expect("trades").to_string());
    assert_eq!(page["points"][1]["notional"], sums.notional.to_string());
    assert_eq!((&page["complete"], &page["next_url"]), (&true.into(), &Value::Null));
}

#[tokio::test]
async fn following_next_url_gives_every_mark_once() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let mut path = format!("/vwap?ticker=BTC&from={}&to={}&step=2s&limit=7", MARK - 59_000, MARK + 500);
    let mut seen = Vec::new();
    loop {
        let page = api.json(&path).await;
        assert!(marks(&page).len() <= 7);
        seen.extend(marks(&page));
        let Some(next) = page["next_url"].as_str() else { break };
        path = next.to_owned();
    }

    let expected: Vec<i64> = (MARK - 58_000..=MARK).step_by(2_000).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn without_a_span_the_newest_points_are_answered() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    assert_eq!(marks(&api.json("/vwap?ticker=BTC&limit=3").await), [MARK - 1_000, MARK, MARK + 1_000]);
    assert_eq!(marks(&api.json("/vwap?ticker=BTC&limit=2&step=1m").await), [MARK - 60_000, MARK]);
    let beyond = api.json(&format!("/vwap?ticker=BTC&from={}&to={}", MARK, MARK + 3_600_000)).await;
    assert_eq!(marks(&beyond), [MARK, MARK + 1_000]);
}

#[tokio::test]
async fn a_mark_without_a_figure_is_left_out_and_listed_as_missing() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let deleted = "delete from vwap_history where ticker = 'BTC' and ts in ($1, $2, $3)";
    let gone = [MARK - 30_000, MARK - 29_000, MARK - 26_000];
    bitcoin.client.execute(deleted, &[&gone[0], &gone[1], &gone[2]]).await.expect("deleted");
    let api = Running::standing_at(&database, NOW);

    let page = api.json(&format!("/vwap?ticker=BTC&from={}&to={}", MARK - 31_000, MARK - 25_000)).await;

    assert_eq!(marks(&page), [MARK - 31_000, MARK - 28_000, MARK - 27_000, MARK - 25_000]);
    assert_eq!(page["complete"], false);
    let span = |index: usize| (page["missing"][index]["from"].as_i64(), page["missing"][index]["to"].as_i64());
    assert_eq!(span(0), (Some(gone[0]), Some(gone[1])));
    assert_eq!(span(1), (Some(gone[2]), Some(gone[2])));
    let before = api.json(&format!("/vwap?ticker=BTC&from={TAPE_FROM}&to={}", MARK - 59_000)).await;
    assert_eq!(
        (marks(&before), &before["missing"][0]["kind"]),
        (vec![MARK - 60_000, MARK - 59_000], &"before_history".into())
    );
}

#[tokio::test]
async fn an_incident_shows_at_the_points_whose_window_it_touches() {
    let database = database().await;
    let bitcoin = market(&database).await;
    bitcoin.incident("unpageable", MARK - 330_000, MARK - 320_000, "A millisecond could not be passed.").await;
    let api = Running::standing_at(&database, NOW);

    let page = api.json(&format!("/vwap?ticker=BTC&from={}&to={}", MARK - 21_000, MARK - 19_000)).await;

    let complete: Vec<_> =
        page["points"].as_array().expect("points").iter().map(|point| point["complete"].clone()).collect();
    assert_eq!(complete, [false, true, true]);
    assert_eq!(page["missing"][0]["kind"], "unpageable");
    let far_apart = api.json(&format!("/vwap?ticker=BTC&from={}&to={}&step=10m", MARK - 1_200_000, MARK)).await;
    assert_eq!((marks(&far_apart), &far_apart["missing"][1]), (vec![MARK], &Value::Null), "{far_apart}");
    let apart = api.json(&format!("/vwap?ticker=BTC&from={}&to={}", MARK - 20_000, MARK - 19_000)).await;
    assert_eq!((&apart["complete"], &apart["missing"]), (&true.into(), &serde_json::json!([])));
}

#[tokio::test]
async fn what_is_no_series_is_refused_by_name() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    for query in [
        "step=0s",
        "step=500ms",
        "step=1500",
        "step=2d",
        "step=x",
        "limit=0",
        "limit=10001",
        "limit=-1",
        "limit=1.5",
        "cursor=-1",
        "cursor=1",
        "cursor=99999999999999999999",
        "from=1684083600",
        "to=soon",
        "from=1684083600000&to=1684083599999",
        "from=7000000000000",
    ] {
        assert_eq!(
            api.problem(&format!("/vwap?ticker=BTC&{query}")).await,
            (400, "bad_parameter".to_owned()),
            "{query}"
        );
    }
    assert_eq!(api.problem("/vwap").await, (400, "missing_parameter".to_owned()));
}

#[tokio::test]
async fn the_longest_page_is_answered_whole() {
    let database = database().await;
    let long = Seeded::settled(&database, "generic", "LONG", MARK - 20_000_000, MARK).await;
    let filled = "insert into vwap_history (exchange, ticker, interval, ts, price, volume, notional, trades,
            confirmed_trades, is_validated, calculated_at, final_at)
        select 'generic', 'LONG', 300000, ts, null, 0, 0, 0, 0, true, ts, ts from generate_series($1::bigint, $2, 1000) as ts";
    let first = MARK - 12_000_000;
    database.store().history_partitions_ensure(testkit::at(first), testkit::at(MARK)).await.expect("partitions");
    long.client.execute(filled, &[&first, &MARK]).await.expect("figures");
    let api = Running::standing_at(&database, NOW);

    let page = api.json(&format!("/vwap?ticker=LONG&from={first}&to={MARK}&limit=10000")).await;

    let marks = marks(&page);
    assert_eq!((marks.len(), marks[0], marks[9_999]), (10_000, first, first + 9_999_000));
    assert_eq!(page["next_cursor"], (first + 10_000_000).to_string());
}
