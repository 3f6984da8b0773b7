//! Reading simulated exchanges that tell their newest trades only.

use tape::EpochMs;

use crate::simulated::{Dice, Follower, Manner, SETTLE_DELAY, START, Sim, True, as_trade};

const NOTHING: [&str; 0] = [];

fn bybit(truth: Vec<True>) -> (Sim, Follower) {
    let sim = Sim::new("bybit", Manner::Usual, truth);
    let follower = Follower::new(&sim, 60, START, None);
    (sim, follower)
}

/// Ids with holes: `per_poll` trades in each second.
fn steady(seconds: i64, per_poll: i64) -> Vec<True> {
    let trade = |number: i64| {
        let (second, within) = (number / per_poll, number % per_poll);
        True::new((1_000 + number * 7).cast_unsigned(), START + second * 1_000 + 1 + within)
    };
    (0..seconds * per_poll).map(trade).collect()
}

#[tokio::test]
async fn windows_that_overlap_by_a_trade_lose_nothing() {
    for per_poll in [1, 10, 59] {
        let (sim, mut follower) = bybit(steady(30, per_poll));

        follower.follow_until(START + 30_000 + 2 * SETTLE_DELAY, 1_000).await;

        follower.check_from(START);
        assert_eq!(follower.gap_details(), NOTHING, "{per_poll}");
        assert_eq!(sim.with(|state| state.asked.len()), 40);
    }
}

#[tokio::test]
async fn windows_that_do_not_overlap_are_named_and_all_they_show_is_confirmed() {
    for (per_poll, lost_each) in [(60, 0), (61, 1), (100, 40)] {
        let (sim, mut follower) = bybit(steady(30, per_poll));

        follower.follow_until(START + 30_000 + 2 * SETTLE_DELAY, 1_000).await;

        let truth = sim.with(|state| state.truth.clone());
        let lost: Vec<i64> =
            truth.iter().filter(|one| !follower.confirmed.contains_key(&one.id)).map(True::ms).collect();
        assert_eq!(lost.len(), usize::try_from(29 * lost_each + lost_each).expect("a count"), "{per_poll}");
        // The first answer holds the first 60, which are not known to be all either.
        assert_eq!(follower.gaps.len(), 30, "{per_poll}: {:?}", follower.gaps);
        for at in lost.into_iter().map(EpochMs::new) {
            let is_named = follower.gaps.iter().any(|gap| gap.from < at && at <= gap.to);
            assert!(is_named, "{per_poll}: {at} in {:?}", follower.gaps);
        }
    }
}

#[tokio::test]
async fn a_trade_told_after_one_with_a_higher_id_is_not_lost() {
    let mut truth = steady(30, 10);
    for one in truth.iter_mut().step_by(13) {
        one.told_at += 3_000;
    }
    let (_, mut follower) = bybit(truth);

    follower.follow_until(START + 30_000 + 2 * SETTLE_DELAY, 1_000).await;

    follower.check_from(START);
    assert_eq!(follower.gap_details(), NOTHING);
}

#[tokio::test]
async fn trades_told_only_after_their_time_was_settled_are_named() {
    for exchange in ["bybit", "bitstamp"] {
        let mut truth = steady(40, 5);
        // REST stands still for a while, much longer than it is waited for, though its clock goes on.
        let is_held_back = |one: &True| (START + 10_000..START + 20_000).contains(&one.ms());
        for one in truth.iter_mut().filter(|one| is_held_back(one)) {
            one.told_at = START + 26_000;
        }
        for one in truth.iter_mut().filter(|one| START + 20_000 <= one.ms()) {
            one.told_at = one.told_at.max(START + 26_000);
        }
        let sim = Sim::new(exchange, Manner::Usual, truth.clone());
        let mut follower = Follower::new(&sim, if exchange == "bybit" { 200 } else { 1_000_000 }, START, None);

        follower.follow_until(START + 40_000 + 2 * SETTLE_DELAY, 1_000).await;

        let lost: Vec<&True> = truth.iter().filter(|one| !follower.confirmed.contains_key(&one.id)).collect();
        assert!(!lost.is_empty(), "{exchange}: some were told too late");
        for at in lost.iter().map(|one| EpochMs::new(one.ms())) {
            let is_named = follower.gaps.iter().any(|gap| gap.from < at && at.floor_to(1_000) <= gap.to);
            assert!(is_named, "{exchange}: {at} in {:?}", follower.gaps);
        }
    }
}

#[tokio::test]
async fn trades_from_before_the_tape_are_not_late_when_they_are_told_later() {
    for exchange in ["bybit", "bitstamp"] {
        let mut truth = steady(40, 5);
        truth.iter_mut().for_each(|one| one.told_at += 3_000);
        let sim = Sim::new(exchange, Manner::Usual, truth);
        sim.with(|state| state.now = START + 20_000);
        let page_limit = if exchange == "bybit" { 60 } else { 1_000_000 };
        let mut follower = Follower::new(&sim, page_limit, START + 20_000, None);

        follower.follow_until(START + 40_000 + 2 * SETTLE_DELAY, 1_000).await;

        assert_eq!(follower.gap_details(), NOTHING, "{exchange}");
    }
}

#[tokio::test]
async fn an_answer_without_what_was_told_before_proves_nothing() {
    for exchange in ["bybit", "bitstamp"] {
        let sim = Sim::new(exchange, Manner::Usual, steady(60, 5));
        let mut follower = Follower::new(&sim, 60, START, None);
        let mut refused = 0;
        for turn in 0..70 {
            sim.with(|state| {
                state.now += 1_000;
                state.behind = if turn % 4 == 3 { 10_000 } else { 0 };
            });
            refused += follower.poll().await.len();
        }
        follower.follow_until(START + 80_000, 1_000).await;

        follower.check_from(START);
        assert_eq!(follower.gap_details(), NOTHING, "{exchange}");
        assert!(10 <= refused, "{exchange}: {refused}");
    }
}

