//! A book fed with what was heard and told, held against figures in plain numbers.

use super::*;
use crate::reconcile::tests::trade;
use crate::{Known, Page, Patience, TradesDigest, reconcile};

const PATIENCE: Patience = Patience {
    settle_delay_ms: 1_000,
    allowed_skew_ms: 500,
    longest_step_ms: 100_000,
    listening_since: Some(EpochMs::new(0)),
};

fn book() -> Book {
    Book::rebuild(
        Watermark::Through(EpochMs::new(0)),
        300,
        Mark::at_or_before(EpochMs::new(0)),
        &[],
        Unfinished::default(),
    )
}

fn bucket(second: i64, confirmed: Sums, heard: Sums) -> Bucket {
    Bucket { second: mark(second), confirmed, heard, quarantined: Sums::EMPTY, extremes: None }
}

fn mark(ms: i64) -> Mark {
    Mark::at_or_before(EpochMs::new(ms))
}

fn heard(trade: Trade) -> Known {
    let received_at = trade.traded_at;
    Known { trade, standing: Standing::Heard { received_at, suspicion: None } }
}

fn settle(book: &mut Book, trades: Vec<Trade>, market_time: i64, known: &[Known]) -> Vec<Settled> {
    let latest_row_at = trades.last().map(|trade| trade.traded_at);
    let page = Page { trades, latest_row_at, ..Page::empty_at(EpochMs::new(market_time)) };
    let outcome = reconcile(book.watermark(), &page, known, PATIENCE);
    book.settle(&outcome).expect("consistent")
}

#[test]
fn a_heard_trade_counts_until_rest_speaks_and_is_not_counted_twice_then() {
    let mut book = book();
    book.hear(&trade("a", 500, "10"), None);
    assert_eq!(book.provisional_at(mark(1_000)).expect("provisional").sums.trades, 1);

    settle(&mut book, vec![trade("a", 500, "10")], 1_600, &[heard(trade("a", 500, "10"))]);

    let said = book.provisional_at(mark(2_000)).expect("provisional");
    assert_eq!((said.sums.trades, said.confirmed_trades), (1, 1));
}

#[test]
fn a_phantom_leaves_every_later_figure() {
    let mut book = book();
    book.hear(&trade("ghost", 500, "99"), None);
    assert_eq!(book.provisional_at(mark(1_000)).expect("provisional").sums.trades, 1);

    settle(&mut book, vec![], 3_000, &[heard(trade("ghost", 500, "99"))]);

    assert_eq!(book.provisional_at(mark(3_000)).expect("provisional").sums, Sums::EMPTY);
}

#[test]
fn an_altered_trade_is_replaced_by_the_true_one() {
    let mut book = book();
    book.hear(&trade("a", 500, "11"), None);

    settle(&mut book, vec![trade("a", 500, "10")], 1_600, &[heard(trade("a", 500, "11"))]);

    let said = book.provisional_at(mark(1_000)).expect("provisional");
    assert_eq!(said.sums, sums(&trade("a", 500, "10")));
}

#[test]
fn every_mark_passed_becomes_final_trades_or_none() {
    let mut book = Book::rebuild(Watermark::Through(EpochMs::new(0)), 1, mark(0), &[], Unfinished::default());
    settle(&mut book, vec![trade("a", 2_500, "10")], 3_600, &[]);

    let finals = settle(&mut book, vec![], 6_000, &[]);

    let counts: Vec<_> = finals.iter().map(|settled| (settled.said.mark.at().ms(), settled.said.sums.trades)).collect();
    assert_eq!(counts, [(3_000, 1), (4_000, 0), (5_000, 0)]);
}

#[test]
fn a_mark_settled_before_it_was_spoken_of_is_not_provisional() {
    let mut book = book();
    settle(&mut book, vec![], 6_000, &[]);

    assert_eq!(book.provisional_at(mark(5_000)), None);
    assert!(book.provisional_at(mark(6_000)).is_some());
}

