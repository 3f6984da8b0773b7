//! Watermarks move forward, and only from where their mover believes them to be.

use store::{Advance, StoreError};
use tape::Watermark;
use testkit::{at, heard, id, ticker, trade};

use crate::scene::{VENUE, scene, through};

fn within(ms: i64, last: &str) -> Watermark {
    Watermark::Within { at: at(ms), last: id(last) }
}

fn step(of: &str, from: Watermark, to: Watermark, market_time: i64) -> Advance {
    Advance { ticker: ticker(of), from, to, market_time: at(market_time), time_to_final: None }
}

#[tokio::test]
async fn a_watermark_comes_back_as_it_went_through_or_within_a_millisecond() {
    let scene = scene().await;
    for (from, to) in [
        (through(0), within(1_000, "a")),
        (within(1_000, "a"), within(1_000, "b")),
        (within(1_000, "b"), through(1_000)),
    ] {
        let txn = scene.begin().await;
        txn.watermarks_advance(&[step("BTC", from, to.clone(), 5_000)], at(6_000)).await.expect("moved");
        txn.commit().await.expect("committed");

        let states = scene.store.watermarks(VENUE).await.expect("read");
        assert_eq!(states[0].watermark, to);
        assert_eq!(states[0].market_time, Some(at(5_000)));
        assert_eq!(states[0].tape_from, at(0));
        assert_eq!(states[1].watermark, through(0), "another ticker's stays");
    }
    assert_eq!(scene.number("select checked_at from tickers_validation_timestamp where ticker = 'BTC'").await, 6_000);
}

#[tokio::test]
async fn a_watermark_that_moved_under_us_undoes_the_whole_transaction() {
    let scene = scene().await;
    scene.advance("BTC", through(0), through(5_000)).await;

    let txn = scene.begin().await;
    txn.trades_insert_heard(&[heard(trade("BTC", "a", 9_000, "1", "1"), 1)]).await.expect("written");
    let steps = [step("ETH", through(0), through(7_000), 1), step("BTC", through(0), through(6_000), 1)];
    let error = txn.watermarks_advance(&steps, at(1)).await.expect_err("BTC is elsewhere");

    assert!(matches!(&error, StoreError::Conflict { ticker, .. } if ticker.as_str() == "BTC"), "{error:?}");
    txn.commit().await.expect_err("it cannot be committed");
    let states = scene.store.watermarks(VENUE).await.expect("read");
    assert_eq!((&states[0].watermark, &states[1].watermark), (&through(5_000), &through(0)));
    assert_eq!(scene.number("select count(*) from transactions").await, 0);
}

#[tokio::test]
async fn a_watermark_within_a_millisecond_is_told_from_one_through_it() {
    let scene = scene().await;
    scene.advance("BTC", through(0), within(1_000, "a")).await;

    for believed in [through(999), within(1_000, "b"), within(1_001, "a")] {
        let txn = scene.begin().await;
        let error =
            txn.watermarks_advance(&[step("BTC", believed, through(2_000), 1)], at(1)).await.expect_err("elsewhere");
        assert!(matches!(error, StoreError::Conflict { .. }));
    }
}

#[tokio::test]
async fn a_watermark_never_goes_back() {
    let scene = scene().await;
    scene.advance("BTC", through(0), through(5_000)).await;

    let txn = scene.begin().await;
    let error =
        txn.watermarks_advance(&[step("BTC", through(5_000), through(4_999), 1)], at(1)).await.expect_err("back");

    assert!(matches!(error, StoreError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn an_answer_with_nothing_new_only_notes_its_time() {
    let scene = scene().await;
    let txn = scene.begin().await;
    txn.watermarks_advance(&[step("BTC", through(0), through(0), 8_000)], at(9_000)).await.expect("noted");
    txn.commit().await.expect("committed");

    let states = scene.store.watermarks(VENUE).await.expect("read");
    assert_eq!((&states[0].watermark, states[0].market_time), (&through(0), Some(at(8_000))));
}

#[tokio::test]
async fn a_ticker_begins_once() {
    let scene = scene().await;
    scene.advance("BTC", through(0), through(5_000)).await;

    let again = [(ticker("XRP"), at(70)), (ticker("BTC"), at(9_000)), (ticker("XRP"), at(71))];
    scene.store.ticker_ensure(VENUE, &again).await.expect("written");
    scene.store.ticker_ensure(VENUE, &again).await.expect("written");

    let states = scene.store.watermarks(VENUE).await.expect("read");
    let watermarks: Vec<_> = states.iter().map(|state| (state.ticker.as_str(), state.watermark.clone())).collect();
    assert_eq!(watermarks, [("BTC", through(5_000)), ("ETH", through(0)), ("XRP", through(70))]);
    assert_eq!(scene.store.watermarks("elsewhere").await.expect("read"), []);
}