#[tokio::test]
async fn an_answer_that_falls_silent_is_not_taken_for_all_there_is() {
    let (sim, mut follower) = bybit(steady(30, 10));
    follower.follow_until(START + 10_000, 1_000).await;
    // It forgets everything, as after a restart, and tells only what is made afterwards.
    sim.with(|state| state.truth.retain(|one| START + 20_000 < one.ms()));
    let errors = follower.poll().await;
    assert_eq!(errors.len(), 1, "nothing at all is no answer");

    sim.with(|state| state.now = START + 22_000);
    follower.follow_until(START + 45_000, 1_000).await;

    assert_eq!(follower.gaps.len(), 1, "{:?}", follower.gaps);
    assert!(follower.gaps[0].from.ms() < START + 11_000 && START + 20_000 < follower.gaps[0].to.ms());
}

fn bitstamp(truth: Vec<True>) -> (Sim, Follower) {
    let sim = Sim::new("bitstamp", Manner::Usual, truth);
    let mut follower = Follower::new(&sim, 1_000_000, START, None);
    // Two of three were heard on the socket, whose times its adapter tells in whole seconds too.
    let truth = sim.with(|state| state.truth.clone());
    follower.heard = truth
        .iter()
        .filter(|one| !one.id.is_multiple_of(3))
        .map(|one| (one.id, as_trade(one, one.ms() / 1_000 * 1_000)))
        .collect();
    (sim, follower)
}

/// Trades with quiet spells of up to five minutes and ids shared with other pairs.
fn scattered(count: u64, seed: u64) -> Vec<True> {
    let (mut dice, mut ms, mut id) = (Dice(seed), START, 1_000);
    let mut truth = Vec::new();
    for _ in 0..count {
        ms += match dice.below(12) {
            0 => dice.below(300_000).cast_signed(),
            1..6 => 0,
            _ => dice.below(4_000).cast_signed(),
        };
        id += 1 + dice.below(30);
        truth.push(True { told_at: ms + dice.below(3_000).cast_signed(), ..True::new(id, ms) });
    }
    truth
}

fn asked_for(sim: &Sim, span: &str) -> usize {
    sim.with(|state| state.asked.iter().filter(|url| url.ends_with(span)).count())
}

#[tokio::test]
async fn minutes_that_overlap_confirm_a_market_with_quiet_spells_to_the_second() {
    for seed in 0..4 {
        let truth = scattered(400, seed);
        let end = truth.last().expect("a trade").told_at + 20_000;
        let (sim, mut follower) = bitstamp(truth);

        follower.follow_until(end, 10_000).await;

        follower.check_from(START);
        assert_eq!(follower.gap_details(), NOTHING, "{seed}");
        assert_eq!(asked_for(&sim, "minute"), sim.with(|state| state.asked.len()), "a minute always suffices");
    }
}

#[tokio::test]
async fn a_pause_is_made_up_for_from_the_hour_or_the_day() {
    for (pause, span) in [(600_000, "hour"), (7_200_000, "day")] {
        let truth = scattered(1_500, 1);
        let end = truth.last().expect("a trade").told_at + 20_000;
        let (sim, mut follower) = bitstamp(truth);
        follower.follow_until(START + 300_000, 10_000).await;

        sim.with(|state| state.now += pause);
        follower.follow_until(end.max(START + 320_000 + pause), 10_000).await;

        follower.check_from(START);
        assert_eq!(follower.gap_details(), NOTHING, "{span}");
        assert_eq!(asked_for(&sim, span), 1, "{span}");
    }
}

#[tokio::test]
async fn a_pause_longer_than_a_day_leaves_a_gap_that_is_named() {
    let early = scattered(50, 2);
    let resumes_at = START + 100_000_000;
    let late = scattered(50, 3).into_iter().map(|one| True::new(one.id + 1_000_000, one.ms() + 95_000_000));
    let truth: Vec<True> = early.iter().copied().chain(late).collect();
    let (sim, mut follower) = bitstamp(truth.clone());
    let early_end = early.last().expect("a trade").ms() + 20_000;
    follower.follow_until(early_end, 10_000).await;

    // A trade in the pause which nobody can be asked for any more.
    let unseen = True::new(900_000, early_end + 60_000);
    sim.with(|state| {
        state.truth.push(unseen);
        state.now = resumes_at;
    });
    follower.follow_until(resumes_at + 20_000, 10_000).await;

    assert_eq!(follower.gaps.len(), 1, "{:?}", follower.gaps);
    let at = EpochMs::new(unseen.ms());
    assert!(follower.gaps[0].from < at && at <= follower.gaps[0].to, "{:?}", follower.gaps);
    assert!(!follower.confirmed.contains_key(&unseen.id));
    assert!(truth.iter().all(|one| follower.confirmed.contains_key(&one.id)), "all else is confirmed");
}

#[tokio::test]
async fn a_tape_that_begins_within_a_second_has_whole_seconds_only() {
    let truth = vec![True::new(1, START + 300), True::new(2, START + 700), True::new(4, START + 1_200)];
    let sim = Sim::new("bitstamp", Manner::Usual, truth.clone());
    let mut follower = Follower::new(&sim, 1_000_000, START + 500, None);
    follower.heard = truth.iter().map(|one| (one.id, as_trade(one, one.ms() / 1_000 * 1_000))).collect();

    follower.follow_until(START + 20_000, 5_000).await;

    follower.check_from(START + 1_000);
}
