//! The figure of all exchanges that trade a ticker, as one.

use serde_json::Value;
use testkit::{TestDatabase, database};
use tokio_postgres::Client;

use crate::running::Running;
use crate::seeded::{MARK, NOW, SETTLED_UNTIL, Seeded, TAPE_FROM};

const PAIR: &str = "BTC/USDT";

/// Trades whose prices and quantities have nothing round about them.
async fn trades(of: &mut Seeded, salt: i64) {
    for index in 0..200_i64 {
        let (price, quantity) =
            (format!("{}.{:07}", 26_900 + salt + index % 13, index * 7_919 + salt), 1 + index + salt);
        let traded_at = MARK - 400_000 + index * 2_000 + index % 7 * 100 + salt;
        of.trade(&format!("t{index}"), traded_at, &price, &format!("0.{quantity:09}")).await;
    }
}

/// One exchange with its figures up to a mark.
pub async fn exchange(database: &TestDatabase, name: &str, salt: i64, until: i64, last: i64) -> Seeded {
    let mut seeded = Seeded::settled(database, name, PAIR, TAPE_FROM, until).await;
    trades(&mut seeded, salt).await;
    seeded.figures(last - 60_000, last).await;
    seeded.bounded(Some("1.25")).await;
    seeded
}

pub async fn two(database: &TestDatabase) -> [Seeded; 2] {
    let binance = exchange(database, "binance", 1, SETTLED_UNTIL, MARK + 1_000).await;
    [binance, exchange(database, "kraken", 37, SETTLED_UNTIL - 7_000, MARK + 1_000).await]
}

pub const LATEST: &str = "/latest?ticker=BTC/USDT";

pub fn historical(ts: i64, more: &str) -> String {
    format!("/historical?ticker=BTC/USDT&ts={ts}{more}")
}

pub fn part<'a>(answer: &'a Value, exchange: &str) -> &'a Value {
    let parts = answer["parts"].as_array().unwrap_or_else(|| panic!("no parts in {answer}"));
    parts.iter().find(|part| part["exchange"] == exchange).unwrap_or_else(|| panic!("no {exchange} in {answer}"))
}

/// What Postgres makes of the trades in a window, over all exchanges: count, volume,
/// notional, and whether a price is their quotient to 24 decimals.
async fn by_postgres(client: &Client, ts: i64, interval: i64, told: &Value) -> (i64, String, String, Option<bool>) {
    let sql = "select count(*), trim_scale(coalesce(sum(quantity), 0))::text,
            trim_scale(coalesce(sum(price * quantity), 0))::text,
            abs(sum(price * quantity) - $4::text::numeric * sum(quantity)) * 2 <= sum(quantity) * 1e-24
        from transactions where ticker = $1 and suspicion is null and ts > $2 and ts <= $3";
    let price = told["price"].as_str();
    let row = client.query_one(sql, &[&PAIR, &(ts - interval), &ts, &price]).await.expect("an answer");
    (row.get(0), row.get(1), row.get(2), row.get(3))
}

pub async fn equals_postgres(client: &Client, answer: &Value) {
    let number = |name: &str| answer[name].as_i64().expect("a number");
    let expected = by_postgres(client, number("ts"), number("interval"), answer).await;
    let text = |name: &str| answer[name].as_str().expect("text").to_owned();
    assert_eq!((number("trades"), text("volume"), text("notional")), (expected.0, expected.1, expected.2), "{answer}");
    assert_ne!(expected.3, Some(false), "{answer}");
}

