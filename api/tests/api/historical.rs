//! `GET /historical`.

use std::sync::Arc;

use serde_json::Value;
use testkit::database;

use crate::running::Running;
use crate::seeded::{MARK, NOW, SETTLED_UNTIL, Seeded, TAPE_FROM, market};

async fn at(api: &Running, ts: i64, further: &str) -> Value {
    api.json(&format!("/historical?ticker=BTC&ts={ts}{further}")).await
}

#[tokio::test]
async fn a_trade_on_the_closing_edge_counts_and_one_on_the_opening_edge_does_not() {
    let database = database().await;
    let mut bitcoin = Seeded::new(&database, "generic", "BTC").await;
    let traded_at = MARK - 400_000;
    bitcoin.trade("only", traded_at, "27000", "1").await;
    let api = Running::standing_at(&database, NOW);

    for (ts, trades) in
        [(traded_at - 1, 0), (traded_at, 1), (traded_at + 1, 1), (traded_at + 299_999, 1), (traded_at + 300_000, 0)]
    {
        assert_eq!(at(&api, ts, "").await["trades"], trades, "{ts}");
    }
    for (ts, trades) in [(traded_at - 1, 0), (traded_at, 1), (traded_at + 1, 0)] {
        assert_eq!(at(&api, ts, "&interval=1").await["trades"], trades, "{ts}");
    }
}

#[tokio::test]
async fn every_figure_equals_a_plain_scan_and_an_oracle_in_numeric() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    // The price is right when price × volume is nearer to the notional than half its last digit.
    let oracle = "select count(*), coalesce(sum(quantity), 0)::text, coalesce(trim_scale(sum(price * quantity)), 0)::text,
            abs($4::text::numeric * sum(quantity) - sum(price * quantity)) <= sum(quantity) * 0.5e-24
        from transactions where exchange = 'generic' and ticker = 'BTC' and ts > $1 and ts <= $2 and price is distinct from $3::text::numeric";
    for interval in [1_i64, 999, 60_000, 299_999, 300_000, 300_001, 86_400_000] {
        for ts in [MARK - 299_999, MARK - 30_501, MARK - 30_500, MARK - 10_000, MARK - 9_999, MARK, NOW] {
            let answer = at(&api, ts, &format!("&interval={interval}")).await;
            let sums = bitcoin.sums(ts, interval);
            let price = sums.vwap().map(|price| price.to_string());
            assert_eq!(answer["price"], serde_json::json!(price), "{ts} {interval}");
            assert_eq!(answer["notional"], sums.notional.to_string());

            let row = bitcoin.client.query_one(oracle, &[&(ts - interval), &ts, &"0", &price]).await.expect("sums");
            assert_eq!(answer["trades"], row.get::<_, i64>(0), "{ts} {interval}");
            let volume: String = row.get(1);
            assert_eq!(answer["volume"].as_str().map(trimmed), Some(trimmed(&volume)), "{ts} {interval}");
            assert_eq!(answer["notional"].as_str(), Some(row.get::<_, String>(2).as_str()), "{ts} {interval}");
            assert_ne!(row.get::<_, Option<bool>>(3), Some(false), "{ts} {interval}");
        }
    }
}

