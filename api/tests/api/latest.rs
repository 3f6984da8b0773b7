//! `GET /latest`.

use std::time::Duration;

use testkit::{database, eventually};

use crate::running::Running;
use crate::seeded::{MARK, NOW, Seeded, market};

#[tokio::test]
async fn the_newest_figure_says_what_it_rests_on() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json("/latest?ticker=BTC").await;

    let sums = bitcoin.sums(MARK + 1_000, 300_000);
    assert_eq!(latest["price"], sums.vwap().expect("trades").to_string());
    assert_eq!(
        (&latest["volume"], &latest["notional"]),
        (&sums.volume.to_string().into(), &sums.notional.to_string().into())
    );
    assert_eq!((&latest["trades"], &latest["confirmed_trades"]), (&5.into(), &4.into()));
    assert_eq!(latest["ts"], MARK + 1_000);
    assert_eq!(latest["time"], "2023-05-14T17:00:01.000Z");
    assert_eq!(latest["state"], "provisional");
    assert_eq!((&latest["age_ms"], &latest["stale"], &latest["complete"]), (&500.into(), &false.into(), &true.into()));
}

#[tokio::test]
async fn an_exchange_is_found_whatever_its_case_and_needed_only_when_there_are_several() {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);

    assert_eq!(api.json("/latest?ticker=BTC").await["exchange"], "generic");
    assert_eq!(api.json("/latest?ticker=ETH&exchange=SECOND").await["exchange"], "second");
    let answer = api.get("/vwap?ticker=ETH").await;
    assert_eq!(answer.problem()["available"], serde_json::json!(["generic", "second"]));
    assert_eq!(answer.problem()["code"], "ambiguous_exchange");
    assert_eq!(api.problem("/latest?ticker=BTC&exchange=second").await, (404, "unknown_ticker".to_owned()));
}

#[tokio::test]
async fn a_figure_that_is_too_old_is_answered_and_called_stale() {
    let database = database().await;
    market(&database).await;
    let fresh = Running::standing_at(&database, MARK + 1_000 + 5_000);
    let stale = Running::standing_at(&database, MARK + 1_000 + 5_001);

    assert_eq!(fresh.json("/latest?ticker=BTC").await["stale"], false);
    let latest = stale.json("/latest?ticker=BTC").await;
    assert_eq!((&latest["stale"], &latest["age_ms"]), (&true.into(), &5_001.into()));
}

#[tokio::test]
async fn new_figures_of_an_exchange_that_confirms_nothing_any_more_are_called_stale() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let confirmed_until = async |instant: i64| {
        let sql = "update tickers_validation_timestamp set validated_until = $1 where ticker = 'BTC'";
        bitcoin.client.execute(sql, &[&instant]).await.expect("an update");
        let api = Running::standing_at(&database, MARK + 1_500);
        let listed = api.json("/tickers").await;
        let is_bitcoin = |one: &&serde_json::Value| one["ticker"] == "BTC";
        let listed = listed["tickers"].as_array().expect("a list").iter().find(is_bitcoin).expect("it").clone();
        let latest = api.json("/latest?ticker=BTC").await;
        assert_eq!(listed["stale"], latest["stale"], "one word means one thing");
        latest["stale"].clone()
    };

    assert_eq!(confirmed_until(MARK + 1_000 - 30_000).await, false);
    assert_eq!(confirmed_until(MARK + 1_000 - 30_001).await, true);

    // Where confirming usually takes so long, it says nothing.
    bitcoin.measured(MARK, 15_000, 16_000, 100).await;
    assert_eq!(confirmed_until(MARK + 1_000 - 32_000).await, false);
    assert_eq!(confirmed_until(MARK + 1_000 - 32_001).await, true);
}

#[tokio::test]
async fn ages_count_from_the_markets_present_when_it_is_not_live() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let a_year_later = NOW + 31_536_000_000;
    let checked = "update tickers_validation_timestamp set market_time = $1, checked_at = $2";
    bitcoin.client.execute(checked, &[&(MARK + 1_000), &(a_year_later - 700)]).await.expect("an update");
    let url = database.url();
    let start = |now_ms| {
        let vars = [("PG_STRING", url.as_str()), ("MARKET_CLOCK", "market")];
        Running::start(&vars, api::Clock::StandingAt(testkit::at(now_ms)))
    };

    let latest = start(a_year_later).json("/latest?ticker=BTC").await;
    assert_eq!((&latest["age_ms"], &latest["stale"]), (&700.into(), &false.into()));
    // Once REST no longer answers, the market's present is presumed to go on.
    assert_eq!(start(a_year_later + 10_000).json("/latest?ticker=BTC").await["stale"], true);
}

#[tokio::test]
async fn a_window_without_trades_has_no_price() {
    let database = database().await;
    let quiet = Seeded::new(&database, "generic", "QUIET").await;
    quiet.figures(MARK, MARK).await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json("/latest?ticker=QUIET").await;

    assert!(latest["price"].is_null());
    assert_eq!((&latest["volume"], &latest["trades"]), (&"0".into(), &0.into()));
    assert_eq!(latest["complete"], true);
}

#[tokio::test]
async fn a_ticker_without_a_figure_says_whether_the_worker_calculates_another_interval() {
    let database = database().await;
    market(&database).await;
    let url = database.url();
    let vars = [("PG_STRING", url.as_str()), ("INTERVAL", "1m")];
    let api = Running::start(&vars, api::Clock::StandingAt(testkit::at(NOW)));

    let answer = api.get("/latest?ticker=BTC").await;

    assert_eq!((answer.status.as_u16(), &answer.problem()["code"]), (404, &"no_figure_yet".into()));
    assert!(answer.text().contains("300000"), "{}", answer.text());
}

#[tokio::test]
async fn an_incident_shows_in_every_window_it_touches_and_in_no_other() {
    let database = database().await;
    let bitcoin = market(&database).await;
    let api = Running::standing_at(&database, NOW);
    let opens_after = MARK + 1_000 - 300_000;

    bitcoin.incident("before", opens_after - 10, opens_after, "It ends on the open edge.").await;
    bitcoin.incident("after", MARK + 1_001, MARK + 2_000, "It begins after the closed edge.").await;
    assert_eq!(api.json("/latest?ticker=BTC").await["complete"], true);

    bitcoin.incident("left", opens_after - 10, opens_after + 1, "It reaches in by a millisecond.").await;
    bitcoin.incident("right", MARK + 1_000, MARK + 2_000, "It begins on the closed edge.").await;
    // From memory it is right as soon as the notification has arrived.
    let latest = eventually("both incidents to show", Duration::from_secs(10), || async {
        let latest = api.json("/latest?ticker=BTC").await;
        latest["missing"].as_array().is_some_and(|missing| missing.len() > 1).then_some(latest)
    })
    .await;
    assert_eq!(latest["complete"], false);
    let kinds: Vec<_> = latest["missing"].as_array().expect("a list").iter().map(|gap| gap["kind"].clone()).collect();
    assert_eq!(kinds, ["left", "right"]);
}
