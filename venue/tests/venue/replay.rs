//! A tape that happens again.

use std::io::Write;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;
use venue::{MarketKind, Speed, VenueConfig};

use crate::support::{EVER, Listener, get, start, ticker, until};

fn tape(rows: impl Iterator<Item = (i64, u32)>) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    writeln!(file, "ticker,ts,quantity,price,tradeid").expect("writes");
    for (ts, id) in rows {
        writeln!(file, "BTC,{ts},0.50,27000.10,{id}").expect("writes");
    }
    file
}

#[tokio::test]
async fn a_replay_happens_now_with_the_distances_of_the_tape() {
    let file = tape([(1_000, 1), (31_000, 2), (31_000, 3), (61_000, 4)].into_iter());
    let config = VenueConfig::replay(file.path(), Speed::times(100).expect("a speed"));
    let running = start(config).await;
    until("the tape is over", || running.state().remaining == Some(0)).await;

    let truth = running.truth(&ticker("BTC"), EVER.0, EVER.1);
    let times: Vec<_> = truth.iter().map(|(trade, _)| trade.traded_at.ms_since(truth[0].0.traded_at)).collect();
    assert_eq!(times, [0, 300, 300, 600]);
    // The market goes on, silently.
    let promised = get(&running, "/trades?ticker=BTC").await.complete_until();
    assert!(promised >= truth[3].0.traded_at.ms());
}

#[tokio::test]
async fn at_full_speed_a_listener_hears_the_whole_tape_in_order_and_misses_nothing() {
    let file = tape((0..50_000).map(|number| (1_000 + i64::from(number) / 7, number)));
    let mut config = VenueConfig::replay(file.path(), Speed::Max);
    config.queue = 1_024;
    let running = start(config).await;
    assert_eq!(running.state().remaining, Some(50_000));

    let mut listener = Listener::connect(&running).await;
    let started = Instant::now();
    let heard = listener.trades(50_000).await;
    println!("50,000 frames in {:?}", started.elapsed());
    let ids: Vec<u32> = heard.iter().map(|trade| trade.id.as_str().parse().expect("a number")).collect();
    assert!(ids.into_iter().eq(0..50_000));
    assert_eq!(running.state().listeners_too_slow, 0);
    assert_eq!(running.summary(None, EVER.0, EVER.1).expected.matched, 50_000);
}

#[tokio::test]
async fn a_replay_that_began_before_has_its_beginning_as_past() {
    let file = tape((0..100).map(|number| (1_000 * i64::from(number), number)).skip(1));
    let began = tape::EpochMs::new(0);
    let mut config = VenueConfig::replay(file.path(), Speed::times(1).expect("a speed"));
    config.market = MarketKind::Replay {
        tape: file.path().to_owned(),
        speed: Speed::times(1).expect("one"),
        starts_at: Some(began),
    };
    let running = start(config).await;

    assert_eq!(running.summary(None, EVER.0, EVER.1).delivery["past"], 99);
    assert!(running.wait_for_listeners(0, Duration::ZERO).await);
}