#[test]
fn taking_out_what_was_never_heard_is_noticed() {
    let mut book = book();
    let page = Page::empty_at(EpochMs::new(9_000));
    let never_taken_in = [heard(trade("x", 500, "1"))];

    let outcome = reconcile(book.watermark(), &page, &never_taken_in, PATIENCE);

    assert!(book.settle(&outcome).is_err());
}

fn suspected(trade: Trade) -> Known {
    let received_at = trade.traded_at;
    Known { trade, standing: Standing::Heard { received_at, suspicion: Some(Suspicion::Price) } }
}

#[test]
fn a_suspect_counts_in_no_figure_until_rest_confirms_it() {
    let mut book = book();
    book.hear(&trade("a", 400, "10"), None);
    book.hear(&trade("far", 500, "99"), Some(Suspicion::Price));

    let said = book.provisional_at(mark(1_000)).expect("provisional");
    assert_eq!((said.sums, said.quarantined_trades), (sums(&trade("a", 400, "10")), 1));

    let known = [heard(trade("a", 400, "10")), suspected(trade("far", 500, "99"))];
    settle(&mut book, vec![trade("a", 400, "10"), trade("far", 500, "99")], 1_600, &known);
    let said = book.provisional_at(mark(2_000)).expect("provisional");
    assert_eq!((said.sums.trades, said.confirmed_trades, said.quarantined_trades), (2, 2, 0));
}

#[test]
fn a_suspect_that_is_altered_or_a_phantom_leaves_the_quarantine_and_no_figure() {
    let mut book = book();
    book.hear(&trade("a", 400, "99"), Some(Suspicion::Price));
    book.hear(&trade("ghost", 500, "99"), Some(Suspicion::Price));
    assert_eq!(book.provisional_at(mark(1_000)).expect("provisional").quarantined_trades, 2);

    let known = [suspected(trade("a", 400, "99")), suspected(trade("ghost", 500, "99"))];
    settle(&mut book, vec![trade("a", 400, "10")], 1_600, &known);
    settle(&mut book, vec![], 3_000, &known[1..]);

    let said = book.provisional_at(mark(3_000)).expect("provisional");
    assert_eq!((said.sums, said.quarantined_trades), (sums(&trade("a", 400, "10")), 0));
}

#[test]
fn a_suspect_counts_only_in_the_windows_whose_time_it_claims() {
    let mut book = Book::rebuild(Watermark::Through(EpochMs::new(0)), 2, mark(0), &[], Unfinished::default());
    book.hear(&trade("far", 1_500, "99"), Some(Suspicion::Price));

    let held: Vec<u64> = (1..=4)
        .map(|second| book.provisional_at(mark(second * 1_000)).expect("provisional").quarantined_trades)
        .collect();
    assert_eq!(held, [0, 1, 1, 0]);
}

#[test]
fn a_rebuilt_book_suspects_what_the_old_one_would_have_suspected() {
    let mut old = book();
    let page: Vec<Trade> = (0..20).map(|n| trade(&n.to_string(), 500 + n, "100")).collect();
    let ends = page.iter().map(|it| Extremes::of(it.price, it.quantity, it.traded_at, None));
    let ends = ends.reduce(Extremes::and).expect("twenty");
    let confirmed = page.iter().map(sums).sum();
    settle(&mut old, page, 3_000, &[]);
    let buckets = [Bucket { extremes: Some(ends), ..bucket(1_000, confirmed, Sums::EMPTY) }];
    let rebuilt = Book::rebuild(old.watermark().clone(), 1, mark(2_000), &buckets, Unfinished::default());

    for (at, price, suspicion) in
        [(4_000, "100", None), (4_000, "200", Some(Suspicion::Price)), (400, "100", Some(Suspicion::Contradicted))]
    {
        let heard = Heard { trade: trade("x", at, price), received_at: EpochMs::new(4_100), suspicion: None };
        assert_eq!(old.suspicion_of(&heard, Suspects::USUAL), suspicion, "{price} at {at}");
        assert_eq!(rebuilt.suspicion_of(&heard, Suspects::USUAL), suspicion, "{price} at {at}, rebuilt");
    }
}

