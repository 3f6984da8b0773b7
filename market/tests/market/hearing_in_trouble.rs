//! Hearing a market that hangs, cuts, floods and garbles.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use market::{Disconnect, Said};
use tape::RejectionKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::scripted_socket::{Hearing, Peer};
use crate::{soon, until, wire_trade};

/// The next connection brings a trade, and it is heard.
async fn assert_hears_again(hearing: &mut Hearing, id: &str) -> Peer {
    let mut peer = hearing.accept().await;
    peer.send(wire_trade(id, 1)).await;
    assert_eq!(hearing.next_id().await, id);
    peer
}

#[tokio::test]
async fn a_socket_that_is_entirely_silent_is_pinged_and_then_given_up() {
    let mut hearing = Hearing::start(8, |settings| {
        settings.ping_after = Duration::from_millis(200);
        settings.ping_timeout = Duration::from_millis(1_000);
    })
    .await;
    let tcp = hearing.accept_tcp().await;
    let silent = Peer { stream: soon(tokio_tungstenite::accept_async(tcp)).await.expect("a handshake") };
    // Nothing is read from it, so that the ping is never answered.
    let mut next = assert_hears_again(&mut hearing, "a").await;

    assert_eq!(hearing.stats.disconnects(Disconnect::Silent), 1);
    let mut silent = silent;
    assert!(matches!(silent.receive().await, Some(Message::Ping(_))));
    drop(silent);
    next.send(wire_trade("b", 2)).await;
    assert_eq!(hearing.next_id().await, "b");
    assert_eq!(hearing.stats.connects(), 2);
    hearing.stop().await;
}