#[tokio::test]
async fn what_rests_on_the_final_figure_of_the_second_before_equals_a_plain_scan_whatever_is_asked() {
    let database = database().await;
    let mut bitcoin = Seeded::new(&database, "generic", "BTC").await;
    // Trades on edges and between them, on both sides of the watermark and of the window's other end.
    let traded_at = |index: i64| MARK - 310_000 + index * 1_300 + index % 7 * 100;
    for index in 0..240_i64 {
        let (price, quantity) = (format!("{}.{:03}", 26_990 + index % 13, index % 997), format!("0.{:08}", 1 + index));
        bitcoin.trade(&format!("t{index}"), traded_at(index), &price, &quantity).await;
    }
    bitcoin.figures(MARK - 20_000, MARK).await;
    let api = Running::standing_at(&database, NOW);
    let hold = async |ts: i64| {
        let (answer, sums) = (at(&api, ts, "").await, bitcoin.sums(ts, 300_000));
        let told = (&answer["trades"], &answer["volume"], &answer["notional"]);
        let expected = (sums.trades.into(), sums.volume.to_string().into(), sums.notional.to_string().into());
        assert_eq!(told, (&expected.0, &expected.1, &expected.2), "{ts}");
        let confirmed = bitcoin.sums(SETTLED_UNTIL.min(ts), 300_000 - (ts - SETTLED_UNTIL).max(0));
        assert_eq!(answer["confirmed_trades"], confirmed.trades, "{ts}");
    };
    for ts in (MARK - 21_500..=MARK + 1_400).step_by(173) {
        hold(ts).await;
    }
    for ts in [SETTLED_UNTIL - 1, SETTLED_UNTIL, SETTLED_UNTIL + 1, MARK - 19_999, MARK - 20_001] {
        hold(ts).await;
    }
    for leaves_at in (1..8).map(|index| traded_at(index) + 300_000) {
        // A mark would be read, and rest on nothing.
        for ts in [leaves_at - 1, leaves_at, leaves_at + 1].into_iter().filter(|ts| ts % 1_000 != 0) {
            hold(ts).await;
        }
    }

    // It does rest on it: what that figure says in excess, the answer says too.
    let excess = "update vwap_history set volume = volume + 7 where ticker = 'BTC' and ts = $1";
    let honest = at(&api, MARK - 14_500, "").await["volume"].clone();
    bitcoin.client.execute(excess, &[&(MARK - 15_000)]).await.expect("an update");
    let told = at(&api, MARK - 14_500, "").await["volume"].clone();
    let number = |text: &Value| text.as_str().and_then(|text| text.parse::<f64>().ok()).expect("a number");
    assert!((number(&told) - number(&honest) - 7.0).abs() < 1e-6, "{honest} {told}");
    // Not where trades that it counts are not kept any more.
    let cut = "update tickers_validation_timestamp set tape_from = $1";
    bitcoin.client.execute(cut, &[&(MARK - 15_000 - 299_999)]).await.expect("an update");
    assert_eq!(at(&api, MARK - 14_500, "").await["volume"], honest);
}

/// The volume told of a moment, and that of a plain scan.
async fn volumes(api: &Running, of: &Seeded, ts: i64, interval: i64) -> (String, String) {
    let told = at(api, ts, &format!("&interval={interval}")).await["volume"].as_str().expect("a volume").to_owned();
    (told, of.sums(ts, interval).volume.to_string())
}

#[tokio::test]
async fn what_was_said_provisionally_of_a_moment_that_is_settled_by_now_is_not_believed() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let left_behind = "update vwap_history set is_validated = false, final_at = null, volume = volume + 7
        where exchange = 'generic' and ticker = 'BTC' and ts in ($1, $2)";
    let (mark, newest) = (MARK - 20_000, SETTLED_UNTIL / 1_000 * 1_000);
    bitcoin.client.execute(left_behind, &[&mark, &newest]).await.expect("two figures");
    let api = Running::standing_at(&database, NOW);

    for ts in [mark, mark + 1, mark + 999, newest, newest + 1, newest + 999] {
        let (told, expected) = volumes(&api, &bitcoin, ts, 300_000).await;
        assert_eq!(told, expected, "{ts}");
    }
}

#[tokio::test]
async fn figures_of_an_interval_that_is_not_calculated_any_more_are_not_believed() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let of_a_minute = "insert into vwap_history (exchange, ticker, interval, ts, price, volume, notional, trades,
            confirmed_trades, is_validated, calculated_at, final_at)
        select exchange, ticker, 60000, ts, price, volume + 7, notional, trades, confirmed_trades, true, ts, ts
        from vwap_history where exchange = 'generic' and ticker = 'BTC' and interval = 300000 and ts = $1";
    let mark = MARK - 20_000;
    bitcoin.client.execute(of_a_minute, &[&mark]).await.expect("a figure");
    let api = Running::standing_at(&database, NOW);

    for ts in [mark, mark + 1, mark + 999] {
        let (told, expected) = volumes(&api, &bitcoin, ts, 60_000).await;
        assert_eq!(told, expected, "{ts}");
    }
}

#[tokio::test]
async fn a_window_that_is_not_settled_at_all_counts_what_was_heard_in_it_and_nothing_else() {
    let database = database().await;
    let until = MARK - 310_000;
    let mut bitcoin = Seeded::settled(&database, "generic", "BTC", MARK - 1_800_000, until).await;
    bitcoin.trade("settled", until - 500, "27000", "1").await;
    bitcoin.trade("before", until + 5_000, "27001", "2").await;
    bitcoin.trade("within", MARK - 1_000, "27002", "4").await;
    bitcoin.figures(until - 5_000, MARK).await;
    let api = Running::standing_at(&database, NOW);

    for ts in [MARK + 1, MARK + 999] {
        let (told, expected) = volumes(&api, &bitcoin, ts, 300_000).await;
        assert_eq!((told.as_str(), expected.as_str()), ("4", "4"), "{ts}");
    }
}

