//! Every kind of fault as a listener hears it, held against the ledger.

use std::time::{Duration, Instant};

use venue::{Delivery, FaultKind, FaultRates, Running, TrueTrade, VenueConfig};

use crate::support::{DEADLINE, EVER, Heard, Listener, read, start, ticker, trade, until};

/// A market whose socket always lies in one way.
async fn lying(kind: FaultKind) -> (Running, Listener) {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.silence_for = Duration::from_millis(300);
    config.ping_every = Duration::from_millis(40);
    config.faults = FaultRates::only(kind, 1.0);
    let running = start(config).await;
    let listener = Listener::connect(&running).await;
    (running, listener)
}

fn make(running: &Running) -> TrueTrade {
    running.make_trade("BTC", "27000.12", "0.50").expect("a trade")
}

fn make_honestly(running: &Running) -> TrueTrade {
    running.set_faults(FaultRates::NONE).expect("no lies");
    make(running)
}

fn ledger(running: &Running) -> Vec<(FaultKind, String)> {
    let faults = running.faults(Some(&ticker("BTC")), EVER.0, EVER.1);
    faults.into_iter().map(|fault| (fault.kind, fault.id.to_string())).collect()
}

fn deliveries(running: &Running) -> Vec<Delivery> {
    running.truth(&ticker("BTC"), EVER.0, EVER.1).into_iter().map(|(_, delivery)| delivery).collect()
}

#[tokio::test]
async fn a_dropped_trade_is_true_and_never_heard() {
    let (running, mut listener) = lying(FaultKind::Drop).await;
    let dropped = [make(&running), make(&running)];
    let sentinel = make_honestly(&running);

    assert_eq!(listener.text().await, sentinel.json());
    assert_eq!(ledger(&running), dropped.map(|trade| (FaultKind::Drop, trade.id.to_string())));
    let summary = running.summary(None, EVER.0, EVER.1);
    assert_eq!((summary.trades, summary.expected.missing, summary.expected.matched), (3, 2, 1));
    assert_eq!(summary.delivery["dropped"], 2);
}

#[tokio::test]
async fn a_duplicate_is_the_same_frame_again() {
    let (running, mut listener) = lying(FaultKind::Duplicate).await;
    let made = make(&running);

    assert_eq!(listener.texts(2).await, [made.json(), made.json()]);
    until("the copy is in the ledger", || ledger(&running).len() == 1).await;
    let summary = running.summary(None, EVER.0, EVER.1);
    assert_eq!((summary.expected.matched, summary.expected.duplicate, summary.injected["duplicate"]), (1, 1, 1));
}

#[tokio::test]
async fn reordered_frames_are_overtaken_by_later_ones() {
    let (running, mut listener) = lying(FaultKind::Reorder).await;
    running.set_faults(FaultRates::only(FaultKind::Reorder, 0.5)).expect("rates");
    let made: Vec<_> = (0..50).map(|number| trade(&number.to_string(), 1_000)).collect();
    running.publish_all(made.clone());
    let delivered_at_once: Vec<_> = deliveries(&running);

    let heard = listener.trades(made.len()).await;
    let overtaking = made.iter().zip(delivered_at_once).filter(|(_, delivery)| *delivery == Delivery::Heard);
    let overtaking: Vec<_> = overtaking.map(|(trade, _)| trade.clone()).collect();
    assert!((10..40).contains(&overtaking.len()));
    assert_eq!(heard[..overtaking.len()], overtaking);
    until("every frame held is in the ledger", || ledger(&running).len() == 50 - overtaking.len()).await;
    let summary = running.summary(None, EVER.0, EVER.1);
    assert_eq!((summary.expected.matched, summary.expected.late), (50, 0));
}

#[tokio::test]
async fn a_delayed_frame_comes_two_to_five_seconds_late() {
    let (running, mut listener) = lying(FaultKind::Delay).await;
    let made_at = Instant::now();
    let late = make(&running);

    assert_eq!(listener.text().await, late.json());
    let delay = made_at.elapsed();
    assert!(Duration::from_millis(1_990) <= delay && delay < Duration::from_secs(8), "{delay:?}");
    let summary = running.summary(None, EVER.0, EVER.1);
    assert_eq!((summary.expected.matched, summary.expected.late, summary.injected["delay"]), (1, 1, 1));
}

#[tokio::test]
async fn an_altered_frame_has_the_id_of_a_trade_and_another_value() {
    for kind in [FaultKind::AlterPrice, FaultKind::AlterQuantity, FaultKind::AlterTime] {
        let (running, mut listener) = lying(kind).await;
        let made = make(&running).to_trade();

        let said = read(&listener.text().await).expect("a trade").to_trade();
        assert_eq!(said.id, made.id);
        assert_eq!(said.price != made.price, kind == FaultKind::AlterPrice);
        assert_eq!(said.quantity != made.quantity, kind == FaultKind::AlterQuantity);
        assert_eq!(said.traded_at != made.traded_at, kind == FaultKind::AlterTime);
        let summary = running.summary(None, EVER.0, EVER.1);
        assert_eq!((summary.expected.altered, summary.injected[kind.as_str()]), (1, 1));
    }
}

#[tokio::test]
async fn a_phantom_is_heard_beside_the_true_trade_and_is_not_true() {
    let (running, mut listener) = lying(FaultKind::Phantom).await;
    let made = make(&running);

    let heard = listener.trades(2).await;
    assert_eq!(heard[0], made);
    assert_ne!(heard[1].id, made.id);
    assert_eq!(ledger(&running), [(FaultKind::Phantom, heard[1].id.to_string())]);
    let truth = running.truth(&ticker("BTC"), EVER.0, EVER.1);
    assert_eq!(truth, [(made, Delivery::Heard)]);
    assert_eq!(running.summary(None, EVER.0, EVER.1).expected.phantom, 1);
}

