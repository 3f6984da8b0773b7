//! Reading simulated exchanges whose ids have no holes, or have some.

use market::{Anchor, PageError};
use tape::EpochMs;

use crate::market;
use crate::simulated::{Follower, Manner, SETTLE_DELAY, START, Sim, True, lively};

/// Each exchange that is read by ids, in each manner it may have.
const ALL: [(&str, Manner); 10] = [
    ("binance", Manner::Usual),
    ("kraken", Manner::Usual),
    ("kraken", Manner::NeverCut),
    ("kraken", Manner::Inclusive),
    ("coinbase", Manner::Usual),
    ("coinbase", Manner::RefusesAhead),
    ("coinbase", Manner::EmptyAhead),
    ("okx", Manner::Usual),
    ("okx", Manner::RefusesAhead),
    ("okx", Manner::EmptyAhead),
];

/// More than are ever made in one millisecond of these markets.
const PAGE: usize = 230;

fn last_ms(truth: &[True]) -> i64 {
    truth.iter().map(|one| one.told_at.max(one.ms())).max().expect("trades")
}

fn without(truth: Vec<True>, holes: &[std::ops::RangeInclusive<u64>]) -> Vec<True> {
    truth.into_iter().filter(|one| !holes.iter().any(|hole| hole.contains(&one.id))).collect()
}

#[tokio::test]
async fn a_live_market_is_confirmed_whole_though_times_fall_and_rest_lags() {
    for (exchange, manner) in ALL {
        for seed in 0..2 {
            let truth = lively(800, 900, 3_000, seed);
            let sim = Sim::new(exchange, manner, truth.clone());
            // The market is older than the tape: else nobody could know that its first trade is still to be told.
            let from = START + 10_000;
            sim.with(|state| state.now = from);
            let mut follower = Follower::new(&sim, PAGE, from, None);

            follower.follow_until(last_ms(&truth) + SETTLE_DELAY + 2_000, 2_300).await;

            follower.check_from(from);
            assert_eq!(follower.gap_details(), [""; 0], "{exchange} {manner:?} {seed}");
            assert_eq!(follower.rejected, 0);
        }
    }
}

#[tokio::test]
async fn pages_that_end_anywhere_within_a_millisecond_lose_and_double_nothing() {
    for (exchange, manner) in ALL {
        // Bursts of 74, each within one millisecond.
        let truth: Vec<True> = (1..=444u64).map(|id| True::new(id, START + (id / 74).cast_signed() * 40)).collect();
        for page_limit in (100..=200).step_by(if exchange == "binance" { 1 } else { 17 }) {
            let sim = Sim::new(exchange, manner, truth.clone());
            sim.with(|state| state.now = START + 60_000);
            let mut follower = Follower::new(&sim, page_limit, START, None);

            assert!(follower.poll().await.is_empty());

            follower.check_from(START);
            assert_eq!(follower.gap_details(), [""; 0], "{exchange} {manner:?} {page_limit}");
        }
    }
}

#[tokio::test]
async fn it_begins_in_the_middle_of_a_long_history_wherever_that_is() {
    for (exchange, manner) in ALL {
        let truth = lively(4_000, 900, 0, 9);
        let end = last_ms(&truth) + 2 * SETTLE_DELAY;
        for at in [1, 1_999, 3_700] {
            let sim = Sim::new(exchange, manner, truth.clone());
            sim.with(|state| state.now = end);
            let from = truth[at].ms();
            let mut follower = Follower::new(&sim, PAGE, from, None);

            assert!(follower.poll().await.is_empty());

            follower.check_from(from);
            assert_eq!(follower.gap_details(), [""; 0], "{exchange} {manner:?} {at}");
        }
    }
}

#[tokio::test]
async fn it_begins_where_history_begins_or_after_all_of_it() {
    for (exchange, manner) in ALL {
        // What was told before the first ids is gone.
        let truth: Vec<True> = lively(2_000, 0, 0, 3).into_iter().skip(700).collect();
        let (begin, end) = (truth[0].ms(), last_ms(&truth) + 60_000);
        for from in [begin - 5_000, end - 10_000] {
            let sim = Sim::new(exchange, manner, truth.clone());
            sim.with(|state| state.now = end);
            let mut follower = Follower::new(&sim, PAGE, from, None);

            assert!(follower.poll().await.is_empty());

            follower.check_from(from);
            assert_eq!(follower.gap_details(), [""; 0], "{exchange} {manner:?} {from}");
        }
    }
}

#[tokio::test]
async fn after_a_restart_it_goes_on_from_its_anchor() {
    for (exchange, manner) in ALL {
        let truth = lively(2_000, 0, 0, 5);
        let sim = Sim::new(exchange, manner, truth.clone());
        sim.with(|state| state.now = last_ms(&truth) + 2 * SETTLE_DELAY);
        let anchor = truth[1_234];
        let next = truth.iter().find(|one| anchor.ms() < one.ms()).expect("a later one").ms();
        let known = Anchor { id: anchor.id, traded_at: EpochMs::new(anchor.ms()) };
        let mut follower = Follower::new(&sim, PAGE, next, Some(known));

        assert!(follower.poll().await.is_empty());

        follower.check_from(next);
        let questions = sim.with(|state| state.asked.len());
        assert!(questions <= 2 + 2 * 766usize.div_ceil(PAGE - 100), "{exchange}: {questions} questions");
    }
}

