//! `/receipt` and the restatements of a chain, against what Postgres itself
//! makes of the rows.

use reqwest::Method;
use reqwest::header::IF_NONE_MATCH;
use serde_json::{Value, json};
use testkit::database;

use crate::chained::{chain, digest, sha256};
use crate::running::Running;
use crate::seeded::{MARK, NOW, SETTLED_UNTIL, Seeded, TAPE_FROM, market};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

/// The link of a receipt, as Postgres makes it of what the receipt says.
async fn link_of(seeded: &Seeded, receipt: &Value) -> String {
    let chain = &receipt["chain"];
    let line = format!(
        "{} {} {} {} {} {} {} {} {} {} {}\n",
        text(&chain["previous_link"]),
        chain["entry"],
        text(&receipt["exchange"]),
        text(&receipt["ticker"]),
        receipt["interval"],
        receipt["ts"],
        receipt["revision"],
        receipt["trades"],
        text(&receipt["volume"]),
        text(&receipt["notional"]),
        text(&chain["second_digest"])
    );
    sha256(&seeded.client, &line).await
}

#[tokio::test]
async fn a_receipt_says_what_postgres_makes_of_the_trades_of_its_window() {
    let database = database().await;
    let mut bitcoin = market(&database).await;
    // One millisecond, ids that sort differently as numbers, bytes and words.
    for (id, quantity) in [("10", "0.100"), ("9", "1"), ("a", "2"), ("B", "3"), ("é", "0.00000001")] {
        bitcoin.trade(id, MARK - 30_123, "27000.500", quantity).await;
    }
    bitcoin.client.batch_execute("delete from vwap_history; delete from latest_vwap_history").await.expect("deleted");
    bitcoin.figures(MARK - 60_000, MARK + 1_000).await;
    let api = Running::standing_at(&database, NOW);

    for (ts, interval) in
        [(MARK - 20_000, 300_000), (MARK - 30_123, 1), (MARK - 30_124, 1_000), (SETTLED_UNTIL, 86_400_000)]
    {
        let receipt = api.json(&format!("/receipt?ticker=BTC&ts={ts}&interval={interval}")).await;
        let by_postgres = digest(&bitcoin.client, "generic", "BTC", ts - interval, ts).await;
        let algorithm = json!({"algorithm": "sha-256", "form": "truetape-trades-1", "value": by_postgres});
        assert_eq!(receipt["digest"], algorithm, "{ts} {interval}");
        let sums = bitcoin.sums(ts, interval);
        let expected = json!([sums.trades, sums.volume.to_string(), sums.notional.to_string(), "final"]);
        assert_eq!(json!([receipt["trades"], receipt["volume"], receipt["notional"], receipt["state"]]), expected);
        let price = sums.vwap().map(|price| price.to_string());
        assert_eq!(receipt["price"], json!(price));
        assert_eq!(receipt["counted_after"], (ts - interval).max(TAPE_FROM));
        assert_eq!(receipt["complete"], ts - interval >= TAPE_FROM);
        let ends = "select (array_agg(tradeid order by ts, tradeid collate \"C\"))[1],
                (array_agg(tradeid order by ts desc, tradeid collate \"C\" desc))[1]
            from transactions where exchange = 'generic' and ticker = 'BTC' and ts > $1 and ts <= $2";
        let ends = bitcoin.client.query_one(ends, &[&(ts - interval), &ts]).await.expect("two ids");
        let ends: [Option<String>; 2] = [ends.get(0), ends.get(1)];
        assert_eq!(json!([receipt["first"]["tradeid"], receipt["last"]["tradeid"]]), json!(ends));
    }
}

#[tokio::test]
async fn the_seconds_of_a_receipt_are_those_that_hold_a_trade() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);

    // The window opens and closes in the middle of a second.
    let (ts, interval) = (MARK - 10_000, 110_000);
    let receipt = api.json(&format!("/receipt?ticker=BTC&ts={ts}&interval={interval}&detail=seconds")).await;

    let mut expected = Vec::new();
    for mark in [MARK - 120_000, MARK - 30_000, MARK - 10_000] {
        let opens_after = (mark - 1_000).max(ts - interval);
        if mark > ts - interval {
            let by_postgres = digest(&bitcoin.client, "generic", "BTC", opens_after, mark.min(ts)).await;
            expected.push(json!({"ts": mark, "trades": 1, "digest": by_postgres}));
        }
    }
    assert_eq!(receipt["seconds"], json!(expected));
    assert_eq!(api.problem("/receipt?ticker=BTC&ts=1684083580000&interval=2h&detail=seconds").await.0, 400);
    assert_eq!(api.json(&format!("/receipt?ticker=BTC&ts={ts}")).await["seconds"], Value::Null);
}

