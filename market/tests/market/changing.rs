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

#[tokio::test]
async fn a_connection_in_vain_is_followed_by_a_more_patient_one_although_another_brings_trades() {
    let mut busy = Hearing::start(64, |_| {}).await;
    let mut peer = busy.accept().await;
    let quiet = Hearing::counted_in(busy.stats.clone(), 64, |settings| {
        settings.silence_timeout = Duration::from_millis(100);
    })
    .await;

    let mut silent = vec![quiet.accept().await];
    let first_at = Instant::now();
    for number in 0..3 {
        // While each of them is silent, the other one hears something.
        peer.send(wire_trade(&number.to_string(), 1)).await;
        assert_eq!(busy.next_id().await, number.to_string());
        silent.push(quiet.accept().await);
    }

    assert!(Duration::from_millis(700) <= first_at.elapsed(), "{:?} of silence", first_at.elapsed());
    busy.stop().await;
    quiet.stop().await;
}