#[tokio::test]
async fn holes_are_named_and_everything_else_is_read() {
    for (exchange, manner) in ALL {
        let truth = without(lively(5_000, 0, 0, 7), &[120..=124, 300..=300, 900..=3_900]);
        let sim = Sim::new(exchange, manner, truth.clone());
        sim.with(|state| state.now = last_ms(&truth) + 60_000);
        let mut follower = Follower::new(&sim, PAGE, START, None);

        assert!(follower.poll().await.is_empty(), "{exchange} {manner:?}");

        follower.check_from(START);
        let expected = ["120 to 124", "300 to 300", "900 to 3900"]
            .map(|ids| format!("the exchange's own history lacks the trades {ids}"));
        assert_eq!(follower.gap_details(), expected, "{exchange} {manner:?}");
        for gap in &follower.gaps {
            assert!(gap.from < gap.to, "{gap:?}");
        }
        assert!(sim.with(|state| state.asked.len()) < 300, "{exchange} {manner:?}");
    }
}

#[tokio::test]
async fn a_backlog_longer_than_an_answer_is_read_whole_though_times_fall_where_it_is_cut() {
    for (exchange, manner) in ALL {
        // Each tenth trade is numbered 900 ms after it was made.
        let disordered = |id: u64| START + id.cast_signed() * 30 - if id.is_multiple_of(10) { 900 } else { 0 };
        let truth: Vec<True> = (100..=6_000u64).map(|id| True::new(id, disordered(id))).collect();
        let sim = Sim::new(exchange, manner, truth);
        sim.with(|state| state.now = START + 600_000);
        let mut follower = Follower::new(&sim, 500, START, None);

        assert!(follower.poll().await.is_empty());

        follower.check_from(START);
        assert_eq!(follower.gap_details(), [""; 0], "{exchange} {manner:?}");
    }
}

#[tokio::test]
async fn a_long_hole_far_from_the_end_costs_few_questions() {
    for (exchange, manner) in ALL {
        let ids = (1..=500u64).chain(1_500..=12_000);
        let truth: Vec<True> = ids.map(|id| True::new(id, START + id.cast_signed() * 20)).collect();
        let sim = Sim::new(exchange, manner, truth);
        sim.with(|state| state.now = START + 600_000);
        let mut follower = Follower::new(&sim, 100, START, None);

        assert!(follower.poll().await.is_empty());

        follower.check_from(START);
        assert_eq!(follower.gap_details(), ["the exchange's own history lacks the trades 501 to 1499"]);
        // A page of Kraken's begins with the second before.
        let pages = if exchange == "kraken" { 11_000 / 50 } else { 11_000 / 100 };
        let questions = sim.with(|state| state.asked.len());
        assert!(questions <= pages + 60, "{exchange} {manner:?}: {questions}");
    }
}

#[tokio::test]
async fn a_history_with_few_trades_and_long_holes_is_read_to_its_end() {
    for (exchange, manner) in ALL {
        let ids = (1..=30u64).chain(400..=900);
        let truth: Vec<True> = ids.map(|id| True::new(id, START + id.cast_signed() * 100)).collect();
        let sim = Sim::new(exchange, manner, truth);
        sim.with(|state| state.now = START + 600_000);
        let mut follower = Follower::new(&sim, PAGE, START, None);

        assert!(follower.poll().await.is_empty());

        follower.check_from(START);
        assert_eq!(follower.gaps.len(), 1, "{exchange} {manner:?}: {:?}", follower.gaps);
    }
}

#[tokio::test]
async fn a_hole_in_a_live_market_is_waited_for_and_then_named() {
    for (exchange, manner) in ALL {
        let mut truth: Vec<True> = (1..=400u64).map(|id| True::new(id, START + id.cast_signed() * 100)).collect();
        // One that REST tells four seconds late, when later ones are long told; one it never tells.
        truth[100].told_at += 4_000;
        let truth = without(truth, &[300..=300]);
        let sim = Sim::new(exchange, manner, truth.clone());
        let mut follower = Follower::new(&sim, PAGE, START, None);

        follower.follow_until(START + 60_000, 1_000).await;

        follower.check_from(START);
        assert_eq!(follower.gap_details(), ["the exchange's own history lacks the trades 300 to 300"], "{exchange}");
    }
}