#[tokio::test]
async fn frames_that_must_be_refused_are_sent_and_counted_by_kind() {
    for kind in [FaultKind::Malformed, FaultKind::WrongType, FaultKind::Future] {
        let (running, mut listener) = lying(kind).await;
        let count = 50;
        for _ in 0..count {
            make(&running);
        }

        let now = running.state().present;
        for text in listener.texts(count).await {
            let is_future = read(&text).is_some_and(|said| said.traded_at.ms() > now + 3_000_000);
            assert!(is_future || read(&text).is_none(), "{text}");
            assert_eq!(is_future, kind == FaultKind::Future, "{text}");
        }
        let summary = running.summary(None, EVER.0, EVER.1);
        assert_eq!((summary.expected.missing, summary.delivery["rejected"]), (50, 50));
        assert_eq!(summary.expected.rejected.values().sum::<u64>(), 50);
        let sent: Vec<_> = running.faults(None, EVER.0, EVER.1);
        assert!(sent.iter().all(|fault| fault.sent.is_some() && fault.rejection.is_some()));
    }
}

#[tokio::test]
async fn a_silence_swallows_trades_while_pings_go_on() {
    let (running, mut listener) = lying(FaultKind::Silence).await;
    running.publish_all([trade("a", 1_000), trade("b", 1_000)]);
    running.set_faults(FaultRates::NONE).expect("no lies");

    assert_eq!(listener.hear().await, Heard::Ping);
    until("the silence is over", || !running.state().is_silent).await;
    let sentinel = make(&running);
    assert_eq!(listener.text().await, sentinel.json());
    assert_eq!(deliveries(&running), [Delivery::Silenced, Delivery::Silenced, Delivery::Heard]);
    let summary = running.summary(None, EVER.0, EVER.1);
    assert_eq!((summary.injected["silence"], summary.expected.missing), (1, 2));
}

#[tokio::test]
async fn a_cut_delivers_what_was_sent_before_and_ends_without_a_close_frame() {
    let (running, mut listener) = lying(FaultKind::Cut).await;
    running.set_faults(FaultRates::NONE).expect("no lies");
    let before: Vec<_> = (0..2_000).map(|_| make(&running)).collect();
    running.set_faults(FaultRates::only(FaultKind::Cut, 1.0)).expect("rates");
    make(&running);
    make(&running);

    assert_eq!(listener.trades(before.len()).await, before);
    let mut heard = listener.hear().await;
    while heard == Heard::Ping {
        heard = listener.hear().await;
    }
    assert_eq!(heard, Heard::End { with_close_frame: false });
    // Nobody was there to be cut off or to miss the second trade.
    let summary = running.summary(None, EVER.0, EVER.1);
    assert_eq!((summary.injected["cut"], summary.delivery["unheard"]), (1, 2));
    assert_eq!((summary.expected.missing, summary.expected.unheard), (2, 2));

    let mut listener = Listener::connect(&running).await;
    let sentinel = make_honestly(&running);
    assert_eq!(listener.text().await, sentinel.json());
}

#[tokio::test]
async fn everyone_hears_the_same_lies() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.faults = FaultRates::all(0.08).with(FaultKind::Silence, 0.0).with(FaultKind::Cut, 0.0);
    let running = start(config).await;
    let (mut one, mut other) = (Listener::connect(&running).await, Listener::connect(&running).await);
    for _ in 0..300 {
        make(&running);
    }
    until("nothing is held back", || running.state().held == 0).await;

    let frames = usize::try_from(running.state().frames).expect("few");
    assert_eq!(one.texts(frames).await, other.texts(frames).await);
}

#[tokio::test]
async fn the_seed_decides_which_lies_are_told() {
    let mut told = Vec::new();
    for seed in [7, 7, 8] {
        let mut config = VenueConfig::scripted(&["BTC"]);
        (config.seed, config.faults) = (seed, FaultRates::all(0.08).with(FaultKind::Silence, 0.0));
        let running = start(config).await;
        let _listener = Listener::connect(&running).await;
        let trades = (0..100).map(|id| TrueTrade::new("BTC", 1_000, "27000.12", "0.50", &id.to_string()));
        running.publish_all(trades.map(|trade| trade.expect("a trade")));
        told.push(deliveries(&running));
    }

    assert_eq!(told[0], told[1]);
    assert_ne!(told[0], told[2]);
}

#[tokio::test]
async fn a_listener_that_does_not_keep_up_is_sent_away_and_the_others_stay() {
    let mut config = VenueConfig::scripted(&["BTC"]);
    config.queue = 100;
    let running = start(config).await;
    let _deaf = Listener::connect(&running).await;
    let mut listener = Listener::connect(&running).await;

    let filler = "x".repeat(100_000);
    let started = Instant::now();
    while running.state().listeners_too_slow == 0 {
        assert!(started.elapsed() < DEADLINE, "the deaf one is sent away");
        assert_eq!(running.say(&filler).min(1), 1);
        assert_eq!(listener.text().await.len(), filler.len());
    }

    assert_eq!(running.listeners(), 1);
    let made = make(&running);
    assert_eq!(listener.text().await, made.json());
}

#[tokio::test]
async fn a_new_listener_hears_only_what_is_new() {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    make(&running);
    let mut listener = Listener::connect(&running).await;
    let new = make(&running);

    assert_eq!(listener.text().await, new.json());
    assert_eq!(deliveries(&running), [Delivery::Unheard, Delivery::Heard]);
    drop(listener);
    until("the listener's place is given up", || running.listeners() == 0).await;
    assert!(!running.wait_for_listeners(1, Duration::from_millis(10)).await);
}
