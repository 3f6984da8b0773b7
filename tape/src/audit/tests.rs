//! What a second reading finds, held against readings told in plain numbers.

use super::*;
use crate::reconcile::tests::trade;

const PATIENCE: Patience =
    Patience { settle_delay_ms: 1_000, allowed_skew_ms: 500, longest_step_ms: 100_000, listening_since: None };

fn at(ms: i64) -> EpochMs {
    EpochMs::new(ms)
}

fn page(trades: Vec<Trade>) -> Page {
    let latest_row_at = trades.iter().map(|trade| trade.traded_at).max();
    Page { trades, latest_row_at, is_full: true, ..Page::empty_at(at(90_000)) }
}

fn held(trades: Vec<Trade>) -> Holdings {
    let standing = Standing::Confirmed { was_heard: true };
    let trades = trades.into_iter().map(|trade| Known { trade, standing }).collect();
    Holdings { tape_from: at(0), settled_until: at(50_000), trades }
}

fn findings(told: Vec<Trade>, held: &Holdings) -> Vec<Finding> {
    let page = page(told);
    let span = Span::told_by(&page, at(1_000), held.settled_until, PATIENCE);
    audit(&page, span, false, held).findings
}

#[test]
fn what_rest_tells_as_it_did_is_no_finding_and_counts_as_read_again() {
    let trades = vec![trade("a", 1_000, "1"), trade("b", 2_000, "2"), trade("z", 60_000, "9")];
    let held = held(trades[..2].to_vec());
    let page = page(trades);
    let span = Span::told_by(&page, at(1_000), held.settled_until, PATIENCE);

    let audit = audit(&page, span, false, &held);

    assert_eq!(audit, Audit { agreed: vec![at(1_000), at(2_000)], findings: vec![] });
}

#[test]
fn other_values_and_another_time_are_an_alteration() {
    let now = vec![trade("a", 1_000, "1.5"), trade("b", 2_500, "2"), trade("c", 9_000, "3")];
    let was = vec![trade("a", 1_000, "1"), trade("b", 40_000, "2"), trade("c", 9_000, "3")];

    let found = findings(now.clone(), &held(was.clone()));

    let altered = |index: usize| Finding::Altered { was: was[index].clone(), now: now[index].clone() };
    assert_eq!(found, [altered(0), altered(1)]);
}

#[test]
fn a_trade_we_do_not_hold_was_added_and_one_only_heard_too() {
    let mut holdings = held(vec![trade("b", 9_000, "3")]);
    let standing = Standing::Heard { received_at: at(55_000), suspicion: None };
    holdings.trades.push(Known { trade: trade("h", 55_000, "4"), standing });
    let told = vec![trade("n", 2_000, "2"), trade("h", 3_000, "4"), trade("b", 9_000, "3")];

    let found = findings(told.clone(), &holdings);

    assert_eq!(found, [Finding::Added { now: told[0].clone() }, Finding::Added { now: told[1].clone() }]);
}

#[test]
fn only_a_later_row_proves_that_a_trade_is_gone() {
    let holdings = held(vec![trade("a", 2_000, "1"), trade("b", 3_000, "1"), trade("c", 3_001, "1")]);

    let up_to_its_millisecond = findings(vec![trade("z", 3_000, "9")], &holdings);
    let (added, gone) = (trade("z", 3_000, "9"), trade("a", 2_000, "1"));
    assert_eq!(up_to_its_millisecond, [Finding::Added { now: added }, Finding::Withdrawn { was: gone }]);
    let beyond = findings(vec![trade("z", 60_000, "9")], &holdings);
    assert_eq!(beyond.len(), 3, "{beyond:?}");
    assert_eq!(findings(vec![], &holdings), [], "an answer without rows proves nothing");
}

#[test]
fn what_was_not_settled_when_rest_answered_is_not_missed() {
    let holdings = held(vec![trade("a", 40_000, "1")]);
    let mut early = page(vec![trade("z", 60_000, "9")]);
    early.market_time = at(40_999);

    let span = Span::told_by(&early, at(1_000), holdings.settled_until, PATIENCE);

    assert_eq!(span, Some(Span { after: at(999), until: at(39_999) }));
    assert!(audit(&early, span, false, &holdings).findings.is_empty());
}

#[test]
fn a_refused_row_may_be_the_trade_that_seems_to_be_gone() {
    let holdings = held(vec![trade("a", 2_000, "1")]);
    let page = page(vec![trade("z", 60_000, "9")]);
    let span = Span::told_by(&page, at(1_000), holdings.settled_until, PATIENCE);

    assert_eq!(audit(&page, span, false, &holdings).findings.len(), 1);
    assert_eq!(audit(&page, span, true, &holdings).findings, []);
}

