//! Hearing a market that behaves, mostly.

use std::time::Duration;

use futures_util::StreamExt;
use market::{Disconnect, Said};
use tape::{RejectionKind, Ticker};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::scripted_socket::Hearing;
use crate::{soon, until, wire_trade};

#[tokio::test]
async fn a_trade_is_heard_with_its_digits_and_the_time_it_came() {
    let mut hearing = Hearing::start(8, |_| {}).await;
    let mut peer = hearing.accept().await;

    peer.send(r#"{"ticker":"BTC","ts":1684083600123,"quantity":2E-7,"price":"27000.123456789012345678","tradeId":7}"#)
        .await;

    let Said::Trade(heard) = hearing.next().await else { panic!("not a trade") };
    let trade = &heard.trade;
    assert_eq!((trade.ticker.as_str(), trade.id.as_str(), trade.traded_at.ms()), ("BTC", "7", 1_684_083_600_123));
    assert_eq!(
        (trade.price.to_string(), trade.quantity.to_string()),
        ("27000.123456789012345678".into(), "0.0000002".into())
    );
    assert_eq!(hearing.stats.last_trade_at(), Some(heard.received_at));
    assert_eq!(hearing.stats.last_frame_at(), Some(heard.received_at));
    assert!(hearing.stats.is_connected());
    hearing.stop().await;
}

#[tokio::test]
async fn a_refused_frame_is_handed_on_with_its_reason_and_the_next_trade_is_heard() {
    let mut hearing = Hearing::start(8, |_| {}).await;
    let mut peer = hearing.accept().await;

    let zero = wire_trade("a", 1).replace("0.5", "0");
    peer.send(zero.clone()).await;
    peer.send("<html>oops</html>").await;
    peer.send(Message::binary(&b"\xff\xfe\x00"[..])).await;
    peer.send("").await;
    peer.send(wire_trade("b", 2)).await;

    let mut kinds = Vec::new();
    for _ in 0..4 {
        let Said::Rejected { rejection, ticker, frame, .. } = hearing.next().await else { panic!("a trade") };
        assert_eq!(ticker.is_some(), frame == zero);
        assert!(!frame.contains('\0'));
        kinds.push(rejection.kind());
    }
    use RejectionKind::{Malformed, NotPositive};
    assert_eq!(kinds, [NotPositive, Malformed, Malformed, Malformed]);
    assert_eq!(hearing.next_id().await, "b");
    assert_eq!((hearing.stats.frames(), hearing.stats.trades()), (5, 1));
    assert_eq!(hearing.stats.rejected(Malformed), 3);
    hearing.stop().await;
}

#[tokio::test]
async fn a_long_refused_frame_is_kept_shortened() {
    let mut hearing = Hearing::start(8, |_| {}).await;
    let mut peer = hearing.accept().await;

    peer.send("x".repeat(100_000)).await;

    let Said::Rejected { frame, .. } = hearing.next().await else { panic!("a trade") };
    assert_eq!(frame.len(), 4 * 1024);
    hearing.stop().await;
}

#[tokio::test]
async fn pings_are_answered_while_nothing_else_happens() {
    let hearing = Hearing::start(8, |_| {}).await;
    let mut peer = hearing.accept().await;

    peer.send(Message::Ping(Bytes::from_static(b"are you there"))).await;

    let answer = peer.receive().await.expect("an answer");
    assert_eq!(answer, Message::Pong(Bytes::from_static(b"are you there")));
    hearing.stop().await;
}

#[tokio::test]
async fn being_told_to_stop_it_says_goodbye_and_ends() {
    let hearing = Hearing::start(8, |_| {}).await;
    let mut peer = hearing.accept().await;
    let stats = hearing.stats.clone();
    until("connected", || stats.is_connected()).await;

    let (goodbye, ()) = tokio::join!(soon(peer.stream.next()), hearing.stop());

    assert!(matches!(goodbye, Some(Ok(Message::Close(_)))), "{goodbye:?}");
    assert_eq!(stats.disconnects(Disconnect::Stopped), 1);
    assert!(!stats.is_connected());
}

#[tokio::test]
async fn being_told_to_stop_ends_it_also_while_connecting_and_while_waiting_to_reconnect() {
    let connecting = Hearing::start(8, |_| {}).await;
    let _no_handshake = connecting.accept_tcp().await;
    connecting.stop().await;

    let waiting = Hearing::start(8, |settings| {
        settings.first_delay = Duration::from_secs(600);
        settings.longest_delay = Duration::from_secs(600);
    })
    .await;
    drop(waiting.accept_tcp().await);
    let stats = waiting.stats.clone();
    until("refused", || stats.disconnects(Disconnect::Unreachable) == 1).await;
    waiting.stop().await;
}

#[tokio::test]
async fn it_ends_when_nobody_receives_any_more() {
    let mut hearing = Hearing::start(8, |_| {}).await;
    let mut peer = hearing.accept().await;
    hearing.said.close();

    peer.send(wire_trade("a", 1)).await;

    soon(hearing.task).await.expect("no panic");
}

#[tokio::test]
async fn other_tickers_or_none_to_tell_of_them_do_not_disturb_a_socket_that_hears_everything() {
    let mut hearing = Hearing::start(8, |_| {}).await;
    let mut peer = hearing.accept().await;

    let tickers = hearing.tickers.take().expect("a sender");
    tickers.send(vec![Ticker::new("BTC").expect("ticker")]).expect("still watched");
    peer.send(wire_trade("a", 1)).await;
    assert_eq!(hearing.next_id().await, "a");
    drop(tickers);
    peer.send(wire_trade("b", 2)).await;

    assert_eq!(hearing.next_id().await, "b");
    assert_eq!(hearing.stats.connects(), 1);
    hearing.stop().await;
}