#[tokio::test]
async fn the_milliseconds_after_a_restated_second_rest_on_what_it_says_now() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let mark = MARK - 20_000;
    let before = at(&api, mark + 1, "").await;

    bitcoin.restate(mark, "26000").await;

    let (restated, after) = (at(&api, mark, "").await, at(&api, mark + 1, "").await);
    assert_ne!(before["notional"], after["notional"]);
    assert_eq!((&after["source"], &after["notional"]), (&"computed".into(), &restated["notional"]));
}

#[tokio::test]
async fn an_incident_is_told_with_every_window_it_touches_and_with_no_other() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    // Kept and final, kept and provisional, and summed.
    for ts in [MARK - 20_000, MARK, MARK - 19_999] {
        bitcoin.client.execute("delete from incidents", &[]).await.expect("none");
        let opens = ts - 300_000;
        for (kind, from, to) in [
            ("before", opens - 9, opens),
            ("opening", opens - 8, opens + 1),
            ("closing", ts, ts + 9),
            ("after", ts + 1, ts + 9),
        ] {
            bitcoin.incident(kind, from, to, "nothing was told").await;
        }

        let answer = at(&api, ts, "").await;

        let told: Vec<&str> =
            answer["missing"].as_array().expect("a list").iter().filter_map(|gap| gap["kind"].as_str()).collect();
        assert_eq!(told, ["opening", "closing"], "{ts}");
    }
}

fn trimmed(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[tokio::test]
async fn a_figure_is_final_up_to_the_watermark_and_provisional_after_it() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    for (ts, state, confirmed, trades) in [
        (SETTLED_UNTIL, "final", 4, 4),
        (SETTLED_UNTIL + 1, "provisional", 4, 4),
        (MARK - 4_200, "provisional", 4, 5),
        (MARK, "provisional", 4, 6),
    ] {
        let answer = at(&api, ts, "").await;
        assert_eq!(answer["state"], state, "{ts}");
        assert_eq!(answer["is_validated"], state == "final", "{ts}");
        assert_eq!((&answer["trades"], &answer["confirmed_trades"]), (&trades.into(), &confirmed.into()), "{ts}");
    }
    // Summed just now rather than kept.
    for (ts, state) in [(SETTLED_UNTIL, "final"), (SETTLED_UNTIL + 1, "provisional")] {
        assert_eq!(at(&api, ts, "&interval=1m").await["state"], state, "{ts}");
    }
}

#[tokio::test]
async fn a_mark_of_the_kept_interval_is_read_and_everything_else_is_summed() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let mark = MARK - 20_000;

    assert_eq!(at(&api, mark, "").await["source"], "stored");
    assert_eq!(at(&api, mark, "&interval=5m").await["source"], "stored");
    assert_eq!(at(&api, mark, "&interval=300001").await["source"], "computed");
    assert_eq!(at(&api, mark + 1, "").await["source"], "computed");
    bitcoin.restate(mark, "26000").await;
    let restated = at(&api, mark, "").await;
    assert_eq!(
        (&restated["price"], &restated["state"], &restated["revision"]),
        (&"26000".into(), &"restated".into(), &1.into())
    );
}

#[tokio::test]
async fn marks_asked_for_at_the_same_time_are_answered_each_by_its_own() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Arc::new(Running::standing_at(&database, NOW));
    let ask = |path: String| {
        let api = Arc::clone(&api);
        tokio::spawn(async move { api.get(&path).await })
    };
    let marks: Vec<i64> = (0..300).map(|index| MARK - 59_000 + index * 7 % 61 * 1_000).collect();

    let asked: Vec<_> = marks.iter().map(|ts| ask(format!("/historical?ticker=BTC&ts={ts}"))).collect();
    let unknown = ask(format!("/historical?ticker=NONE&ts={MARK}"));
    let of_both = ask(format!("/historical?ticker=ETH&ts={}", MARK - 20_000));
    let named = ask(format!("/historical?ticker=ETH&ts={}&exchange=SECOND", MARK - 20_000));

    for (ts, answer) in marks.into_iter().zip(asked) {
        let answer = answer.await.expect("answered").json();
        assert_eq!((&answer["ticker"], &answer["ts"]), (&"BTC".into(), &ts.into()));
        assert_eq!(answer["volume"], bitcoin.sums(ts, 300_000).volume.to_string(), "{ts}");
        let (state, source) = (if ts <= SETTLED_UNTIL { "final" } else { "provisional" }, "stored");
        assert_eq!((&answer["state"], &answer["source"]), (&state.into(), &source.into()), "{ts}");
    }
    assert_eq!(unknown.await.expect("answered").problem()["code"], "unknown_ticker");
    let (of_both, named) = (of_both.await.expect("answered").json(), named.await.expect("answered").json());
    assert_eq!((&of_both["parts"][1]["exchange"], &of_both["trades"]), (&"second".into(), &2.into()));
    assert_eq!((&named["exchange"], &named["trades"]), (&"second".into(), &1.into()));
}

