//! `GET /quality`.

use serde_json::Value;
use testkit::database;

use crate::running::Running;
use crate::seeded::{MARK, NOW, ledger, market};

fn find<'a>(list: &'a Value, kind: &str) -> &'a Value {
    let found = list.as_array().expect("a list").iter().find(|entry| entry["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind} in {list}"))
}

#[tokio::test]
async fn counts_and_rates_are_those_of_the_minutes_around_the_span() {
    let database = database().await;
    ledger(&market(&database).await).await;
    let api = Running::standing_at(&database, NOW);

    let one = api.json(&format!("/quality?ticker=BTC&from={}&to={}", MARK - 60_000, MARK)).await;
    assert_eq!((&one["from"], &one["to"]), (&(MARK - 60_000).into(), &MARK.into()));
    assert_eq!((&one["confirmed"], &one["unheard"]), (&100.into(), &50.into()));
    for (kind, trades, rate) in [("matched", 95, "0.950000"), ("missing", 3, "0.030000"), ("duplicate", 4, "0.040000")]
    {
        let count = find(&one["verdicts"], kind);
        assert_eq!((&count["trades"], &count["rate"]), (&trades.into(), &rate.into()), "{kind}");
    }
    assert_eq!(find(&one["rejections"], "not_positive")["trades"], 5);
    assert_eq!(find(&one["rejections"], "malformed")["trades"], 0);

    let two = api.json(&format!("/quality?ticker=BTC&from={}&to={}", MARK - 60_001, MARK - 1)).await;
    assert_eq!((&two["from"], &two["to"]), (&(MARK - 120_000).into(), &MARK.into()));
    assert_eq!(two["confirmed"], 1_100);

    let all = api.json(&format!("/quality?from={}&to={}", MARK - 60_000, MARK)).await;
    assert!(all["ticker"].is_null() && all["exchange"].is_null());
    assert_eq!(find(&all["rejections"], "malformed")["trades"], 6);
}

#[tokio::test]
async fn damage_is_what_a_fault_would_have_done_to_its_final_figure() {
    let database = database().await;
    let bitcoin = market(&database).await;
    ledger(&bitcoin).await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.json(&format!("/quality?ticker=BTC&from={}&to={MARK}", MARK - 60_000)).await;

    // 2 BTC at 27098.75 rather than 26998.75: 200 more of notional at the same volume.
    let oracle = "select trim_scale(round(200 / notional * 10000, 6))::text from vwap_history
        where exchange = 'generic' and ticker = 'BTC' and ts = $1";
    let row = bitcoin.client.query_one(oracle, &[&(MARK - 30_000)]).await.expect("a figure");
    let altered = find(&answer["damage"], "altered");
    assert_eq!((&altered["faults"], &altered["priced"]), (&1.into(), &1.into()));
    assert_eq!(altered["mean_bps"], row.get::<_, String>(0));
    let phantom = find(&answer["damage"], "phantom");
    assert_eq!((&phantom["faults"], &phantom["priced"]), (&1.into(), &0.into()), "its figure is not final yet");
    assert!(phantom["mean_bps"].is_null());
}

#[tokio::test]
async fn drift_compares_final_marks_with_what_was_said_before() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let said = "update vwap_history set provisional_price = $2::text::numeric where ticker = 'BTC' and ts = $1";
    let price = bitcoin.sums(MARK - 20_000, 300_000).vwap().expect("trades").to_string();
    let row =
        bitcoin.client.query_one("select (($1::text::numeric) * 1.0002)::text", &[&price]).await.expect("a price");
    bitcoin.client.execute(said, &[&(MARK - 20_000), &row.get::<_, String>(0)]).await.expect("said");
    bitcoin.client.execute(said, &[&(MARK - 21_000), &Option::<String>::None]).await.expect("said nothing");

    let answer = api.json(&format!("/quality?ticker=BTC&from={}&to={MARK}", MARK - 60_000)).await;

    let drift = &answer["drift"];
    assert_eq!((&drift["final_marks"], &drift["compared"], &drift["equal"]), (&51.into(), &50.into(), &49.into()));
    assert_eq!((&drift["max_absolute_bps"], &drift["mean_absolute_bps"]), (&"2.000000".into(), &"0.040000".into()));
}

#[tokio::test]
async fn incidents_and_restatements_of_the_span_are_listed() {
    let database = database().await;
    ledger(&market(&database).await).await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.json(&format!("/quality?ticker=BTC&from={}&to={MARK}", MARK - 600_000)).await;
    assert_eq!(answer["incidents"][0]["kind"], "unpageable");
    assert_eq!(
        (&answer["restatements"]["total"], &answer["restatements"]["latest"][0]["new_price"]),
        (&1.into(), &"27000".into())
    );

    let elsewhere = api.json("/quality?ticker=ETH&exchange=second").await;
    assert_eq!((&elsewhere["incidents"], &elsewhere["restatements"]["total"]), (&serde_json::json!([]), &0.into()));
    assert!(find(&elsewhere["verdicts"], "matched")["rate"].is_null(), "there is nothing to divide by");
}

#[tokio::test]
async fn the_span_is_bounded_and_begins_before_it_ends() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let days = |days: i64| format!("/quality?ticker=BTC&from={}&to={MARK}", MARK - days * 86_400_000);

    assert_eq!(api.get(&days(31)).await.status, 200);
    assert_eq!(api.problem(&days(32)).await, (400, "bad_parameter".to_owned()));
    assert_eq!(api.problem(&format!("/quality?from={MARK}&to={}", MARK - 1)).await, (400, "bad_parameter".to_owned()));
    assert_eq!(api.problem(&format!("/quality?from={}", NOW + 1)).await, (400, "bad_parameter".to_owned()));
    let open_ended = api.get("/quality?from=0").await;
    assert_eq!(open_ended.problem()["parameter"], "from", "only from was given");
    assert_eq!(api.json("/quality").await["to"], MARK + 60_000, "without a span, the hour up to now");
}

#[tokio::test]
async fn the_filter_of_suspects_is_graded_by_what_rest_said_later() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let minute = MARK - 60_000;
    for (kind, trades) in [
        ("suspected_price", 9),
        ("suspected_price_altered", 2),
        ("suspected_price_phantom", 3),
        ("suspected_price_matched", 1),
        ("suspected_contradicted", 4),
        ("suspected_contradicted_altered", 4),
        ("unsuspected_altered", 5),
        ("unsuspected_phantom", 6),
    ] {
        bitcoin.counted("BTC", minute, kind, trades).await;
    }
    let api = Running::standing_at(&database, NOW);

    let answer = api.json(&format!("/quality?ticker=BTC&from={minute}&to={MARK}")).await;

    let suspects = &answer["suspects"];
    let price = serde_json::json!({"kind": "price", "suspected": 9, "justified": 5, "unjustified": 1, "open": 3});
    assert_eq!(find(&suspects["kinds"], "price"), &price);
    assert_eq!(find(&suspects["kinds"], "contradicted")["justified"], 4);
    // 9 of 10 decided were false; 9 of 20 false ones were suspected.
    assert_eq!((&suspects["precision"], &suspects["recall"]), (&"0.900000".into(), &"0.450000".into()));
    assert_eq!(find(&suspects["recall_by_fault"], "altered")["recall"], "0.545455");
    assert_eq!(find(&suspects["recall_by_fault"], "phantom")["recall"], "0.333333");

    let elsewhere = api.json("/quality?ticker=ETH&exchange=second").await;
    assert!(elsewhere["suspects"]["precision"].is_null() && elsewhere["suspects"]["recall"].is_null());
}
