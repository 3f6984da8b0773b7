//! A market that changes its mind about its past.

use serde_json::{Value, json};
use tape::EpochMs;
use venue::{Change, MarketKind, Revision, RevisionError, Running, VenueConfig};

use crate::support::{EVER, get, post, start, ticker, trade};

async fn told(running: &Running) -> Vec<(String, i64, String, String)> {
    let page = get(running, "/trades?ticker=BTC&startTime=0").await.json();
    let text = |row: &Value, name: &str| row[name].to_string();
    let rows = page.as_array().expect("an array").iter();
    rows.map(|row| {
        let id = row["tradeid"].as_str().expect("an id").to_owned();
        (id, row["ts"].as_i64().expect("a time"), text(row, "price"), text(row, "quantity"))
    })
    .collect()
}

async fn truth(running: &Running) -> String {
    get(running, "/truth/trades?ticker=BTC").await.body
}

async fn revise(running: &Running, body: Value) -> (u16, Value) {
    let answer = post(running, "/control/revise", &body.to_string()).await;
    (answer.status, answer.json())
}

async fn scripted() -> Running {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    for (id, ts) in [("a", 1_000), ("b", 2_000), ("c", 3_000)] {
        assert!(running.publish(trade(id, ts)));
    }
    running
}

#[tokio::test]
async fn an_altered_trade_is_told_with_its_new_values_and_nothing_else_changes() {
    let running = scripted().await;

    let (status, answer) = revise(&running, json!({"ticker": "BTC", "tradeid": "b", "price": "27001.5"})).await;
    assert_eq!(
        (status, &answer["was"]["price"], &answer["now"]["price"]),
        (200, &"27000.12".into(), &"27001.5".into())
    );
    let (status, _) = revise(&running, json!({"ticker": "BTC", "tradeid": "a", "ts": 2_500, "quantity": "0.25"})).await;
    assert_eq!(status, 200);

    let row = |id: &str, ts, price: &str, quantity: &str| (id.to_owned(), ts, price.to_owned(), quantity.to_owned());
    let expected =
        [row("b", 2_000, "27001.5", "0.5"), row("a", 2_500, "27000.12", "0.25"), row("c", 3_000, "27000.12", "0.5")];
    assert_eq!(told(&running).await, expected);
    assert_eq!(
        truth(&running).await,
        "ticker,ts,quantity,price,tradeid\nBTC,2000,0.5,27001.5,b\nBTC,2500,0.25,27000.12,a\nBTC,3000,0.5,27000.12,c\n"
    );
    let window = running.window(&ticker("BTC"), EpochMs::new(2_500), 1_000).expect("known");
    assert_eq!((window.count, window.volume.as_str()), (2, "0.75"));
    assert_eq!(running.state().revisions, 2);
}

#[tokio::test]
async fn a_withdrawn_trade_never_was_and_an_inserted_one_was_all_along() {
    let running = scripted().await;

    let (status, answer) = revise(&running, json!({"ticker": "BTC", "tradeid": "b", "withdraw": true})).await;
    assert_eq!((status, &answer["now"]), (200, &Value::Null));
    let inserted = json!({"ticker": "BTC", "tradeid": "n", "insert": true, "ts": 1_500, "price": "5", "quantity": "1"});
    assert_eq!(revise(&running, inserted).await.0, 200);

    let ids: Vec<String> = told(&running).await.into_iter().map(|row| row.0).collect();
    assert_eq!(ids, ["a", "n", "c"]);
    let held: Vec<_> =
        running.truth(&ticker("BTC"), EVER.0, EVER.1).into_iter().map(|(it, how)| (it, how.as_str())).collect();
    assert_eq!((held[1].0.id.as_str(), held[1].1), ("n", "rest_only"));
}

#[tokio::test]
async fn a_revision_that_cannot_be_is_refused_by_name_and_changes_nothing() {
    let running = scripted().await;
    let before = truth(&running).await;
    let future = running.state().present + 3_600_000;
    for (body, why) in [
        (json!({"tradeid": "b"}), "ticker must be given"),
        (json!({"ticker": "BTC", "tradeid": "b"}), "nothing to change"),
        (json!({"ticker": "BTC", "tradeid": "x", "price": "1"}), "no trade x of BTC"),
        (json!({"ticker": "ETH", "tradeid": "b", "withdraw": true}), "no trade b of ETH"),
        (json!({"ticker": "BTC", "tradeid": "b", "price": "0"}), "positive"),
        (json!({"ticker": "BTC", "tradeid": "b", "price": 27000.1}), "price must be given in digits, as a text"),
        (json!({"ticker": "BTC", "tradeid": "b", "ts": future}), "past that can be revised"),
        (json!({"ticker": "BTC", "tradeid": "b", "withdraw": true, "price": "1"}), "no new values"),
        (json!({"ticker": "BTC", "tradeid": "b", "withdraw": true, "insert": true}), "cannot both"),
        (json!({"ticker": "BTC", "tradeid": "n", "insert": true, "ts": 1}), "needs ts, price and quantity"),
        (
            json!({"ticker": "BTC", "tradeid": "b", "insert": true, "ts": 1, "price": "1", "quantity": "1"}),
            "trade b of BTC already",
        ),
        (json!({"ticker": "BTC", "tradeid": "b", "prise": "1"}), "prise is not known"),
    ] {
        let (status, answer) = revise(&running, body.clone()).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().is_some_and(|error| error.contains(why)), "{body}: {answer}");
    }
    assert_eq!((truth(&running).await, running.state().revisions), (before, 0));
}

#[tokio::test]
async fn a_recorded_market_can_change_its_mind_too_but_not_about_its_future() {
    let folder = tempfile::tempdir().expect("a folder");
    let tape = folder.path().join("tape.csv");
    std::fs::write(&tape, "ticker,ts,quantity,price,tradeid\nBTC,1000,1,10,a\nBTC,2000,1,20,b\n").expect("written");
    let market = MarketKind::Recorded { tape, present: Some(EpochMs::new(5_000)) };
    let running = start(VenueConfig { market, ..VenueConfig::scripted(&[]) }).await;
    let alter = |ts: i64| Revision {
        ticker: ticker("BTC"),
        id: tape::TradeId::new("a").expect("an id"),
        change: Change::Alter { traded_at: Some(EpochMs::new(ts)), price: None, quantity: None },
    };

    assert!(matches!(running.revise(alter(5_001)), Err(RevisionError::NotThePast { .. })));
    let revised = running.revise(alter(3_000)).expect("the past");

    assert_eq!(revised.was.map(|trade| trade.traded_at.ms()), Some(1_000));
    let ids: Vec<String> = told(&running).await.into_iter().map(|row| row.0).collect();
    assert_eq!(ids, ["b", "a"]);
}
