//! Each difference there can be is named, and only differences are.

use std::collections::BTreeMap;

use super::{Market, answers, faults, figures, trades};
use crate::asker::{self, Answers, Claim, Question};
use crate::exact::Exact;
use crate::house::{Deed, LATE_AFTER_MS};
use crate::sessions::{Evidence, Listening, Span};
use crate::sums::Sums;
use crate::tables::{Figure, Found, Refused, Standing, Tables};
use crate::truth::{Delivery, Injected, Name, Trade, Truth};
use crate::witness::Seen;

const STORM: Span = Span { from_ms: 0, to_ms: 60_000 };

fn exact(text: &str) -> Exact {
    Exact::read(text).expect("a decimal")
}

fn name(id: &str) -> Name {
    ("BTC".to_owned(), id.to_owned())
}

fn trade(ts: i64) -> Trade {
    Trade { ts, price: exact("27000.12"), quantity: exact("0.5") }
}

/// A market of one trade a second, all of them heard, and tables that know it all.
fn world() -> (Truth, Tables) {
    let mut truth = Truth { trades: BTreeMap::new(), deliveries: Default::default(), faults: Vec::new() };
    let mut tables = Tables::default();
    tables.standings.insert("BTC".to_owned(), Standing { tape_from: 0, settled_until: 70_000 });
    for second in 1..=70 {
        let (name, trade) = (name(&second.to_string()), trade(second * 1_000));
        truth.trades.insert(name.clone(), trade.clone());
        truth.deliveries.insert(name.clone(), Delivery { how: "heard".to_owned(), copies: 0 });
        tables.trades.insert(name, (trade, true));
    }
    tables.counts.insert("matched".to_owned(), 70);
    let market = Market::new(&truth, &tables.standings);
    let (_, tape) = market.tape("BTC").expect("a tape");
    for mark in (1..=70).map(|second| second * 1_000) {
        let sums = tape.window(mark - 10_000, mark);
        let figure = Figure { price: sums.price(), confirmed_trades: sums.trades, sums, final_at: Some(mark + 1_500) };
        tables.figures.insert(("BTC".to_owned(), mark), figure);
    }
    (truth, tables)
}

/// One leader all the time.
fn listening(deeds: &[Deed]) -> Listening {
    let told: Vec<i64> = (1..=70).map(|second| second * 1_000).collect();
    let (epochs, leading) = ([(1, 0)], [(500, 1)]);
    Listening::of(&Evidence { epochs: &epochs, leading: &leading, deeds, told: &told, ended_ms: 80_000 })
}

fn done(kind: &str, id: &str, ts: i64, sent: Option<&str>, rejected_as: Option<&str>) -> Injected {
    let owned = |text: &str| text.to_owned();
    Injected { kind: owned(kind), name: name(id), ts, sent: sent.map(owned), rejected_as: rejected_as.map(owned) }
}

fn fault_differences(truth: &Truth, tables: &Tables) -> Vec<String> {
    faults::compare(truth, tables, &listening(&[]), STORM).differences
}

#[test]
fn where_nothing_differs_nothing_is_named() {
    let (truth, tables) = world();
    let market = Market::new(&truth, &tables.standings);

    let compared = trades::compare(&truth, &tables, STORM.to_ms);
    assert_eq!((compared.truth, compared.confirmed, compared.differences), (60, 60, Vec::new()));
    let compared = figures::compare(&market, &tables, &Seen::default(), STORM.from_ms, STORM.to_ms);
    assert_eq!((compared.marks, compared.differences), (60, Vec::<String>::new()));
    assert_eq!((compared.times_to_final_ms.len(), compared.times_to_final_ms[0]), (60, 1_500));
    assert_eq!(fault_differences(&truth, &tables), Vec::<String>::new());
}

#[test]
fn a_trade_that_is_absent_other_invented_or_never_confirmed_is_named() {
    let (truth, mut tables) = world();
    tables.trades.remove(&name("1"));
    tables.trades.insert(name("2"), (Trade { quantity: exact("0.51"), ..trade(2_000) }, true));
    tables.trades.insert(name("3"), (trade(3_000), false));
    tables.trades.insert(name("x"), (trade(3_500), true));
    tables.unplaced.push((name("y"), 60_000));

    let named = trades::compare(&truth, &tables, STORM.to_ms).differences.join("\n");

    for id in ["1", "2", "3", "x", "y"] {
        assert!(named.contains(&format!("(\"BTC\", \"{id}\")")), "{id} in {named}");
    }
}

