//! Many trades in one millisecond and in one second, on each exchange: no cursor
//! of a time may lose or double one of them, wherever a page ends.

use crate::six::{BTC, follow, holds_the_truth, lively, on_each};
use crate::stage::{PATIENCE, now, number};
use testkit::eventually;

/// More trades in one millisecond than fit on a page, as far as the exchange's paging can follow.
fn crowd(exchange: &str) -> usize {
    match exchange {
        "binance" | "coinbase" | "bitstamp" => 1_300,
        // A page begins at a time: it has to hold a millisecond.
        "kraken" => 900,
        "okx" => 260,
        // The last sixty are all there is.
        _ => 25,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_trades_in_one_millisecond_and_in_one_second_are_neither_lost_nor_doubled() {
    on_each(|exchange| async move {
        let (stage, client) = follow(lively(exchange)).await;

        let crowd = crowd(exchange);
        let at_once = |count: usize| (0..count).map(|at| if at % 3 == 0 { ("101.25", "0.5") } else { ("101.5", "2") });
        let made = stage.venue.make_crowd(BTC, at_once(crowd)).expect("trades");
        assert!(made.iter().all(|trade| trade.traded_at == made[0].traded_at), "{exchange}: one millisecond");
        // A second that holds several crowds; Bybit's must have been asked for in between.
        for _ in 0..3 {
            let next = now().plus_ms(if exchange == "bybit" { 1_500 } else { 150 });
            eventually("the next crowd", PATIENCE, || async { (next <= now()).then_some(()) }).await;
            stage.venue.make_crowd(BTC, at_once(crowd / 3)).expect("trades");
        }

        holds_the_truth(&stage, &client).await;
        // Where REST counts in whole seconds, so does everybody.
        let grain_ms = if exchange == "bitstamp" { 1_000 } else { 1 };
        let crowds = format!("select count(*) from transactions where is_validated group by ticker, ts / {grain_ms}");
        let most = number(&client, &format!("select max(count) from ({crowds}) as crowds")).await;
        assert!(most >= i64::try_from(crowd).expect("few"), "{exchange}: {most} at once");
    })
    .await;
}
