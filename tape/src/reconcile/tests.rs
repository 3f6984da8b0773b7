//! What REST says of what was heard, case by case.

use super::*;
use crate::{Price, Quantity, Ticker};

const PATIENCE: Patience = Patience {
    settle_delay_ms: 1_000,
    allowed_skew_ms: 500,
    longest_step_ms: 100_000,
    listening_since: Some(EpochMs::new(1_000)),
};

pub(crate) fn trade(id: &str, traded_at: i64, price: &str) -> Trade {
    Trade {
        ticker: Ticker::new("BTC").expect("ticker"),
        id: TradeId::new(id).expect("id"),
        traded_at: EpochMs::new(traded_at),
        price: Price::parse(price).expect("price"),
        quantity: Quantity::parse("1").expect("quantity"),
    }
}

fn heard(id: &str, traded_at: i64, price: &str) -> Known {
    let received_at = EpochMs::new(traded_at + 5);
    Known { trade: trade(id, traded_at, price), standing: Standing::Heard { received_at, suspicion: None } }
}

fn page(trades: Vec<Trade>, is_full: bool, market_time: i64) -> Page {
    let latest_row_at = trades.iter().map(|trade| trade.traded_at).max();
    Page { trades, latest_row_at, is_full, ..Page::empty_at(EpochMs::new(market_time)) }
}

fn through(at: i64) -> Watermark {
    Watermark::Through(EpochMs::new(at))
}

fn within(at: i64, id: &str) -> Watermark {
    Watermark::Within { at: EpochMs::new(at), last: TradeId::new(id).expect("id") }
}

#[test]
fn each_confirmed_trade_gets_the_verdict_of_what_was_heard() {
    let page = page(vec![trade("a", 1_000, "1"), trade("b", 1_001, "2"), trade("c", 1_002, "3")], false, 9_000);
    let known = [heard("a", 1_000, "1"), heard("b", 1_001, "2.5")];

    let outcome = reconcile(&through(999), &page, &known, PATIENCE);

    let verdicts: Vec<_> = outcome.confirmations.iter().map(|it| it.verdict.clone()).collect();
    let altered = Verdict::Altered { heard: trade("b", 1_001, "2.5") };
    assert_eq!(verdicts, [Verdict::Matched, altered, Verdict::Missing]);
    assert_eq!(outcome.watermark, within(1_002, "c"));
    assert!(outcome.has_more);
}

#[test]
fn a_heard_trade_that_rest_does_not_have_is_a_phantom_once_its_hearing_is_settled() {
    let known = [heard("x", 5_000, "1")];

    let early = reconcile(&through(4_000), &page(vec![], false, 6_004), &known, PATIENCE);
    assert_eq!((early.phantoms.len(), early.unplaced.len()), (0, 1));

    let decided = reconcile(&through(4_000), &page(vec![], false, 6_505), &known, PATIENCE);
    assert_eq!((decided.phantoms.len(), decided.unplaced.len()), (1, 0));
}

#[test]
fn a_heard_trade_beyond_the_watermark_is_not_judged_yet() {
    let outcome = reconcile(&through(4_000), &page(vec![], false, 5_999), &[heard("x", 5_000, "1")], PATIENCE);

    assert!(outcome.phantoms.is_empty() && outcome.unplaced.is_empty());
}

#[test]
fn a_trade_heard_with_an_altered_time_is_found_by_its_id() {
    let known = [heard("a", 2_000, "1")];

    let outcome = reconcile(&through(4_000), &page(vec![trade("a", 5_000, "1")], false, 9_000), &known, PATIENCE);

    assert_eq!(outcome.confirmations[0].verdict, Verdict::Altered { heard: trade("a", 2_000, "1") });
    assert!(outcome.unplaced.is_empty() && outcome.phantoms.is_empty());
}

#[test]
fn a_quiet_market_advances_to_its_own_present_less_the_settle_delay() {
    let outcome = reconcile(&through(4_000), &page(vec![], false, 9_000), &[], PATIENCE);

    assert_eq!(outcome.watermark, through(8_000));
    assert!(!outcome.has_more);
}

#[test]
fn a_short_page_with_trades_proves_nothing_about_what_follows() {
    let outcome = reconcile(&through(4_000), &page(vec![trade("a", 5_000, "1")], false, 99_000), &[], PATIENCE);

    assert_eq!(outcome.watermark, within(5_000, "a"));
}

#[test]
fn the_watermark_never_moves_back() {
    let outcome = reconcile(&through(4_000), &page(vec![], false, 1_000), &[], PATIENCE);

    assert_eq!(outcome.watermark, through(4_000));
}

#[test]
fn rows_read_again_within_a_millisecond_are_not_confirmed_twice() {
    let rows = vec![trade("a", 5_000, "1"), trade("b", 5_000, "2")];
    let confirmed = Known { trade: rows[0].clone(), standing: Standing::Confirmed { was_heard: true } };

    let outcome = reconcile(&within(5_000, "a"), &page(rows, false, 9_000), &[confirmed], PATIENCE);

    assert_eq!(outcome.confirmations.len(), 1);
    assert_eq!(outcome.watermark, within(5_000, "b"));
}

#[test]
fn a_full_page_of_one_millisecond_that_cannot_be_passed_is_left_and_named() {
    let rows = vec![trade("a", 5_000, "1"), trade("b", 5_000, "2")];
    let known: Vec<Known> = rows
        .iter()
        .map(|trade| Known { trade: trade.clone(), standing: Standing::Confirmed { was_heard: false } })
        .collect();

    let outcome = reconcile(&within(5_000, "b"), &page(rows, true, 9_000), &known, PATIENCE);

    assert_eq!(outcome.unpageable, Some(EpochMs::new(5_000)));
    assert_eq!(outcome.watermark, through(5_000));
    assert!(outcome.has_more);
}