#[test]
fn a_settled_trade_that_rest_changes_its_mind_about_is_replaced_in_every_later_figure() {
    let mut book = book();
    settle(&mut book, vec![trade("a", 500, "10"), trade("b", 1_500, "20")], 9_000, &[]);
    settle(&mut book, vec![], 9_000, &[]);
    let now = trade("a", 700, "12");

    book.amend(Some(&trade("a", 500, "10")), Some(&now), None).expect("it is there");
    assert_eq!(book.unfinished.held_trades(), 0, "its second is over");
    book.amend(Some(&trade("b", 1_500, "20")), None, None).expect("it is there");

    assert_eq!(book.provisional_at(mark(9_000)).expect("provisional").sums, sums(&now));
    assert!(book.amend(Some(&trade("b", 1_500, "20")), None, None).is_err(), "it is gone");
}

#[test]
fn a_trade_added_to_the_settled_past_counts_once_even_when_it_was_heard_with_another_time() {
    let mut book = book();
    settle(&mut book, vec![], 3_000, &[]);
    book.hear(&trade("h", 2_500, "10"), None);

    book.amend(None, Some(&trade("h", 1_500, "10")), Some(&heard(trade("h", 2_500, "10")))).expect("it was heard");

    let said = book.provisional_at(mark(3_000)).expect("provisional");
    assert_eq!((said.sums.trades, said.confirmed_trades), (1, 1));
}

#[test]
fn a_rebuilt_book_says_what_the_old_one_said() {
    let mut old = book();
    old.hear(&trade("a", 500, "10"), None);
    old.hear(&trade("b", 1_500, "20"), None);
    settle(&mut old, vec![trade("a", 500, "10")], 1_600, &[heard(trade("a", 500, "10"))]);
    let before = old.provisional_at(mark(2_000));

    let buckets = [
        bucket(1_000, sums(&trade("a", 500, "10")), Sums::EMPTY),
        bucket(2_000, Sums::EMPTY, sums(&trade("b", 1_500, "20"))),
    ];
    let mut rebuilt = Book::rebuild(old.watermark().clone(), 300, mark(1_000), &buckets, Unfinished::default());

    assert_eq!(rebuilt.provisional_at(mark(2_000)), before);
}

#[test]
fn a_rebuilt_book_counts_no_suspect_and_calls_only_confirmed_what_is() {
    let of = |id: &str, price: &str| sums(&trade(id, 900, price));
    let (confirmed, heard, quarantined) = (of("a", "1"), of("b", "2"), of("c", "400"));
    let buckets = [Bucket { quarantined, ..bucket(1_000, confirmed, heard) }];
    let watermark = Watermark::Through(EpochMs::new(0));
    let mut rebuilt = Book::rebuild(watermark, 300, mark(0), &buckets, Unfinished::default());

    let said = rebuilt.provisional_at(mark(1_000)).expect("provisional");

    assert_eq!((said.sums.trades, said.confirmed_trades, said.quarantined_trades), (2, 1, 1));
    assert_eq!(said.sums.notional.to_string(), "3");
}

#[test]
fn a_book_rebuilt_in_the_middle_of_a_second_makes_the_digest_the_old_one_would_have_made() {
    let mut old = book();
    settle(&mut old, vec![trade("b", 1_200, "10"), trade("a", 1_400, "20")], 2_400, &[]);
    let buckets = [bucket(2_000, sums(&trade("b", 1_200, "10")).plus(sums(&trade("a", 1_400, "20"))), Sums::EMPTY)];
    let held = [trade("a", 1_400, "20"), trade("b", 1_200, "10")].iter().collect();
    let mut rebuilt = Book::rebuild(old.watermark().clone(), 300, mark(0), &buckets, held);

    let page = || vec![trade("c", 1_900, "30"), trade("d", 2_001, "40")];
    let finals = settle(&mut old, page(), 4_000, &[]);

    assert_eq!(settle(&mut rebuilt, page(), 4_000, &[]), finals);
    let of_second = [trade("b", 1_200, "10"), trade("a", 1_400, "20"), trade("c", 1_900, "30")];
    assert_eq!(finals[0].second_digest, TradesDigest::of(&of_second));
}