#[tokio::test]
async fn one_moment_is_found_however_it_is_written() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let expected = at(&api, MARK - 20_000, "").await;

    for ts in ["2023-05-14T16:59:40Z", "2023-05-14T18:59:40.000%2B02:00", "2023-05-14T18:59:40+02:00"] {
        assert_eq!(api.json(&format!("/historical?ticker=BTC&ts={ts}")).await, expected, "{ts}");
    }
}

#[tokio::test]
async fn the_tape_begins_after_its_first_instant_and_a_window_across_it_says_so() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let before = |ts: i64| format!("/historical?ticker=BTC&ts={ts}");
    assert_eq!(api.problem(&before(TAPE_FROM)).await, (404, "before_the_tape".to_owned()));
    let across = at(&api, TAPE_FROM + 1, "").await;
    assert_eq!(across["complete"], false);
    assert_eq!(across["missing"][0]["kind"], "before_tape");
    assert_eq!(across["missing"][0]["to"], TAPE_FROM);
    assert_eq!(at(&api, TAPE_FROM + 299_999, "").await["complete"], false);
    assert_eq!(at(&api, TAPE_FROM + 300_000, "").await["complete"], true);
}

#[tokio::test]
async fn ten_digits_are_taken_for_seconds_unless_the_tape_reaches_back_there() {
    let database = database().await;
    market(&database).await;
    Seeded::settled(&database, "generic", "OLD", 1_000_000_000, 2_000_000_000).await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.get("/historical?ticker=BTC&ts=1684083600").await;
    assert_eq!(answer.problem()["code"], "bad_parameter");
    assert!(answer.text().contains("1684083600000"), "{}", answer.text());
    assert_eq!(api.json("/historical?ticker=OLD&ts=1684083600").await["state"], "final");
}

#[tokio::test]
async fn now_is_answered_and_a_millisecond_later_is_the_future() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    assert_eq!(at(&api, NOW, "").await["age_ms"], 0);
    let future = format!("/historical?ticker=BTC&ts={}", NOW + 1);
    assert_eq!(api.problem(&future).await, (400, "bad_parameter".to_owned()));
}

#[tokio::test]
async fn a_provisional_figure_beyond_the_newest_data_is_stale_and_a_final_one_never() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW + 60_000);

    assert_eq!(at(&api, MARK + 1_001, "").await["stale"], true);
    assert_eq!(at(&api, MARK + 1_000, "").await["stale"], false);
    assert_eq!(at(&api, SETTLED_UNTIL, "").await["stale"], false);
}

#[tokio::test]
async fn eighteen_decimals_and_large_quantities_stay_exact() {
    let database = database().await;
    let mut dust = Seeded::new(&database, "generic", "DUST").await;
    dust.trade("small", MARK - 20_000, "0.000000000000000001", "0.000000000000000001").await;
    dust.trade("large", MARK - 19_000, "99999999999999", "9999999999999999").await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.json(&format!("/historical?ticker=DUST&ts={}", MARK - 15_500)).await;

    assert_eq!(answer["volume"], "9999999999999999.000000000000000001");
    assert_eq!(answer["notional"], "999999999999989900000000000001.000000000000000000000000000000000001");
}

#[tokio::test]
async fn a_suspect_is_left_out_of_a_provisional_answer_and_said_to_be() {
    let database = database().await;
    let mut bitcoin = market(&database).await;
    let before = bitcoin.sums(MARK - 500, 90_000);
    bitcoin.trade("far", MARK - 1_000, "999999", "5").await;
    bitcoin
        .client
        .execute("update transactions set suspicion = 'price' where tradeid = 'far'", &[])
        .await
        .expect("one");
    let api = Running::standing_at(&database, NOW);
    let at = |ts: i64| format!("/historical?ticker=BTC&ts={ts}&interval=90s");

    let answer = api.json(&at(MARK - 500)).await;

    assert_eq!(answer["source"], "computed");
    assert_eq!((&answer["trades"], &answer["quarantined_trades"]), (&before.trades.into(), &1.into()));
    assert_eq!(answer["volume"], before.volume.to_string());
    assert_eq!(answer["notional"], before.notional.to_string());
    assert_eq!(api.json(&at(MARK - 1_001)).await["quarantined_trades"], 0, "it claims a time after that window");
}