#[test]
fn a_full_page_of_refused_rows_is_passed_without_calling_it_an_incident() {
    let refused = Page {
        trades: vec![],
        latest_row_at: Some(EpochMs::new(7_000)),
        is_full: true,
        ..Page::empty_at(EpochMs::new(9_000))
    };

    let outcome = reconcile(&through(5_000), &refused, &[], PATIENCE);

    assert_eq!(outcome.watermark, through(6_999));
    assert_eq!(outcome.unpageable, None);
}

#[test]
fn a_full_page_with_nothing_but_the_future_moves_nothing() {
    let future = Page { is_full: true, ..Page::empty_at(EpochMs::new(9_000)) };

    let outcome = reconcile(&through(5_000), &future, &[], PATIENCE);

    assert_eq!(outcome.watermark, through(5_000));
    assert!(!outcome.has_more);
}

#[test]
fn a_trade_listed_twice_on_a_page_is_confirmed_once() {
    let page = page(vec![trade("a", 5_000, "1"), trade("a", 5_000, "1")], false, 9_000);

    assert_eq!(reconcile(&through(4_000), &page, &[], PATIENCE).confirmations.len(), 1);
}

#[test]
fn a_trade_made_before_we_listened_is_no_fault_of_the_socket() {
    let outcome = reconcile(&through(0), &page(vec![trade("a", 999, "1")], false, 9_000), &[], PATIENCE);

    assert_eq!(outcome.confirmations[0].verdict, Verdict::Unheard);
    assert!(outcome.faults(1_000).is_empty());
}

#[test]
fn a_trade_too_fresh_for_rest_to_be_sure_of_waits_and_everything_before_it_is_settled() {
    let rows = vec![trade("a", 7_900, "1"), trade("b", 8_001, "2")];

    let outcome = reconcile(&through(4_000), &page(rows, false, 9_000), &[], PATIENCE);

    assert_eq!(outcome.confirmations.len(), 1);
    assert_eq!(outcome.watermark, through(8_000));
    assert!(!outcome.has_more);
}

#[test]
fn a_long_silence_is_settled_in_bounded_steps_without_waiting_between_them() {
    let rows = vec![trade("a", 5_000, "1"), trade("b", 900_000, "2")];
    let page = page(rows, true, 950_000);

    let first = reconcile(&through(4_000), &page, &[], PATIENCE);
    assert_eq!(first.confirmations.len(), 1);
    assert_eq!((first.watermark, first.has_more), (through(104_000), true));

    let nothing = Page { trades: vec![], latest_row_at: None, is_full: false, ..page };
    let silence = reconcile(&through(104_000), &nothing, &[], PATIENCE);
    assert_eq!((silence.watermark, silence.has_more), (through(204_000), true));
}

#[test]
fn rest_may_change_its_mind_about_a_millisecond_that_is_not_settled() {
    let confirmed = Known { trade: trade("a", 5_000, "1"), standing: Standing::Confirmed { was_heard: true } };
    let page = page(vec![trade("a", 5_000, "1.5")], false, 9_000);

    let outcome = reconcile(&within(5_000, "a"), &page, &[confirmed], PATIENCE);

    assert_eq!(outcome.corrections, [Correction { was: trade("a", 5_000, "1"), now: trade("a", 5_000, "1.5") }]);
}

#[test]
fn a_trade_at_the_very_limit_is_confirmed_and_does_not_close_its_millisecond() {
    let outcome = reconcile(&through(4_000), &page(vec![trade("a", 8_000, "1")], false, 9_000), &[], PATIENCE);

    assert_eq!(outcome.confirmations.len(), 1);
    assert_eq!(outcome.watermark, within(8_000, "a"));
}

#[test]
fn a_confirmed_trade_is_corrected_only_when_it_changed_and_is_not_settled() {
    let confirmed =
        |at, price| Known { trade: trade("a", at, price), standing: Standing::Confirmed { was_heard: true } };
    let corrections = |held: Known| {
        let page = page(vec![trade("a", 6_000, "1")], false, 9_000);
        reconcile(&through(4_000), &page, &[held], PATIENCE).corrections.len()
    };

    assert_eq!(corrections(confirmed(6_000, "1")), 0);
    assert_eq!(corrections(confirmed(3_000, "1")), 0);
    assert_eq!(corrections(confirmed(4_000, "1")), 0);
    assert_eq!(corrections(confirmed(4_001, "1")), 1);
}

#[test]
fn a_heard_trade_at_the_last_settled_millisecond_is_judged() {
    let outcome = reconcile(&through(4_000), &page(vec![], false, 6_000), &[heard("x", 5_000, "1")], PATIENCE);

    assert_eq!(outcome.watermark, through(5_000));
    assert_eq!(outcome.unplaced.len(), 1);
}

#[test]
fn a_full_page_of_nothing_but_what_was_read_moves_nothing_and_names_nothing() {
    let earlier = Page {
        trades: vec![],
        latest_row_at: Some(EpochMs::new(4_500)),
        is_full: true,
        ..Page::empty_at(EpochMs::new(9_000))
    };

    let outcome = reconcile(&within(5_000, "a"), &earlier, &[], PATIENCE);

    assert_eq!((outcome.watermark, outcome.unpageable), (within(5_000, "a"), None));
}
