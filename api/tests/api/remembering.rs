//! Which of two answers is held: rules without a server and without a database.

use std::time::{Duration, Instant};

use api::desk::Desk;
use api::memory::{DOUBT, Memory, Read, TRUST};
use api::told::Told;
use api::{Clock, Config};
use store::answers::{Answered, Figure, Standing, Taken};
use store::{Store, StoreConfig};
use tape::{Interval, Sums};
use testkit::{at, eventually, price, quantity, ticker};

const VENUE: &str = "generic";

fn desk() -> Desk {
    let store = Store::connect(&StoreConfig::new("postgres://nobody@127.0.0.1:1/nothing")).expect("a URL");
    Desk::new(store, &Config::from_vars([]).expect("defaults"), Clock::StandingAt(at(9_000)))
}

/// An answer: its mark, whether it is final, the watermark, and its price.
fn answered(mark: i64, is_final: bool, until: i64, paid: &str) -> Answered {
    let sums = Sums::of(price(paid), quantity("1"));
    let standing = Standing {
        venue: VENUE.to_owned(),
        ticker: ticker("BTC"),
        settled_until: at(until),
        tape_from: at(0),
        market_time: None,
        checked_at: None,
        newest_mark: Some(at(mark)),
        time_to_final: None,
    };
    let figure = Figure {
        closes_at: at(mark),
        interval: Interval::DEFAULT,
        price: sums.vwap(),
        sums,
        confirmed_trades: 1,
        quarantined_trades: 0,
        is_final,
        is_kept: true,
        revision: Some(0),
        final_at: None,
        bound: None,
    };
    Answered { standing, figure: Some(figure), gaps: Vec::new(), taken: Taken::NEVER }
}

fn read(answered: &Answered, snapshot: &str, asked_at: Instant) -> Read {
    let told = Told::new(&desk(), answered).expect("a figure");
    Read { told, taken: Taken::read(snapshot).expect("a snapshot"), asked_at }
}

/// The price that is told after an answer was taken in.
fn told(memory: &Memory, answered: &Answered, snapshot: &str, asked_at: Instant) -> String {
    let json = memory.admit(read(answered, snapshot, asked_at)).json(&desk());
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    json["price"].as_str().expect("a price").to_owned()
}

#[test]
fn an_answer_that_was_overtaken_is_not_told_and_a_newer_one_is() {
    let memory = Memory::default();
    let now = Instant::now();
    assert_eq!(told(&memory, &answered(5_000, false, 1_000, "5"), "7:7:", now), "5");

    for (older, snapshot) in [
        (answered(4_000, true, 4_000, "4"), "9:9:"),
        (answered(5_000, false, 0, "4"), "9:9:"),
        (answered(5_000, false, 1_000, "4"), "7:7:6"),
    ] {
        assert_eq!(told(&memory, &older, snapshot, now), "5", "{older:?}");
    }
    for (newer, snapshot, paid) in [
        (answered(5_000, false, 1_000, "6"), "8:8:", "6"),
        (answered(5_000, false, 2_000, "7"), "7:7:", "7"),
        (answered(5_000, true, 5_000, "8"), "7:7:", "8"),
        (answered(6_000, false, 5_000, "9"), "7:7:", "9"),
    ] {
        assert_eq!(told(&memory, &newer, snapshot, now), paid);
    }
}

#[test]
fn what_a_crash_lost_is_held_on_to_for_a_while_and_then_postgres_is_believed() {
    let memory = Memory::default();
    let now = Instant::now();
    assert_eq!(told(&memory, &answered(5_000, false, 1_000, "5"), "7:7:", now), "5");
    let lost = answered(4_000, false, 1_000, "4");

    assert_eq!(told(&memory, &lost, "9:9:", now), "5");
    assert_eq!(told(&memory, &lost, "9:9:", now + DOUBT / 2), "5");
    // Made anew: the doubt is over, and begins again with the next.
    assert_eq!(told(&memory, &answered(5_000, false, 1_000, "5"), "9:9:", now + DOUBT / 2), "5");
    assert_eq!(told(&memory, &lost, "10:10:", now + DOUBT / 2), "5");
    let long_after = Instant::now() + DOUBT + Duration::from_millis(1);
    assert_eq!(told(&memory, &lost, "11:11:", long_after), "4");
}

