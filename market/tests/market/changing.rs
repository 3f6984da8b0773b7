//! Changing from one connection to another on purpose.

use std::time::{Duration, Instant};

use crate::scripted_socket::Hearing;
use crate::{until, wire_trade};

#[tokio::test]
async fn a_market_that_ends_every_connection_at_once_is_connected_to_at_a_pace() {
    let mut hearing = Hearing::start(64, |settings| {
        settings.lives_for = Some(Duration::from_millis(1));
        settings.good_after = Duration::from_secs(600);
        settings.first_delay = Duration::from_millis(200);
        settings.longest_delay = Duration::from_millis(200);
    })
    .await;
    let mut peers = vec![hearing.accept().await];
    let first_at = Instant::now();

    for number in 0..3 {
        // A trade makes it a good connection; it does not make it a lasting one.
        peers[number].send(wire_trade(&number.to_string(), 1)).await;
        peers.push(hearing.accept().await);
    }

    assert!(Duration::from_millis(300) <= first_at.elapsed(), "{:?} for three changes", first_at.elapsed());
    assert_eq!(hearing.next_id().await, "0", "the old connection is heard meanwhile");
    hearing.stop().await;
}

#[tokio::test]
async fn when_the_new_connection_comes_to_nothing_the_old_one_is_heard_on() {
    let mut hearing = Hearing::start(64, |settings| {
        settings.lives_for = Some(Duration::from_millis(300));
        settings.good_after = Duration::ZERO;
    })
    .await;
    let mut old = hearing.accept().await;
    let mut new = hearing.accept().await;
    new.send(wire_trade("a", 1)).await;
    assert_eq!(hearing.next_id().await, "a");

    new.cut();
    let mut next = hearing.accept().await;
    for id in ["a", "b"] {
        old.send(wire_trade(id, 1)).await;
    }
    assert_eq!(hearing.next_id().await, "b", "what both brought counts once");

    for id in ["b", "c"] {
        next.send(wire_trade(id, 1)).await;
    }
    assert_eq!(hearing.next_id().await, "c");
    let stats = hearing.stats.clone();
    until("all three have been connected", || 3 <= stats.connects()).await;
    hearing.stop().await;
}