#[tokio::test]
async fn a_socket_that_answers_pings_but_brings_no_trades_is_given_up() {
    let mut hearing = Hearing::start(64, |settings| {
        settings.ping_after = Duration::from_millis(20);
        settings.ping_timeout = Duration::from_secs(10);
        settings.silence_timeout = Duration::from_millis(800);
    })
    .await;
    let mut lively = hearing.accept().await;
    lively.send(wire_trade("a", 1)).await;
    lively.send(r#"{"event":"heartbeat"}"#).await;
    // Reading answers the pings.
    lively.wait_until_left().await;

    assert_eq!(hearing.next_id().await, "a");
    assert!(matches!(hearing.next().await, Said::Rejected { .. }));
    assert_eq!(hearing.stats.disconnects(Disconnect::NoTrades), 1);
    assert_hears_again(&mut hearing, "b").await;
    hearing.stop().await;
}

#[tokio::test]
async fn a_market_that_is_merely_quiet_is_left_in_peace_for_longer_each_time_until_it_trades() {
    let mut hearing = Hearing::start(64, |settings| settings.silence_timeout = Duration::from_millis(300)).await;
    let mut lasted = Vec::new();
    for _ in 0..3 {
        let mut quiet = hearing.accept().await;
        let began = Instant::now();
        quiet.wait_until_left().await;
        lasted.push(began.elapsed());
    }
    let at_least = [300, 600, 1_200].map(|ms| Duration::from_millis(ms - 50));
    assert!(lasted.iter().zip(at_least).all(|(lasted, least)| least <= *lasted), "{lasted:?}");

    // A trade, and it is watched as closely as ever.
    let mut lively = assert_hears_again(&mut hearing, "a").await;
    let began = Instant::now();
    lively.wait_until_left().await;
    assert!(began.elapsed() < Duration::from_millis(2_000), "{:?}", began.elapsed());
    assert_eq!(hearing.stats.disconnects(Disconnect::NoTrades), 4);
    hearing.stop().await;
}

#[tokio::test]
async fn a_server_that_accepts_and_never_speaks_is_given_up_in_time() {
    let mut hearing = Hearing::start(8, |settings| settings.connect_timeout = Duration::from_millis(600)).await;
    let _half_open = hearing.accept_tcp().await;

    assert_hears_again(&mut hearing, "a").await;
    assert_eq!(hearing.stats.disconnects(Disconnect::Unreachable), 1);
    hearing.stop().await;
}

#[tokio::test]
async fn a_cut_connection_is_made_anew_and_its_end_does_not_touch_the_new_one() {
    let mut hearing = Hearing::start(8, |_| {}).await;
    for round in 0..5 {
        let peer = assert_hears_again(&mut hearing, &format!("trade-{round}")).await;
        peer.cut();
    }
    let mut last = assert_hears_again(&mut hearing, "last").await;

    last.send(wire_trade("more", 3)).await;
    assert_eq!(hearing.next_id().await, "more");
    assert_eq!(hearing.stats.connects(), 6);
    assert_eq!(hearing.stats.disconnects(Disconnect::Cut), 5);
    assert!(hearing.stats.is_connected());
    hearing.stop().await;
}

#[tokio::test]
async fn a_goodbye_is_answered_and_the_connection_made_anew() {
    let mut hearing = Hearing::start(8, |_| {}).await;
    let mut peer = hearing.accept().await;

    let restart = CloseFrame { code: CloseCode::Restart, reason: "back soon".into() };
    soon(peer.stream.close(Some(restart))).await.expect("sent");

    assert!(matches!(soon(peer.stream.next()).await, Some(Ok(Message::Close(_)))));
    assert_hears_again(&mut hearing, "a").await;
    assert_eq!(hearing.stats.disconnects(Disconnect::Closed), 1);
    hearing.stop().await;
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_unread_and_the_connection_made_anew() {
    for fragments in [1, 4] {
        let mut hearing = Hearing::start(8, |settings| settings.message_limit = 1_000).await;
        let mut peer = hearing.accept().await;
        send_in_fragments(&mut peer, 2_000, fragments).await;

        let Said::Rejected { rejection, frame, .. } = hearing.next().await else { panic!("a trade") };
        assert_eq!(rejection.kind(), RejectionKind::Oversized);
        assert!(frame.is_empty());
        assert_hears_again(&mut hearing, "a").await;
        assert_eq!(hearing.stats.disconnects(Disconnect::Oversized), 1);
        hearing.stop().await;
    }
}

async fn send_in_fragments(peer: &mut Peer, bytes: usize, fragments: usize) {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
    for index in 0..fragments {
        let kind = if index == 0 { Data::Text } else { Data::Continue };
        let payload = Bytes::from(vec![b'x'; bytes / fragments]);
        let frame = Frame::message(payload, OpCode::Data(kind), index + 1 == fragments);
        // It may be gone before it has been sent everything.
        let _ = soon(peer.stream.send(Message::Frame(frame))).await;
    }
}

#[tokio::test]
async fn bytes_that_are_no_web_socket_frames_end_the_connection_and_nothing_else() {
    let garbage: [&[u8]; 4] = [
        // A control frame of a kind that does not exist.
        b"\x8f\x00",
        b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 100\r\n\r\n",
        // A text frame of two bytes that are not UTF-8.
        b"\x81\x02\xc3\x28",
        // A masked frame, which no server may send.
        b"\x81\x81\x00\x00\x00\x00x",
    ];
    let mut hearing = Hearing::start(64, |_| {}).await;
    for (round, bytes) in garbage.into_iter().enumerate() {
        let mut peer = hearing.accept().await;
        soon(peer.stream.get_mut().write_all(bytes)).await.expect("sent");
        until(&format!("garbled in round {round}"), || hearing.stats.disconnects(Disconnect::Garbled) > round as u64)
            .await;
    }

    let Said::Rejected { rejection, .. } = hearing.next().await else { panic!("a trade") };
    assert_eq!(rejection.kind(), RejectionKind::Malformed);
    assert_hears_again(&mut hearing, "a").await;
    hearing.stop().await;
}

#[tokio::test]
async fn with_a_full_queue_trades_are_dropped_and_counted_and_the_reader_goes_on() {
    const SENT: u64 = 5_000;
    let mut hearing = Hearing::start(10, |_| {}).await;
    let mut peer = hearing.accept().await;

    for index in 0..SENT {
        let trade = wire_trade(&index.to_string(), 1);
        soon(peer.stream.feed(Message::text(trade))).await.expect("taken");
    }
    soon(peer.stream.flush()).await.expect("sent");
    // Nobody receives, and yet everything is read and a ping is answered.
    peer.send(Message::Ping(Bytes::new())).await;
    assert!(matches!(peer.receive().await, Some(Message::Pong(_))));

    assert_eq!((hearing.stats.trades(), hearing.stats.dropped()), (SENT, SENT - 10));
    for expected in 0..10 {
        assert_eq!(hearing.next_id().await, expected.to_string());
    }
    peer.send(wire_trade("room-again", 1)).await;
    assert_eq!(hearing.next_id().await, "room-again");
    hearing.stop().await;
}

#[tokio::test]
async fn connections_that_bring_nothing_are_made_ever_more_slowly_until_one_is_good() {
    let mut hearing = Hearing::start(8, |settings| {
        settings.first_delay = Duration::from_millis(60);
        settings.longest_delay = Duration::from_secs(60);
    })
    .await;
    let start = Instant::now();
    for _ in 0..6 {
        hearing.accept().await.cut();
    }
    // Six delays of at least half the first one.
    let mut peer = assert_hears_again(&mut hearing, "a").await;
    assert!(Duration::from_millis(180) <= start.elapsed());
    peer.send(wire_trade("b", 1)).await;
    assert_eq!(hearing.next_id().await, "b");

    peer.cut();
    let after_a_good_one = Instant::now();
    assert_hears_again(&mut hearing, "c").await;

    // Started over: at most the first delay, and not up to 64 times as long.
    assert!(after_a_good_one.elapsed() < Duration::from_millis(1_900), "{:?}", after_a_good_one.elapsed());
    hearing.stop().await;
}

#[tokio::test]
async fn a_refused_handshake_is_tried_again_no_sooner_than_asked() {
    let mut hearing = Hearing::start(8, |_| {}).await;
    let mut tcp = hearing.accept_tcp().await;
    let mut request = [0; 1_024];
    let _ = soon(tcp.read(&mut request)).await.expect("a request");
    let answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    soon(tcp.write_all(answer.as_bytes())).await.expect("sent");
    let refused_at = Instant::now();

    assert_hears_again(&mut hearing, "a").await;

    assert!(Duration::from_millis(950) <= refused_at.elapsed(), "{:?}", refused_at.elapsed());
    hearing.stop().await;
}

#[tokio::test]
async fn there_is_never_more_than_one_connection() {
    let mut hearing = Hearing::start(64, |settings| settings.silence_timeout = Duration::from_millis(600)).await;
    for round in 0..4 {
        let mut peer = assert_hears_again(&mut hearing, &round.to_string()).await;
        // It was left for its silence, and before that nobody else came.
        let no_other = tokio::select! {
            biased;
            _ = hearing.listener.accept() => false,
            () = peer.wait_until_left() => true,
        };
        assert!(no_other);
    }
    hearing.stop().await;
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_is_unreachable_over_tls() {
    let hearing = Hearing::start(8, |settings| settings.url.set_scheme("wss").expect("a scheme")).await;
    let answer_in_plain = async {
        loop {
            let mut tcp = hearing.accept_tcp().await;
            // It may be gone already: where the system has no certificates it never begins.
            let _ = tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    };

    tokio::select! {
        () = answer_in_plain => {}
        () = until("tried twice", || hearing.stats.disconnects(Disconnect::Unreachable) >= 2) => {}
    }

    assert_eq!(hearing.stats.connects(), 0);
    hearing.stop().await;
}