#[tokio::test]
async fn a_kept_mark_has_its_place_in_the_chain_from_the_genesis_on() {
    let database = database().await;
    let bitcoin = market(&database).await;
    chain(&bitcoin.client, "generic", "BTC").await;
    let api = Running::standing_at(&database, NOW);

    let genesis = sha256(&bitcoin.client, "truetape-chain-1 generic BTC 300000\n").await;
    let mut previous = genesis;
    for (entry, mark) in (1..).zip([MARK - 60_000, MARK - 59_000, MARK - 58_000]) {
        let receipt = api.json(&format!("/receipt?ticker=BTC&ts={mark}")).await;
        let place = &receipt["chain"];
        assert_eq!((&place["entry"], text(&place["previous_link"])), (&json!(entry), previous.as_str()), "{receipt}");
        assert_eq!(text(&place["link"]), link_of(&bitcoin, &receipt).await);
        assert_eq!((&receipt["watermark"], &receipt["unchained"]), (&json!(mark + 321), &Value::Null));
        previous = text(&place["link"]).to_owned();
    }
}

#[tokio::test]
async fn what_has_no_place_in_the_chain_says_why() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    for (query, why) in [
        ("ts=1684083580000", "became final before the chain began"),
        ("ts=1684083579999", "Only the whole seconds of the interval"),
        ("ts=1684083580000&interval=1s", "Only the whole seconds of the interval"),
    ] {
        let receipt = api.json(&format!("/receipt?ticker=BTC&{query}")).await;
        assert_eq!(receipt["chain"], Value::Null);
        assert!(text(&receipt["unchained"]).contains(why), "{receipt}");
    }
}

/// Restates the last of some chained figures after its trade got another price,
/// and makes the mark after it final, as a worker would.
async fn restated_world(bitcoin: &Seeded) -> (i64, String) {
    let client = &bitcoin.client;
    chain(client, "generic", "BTC").await;
    let mark = SETTLED_UNTIL;
    let last =
        "select entry, encode(link, 'hex') from vwap_history where ticker = 'BTC' and exchange = 'generic' and ts = $1";
    let last = client.query_one(last, &[&mark]).await.expect("the last entry");
    let (entry, link): (i64, String) = (last.get(0), last.get(1));
    let old_second = digest(client, "generic", "BTC", mark - 1_000, mark).await;
    let change =
        "update transactions set price = price + 1 where exchange = 'generic' and ticker = 'BTC' and tradeid = 'b5'";
    client.execute(change, &[]).await.expect("changed");
    let second = digest(client, "generic", "BTC", mark - 1_000, mark).await;
    let sums =
        "select count(*), trim_scale(sum(quantity))::text, trim_scale(sum(price * quantity))::text from transactions
        where exchange = 'generic' and ticker = 'BTC' and ts > $1 and ts <= $2";
    let sums = client.query_one(sums, &[&(mark - 300_000), &mark]).await.expect("sums");
    let (trades, volume, notional): (i64, String, String) = (sums.get(0), sums.get(1), sums.get(2));
    let line = format!("{link} {} generic BTC 300000 {mark} 1 {trades} {volume} {notional} {second}\n", entry + 1);
    let restated = sha256(client, &line).await;
    let log = "insert into restatements (exchange, ticker, interval, ts, revision, reason, old_price, old_volume,
            old_notional, old_trades, new_price, new_volume, new_notional, new_trades, restated_at,
            entry, link, previous_link, old_second_digest, new_second_digest)
        select exchange, ticker, interval, ts, 1, 'corrected', price, volume, notional, trades,
            price, volume, $2::text::numeric, trades, ts + 60000, $3, decode($4, 'hex'), link, decode($5, 'hex'), decode($6, 'hex')
        from vwap_history where exchange = 'generic' and ticker = 'BTC' and ts = $1";
    client.execute(log, &[&mark, &notional, &(entry + 1), &restated, &old_second, &second]).await.expect("logged");
    let state = "update vwap_history set notional = $2::text::numeric, revision = 1
        where exchange = 'generic' and ticker = 'BTC' and ts = $1";
    client.execute(state, &[&mark, &notional]).await.expect("restated");
    (entry + 1, restated)
}

