//! What is final, when it became so, and when it is expected to.

use reqwest::Method;
use reqwest::header::IF_NONE_MATCH;
use serde_json::{Value, json};
use testkit::database;

use crate::running::Running;
use crate::seeded::{MARK, NOW, SETTLED_UNTIL, Seeded, market};

#[tokio::test]
async fn a_final_figure_says_since_when_and_a_provisional_or_computed_one_does_not() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let at = async |ts: i64| api.json(&format!("/historical?ticker=BTC&ts={ts}")).await;

    let kept = at(SETTLED_UNTIL).await;
    assert_eq!(kept["final_at"], SETTLED_UNTIL + 12_000);
    assert_eq!(kept["final_at_time"], "2023-05-14T17:00:02.000Z");
    for ts in [MARK, SETTLED_UNTIL - 1] {
        let answer = at(ts).await;
        assert_eq!((&answer["final_at"], &answer["final_at_time"]), (&Value::Null, &Value::Null), "{ts}");
    }
    assert_eq!(api.json("/latest?ticker=BTC").await["final_at"], Value::Null);
    let series = api.json(&format!("/vwap?ticker=BTC&from={SETTLED_UNTIL}&to={}", SETTLED_UNTIL + 1_000)).await;
    assert_eq!(series["points"][0]["final_at"], SETTLED_UNTIL + 12_000);
    assert_eq!(series["points"][1]["final_at"], Value::Null);
}

#[tokio::test]
async fn the_latest_final_figure_is_the_newest_one_that_is_final_and_tells_its_restatement() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json("/latest?ticker=BTC&min_state=final").await;

    let expected = bitcoin.sums(SETTLED_UNTIL, 300_000).vwap().expect("trades").to_string();
    assert_eq!((&latest["ts"], &latest["price"]), (&SETTLED_UNTIL.into(), &expected.into()));
    assert_eq!((&latest["state"], &latest["revision"]), (&"final".into(), &0.into()));
    assert_eq!(api.json("/latest?ticker=BTC&min_state=provisional").await["ts"], MARK + 1_000);
    bitcoin.restate(SETTLED_UNTIL, "27000").await;
    let restated = api.json("/latest?ticker=BTC&min_state=final").await;
    assert_eq!((&restated["state"], &restated["revision"]), (&"restated".into(), &1.into()));
}

#[tokio::test]
async fn a_newest_figure_that_is_final_tells_its_revision_without_being_asked_for() {
    let database = database().await;
    let mut still = Seeded::settled(&database, "generic", "BTC", MARK - 1_800_000, MARK + 1_000).await;
    still.trade("a", MARK - 5_000, "27000", "1").await;
    still.figures(MARK, MARK + 1_000).await;
    still.restate(MARK + 1_000, "27001").await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json("/latest?ticker=BTC").await;

    assert_eq!((&latest["state"], &latest["revision"]), (&"restated".into(), &1.into()));
    assert_eq!(latest["final_at"], MARK + 13_000);
}

#[tokio::test]
async fn what_is_not_final_is_not_answered_and_the_time_it_is_expected_comes_instead() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let ask = async |ts: i64, further: &str| {
        api.get(&format!("/historical?ticker=BTC&ts={ts}&min_state=final{further}")).await
    };

    assert_eq!(ask(SETTLED_UNTIL, "").await.json()["state"], "final");
    assert_eq!(ask(SETTLED_UNTIL - 1, "&interval=90s").await.json()["state"], "final");
    for (ts, further) in [(SETTLED_UNTIL + 1, ""), (MARK, ""), (MARK, "&interval=90s")] {
        let answer = ask(ts, further).await;
        let problem = answer.problem();
        assert_eq!((answer.status.as_u16(), &problem["code"]), (404, &"not_final_yet".into()));
        // 99 of 100 marks were final 12.4 s after they closed; the watermark is 11.5 s behind.
        assert_eq!(problem["expected_at"], ts + 12_400, "{problem}");
        let seconds = (ts + 12_400 - NOW).unsigned_abs().div_ceil(1_000).to_string();
        assert_eq!(answer.header("retry-after"), Some(seconds.as_str()));
    }
    assert_eq!(ask(MARK, "").await.json()["expected_at_time"], "2023-05-14T17:00:12.400Z");
}

#[tokio::test]
async fn what_is_behind_longer_than_usual_is_expected_later() {
    let database = database().await;
    let bitcoin = market(&database).await;
    bitcoin.measured(NOW - 300, 2_100, 2_500, 40).await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.get(&format!("/historical?ticker=BTC&ts={MARK}&min_state=final")).await;

    assert_eq!(answer.problem()["expected_at"], MARK + (NOW - SETTLED_UNTIL));
    assert!(answer.text().contains("REST is 11500 ms behind"), "{}", answer.text());
}

