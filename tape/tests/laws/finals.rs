//! What is final is the truth, however the pages are cut, whatever the socket
//! said, when it said it, and whoever was suspected.

use proptest::prelude::*;
use tape::{Suspicion, Trade};

use crate::oracle::{plain, scan, trade};
use crate::reading::{PRESENT, Read, SaidOnce, read, read_ahead};

/// A true trade, and what the socket makes of it.
#[derive(Debug, Clone)]
struct Story {
    at: i64,
    price: u64,
    lie: u8,
    shift_ms: i64,
    after_pages: usize,
    suspicion: Option<Suspicion>,
}

fn stories() -> impl Strategy<Value = Vec<Story>> {
    let suspicion = prop::option::of(prop::sample::select(Suspicion::ALL.to_vec()));
    // Few distinct times, so that several trades share a millisecond.
    let one = (1i64..500, 1u64..1_000, 0u8..6, -9_000i64..9_000, 0usize..12, suspicion);
    let one = one.prop_map(|(at, price, lie, shift_ms, after_pages, suspicion)| Story {
        at: at * 100,
        price,
        lie,
        shift_ms,
        after_pages,
        suspicion,
    });
    prop::collection::vec(one, 0..50)
}

fn truth(stories: &[Story]) -> Vec<Trade> {
    let make =
        |(index, story): (usize, &Story)| trade(&format!("t{index}"), story.at, &format!("{}.5", story.price), "0.3");
    let mut trades: Vec<Trade> = stories.iter().enumerate().map(make).collect();
    trades.sort_by_key(|trade| trade.traded_at);
    trades
}

/// Told truly, not at all, with another price, at another time, twice, or with
/// a trade beside it that never was.
fn said(stories: &[Story]) -> Vec<SaidOnce> {
    let mut said = Vec::new();
    for (index, story) in stories.iter().enumerate() {
        let mut say = |id: String, at: i64, price: u64| {
            said.push(SaidOnce {
                trade: trade(&id, at.clamp(1, PRESENT), &format!("{price}.5"), "0.3"),
                received_at: story.at + 10,
                suspicion: story.suspicion,
                after_pages: story.after_pages,
            });
        };
        let id = format!("t{index}");
        match story.lie {
            0 => {}
            1 => say(id, story.at, story.price + 7),
            2 => say(id, story.at + story.shift_ms, story.price),
            3 => {
                say(id.clone(), story.at, story.price);
                say(id, story.at, story.price + 1);
            }
            4 => {
                say(id, story.at, story.price);
                say(format!("ghost{index}"), story.at + story.shift_ms, 99);
            }
            _ => say(id, story.at, story.price),
        }
    }
    said
}

/// Holds the final figure of every mark and the confirmed trades against the truth.
fn is_the_truth(read: &Read, truth: &[Trade], seconds: i64) -> Result<(), TestCaseError> {
    let marks: Vec<i64> = read.finals.keys().copied().collect();
    prop_assert_eq!(marks, (1..=(PRESENT - 1_000) / 1_000).map(|second| second * 1_000).collect::<Vec<_>>());
    for (mark, sums) in &read.finals {
        prop_assert_eq!(plain(*sums), scan(truth, mark - seconds * 1_000, *mark), "at {}", mark);
    }
    prop_assert_eq!(&read.confirmed, truth);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn cutting_the_pages_anywhere_or_reading_ahead_changes_no_outcome(
        stories in stories(),
        seconds in 1i64..8,
        sizes in prop::collection::vec(1usize..9, 1..6),
        ahead in prop::collection::vec(0usize..5, 1..4),
    ) {
        let truth = truth(&stories);
        let said: Vec<SaidOnce> = said(&stories).into_iter().map(|said| SaidOnce { after_pages: 0, ..said }).collect();

        let whole = read(&truth, &said, seconds, &[1_000]);
        is_the_truth(&whole, &truth, seconds)?;
        prop_assert_eq!(whole.open, 0);
        prop_assert_eq!(&read(&truth, &said, seconds, &sizes), &whole);
        prop_assert_eq!(read_ahead(&truth, &said, seconds, &sizes, &ahead), whole);
    }

    #[test]
    fn what_the_socket_says_and_when_it_says_it_changes_nothing_that_is_final(
        (stories, order) in stories().prop_flat_map(|stories| {
            let said = said(&stories);
            (Just(stories), Just(said).prop_shuffle())
        }),
        seconds in 1i64..8,
        sizes in prop::collection::vec(1usize..9, 1..6),
        ahead in prop::collection::vec(0usize..5, 1..4),
    ) {
        let truth = truth(&stories);

        let read = read_ahead(&truth, &order, seconds, &sizes, &ahead);

        is_the_truth(&read, &truth, seconds)?;
        prop_assert!(read.phantoms.iter().all(|id| id.as_str().starts_with("ghost")), "{:?}", read.phantoms);
        prop_assert_eq!(read.open, 0);
    }

    #[test]
    fn who_is_suspected_changes_nothing_that_is_final(stories in stories(), seconds in 1i64..8) {
        let truth = truth(&stories);
        let said = said(&stories);
        let trusting: Vec<SaidOnce> = said.iter().map(|said| SaidOnce { suspicion: None, ..said.clone() }).collect();
        let all = Some(Suspicion::Price);
        let wary: Vec<SaidOnce> = said.iter().map(|said| SaidOnce { suspicion: all, ..said.clone() }).collect();

        let expected = read(&truth, &said, seconds, &[5]);
        prop_assert_eq!(&read(&truth, &trusting, seconds, &[5]), &expected);
        prop_assert_eq!(&read(&truth, &wary, seconds, &[5]), &expected);
    }
}