#[test]
fn a_mark_that_is_absent_provisional_or_wrong_by_the_least_is_named_and_so_is_a_final_one_that_changed() {
    let (truth, mut tables) = world();
    let mut figure = |mark: i64| tables.figures.get_mut(&("BTC".to_owned(), mark)).expect("a figure").clone();
    let (mut provisional, mut inexact, changed) = (figure(2_000), figure(3_000), figure(4_000));
    provisional.final_at = None;
    inexact.price = inexact.price.map(|price| price.plus(&exact("0.000000000000000000000001")));
    tables.figures.remove(&("BTC".to_owned(), 1_000));
    tables.figures.insert(("BTC".to_owned(), 2_000), provisional);
    tables.figures.insert(("BTC".to_owned(), 3_000), inexact);
    let mut seen = Seen::default();
    let before = Sums { trades: changed.sums.trades + 1, ..changed.sums };
    seen.finals.insert(("BTC".to_owned(), 4_000), before);

    let market = Market::new(&truth, &tables.standings);
    let named = figures::compare(&market, &tables, &seen, STORM.from_ms, STORM.to_ms).differences;

    assert_eq!(named.len(), 4, "{named:?}");
}

#[test]
fn a_fault_done_before_a_sure_listener_and_not_found_is_named_and_one_lost_with_a_killed_market_is_not() {
    let (mut truth, tables) = world();
    truth.faults.push(done("phantom", "30-1", 30_000, Some("{}"), None));
    assert_eq!(fault_differences(&truth, &tables).len(), 1);

    let (actor, blow) = (crate::schedule::Actor::Venue, crate::schedule::Blow::Kill);
    let killed = Deed { actor, blow, from_ms: 30_700, to_ms: 32_000 };
    let compared = faults::compare(&truth, &tables, &listening(&[killed]), STORM);
    assert_eq!((compared.differences, compared.lines["phantom"].done), (Vec::new(), 1));
}

#[test]
fn a_fault_that_nobody_did_is_named_whenever_it_was() {
    let (truth, mut tables) = world();
    let heard = Some(trade(30_000));
    let found = |kind: &str, truth| Found {
        kind: kind.to_owned(),
        name: name("30"),
        heard: heard.clone(),
        truth,
        received_at: Some(30_001),
    };
    tables.faults.push(found("duplicate", None));
    tables.faults.push(found("late", Some(trade(30_000))));
    tables.refused.push(Refused { kind: "malformed".to_owned(), frame: "[]".to_owned() });
    for kind in ["duplicate", "late", "rejected_malformed"] {
        tables.counts.insert(kind.to_owned(), 1);
    }

    assert_eq!(fault_differences(&truth, &tables).len(), 3);
}

#[test]
fn late_is_who_was_late_by_his_own_two_times_whatever_the_reason() {
    let (truth, mut tables) = world();
    tables.faults.push(Found {
        kind: "late".to_owned(),
        name: name("30"),
        heard: Some(trade(30_000)),
        truth: Some(trade(30_000)),
        received_at: Some(30_001 + LATE_AFTER_MS),
    });
    tables.counts.insert("late".to_owned(), 1);

    let compared = faults::compare(&truth, &tables, &listening(&[]), STORM);

    assert_eq!((compared.late_by_standstill, compared.differences), (1, Vec::new()));
}