#[tokio::test]
async fn a_restated_mark_has_the_place_of_its_restatement_and_the_next_mark_follows_that() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let path = format!("/receipt?ticker=BTC&ts={SETTLED_UNTIL}");
    let before = api.get(&path).await;
    let (entry, restated) = restated_world(&bitcoin).await;

    let receipt = api.json(&path).await;
    assert_eq!((&receipt["state"], &receipt["revision"]), (&json!("restated"), &json!(1)));
    assert_eq!((&receipt["chain"]["entry"], text(&receipt["chain"]["link"])), (&json!(entry), restated.as_str()));
    assert_eq!(text(&receipt["chain"]["link"]), link_of(&bitcoin, &receipt).await);
    let etag = before.header("etag").expect("an ETag").to_owned();
    assert_eq!(api.send(Method::GET, &path, &[(IF_NONE_MATCH, &etag)]).await.status, 200, "it changed");

    let next =
        "update vwap_history set is_validated = true, final_at = ts, confirmed_trades = trades, entry = $1::bigint + 1,
            link = sha256('anything'), final_watermark = ts
        where exchange = 'generic' and ticker = 'BTC' and ts = $2::bigint";
    bitcoin.client.execute(next, &[&entry, &(SETTLED_UNTIL + 1_000)]).await.expect("final");
    let advance = "update tickers_validation_timestamp set validated_until = validated_until + 1000";
    bitcoin.client.execute(advance, &[]).await.expect("advanced");
    let receipt = api.json(&format!("/receipt?ticker=BTC&ts={}", SETTLED_UNTIL + 1_000)).await;
    assert_eq!(text(&receipt["chain"]["previous_link"]), restated, "{receipt}");

    let list = api.json("/receipt/restatements?ticker=BTC").await;
    let found = &list["restatements"][0];
    assert_eq!(
        (&found["entry"], text(&found["link"]), &found["ts"]),
        (&json!(entry), restated.as_str(), &json!(SETTLED_UNTIL))
    );
    assert_ne!(found["old"]["second_digest"], found["new"]["second_digest"]);
    for (query, many) in [
        (format!("after_entry={}&until_entry={entry}", entry - 1), 1),
        (format!("after_entry={entry}"), 0),
        (format!("until_entry={}", entry - 1), 0),
        (format!("from={SETTLED_UNTIL}&to={SETTLED_UNTIL}"), 1),
        (format!("from={}", SETTLED_UNTIL + 1), 0),
    ] {
        let list = api.json(&format!("/receipt/restatements?ticker=BTC&{query}")).await;
        assert_eq!(list["restatements"].as_array().map(Vec::len), Some(many), "{query}");
    }
}

#[tokio::test]
async fn after_a_pause_of_the_chain_the_link_before_is_still_found() {
    let database = database().await;
    let bitcoin = market(&database).await;
    chain(&bitcoin.client, "generic", "BTC").await;
    let unchain = "update vwap_history set entry = null, link = null where ts > $1 and ts < $2";
    let gap: [i64; 2] = [MARK - 40_000, MARK - 30_000];
    bitcoin.client.execute(unchain, &[&gap[0], &gap[1]]).await.expect("a pause");
    let renumber = "update vwap_history set entry = entry - 9 where ts >= $1 and entry is not null";
    bitcoin.client.execute(renumber, &[&gap[1]]).await.expect("numbered on");
    let api = Running::standing_at(&database, NOW);

    let before = api.json(&format!("/receipt?ticker=BTC&ts={}", gap[0])).await;
    let after = api.json(&format!("/receipt?ticker=BTC&ts={}", gap[1])).await;

    assert_eq!(after["chain"]["previous_link"], before["chain"]["link"]);
}

#[tokio::test]
async fn what_is_not_final_yet_says_when_it_is_expected_as_long_as_that_can_be_told() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let answer = api.get(&format!("/receipt?ticker=BTC&ts={MARK}")).await;
    assert_eq!((answer.status.as_u16(), &answer.problem()["code"]), (404, &json!("not_final_yet")));
    // Confirmed up to ten seconds before the mark: ten seconds more.
    let problem = answer.problem();
    assert!(text(&problem["detail"]).contains("expected to be at about 2023-05-14T17:00:11.500Z"), "{problem}");

    let later = Running::standing_at(&database, NOW + 60_000);
    let problem = later.get(&format!("/receipt?ticker=BTC&ts={MARK}")).await.problem();
    assert!(text(&problem["detail"]).contains("not known when"), "{problem}");
}

#[tokio::test]
async fn a_window_whose_trades_are_partly_gone_has_no_receipt_any_more() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let path = format!("/receipt?ticker=BTC&ts={}", MARK - 20_000);
    assert_eq!(api.get(&path).await.status, 200);

    let retain = "update tickers_validation_timestamp set tape_from = $1 where exchange = 'generic';";
    bitcoin.client.execute(retain, &[&(MARK - 120_000)]).await.expect("raised");
    let delete = "delete from transactions where exchange = 'generic' and ts <= $1";
    bitcoin.client.execute(delete, &[&(MARK - 120_000)]).await.expect("gone");

    assert_eq!(api.problem(&path).await, (404, "before_the_tape".to_owned()));
    let shorter = api.json(&format!("{path}&interval=100s")).await;
    assert_eq!((&shorter["trades"], &shorter["complete"]), (&json!(1), &json!(true)));
}

#[tokio::test]
async fn a_receipt_is_cacheable_by_its_etag() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let path = format!("/receipt?ticker=BTC&ts={}", MARK - 20_000);

    let answer = api.get(&path).await;
    let etag = answer.header("etag").expect("an ETag").to_owned();

    assert!(etag.starts_with('"'), "{etag} is strong");
    assert_eq!(api.send(Method::GET, &path, &[(IF_NONE_MATCH, &etag)]).await.status, 304);
}