#[tokio::test]
async fn memory_is_silent_unless_trusted_and_while_somebody_was_told_of_something_newer() {
    let memory = Memory::default();
    let now = Instant::now();
    let find = || memory.find(None, &ticker("BTC")).is_some();
    memory.admit(read(&answered(5_000, false, 1_000, "5"), "7:7:", now));
    assert!(!find(), "nobody vouched for it");

    memory.trust(Instant::now());
    assert!(find() && memory.find(Some("GENERIC"), &ticker("BTC")).is_some());
    assert!(memory.find(Some("other"), &ticker("BTC")).is_none() && memory.find(None, &ticker("ETH")).is_none());
    for newer in [answered(6_000, false, 1_000, "6"), answered(6_000, false, 2_000, "6")] {
        memory.saw(&newer.standing);
        assert!(!find(), "it would go back");
        memory.admit(read(&newer, "8:8:", now));
        assert!(find());
    }

    memory.distrust();
    assert!(!find());
    if let Some(long_ago) = now.checked_sub(TRUST) {
        memory.trust(long_ago);
        assert!(!find(), "what was right a second ago may not be so now");
    }
    memory.trust(Instant::now());
    assert!(find());
    eventually("trust that nobody renews to end", 5 * TRUST, || async { (!find()).then_some(()) }).await;
}

#[test]
fn a_snapshot_of_all_forgets_what_it_does_not_have_unless_it_came_later() {
    let memory = Memory::default();
    let now = Instant::now();
    memory.admit(read(&answered(5_000, false, 1_000, "5"), "7:7:", now));

    memory.admit_many(Vec::new(), &[], Taken::read("6:6:").expect("a snapshot"), true);
    assert_eq!(memory.tickers(), 1);
    memory.admit_many(Vec::new(), &[], Taken::read("8:8:").expect("a snapshot"), false);
    assert_eq!(memory.tickers(), 1);
    memory.admit_many(Vec::new(), &[], Taken::read("8:8:").expect("a snapshot"), true);
    assert_eq!(memory.tickers(), 0);
}

#[test]
fn only_so_many_tickers_are_kept_and_another_is_told_without_being_kept() {
    let memory = Memory::keeping(2);
    let of = |name: &str| {
        let mut answered = answered(5_000, false, 1_000, "5");
        answered.standing.ticker = ticker(name);
        answered
    };
    for name in ["BTC", "ETH", "SOL"] {
        assert_eq!(told(&memory, &of(name), "7:7:", Instant::now()), "5", "{name}");
    }
    memory.trust(Instant::now());

    let kept = ["BTC", "ETH", "SOL"].map(|name| memory.find(None, &ticker(name)).is_some());
    assert_eq!((memory.tickers(), kept), (2, [true, true, false]));
}

#[test]
fn a_ticker_of_two_venues_is_told_of_the_one_that_is_named_and_of_none_when_none_is() {
    let memory = Memory::default();
    memory.admit(read(&answered(5_000, false, 1_000, "5"), "7:7:", Instant::now()));
    let mut second = answered(5_000, false, 1_000, "6");
    second.standing.venue = "second".to_owned();
    memory.admit(read(&second, "7:7:", Instant::now()));
    memory.trust(Instant::now());

    let venue_of = |venue| memory.find(venue, &ticker("BTC")).map(|told| told.standing().venue.clone());
    assert_eq!(venue_of(None), None);
    assert_eq!(venue_of(Some("SECOND")).as_deref(), Some("second"));
    assert_eq!(venue_of(Some(VENUE)).as_deref(), Some(VENUE));
}

#[test]
fn after_the_connection_was_lost_snapshots_may_count_anew() {
    let memory = Memory::default();
    let now = Instant::now();
    assert_eq!(told(&memory, &answered(5_000, false, 1_000, "5"), "900:900:", now), "5");

    // A server that was restored elsewhere counts its transactions from fewer.
    memory.distrust();

    assert_eq!(told(&memory, &answered(5_000, false, 1_000, "6"), "7:7:", now), "6");
}