#[test]
fn frames_that_are_the_same_to_the_letter_count_as_often_as_they_were_said() {
    let (mut truth, mut tables) = world();
    let frame = "ticker BTC tradeid 5 ts 7258118400000 price 27000.12 quantity 0.5";
    let sent = r#"{"ticker":"BTC","ts":99999999999999,"quantity":5E-1,"price":27000.120,"tradeid":"5"}"#;
    truth.faults.push(done("future", "5", 5_000, Some(sent), Some("future")));
    for ts in [100, 30_000] {
        truth.faults.push(done("malformed", "30", ts, Some(""), Some("malformed")));
    }
    tables.refused.push(Refused { kind: "future".to_owned(), frame: frame.to_owned() });
    tables.refused.push(Refused { kind: "malformed".to_owned(), frame: String::new() });
    tables.counts.extend(["rejected_future", "rejected_malformed"].map(|kind| (kind.to_owned(), 1)));

    // The first was said before anybody listened for sure: the one found is the other.
    assert_eq!(fault_differences(&truth, &tables), Vec::<String>::new());
    tables.refused.push(Refused { kind: "malformed".to_owned(), frame: String::new() });
    tables.refused.push(Refused { kind: "malformed".to_owned(), frame: String::new() });
    tables.counts.insert("rejected_malformed".to_owned(), 3);
    assert_eq!(fault_differences(&truth, &tables).len(), 1);
}

#[test]
fn a_trade_that_was_said_is_not_missing_and_one_that_was_not_is() {
    let (mut truth, mut tables) = world();
    let missing = |id: &str| Found {
        kind: "missing".to_owned(),
        name: name(id),
        heard: None,
        truth: Some(trade(30_000)),
        received_at: None,
    };
    truth.deliveries.insert(name("30"), Delivery { how: "dropped".to_owned(), copies: 0 });
    assert_eq!(fault_differences(&truth, &tables).len(), 1, "dropped and not missing");
    tables.faults.push(missing("30"));
    tables.counts.extend([("missing".to_owned(), 1), ("matched".to_owned(), 69)]);
    assert_eq!(fault_differences(&truth, &tables), Vec::<String>::new());
    truth.deliveries.insert(name("30"), Delivery { how: "heard".to_owned(), copies: 0 });
    assert_eq!(fault_differences(&truth, &tables).len(), 1, "said and missing");
}

#[test]
fn counts_that_are_not_the_rows_and_trades_without_a_verdict_are_named() {
    let (truth, mut tables) = world();
    tables.counts.extend([("phantom".to_owned(), 1), ("matched".to_owned(), 69)]);

    assert_eq!(fault_differences(&truth, &tables).len(), 2);
}

#[test]
fn an_answer_is_the_truth_when_it_calls_itself_final_and_whole_in_any_case() {
    let (truth, tables) = world();
    let market = Market::new(&truth, &tables.standings);
    let sums = Sums { trades: 10, volume: exact("5"), notional: exact("135000.6") };
    let figure = |ts: i64, sums: &Sums, is_final| asker::Figure {
        ts,
        interval_ms: 10_000,
        price: sums.price(),
        sums: sums.clone(),
        confirmed_trades: sums.trades,
        is_final,
        is_complete: true,
    };
    let ask = |figure: asker::Figure| {
        let question = Question::Historical { ticker: "BTC".to_owned(), ts: figure.ts, interval_ms: None };
        let newest = Claim { question: Question::Latest { ticker: "BTC".to_owned() }, figure: figure_of_now(&sums) };
        let answers = |claim| Answers { claims: vec![claim], ..Answers::default() };
        answers::compare(&market, &answers(Claim { question, figure }), &answers(newest)).differences.len()
    };
    fn figure_of_now(sums: &Sums) -> asker::Figure {
        asker::Figure {
            ts: 50_000,
            interval_ms: 10_000,
            price: sums.price(),
            sums: sums.clone(),
            confirmed_trades: 7,
            is_final: false,
            is_complete: true,
        }
    }

    assert_eq!(ask(figure(30_500, &sums, true)), 0);
    let less = Sums { trades: 9, volume: exact("4.5"), notional: exact("121500.54") };
    assert_eq!((ask(figure(30_500, &less, false)), ask(figure(30_500, &less, true))), (0, 1));
    assert_eq!(ask(asker::Figure { price: None, ..figure(30_500, &sums, false) }), 1);
    assert_eq!(ask(asker::Figure { confirmed_trades: 11, ..figure(30_500, &sums, false) }), 1);
    assert_eq!(ask(asker::Figure { is_complete: false, ..figure(30_500, &sums, false) }), 1);
    assert_eq!(ask(asker::Figure { interval_ms: 40_000, ..figure(30_500, &sums, false) }), 1);
}