#[test]
fn a_trade_that_moved_beyond_the_watermark_is_withdrawn_here() {
    let holdings = held(vec![trade("a", 2_000, "1")]);

    let found = findings(vec![trade("a", 55_000, "1"), trade("z", 60_000, "9")], &holdings);

    assert_eq!(found, [Finding::Withdrawn { was: trade("a", 2_000, "1") }]);
}

#[test]
fn what_lies_before_the_tape_is_not_missed_there() {
    let holdings = Holdings { tape_from: at(5_000), ..held(vec![trade("b", 9_000, "3")]) };

    assert_eq!(findings(vec![trade("old", 5_000, "1"), trade("b", 9_000, "3")], &holdings), []);
}

#[test]
fn a_finding_counts_when_a_second_reading_says_the_same() {
    let (a, b) = (Finding::Added { now: trade("a", 1, "1") }, Finding::Added { now: trade("b", 1, "1") });
    let other = Finding::Added { now: trade("a", 1, "2") };

    assert_eq!(agreed_on(&[a.clone(), b.clone()], std::slice::from_ref(&b)), std::slice::from_ref(&b));
    assert_eq!(agreed_on(&[a, b], &[other]), []);
}

#[test]
fn a_finding_falls_when_the_trade_is_held_otherwise_by_now() {
    let was = trade("a", 2_000, "1");
    let altered = Finding::Altered { was: was.clone(), now: trade("a", 2_000, "2") };

    assert!(still_stands(&altered, &held(vec![was.clone()])));
    assert!(!still_stands(&altered, &held(vec![trade("a", 2_000, "2")])), "it is corrected already");
    assert!(!still_stands(&altered, &held(vec![])));
    assert!(!still_stands(&Finding::Added { now: was.clone() }, &held(vec![was.clone()])));
    let retained = Holdings { tape_from: at(2_000), ..held(vec![was]) };
    assert!(!still_stands(&altered, &retained));
}

#[test]
fn a_finding_stands_on_what_is_confirmed_and_not_on_what_else_is_held() {
    let (was, other) = (trade("a", 2_000, "1"), trade("b", 3_000, "9"));
    let mut among_others = held(vec![other, was.clone()]);
    assert!(still_stands(&Finding::Withdrawn { was: was.clone() }, &among_others));

    for known in &mut among_others.trades {
        known.standing = Standing::Heard { received_at: at(2_500), suspicion: None };
    }
    assert!(still_stands(&Finding::Added { now: was.clone() }, &among_others), "it was only heard");
    assert!(!still_stands(&Finding::Withdrawn { was }, &among_others));
}

#[test]
fn a_trade_is_put_only_where_the_tape_is_kept_and_settled() {
    let holdings = Holdings { tape_from: at(1_000), settled_until: at(5_000), ..held(vec![]) };
    let stands = |ms: i64| still_stands(&Finding::Added { now: trade("a", ms, "1") }, &holdings);

    assert_eq!([1_000, 1_001, 5_000, 5_001].map(stands), [false, true, true, false]);
}

#[test]
fn a_span_begins_after_its_first_instant_and_holds_at_least_one() {
    let told_by_a_row_at = |ms: i64| Span::told_by(&page(vec![trade("z", ms, "9")]), at(1_000), at(50_000), PATIENCE);

    assert_eq!(told_by_a_row_at(1_000), None, "it tells nothing of its own millisecond");
    let span = told_by_a_row_at(1_002).expect("two milliseconds");
    assert_eq!([999, 1_000, 1_001, 1_002].map(|ms| span.contains(at(ms))), [false, true, true, false]);
}

#[test]
fn findings_are_named_by_their_kind_and_told_in_a_clause() {
    assert_eq!(FindingKind::ALL.map(FindingKind::as_str), ["altered", "added", "withdrawn"]);

    let now = trade("a", 2_000, "1.5");
    assert_eq!(Finding::Added { now: now.clone() }.to_string(), "the exchange added trade a, 1.5 x 1 at 2000");
    assert_eq!(Finding::Withdrawn { was: now }.to_string(), "the exchange withdrew trade a, 1.5 x 1 at 2000");
}

#[test]
fn the_marks_of_a_finding_are_those_whose_window_holds_it() {
    let marks = |finding: &Finding| -> Vec<(i64, i64)> {
        finding.marks(5).map(|(first, last)| (first.at().ms(), last.at().ms())).collect()
    };

    assert_eq!(marks(&Finding::Added { now: trade("a", 2_000, "1") }), [(2_000, 6_000)]);
    assert_eq!(marks(&Finding::Added { now: trade("a", 2_001, "1") }), [(3_000, 7_000)]);
    let moved = Finding::Altered { was: trade("a", 1_999, "1"), now: trade("a", 9_000, "1") };
    assert_eq!(marks(&moved), [(2_000, 6_000), (9_000, 13_000)]);
}