#[tokio::test]
async fn when_nobody_can_say_it_is_null_and_the_sentence_tells_why() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let why = async |ticker: &str| {
        let answer = api.get(&format!("/historical?ticker={ticker}&ts={MARK}&min_state=final")).await;
        let problem = answer.problem();
        assert_eq!((&problem["code"], &problem["expected_at"]), (&"not_final_yet".into(), &Value::Null));
        assert_eq!(answer.header("retry-after"), None);
        problem["detail"].as_str().expect("a sentence").to_owned()
    };

    assert!(why("ETH&exchange=generic").await.contains("nothing is measured"));
    bitcoin.measured(NOW - 12_401, 11_200, 12_400, 300).await;
    assert!(why("BTC").await.contains("REST has not answered for 12401 ms"));
    bitcoin.client.execute("update tickers_validation_timestamp set checked_at = null", &[]).await.expect("an update");
    assert!(why("BTC").await.contains("REST has told nothing of it yet"));
}

#[tokio::test]
async fn a_ticker_of_which_nothing_is_final_yet_says_when_its_newest_figure_is_expected_to_be() {
    let database = database().await;
    let mut young = Seeded::settled(&database, "generic", "BTC", MARK - 500, MARK - 500).await;
    young.trade("a", MARK - 100, "27000", "1").await;
    young.figures(MARK, MARK + 1_000).await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.get("/latest?ticker=BTC&min_state=final").await;

    assert_eq!((answer.status.as_u16(), &answer.problem()["code"]), (404, &"not_final_yet".into()));
    assert!(answer.text().contains(&format!("{}", MARK + 1_000)), "{}", answer.text());
}

#[tokio::test]
async fn a_series_of_final_figures_has_no_other_and_says_what_it_left_out() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let marks = |page: &Value| -> Vec<i64> {
        page["points"].as_array().expect("points").iter().map(|point| point["ts"].as_i64().expect("ts")).collect()
    };

    let newest = api.json("/vwap?ticker=BTC&limit=3&min_state=final").await;
    assert_eq!(marks(&newest), [SETTLED_UNTIL - 2_000, SETTLED_UNTIL - 1_000, SETTLED_UNTIL]);
    assert_eq!((&newest["min_state"], &newest["complete"]), (&"final".into(), &true.into()));

    let span = format!("/vwap?ticker=BTC&from={}&to={}&limit=2", SETTLED_UNTIL - 1_000, SETTLED_UNTIL + 2_000);
    let first = api.json(&format!("{span}&min_state=final")).await;
    assert_eq!(marks(&first), [SETTLED_UNTIL - 1_000, SETTLED_UNTIL]);
    let second = api.json(first["next_url"].as_str().expect("another page")).await;
    assert_eq!((marks(&second), &second["complete"]), (vec![], &false.into()));
    let missing = &second["missing"][0];
    assert_eq!(
        (&missing["kind"], &missing["from"], &missing["to"]),
        (&"not_final_yet".into(), &(SETTLED_UNTIL + 1_000).into(), &(SETTLED_UNTIL + 2_000).into())
    );
    let all = api.json(&span).await;
    assert_eq!((&all["min_state"], marks(&all).len()), (&"provisional".into(), 2));
}

#[tokio::test]
async fn another_state_is_refused_by_name() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    for path in ["/latest?ticker=BTC", &format!("/historical?ticker=BTC&ts={MARK}"), "/vwap?ticker=BTC"] {
        let answer = api.get(&format!("{path}&min_state=FINAL")).await;
        let problem = answer.problem();
        assert_eq!((&problem["code"], &problem["parameter"]), (&"bad_parameter".into(), &"min_state".into()), "{path}");
    }
}

#[tokio::test]
async fn a_restatement_changes_the_etag() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let path = format!("/historical?ticker=BTC&ts={}&min_state=final", MARK - 20_000);
    let etag = api.get(&path).await.header("etag").expect("settled").to_owned();
    let again = async || api.send(Method::GET, &path, &[(IF_NONE_MATCH, &etag)]).await.status.as_u16();

    assert_eq!(again().await, 304);
    bitcoin.restate(MARK - 20_000, "26000").await;
    assert_eq!(again().await, 200);
}

#[tokio::test]
async fn each_ticker_says_how_long_its_marks_take_to_become_final() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let tickers = api.json("/tickers").await;

    assert_eq!(tickers["tickers"][0]["time_to_final_ms"], json!({"p50": 11_200, "p99": 12_400, "marks": 300}));
    assert_eq!(tickers["tickers"][1]["time_to_final_ms"], Value::Null);
}

#[tokio::test]
async fn the_quality_tells_how_much_was_read_again_and_what_was_found() {
    let database = database().await;
    let bitcoin = market(&database).await;
    crate::seeded::ledger(&bitcoin).await;
    let api = Running::standing_at(&database, NOW);

    let quality = api.json(&format!("/quality?ticker=BTC&from={}&to={MARK}", MARK - 60_000)).await;

    let findings = json!([
        {"kind": "altered", "trades": 0}, {"kind": "added", "trades": 0}, {"kind": "withdrawn", "trades": 1}
    ]);
    assert_eq!(quality["audit"], json!({"reread": 120, "confirmed": 150, "findings": findings}));
}