#[test]
fn a_correction_before_its_second_is_settled_is_in_the_digest() {
    let mut book = book();
    settle(&mut book, vec![trade("a", 5_000, "10")], 6_000, &[]);
    let confirmed = Known { trade: trade("a", 5_000, "10"), standing: Standing::Confirmed { was_heard: false } };

    let corrected = settle(&mut book, vec![trade("a", 5_000, "11")], 7_000, &[confirmed]);
    let corrected = corrected.into_iter().chain(settle(&mut book, vec![], 7_000, &[]));

    let of_second = corrected.into_iter().find(|settled| settled.said.mark == mark(5_000)).expect("settled");
    assert_eq!(of_second.second_digest, TradesDigest::of([&trade("a", 5_000, "11")]));
}

#[test]
fn a_correction_replaces_what_was_confirmed_in_final_and_provisional_figures() {
    let mut book = book();
    settle(&mut book, vec![trade("a", 500, "10")], 9_000, &[]);

    let known = Known { trade: trade("a", 500, "10"), standing: Standing::Confirmed { was_heard: false } };
    let finals = settle(&mut book, vec![trade("a", 500, "12")], 9_000, &[known]);

    let truth = sums(&trade("a", 500, "12"));
    assert_eq!(book.provisional_at(mark(9_000)).expect("provisional").sums, truth);
    assert_eq!(finals.first().expect("a mark was passed").said.sums, truth);
}

#[test]
fn a_correction_of_what_was_never_confirmed_is_noticed_in_each_window() {
    let mut empty = book();
    let mut confirmed = book();
    settle(&mut confirmed, vec![trade("a", 500, "10")], 9_000, &[]);
    let page = Page {
        trades: vec![trade("b", 600, "2")],
        latest_row_at: None,
        is_full: false,
        ..Page::empty_at(EpochMs::new(9_000))
    };
    let known = Known { trade: trade("b", 600, "1"), standing: Standing::Confirmed { was_heard: false } };

    for book in [&mut empty, &mut confirmed] {
        let outcome = reconcile(book.watermark(), &page, std::slice::from_ref(&known), PATIENCE);
        assert_eq!(outcome.corrections.len(), 1);
        assert!(book.settle(&outcome).is_err());
    }
}

#[test]
fn a_heard_trade_that_claims_the_last_settled_millisecond_was_never_in_the_window() {
    let mut book = book();
    settle(&mut book, vec![], 2_000, &[]);
    assert_eq!(book.watermark().settled_until().ms(), 1_000);

    settle(&mut book, vec![trade("a", 1_500, "10")], 9_000, &[heard(trade("a", 1_000, "10"))]);

    assert_eq!(book.provisional_at(mark(2_000)).expect("provisional").sums, sums(&trade("a", 1_500, "10")));
}

#[test]
fn a_book_tells_what_is_only_heard_and_how_many_seconds_its_fullest_window_holds() {
    let mut book = book();
    assert_eq!((book.heard_sums(), book.held_seconds()), (Sums::EMPTY, 0));

    for (id, at) in [("a", 500), ("b", 600), ("c", 1_500), ("d", 2_500)] {
        book.hear(&trade(id, at, "10"), None);
    }
    book.hear(&trade("far", 500, "99"), Some(Suspicion::Price));
    book.provisional_at(mark(2_000)).expect("provisional");

    assert_eq!((book.heard_sums().trades, book.held_seconds()), (3, 3));
}
