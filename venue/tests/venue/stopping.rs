//! Starting and stopping.

use std::time::{Duration, Instant};

use venue::{FaultKind, FaultRates, RestMode, StartError, Venue, VenueConfig};

use crate::support::{Heard, Listener, get, get_within, start};

#[tokio::test]
async fn it_stops_at_once_whatever_hangs_and_frees_its_port() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    let port = running.addr().port();
    let mut listener = Listener::connect(&running).await;
    running.set_rest_mode(RestMode::Hang, None);
    let hanging = get_within(&running, "/trades?ticker=BTC", Duration::from_millis(100)).await;
    assert!(hanging.is_none());

    let started = Instant::now();
    running.stop().await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(matches!(listener.hear().await, Heard::End { .. }));
    let again = start(VenueConfig { port, ..VenueConfig::scripted(&["BTC"]) }).await;
    assert_eq!(get(&again, "/trades?ticker=BTC").await.status, 200);
}

#[tokio::test]
async fn a_taken_port_is_named_with_what_to_change() {
    let running = start(VenueConfig::default()).await;
    let config = VenueConfig { port: running.addr().port(), ..VenueConfig::default() };

    let error = Venue::start(config).await.expect_err("taken").to_string();
    assert!(error.contains(&running.addr().to_string()) && error.contains("--port"), "{error}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_is_refused() {
    let mut no_page = VenueConfig::default();
    no_page.rest.page_limit = 0;
    let mut failing = VenueConfig::default();
    failing.rest.fail = 1.5;
    let many_faults = VenueConfig { faults: FaultRates::only(FaultKind::Drop, 2.0), ..VenueConfig::default() };
    let bad_ticker = VenueConfig::scripted(&["B T C"]);
    let fast = VenueConfig::generated(f64::INFINITY, Duration::ZERO);
    for config in [no_page, failing, many_faults, bad_ticker, fast, VenueConfig::recorded("/nowhere/tape.csv")] {
        assert!(Venue::start(config.clone()).await.is_err(), "{config:?}");
    }
    let missing = Venue::start(VenueConfig::recorded("/nowhere/tape.csv")).await;
    assert!(matches!(missing, Err(StartError::Tape(_))));
}
