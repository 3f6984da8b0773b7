//! What answers say of how wrong a provisional figure may be.

use testkit::database;

use crate::running::Running;
use crate::seeded::{MARK, NOW, SETTLED_UNTIL, Seeded, ledger, market};

#[tokio::test]
async fn a_provisional_figure_says_how_wrong_it_may_be_and_how_often_that_held() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json("/latest?ticker=BTC").await;

    let bound = &latest["bound"];
    assert_eq!(
        (&bound["bps"], &bound["coverage"], &bound["level"]),
        (&"1.25".into(), &"0.99".into(), &"0.0075".into())
    );
    // 85403 of 86000, rounded down.
    assert_eq!((&bound["achieved"], &bound["over_marks"]), (&"0.993058".into(), &86_000.into()));
    assert_eq!(bound["tail_ms"], MARK + 1_000 - SETTLED_UNTIL);
    assert!(bound["reason"].is_null() && bound["marks"].is_null());
    let oracle = "select trim_scale(price - trunc(price * 0.000125, 24))::text, trim_scale(price + trunc(price * 0.000125, 24))::text
        from latest_vwap_history where ticker = 'BTC'";
    let row = bitcoin.client.query_one(oracle, &[]).await.expect("a figure");
    let range: (String, String) = (row.get(0), row.get(1));
    assert_eq!((&bound["price_low"], &bound["price_high"]), (&range.0.into(), &range.1.into()));
}

#[tokio::test]
async fn without_enough_evidence_a_figure_says_so_instead_of_a_number() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let bound = api.json("/latest?ticker=ETH&exchange=generic").await["bound"].clone();

    assert_eq!(
        (&bound["reason"], &bound["marks"], &bound["marks_needed"]),
        (&"not_enough_evidence".into(), &412.into(), &1_000.into())
    );
    assert!(bound["bps"].is_null() && bound["price_low"].is_null() && bound["price_high"].is_null());
    assert!(bound["achieved"].is_null() && bound["over_marks"] == 0);
}

#[tokio::test]
async fn a_final_figure_has_no_bound_and_neither_has_one_summed_for_the_answer() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let at = |ts: i64| format!("/historical?ticker=BTC&ts={ts}");

    assert!(api.json(&at(SETTLED_UNTIL)).await["bound"].is_null(), "final");
    assert!(api.json(&at(MARK - 1)).await["bound"].is_null(), "not kept");
    let kept = api.json(&at(MARK)).await;
    assert_eq!((&kept["bound"]["bps"], &kept["bound"]["tail_ms"]), (&"1.25".into(), &10_000.into()));
}

#[tokio::test]
async fn the_coverage_achieved_is_listed_with_each_ticker_and_in_the_quality_of_the_feed() {
    let database = database().await;
    ledger(&market(&database).await).await;
    let api = Running::standing_at(&database, NOW);

    let tickers = api.json("/tickers").await;
    assert_eq!(tickers["tickers"][0]["bound_achieved"], "0.993058");
    assert_eq!(tickers["tickers"][0]["bound_over_marks"], 86_000);
    assert!(tickers["tickers"][1]["bound_achieved"].is_null());

    let of = |from: i64, to: i64| format!("/quality?ticker=BTC&from={from}&to={to}");
    let quality = api.json(&of(MARK - 3_600_000, MARK)).await;
    let expected = serde_json::json!({"kept": 3571, "broken": 29, "unsaid": 0, "achieved": "0.991944"});
    assert_eq!(quality["bounds"], expected);
    let nothing = api.json(&of(MARK, MARK + 60_000)).await;
    assert_eq!(nothing["bounds"]["kept"], 0);
    assert!(nothing["bounds"]["achieved"].is_null());
}

#[tokio::test]
async fn a_figure_of_before_there_were_bounds_has_none() {
    let database = database().await;
    let old = Seeded::new(&database, "generic", "OLD").await;
    old.figures(MARK, MARK).await;
    let api = Running::standing_at(&database, NOW);

    assert!(api.json("/latest?ticker=OLD").await["bound"].is_null());
}