#[tokio::test]
async fn an_answer_older_than_what_was_told_proves_nothing() {
    for (exchange, manner) in ALL {
        let truth = lively(500, 0, 0, 11);
        let sim = Sim::new(exchange, manner, truth.clone());
        let mut follower = Follower::new(&sim, PAGE, START, None);
        let mut refused = 0;
        let mut turn = 0;
        while sim.with(|state| state.now) < last_ms(&truth) + 2 * SETTLE_DELAY {
            turn += 1;
            // Each third answer comes from a copy that is a minute behind.
            sim.with(|state| {
                state.now += 2_000;
                state.behind = if turn % 3 == 0 { 60_000 } else { 0 };
            });
            let errors = follower.poll().await;
            let is_told = |error: &PageError| matches!(error, PageError::Unavailable { words, .. } if words.contains("told before") || words.contains("goes on"));
            assert!(errors.iter().all(is_told), "{exchange}: {errors:?}");
            refused += errors.len();
        }
        sim.with(|state| {
            state.now += 2_000;
            state.behind = 0;
        });
        assert!(follower.poll().await.is_empty());

        follower.check_from(START);
        assert!(0 < refused, "{exchange}: no old answer was noticed");
    }
}

#[tokio::test]
async fn after_a_restart_an_answer_older_than_the_anchor_is_recognized() {
    for (exchange, manner) in ALL {
        let truth: Vec<True> = (1..=300u64).map(|id| True::new(id, START + id.cast_signed() * 1_000)).collect();
        let sim = Sim::new(exchange, manner, truth.clone());
        sim.with(|state| (state.now, state.behind) = (START + 290_500, 60_000));
        let known = Anchor { id: 280, traded_at: EpochMs::new(START + 280_000) };
        let mut follower = Follower::new(&sim, PAGE, START + 281_000, Some(known));

        let errors = follower.poll().await;
        let is_told = |words: &str| words.contains("told before");
        assert!(
            matches!(errors.as_slice(), [PageError::Unavailable { words, .. }] if is_told(words)),
            "{exchange}: {errors:?}"
        );
        assert_eq!(sim.with(|state| state.thoughts), 0, "no second thought is needed");

        sim.with(|state| state.behind = 0);
        follower.follow_until(START + 310_000, 1_000).await;
        follower.check_from(START + 281_000);
    }
}

#[tokio::test]
async fn what_is_told_after_its_moment_was_settled_is_named() {
    for (exchange, manner) in ALL {
        let mut truth: Vec<True> = (1..=100u64).map(|id| True::new(id, START + id.cast_signed() * 1_000)).collect();
        // The market falls silent for 20 s, as far as REST tells, and makes up for it afterwards.
        for one in &mut truth[49..69] {
            one.told_at = START + 70_000;
        }
        let sim = Sim::new(exchange, manner, truth);
        let mut follower = Follower::new(&sim, PAGE, START, None);

        follower.follow_until(START + 120_000, 1_000).await;

        let lost: Vec<u64> = (1..=100).filter(|id| !follower.confirmed.contains_key(id)).collect();
        assert!(!lost.is_empty(), "else there is nothing to name");
        let is_named = |id: &u64| {
            let at = EpochMs::new(START + id.cast_signed() * 1_000);
            follower.gaps.iter().any(|gap| gap.from < at && at <= gap.to)
        };
        assert!(lost.iter().all(is_named), "{exchange}: {lost:?} in {:?}", follower.gaps);
    }
}

#[tokio::test]
async fn a_market_without_a_trade_is_followed_until_it_has_one() {
    for (exchange, manner) in ALL {
        let truth: Vec<True> = (1..=3u64).map(|id| True::new(id, START + 30_000 + id.cast_signed())).collect();
        let sim = Sim::new(exchange, manner, truth);
        let mut follower = Follower::new(&sim, PAGE, START, None);

        follower.follow_until(START + 20_000, 1_000).await;
        assert_eq!(follower.watermark.settled_until(), EpochMs::new(START + 15_000), "{exchange} {manner:?}");
        follower.follow_until(START + 60_000, 1_000).await;

        follower.check_from(START);
    }
}

#[tokio::test]
async fn a_quiet_market_costs_one_question_a_poll() {
    for (exchange, manner) in ALL {
        let truth: Vec<True> = (1..=50u64).map(|id| True::new(id, START + id.cast_signed())).collect();
        let sim = Sim::new(exchange, manner, truth);
        let mut follower = Follower::new(&sim, PAGE, START, None);
        follower.follow_until(START + 10_000, 1_000).await;
        let before = sim.with(|state| state.asked.len());

        follower.follow_until(START + 60_000, 1_000).await;

        assert_eq!(sim.with(|state| state.asked.len()) - before, 50, "{exchange} {manner:?}");
        assert_eq!(sim.with(|state| state.thoughts), 0);
    }
}

#[tokio::test]
async fn a_backfill_takes_about_a_question_a_page() {
    for (exchange, manner) in ALL {
        let truth: Vec<True> = (1..=6_000u64).map(|id| True::new(id, START + id.cast_signed() * 20)).collect();
        let sim = Sim::new(exchange, manner, truth);
        sim.with(|state| state.now = START + 200_000);
        // More than any of them gives at most.
        let mut follower = Follower::new(&sim, 5_000, START, None);

        assert!(follower.poll().await.is_empty());

        follower.check_from(START);
        let questions = sim.with(|state| state.asked.len());
        let gives_at_most = market(exchange).adapter().rest_terms().page_limit;
        assert!(questions <= 6_000 / gives_at_most + 15, "{exchange} {manner:?}: {questions}");
    }
}