#[tokio::test]
async fn without_an_exchange_the_sums_of_all_are_added_up_exactly_and_each_is_listed() {
    let database = database().await;
    let [binance, kraken] = two(&database).await;
    exchange(&database, "okx", 501, SETTLED_UNTIL, MARK + 1_000).await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json(LATEST).await;

    equals_postgres(&binance.client, &latest).await;
    let names: Vec<&str> =
        latest["parts"].as_array().expect("parts").iter().filter_map(|part| part["exchange"].as_str()).collect();
    assert_eq!(names, ["binance", "kraken", "okx"]);
    assert_eq!(
        (&latest["exchange"], &latest["ticker"], &latest["ts"]),
        (&Value::Null, &PAIR.into(), &(MARK + 1_000).into())
    );
    for seeded in [("binance", &binance), ("kraken", &kraken)] {
        let (part, sums) = (part(&latest, seeded.0), seeded.1.sums(MARK + 1_000, 300_000));
        assert_eq!(part["volume"], sums.volume.to_string());
        assert_eq!(part["price"], sums.vwap().expect("trades").to_string());
        assert_eq!((&part["newest_mark"], &part["stale"]), (&(MARK + 1_000).into(), &false.into()));
        // It is what the exchange says alone.
        let alone = api.json(&format!("{LATEST}&exchange={}", seeded.0.to_uppercase())).await;
        for name in ["price", "volume", "notional", "trades", "confirmed_trades", "state", "source", "validated_until"]
        {
            assert_eq!(part[name], alone[name], "{name}");
        }
        assert_eq!(part["bound"]["bps"], alone["bound"]["bps"]);
    }
    // Any millisecond, any length, either notation.
    for (ts, more) in [
        (MARK - 17_000, ""),
        (MARK - 17_001, ""),
        (MARK - 3_333, "&interval=90s"),
        (MARK - 90_017, "&interval=1ms"),
        (MARK - 90_000, "&interval=6m"),
        (MARK + 1_499, ""),
    ] {
        equals_postgres(&binance.client, &api.json(&historical(ts, more)).await).await;
    }
    let written = api.json("/historical?ticker=BTC%2FUSDT&ts=2023-05-14T16:59:43Z").await;
    assert_eq!(written, api.json(&historical(MARK - 17_000, "")).await);
    let other = api.get("/latest?ticker=BTC/USDT&exchange=bybit").await;
    assert_eq!((other.status.as_u16(), &other.problem()["code"]), (404, &"unknown_exchange".into()));
}

#[tokio::test]
async fn it_is_final_when_each_part_is_and_provisional_as_long_as_one_is() {
    let database = database().await;
    let [binance, _kraken] = two(&database).await;
    let api = Running::standing_at(&database, NOW);
    let (both, one) = (SETTLED_UNTIL - 7_000, SETTLED_UNTIL);

    for (ts, interval, source) in [(both, "", "stored"), (both, "&interval=1m", "computed"), (both - 1, "", "computed")]
    {
        let done = api.json(&historical(ts, interval)).await;
        assert_eq!(
            (&done["state"], &done["is_validated"], &done["source"]),
            (&"final".into(), &true.into(), &source.into())
        );
        assert_eq!((&done["confirmed_trades"], &done["bound"]), (&done["trades"], &Value::Null));
        assert_eq!((&done["validated_until"], &done["age_ms"]), (&Value::Null, &Value::Null), "it stays the same");
        assert_eq!(part(&done, "kraken")["validated_until"], Value::Null);
        equals_postgres(&binance.client, &done).await;
    }
    for ts in [both + 1, one, one - 1_000] {
        let half = api.json(&historical(ts, "")).await;
        assert_eq!(
            (&half["state"], &half["is_validated"], &half["final_at"]),
            (&"provisional".into(), &false.into(), &Value::Null)
        );
        assert_eq!(
            (&part(&half, "binance")["state"], &part(&half, "kraken")["state"]),
            (&"final".into(), &"provisional".into())
        );
        assert_eq!(half["validated_until"], both);
    }
    let done = api.json(&historical(both, "")).await;
    assert_eq!((&done["revision"], &done["final_at"]), (&0.into(), &(both + 12_000).into()));
    let receipt = part(&done, "kraken")["receipt"].as_str().expect("a receipt").to_owned();
    let receipt = api.json(&receipt).await;
    assert_eq!((&receipt["exchange"], &receipt["volume"]), (&"kraken".into(), &part(&done, "kraken")["volume"]));
    // A restatement of one restates all.
    binance.restate(both, "26000").await;
    let restated = api.json(&historical(both, "")).await;
    assert_eq!(
        (&restated["state"], &restated["revision"], &restated["is_validated"]),
        (&"restated".into(), &1.into(), &true.into())
    );
    assert_ne!(restated["price"], done["price"]);
}

