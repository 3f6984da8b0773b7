//! What the socket says and no figure may hold.

use testkit::eventually;
use venue::{Running, TrueTrade, VenueConfig};

use crate::stage::{PATIENCE, Stage, now, number, settled_until};

fn frame(id: &str, ts: i64, price: &str) -> String {
    format!(r#"{{"ticker":"BTC","ts":{ts},"quantity":1,"price":{price},"tradeid":"{id}"}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_no_trades_are_kept_and_counted_and_the_stream_goes_on() {
    let stage = Stage::start(VenueConfig::scripted(&["BTC"]), &[("TICKERS", "BTC"), ("SETTLE_DELAY", "60s")]).await;
    let client = stage.database.client().await;
    let now = now().ms();
    for (said, kind) in [
        ("{".to_owned(), "malformed"),
        ("<html><body>502</body></html>".to_owned(), "malformed"),
        ("[]".to_owned(), "malformed"),
        (frame("zero", now, "0"), "not_positive"),
        (frame("minus", now, "-1"), "not_positive"),
        (frame("text", now, "\"abc\""), "wrong_type"),
        (frame("none", now, "null"), "wrong_type"),
        (frame("deep", now, "0.12345678901234567890123"), "not_exact"),
        (frame("next-year", now + 365 * 86_400_000, "1"), "future"),
        (frame("epoch", 0, "1"), "too_old"),
        (frame("", now, "1"), "no_trade_id"),
        (frame("b", now, "1").replace("\"BTC\"", "\"B C\""), "bad_ticker"),
    ] {
        let sql = format!("select count(*) from rejections where kind = '{kind}' and channel = 'socket'");
        let before = number(&client, &sql).await;
        stage.venue.say(&said);
        eventually(&format!("{said} to be refused as {kind}"), PATIENCE, || async {
            (number(&client, &sql).await == before + 1).then_some(())
        })
        .await;
    }

    stage.venue.say(&frame("good", now, "27000.12"));

    eventually("the good trade", PATIENCE, || async {
        (number(&client, "select count(*) from transactions").await == 1).then_some(())
    })
    .await;
    let counted = "select sum(trades)::bigint from feed_counts where kind like 'rejected_%'";
    assert_eq!(number(&client, counted).await, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_or_altered_copy_never_replaces_what_rest_confirmed() {
    let at = now().minus_ms(2_500);
    let past = |venue: &Running| {
        venue.truth_only(TrueTrade::new("BTC", at.ms(), "100", "1", "a").expect("a trade"));
    };
    let back = [("TICKERS", "BTC"), ("BACKFILL_FROM", "-10s")];
    let stage = Stage::start_after(VenueConfig::scripted(&["BTC"]), &back, past).await;
    let client = stage.database.client().await;
    stage.settled("BTC", at).await;

    stage.venue.say(&frame("a", at.ms(), "999"));
    stage.venue.say(&frame("a", at.ms(), "100"));

    eventually("both copies to be judged", PATIENCE, || async {
        let judged = "select count(*) from feed_faults where kind in ('altered', 'duplicate')";
        (number(&client, judged).await == 2).then_some(())
    })
    .await;
    let row = client.query_one("select price::text, is_validated from transactions", &[]).await.expect("one trade");
    assert_eq!((row.get::<_, &str>(0), row.get::<_, bool>(1)), ("100", true));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_never_moves_the_watermark() {
    let stage = Stage::start(VenueConfig::scripted(&["BTC"]), &[("TICKERS", "BTC"), ("ALLOWED_SKEW", "10s")]).await;
    let client = stage.database.client().await;
    stage.settled("BTC", now()).await;
    let ahead = now().plus_ms(9_000);

    stage.venue.say(&frame("ahead", ahead.ms(), "1"));
    stage.venue.say(&frame("behind", now().minus_ms(60_000).ms(), "1"));

    eventually("both to be taken in", PATIENCE, || async {
        let held = "select (select count(*) from transactions) + (select count(*) from unplaced_trades)";
        (number(&client, held).await == 2).then_some(())
    })
    .await;
    assert!(settled_until(&client, "BTC").await <= now());
    let future = "select count(*) from transactions where is_validated";
    assert_eq!(number(&client, future).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn trades_of_two_tickers_with_one_id_are_two_trades() {
    let stage = Stage::start(VenueConfig::scripted(&["BTC", "ETH"]), &[("TICKERS", "BTC,ETH")]).await;
    let client = stage.database.client().await;
    let at = now();
    for name in ["BTC", "ETH"] {
        stage.venue.publish(TrueTrade::new(name, at.ms(), "100", "1", "same").expect("a trade"));
    }

    stage.settled("BTC", at).await;
    stage.settled("ETH", at).await;

    assert_eq!(number(&client, "select count(*) from transactions where is_validated and tradeid = 'same'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_trade_is_a_phantom_and_in_no_final_figure() {
    let stage = Stage::start(VenueConfig::scripted(&["BTC"]), &[("TICKERS", "BTC")]).await;
    let client = stage.database.client().await;
    stage.settled("BTC", now()).await;
    let at = now();

    stage.venue.say(&frame("ghost", at.ms(), "999"));
    let faults = eventually("a verdict", PATIENCE, || async {
        client.query_opt("select kind, heard_price::text from feed_faults", &[]).await.expect("the ledger")
    })
    .await;
    assert_eq!((faults.get::<_, &str>(0), faults.get::<_, &str>(1)), ("phantom", "999"));
    let said = number(
        &client,
        "select count(*) from vwap_history where provisional_trades = 1 and is_validated and trades = 0",
    );
    assert!(said.await >= 1, "a provisional figure held it, the final one does not");
    assert_eq!(number(&client, "select count(*) from transactions").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn tickers_beyond_the_limit_are_counted_and_not_followed() {
    let market = VenueConfig::scripted(&["BTC", "ETH"]);
    let stage = Stage::start(market, &[("TICKERS", "BTC"), ("MAX_TICKERS", "1")]).await;
    let client = stage.database.client().await;
    stage.settled("BTC", now()).await;

    stage.venue.make_trade("ETH", "100", "1").expect("a trade");

    eventually("the trade to be counted", PATIENCE, || async {
        let (_, metrics) = stage.worker.as_ref()?.get("/metrics").await?;
        metrics.contains("truetape_unfollowed_trades_total{exchange=\"generic\"} 1").then_some(())
    })
    .await;
    assert_eq!(number(&client, "select count(*) from tickers_validation_timestamp").await, 1);
}
