//! The order of watermarks, and that no answer of REST ever moves one back.

use proptest::prelude::*;
use tape::{EpochMs, Page, Patience, TradeId, Watermark, reconcile};

use crate::oracle::trade;

fn any_watermark() -> impl Strategy<Value = Watermark> {
    // Few milliseconds and few ids, so that they often meet.
    (0i64..6, prop::option::of(0u8..3)).prop_map(|(at, last)| match last {
        Some(last) => Watermark::Within { at: EpochMs::new(at), last: TradeId::new(&last.to_string()).expect("id") },
        None => Watermark::Through(EpochMs::new(at)),
    })
}

/// The place of a watermark among all, written down without the code under
/// test: within a millisecond comes after everything before it and before the
/// whole of it.
fn place(watermark: &Watermark) -> (i64, u8) {
    match watermark {
        Watermark::Within { at, .. } => (at.ms(), 0),
        Watermark::Through(at) => (at.ms(), 1),
    }
}

proptest! {
    #[test]
    fn before_is_the_order_of_places_and_only_within_one_millisecond_the_venues(
        one in any_watermark(),
        other in any_watermark(),
    ) {
        if place(&one) == place(&other) {
            // The venue alone knows the order of two trades of a millisecond: a step is forward.
            prop_assert_eq!(one.is_before(&other), one != other);
        } else {
            prop_assert_eq!(one.is_before(&other), place(&one) < place(&other));
        }
        prop_assert!(!one.is_before(&one));
        if one.is_before(&other) {
            prop_assert!(one.settled_until() <= other.settled_until());
            prop_assert!(one.ask_from() <= other.ask_from());
        }
    }

    #[test]
    fn before_is_a_strict_order_on_the_way_of_one_reading(
        mut way in prop::collection::vec((0i64..6, prop::option::of(0u8..9)), 3..12),
    ) {
        // Within a millisecond ids are read in the venue's order, each once.
        way.sort_by_key(|(at, last)| (*at, last.is_none(), *last));
        way.dedup();
        let way: Vec<Watermark> = way
            .into_iter()
            .map(|(at, last)| match last {
                Some(last) => Watermark::Within { at: EpochMs::new(at), last: TradeId::new(&last.to_string()).expect("id") },
                None => Watermark::Through(EpochMs::new(at)),
            })
            .collect();
        for (index, earlier) in way.iter().enumerate() {
            for later in &way[index + 1..] {
                prop_assert!(earlier.is_before(later), "{:?} before {:?}", earlier, later);
                if place(earlier) != place(later) {
                    prop_assert!(!later.is_before(earlier), "{:?} not before {:?}", later, earlier);
                }
            }
        }
    }

    #[test]
    fn no_answer_whatever_it_holds_moves_a_watermark_back_or_beyond_what_rest_can_know(
        was in any_watermark(),
        rows in prop::collection::vec(0i64..12, 0..8),
        latest_beyond in 0i64..4,
        is_full in any::<bool>(),
        market_time in 0i64..20,
        (settle_delay_ms, longest_step_ms) in (0i64..5, 1i64..9),
    ) {
        let patience = Patience { settle_delay_ms, allowed_skew_ms: 2, longest_step_ms, listening_since: None };
        let trades: Vec<_> =
            rows.iter().enumerate().map(|(index, at)| trade(&format!("r{index}"), *at, "1", "1")).collect();
        let latest_row_at = rows.iter().max().map(|at| EpochMs::new(at + latest_beyond));
        let page = Page { trades, latest_row_at, is_full, ..Page::empty_at(EpochMs::new(market_time)) };

        let outcome = reconcile(&was, &page, &[], patience);

        let next = &outcome.watermark;
        prop_assert!(*next == was || place(&was) <= place(next), "{:?} to {:?}", was, next);
        prop_assert!(was.settled_until() <= next.settled_until());
        let knows_until = (market_time - settle_delay_ms).max(was.settled_until().ms());
        // An unreadable millisecond is the one thing REST is not waited for.
        if outcome.unpageable.is_none() {
            prop_assert!(next.settled_until().ms() <= knows_until, "{:?} though REST knows until {}", next, knows_until);
        }
        for confirmation in &outcome.confirmations {
            prop_assert!(was.settled_until() < confirmation.trade.traded_at);
        }
    }
}