#[tokio::test]
async fn a_final_answer_has_an_etag_that_a_restatement_of_one_part_changes() {
    let database = database().await;
    let [binance, _kraken] = two(&database).await;
    let api = Running::standing_at(&database, NOW);
    let path = historical(SETTLED_UNTIL - 7_000, "");
    let (first, again) = (api.get(&path).await, api.get(&path).await);
    let etag = first.header("etag").expect("it is settled").to_owned();
    assert_eq!((again.header("etag"), first.text()), (Some(etag.as_str()), again.text()));
    assert_eq!(api.get(&historical(SETTLED_UNTIL, "")).await.header("etag"), None);

    binance.restate(SETTLED_UNTIL - 7_000, "26000").await;

    assert_ne!(api.get(&path).await.header("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn the_bound_covers_those_of_all_parts_and_promises_less() {
    let database = database().await;
    two(&database).await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json(LATEST).await;

    let (bound, parts) = (&latest["bound"], ["binance", "kraken"].map(|name| part(&latest, name)["bound"].clone()));
    let number = |value: &Value| value.as_str().expect("digits").parse::<f64>().expect("a number");
    let low = parts.iter().map(|part| number(&part["price_low"])).fold(f64::MAX, f64::min);
    let high = parts.iter().map(|part| number(&part["price_high"])).fold(0.0, f64::max);
    assert_eq!((number(&bound["price_low"]), number(&bound["price_high"])), (low, high));
    assert_eq!((&bound["coverage"], &bound["tail_ms"]), (&"0.98".into(), &18_000.into()));
    assert!(number(&bound["bps"]) > 1.25, "the exchanges' prices lie apart: {bound}");
    // Nothing is said of a part that was summed just now, so nothing of the whole.
    assert_eq!(api.json(&historical(MARK + 1_001, "")).await["bound"], Value::Null);
}

#[tokio::test]
async fn an_exchange_without_a_figure_of_the_moment_shows_and_nothing_is_final() {
    let database = database().await;
    let binance = exchange(&database, "binance", 1, SETTLED_UNTIL, MARK + 1_000).await;
    let begins = MARK - 100_000;
    Seeded::settled(&database, "kraken", PAIR, begins, SETTLED_UNTIL).await;
    let api = Running::standing_at(&database, NOW);

    let before = api.json(&historical(begins, "")).await;

    equals_postgres(&binance.client, &before).await;
    assert_eq!((&before["state"], &before["complete"]), (&"provisional".into(), &false.into()));
    let absent = part(&before, "kraken");
    for name in ["state", "price", "volume", "notional", "trades", "source", "receipt"] {
        assert_eq!(absent[name], Value::Null, "{name}: nothing is known, which is not zero");
    }
    assert_eq!(
        (&before["missing"][0]["kind"], &before["missing"][0]["exchange"]),
        (&"before_tape".into(), &"kraken".into())
    );
    let refused = api.get(&historical(begins, "&min_state=final")).await.problem();
    assert_eq!((&refused["code"], &refused["available"][0]), (&"before_the_tape".into(), &"binance".into()));
    // A window that the tape begins in is final, and says what it lacks.
    let across = api.json(&historical(begins + 1, "")).await;
    assert_eq!((&across["state"], &across["complete"]), (&"final".into(), &false.into()));
    assert_eq!(api.problem(&historical(TAPE_FROM, "")).await, (404, "before_the_tape".to_owned()));
    // The newest: it has none yet, and is not waited for.
    let latest = api.json(LATEST).await;
    assert_eq!(
        (&latest["ts"], &latest["stale"], &part(&latest, "kraken")["newest_mark"]),
        (&(MARK + 1_000).into(), &true.into(), &Value::Null)
    );
    assert_eq!(api.problem(&format!("{LATEST}&min_state=final")).await, (404, "not_final_yet".to_owned()));
}

#[tokio::test]
async fn an_exchange_without_trades_counts_for_nothing_and_is_as_final_as_any() {
    let database = database().await;
    let binance = exchange(&database, "binance", 1, SETTLED_UNTIL, MARK + 1_000).await;
    let quiet = Seeded::new(&database, "kraken", PAIR).await;
    quiet.figures(MARK - 20_000, MARK + 1_000).await;
    let api = Running::standing_at(&database, NOW);

    let done = api.json(&historical(SETTLED_UNTIL, "")).await;

    assert_eq!(done["price"], binance.sums(SETTLED_UNTIL, 300_000).vwap().expect("trades").to_string());
    assert_eq!((&done["state"], &part(&done, "kraken")["state"]), (&"final".into(), &"final".into()));
    assert_eq!((&part(&done, "kraken")["price"], &part(&done, "kraken")["trades"]), (&Value::Null, &0.into()));
}

#[tokio::test]
async fn a_gap_on_one_exchange_shows_in_the_whole_with_its_name() {
    let database = database().await;
    let [_binance, kraken] = two(&database).await;
    kraken.incident("gap", MARK - 200_000, MARK - 190_000, "Ids 7 to 9 were never told.").await;
    let api = Running::standing_at(&database, NOW);

    for path in [LATEST.to_owned(), historical(SETTLED_UNTIL - 7_000, "")] {
        let answer = api.json(&path).await;
        assert_eq!(answer["complete"], false, "{path}");
        let missing = serde_json::json!([{"exchange": "kraken", "kind": "gap", "from": MARK - 200_000, "to": MARK - 190_000, "detail": "Ids 7 to 9 were never told."}]);
        assert_eq!(answer["missing"], missing);
        assert_eq!(
            (&part(&answer, "binance")["complete"], &part(&answer, "kraken")["complete"]),
            (&true.into(), &false.into())
        );
    }
    assert_eq!(api.json(&format!("{LATEST}&exchange=Binance")).await["complete"], true);
    assert_eq!(api.get(&historical(SETTLED_UNTIL - 7_000, "")).await.header("etag"), None, "it may yet be filled");
}

#[tokio::test]
async fn one_exchange_alone_answers_as_ever_with_its_name_and_without_parts() {
    let database = database().await;
    two(&database).await;
    exchange(&database, "okx", 5, SETTLED_UNTIL, MARK + 1_000)
        .await
        .client
        .execute("update tickers_validation_timestamp set ticker = 'ALONE' where exchange = 'okx'", &[])
        .await
        .expect("one");
    let api = Running::standing_at(&database, NOW);

    for name in ["binance", "Binance", "BINANCE"] {
        for path in [format!("{LATEST}&exchange={name}"), historical(SETTLED_UNTIL, &format!("&exchange={name}"))] {
            let answer = api.json(&path).await;
            assert_eq!((&answer["exchange"], &answer["parts"]), (&"binance".into(), &Value::Null), "{path}");
            assert!(answer.as_object().is_some_and(|members| !members.contains_key("parts")));
        }
    }
    let alone = api.json(&format!("/historical?ticker=ALONE&ts={}", MARK - 20_001)).await;
    assert_eq!((&alone["exchange"], &alone["parts"]), (&"okx".into(), &Value::Null));
}

#[tokio::test]
async fn sums_that_no_trades_come_to_are_refused_and_not_wrapped() {
    let database = database().await;
    let [binance, _kraken] = two(&database).await;
    let huge =
        "update vwap_history set notional = power(2::numeric, 256) * 1e-36 - 1 where ticker = 'BTC/USDT' and ts = $1";
    binance.client.execute(huge, &[&(SETTLED_UNTIL - 7_000)]).await.expect("two figures");
    let api = Running::standing_at(&database, NOW);

    let refused = api.problem(&historical(SETTLED_UNTIL - 7_000, "")).await;

    assert_eq!(refused, (503, "database_unfit".to_owned()));
}

#[tokio::test]
async fn the_quality_of_a_ticker_on_several_exchanges_is_that_of_all_together() {
    let database = database().await;
    let [binance, kraken] = two(&database).await;
    for (of, matched) in [(&binance, 95), (&kraken, 40)] {
        of.counted(PAIR, MARK - 60_000, "matched", matched).await;
    }
    kraken.incident("gap", MARK - 200_000, MARK - 190_000, "Ids 7 to 9 were never told.").await;
    let api = Running::standing_at(&database, NOW);

    let all = api.json("/quality?ticker=BTC/USDT").await;
    let one = api.json("/quality?ticker=BTC/USDT&exchange=KRAKEN").await;

    assert_eq!(
        (&all["exchange"], &all["confirmed"], &all["incidents"][0]["exchange"]),
        (&Value::Null, &135.into(), &"kraken".into())
    );
    assert_eq!(
        (&one["exchange"], &one["confirmed"], &one["incidents"][0]["exchange"]),
        (&"kraken".into(), &40.into(), &Value::Null)
    );
    // A series and a receipt are those of one exchange.
    for path in ["/vwap?ticker=BTC/USDT".to_owned(), format!("/receipt?ticker=BTC/USDT&ts={SETTLED_UNTIL}")] {
        assert_eq!(api.problem(&path).await, (400, "ambiguous_exchange".to_owned()));
    }
}
