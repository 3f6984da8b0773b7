//! What the evidence says, held against sorting everything anew.

use proptest::prelude::*;

use super::*;
use crate::Volume;

const TERMS: Terms = Terms { coverage: Coverage::DEFAULT, min_marks: 100 };

fn mark(second: i64) -> Mark {
    Mark::at_or_before(crate::EpochMs::new(second * 1000))
}

fn class(tail_ms: i64) -> Class {
    Class::of(tail_ms, Volume::ZERO, Volume::ZERO)
}

/// A price that lies so many millionths of a basis point above ten thousand million.
fn price(units: u64) -> Vwap {
    Vwap::parse(&(10_000_000_000 + units).to_string()).expect("a price")
}

/// One mark said and settled at once, so many units off.
fn live(evidence: &mut Evidence, at: Mark, class: Class, units: u64) -> Option<Lesson> {
    let bound = evidence.bound(at, class, TERMS).0;
    evidence.learn(at, SaidBefore { price: Some(price(0)), class, bound }, Some(price(units)), TERMS)
}

fn bound(evidence: &mut Evidence, second: i64, class: Class) -> Result<Deviation, Unsaid> {
    evidence.bound(mark(second), class, TERMS).0
}

#[test]
fn without_enough_marks_of_its_kind_nothing_is_said_and_how_many_are_missing_is() {
    let mut evidence = Evidence::default();
    for second in 0..99 {
        live(&mut evidence, mark(second), class(2_000), 5);
    }

    let missing = |marks| Err(Unsaid::NotEnoughEvidence { marks, needed: 100 });
    assert_eq!(bound(&mut evidence, 99, class(2_000)), missing(99));
    assert_eq!(bound(&mut evidence, 99, class(4_000)), missing(0));
    live(&mut evidence, mark(99), class(2_000), 5);
    assert_eq!(bound(&mut evidence, 100, class(2_000)), Ok(Deviation::from_units(5).expect("small")));
}

#[test]
fn no_coverage_is_said_that_so_few_marks_cannot_give() {
    let terms = Terms { coverage: Coverage::parse("0.999").expect("a coverage"), min_marks: 10 };

    assert_eq!(terms.marks_needed(), 999);
}

#[test]
fn a_mark_without_a_price_teaches_nothing() {
    let mut evidence = Evidence::default();
    let said = SaidBefore { price: None, class: class(2_000), bound: Err(Unsaid::NoPrice) };

    assert_eq!(evidence.learn(mark(1), said, Some(price(0)), TERMS), None);
    assert_eq!(evidence.achieved(), Outcomes::default());
}

#[test]
fn a_price_that_vanishes_breaks_every_bound() {
    let mut evidence = Evidence::default();
    let said = SaidBefore { price: Some(price(0)), class: class(2_000), bound: Ok(Deviation::MAX) };

    let lesson = evidence.learn(mark(1), said, None, TERMS).expect("a lesson");

    assert_eq!((lesson.outcome.broken, lesson.error), (1, ErrorBin::WITHOUT_END));
}

#[test]
fn where_prices_vanish_too_often_no_finite_bound_is_said() {
    let mut evidence = Evidence::default();
    for second in 0..200 {
        let said = SaidBefore { price: Some(price(0)), class: class(2_000), bound: Err(Unsaid::NoPrice) };
        let settled = (second % 20 > 0).then(|| price(1));
        evidence.learn(mark(second), said, settled, TERMS);
    }

    assert_eq!(bound(&mut evidence, 200, class(2_000)), Err(Unsaid::NoFiniteBound));
}

#[test]
fn what_is_older_than_a_day_does_not_count() {
    let mut evidence = Evidence::default();
    for second in 0..200 {
        live(&mut evidence, mark(second), class(2_000), 7);
    }
    let last_counted = HOURS_KEPT * 3_600 - 1;

    assert!(bound(&mut evidence, last_counted, class(2_000)).is_ok());
    assert_eq!(evidence.achieved().said(), 100);
    let too_old = bound(&mut evidence, last_counted + 1, class(2_000));
    assert_eq!(too_old, Err(Unsaid::NotEnoughEvidence { marks: 0, needed: 100 }));
    assert_eq!(evidence.achieved(), Outcomes::default());
}

#[test]
fn what_tails_of_one_length_did_is_no_evidence_for_others() {
    let mut evidence = Evidence::default();
    for second in 0..300 {
        live(&mut evidence, mark(second), class(2_000), 3);
        live(&mut evidence, mark(second), class(60_000), 900);
    }

    assert_eq!(bound(&mut evidence, 300, class(2_000)).expect("a bound").units(), 3);
    assert!(bound(&mut evidence, 300, class(60_000)).expect("a bound").units() >= 900);
}

#[test]
fn faults_never_seen_before_widen_the_bound_until_it_holds_again() {
    let mut evidence = Evidence::default();
    for second in 0..20_000 {
        live(&mut evidence, mark(second), class(2_000), 10);
    }
    let outcomes: Vec<bool> = (20_000..40_000)
        .map(|second| live(&mut evidence, mark(second), class(2_000), 1_000_000).expect("a lesson").outcome.kept == 1)
        .collect();

    let broken = outcomes.iter().filter(|was_kept| !**was_kept).count() as u64;
    assert!(broken <= outcomes.len() as u64 / 100 + super::super::BROKEN_BEYOND_STATED, "{broken} broken");
    assert!(outcomes[..10].contains(&false), "at first nobody can know");
}

#[test]
fn a_broken_bound_lowers_the_level_a_kept_one_raises_it_and_silence_for_want_of_evidence_leaves_it() {
    let mut evidence = Evidence::default();
    let mut learn = |bound, units| {
        let said = SaidBefore { price: Some(price(0)), class: class(2_000), bound };
        let lesson = evidence.learn(mark(1), said, Some(price(units)), TERMS).expect("a lesson");
        let Outcomes { kept, broken, unsaid } = lesson.outcome;
        ((kept, broken, unsaid), lesson.level.billionths())
    };
    let five = Ok(Deviation::from_units(5).expect("small"));

    // A quarter of the hundredth that may be missed, and the hundredth of that.
    assert_eq!(learn(five, 6), ((0, 1, 0), 10_000_000 - 2_500_000 + 25_000));
    assert_eq!(learn(five, 5), ((1, 0, 0), 7_550_000), "just as far as was said is not too far");
    let too_few = Err(Unsaid::NotEnoughEvidence { marks: 0, needed: 100 });
    assert_eq!(learn(too_few, 900), ((0, 0, 1), 7_550_000));
    assert_eq!(learn(Err(Unsaid::NoFiniteBound), 900), ((0, 0, 1), 7_575_000));
}

#[test]
fn an_hour_is_kept_under_its_number_since_1970() {
    let hour = |second: i64| Hour::of(mark(second)).number();

    assert_eq!([0, 3_599, 3_600, 1_684_083_600].map(hour), [0, 0, 1, 467_801]);
    assert_eq!(hour(-1), -1, "time before 1970 goes on in whole hours");
    assert_eq!(Hour::from_number(467_801), Hour::of(mark(1_684_083_600)));
}

#[test]
fn the_share_kept_is_that_of_the_bounds_said_rounded_down() {
    let kept_of = |kept, broken| Outcomes { kept, broken, unsaid: 5 };
    let share = |outcomes: Outcomes| outcomes.achieved().map(|share| share.to_string());

    assert_eq!(share(kept_of(2, 1)).as_deref(), Some("0.666666"));
    assert_eq!(share(kept_of(0, 4)).as_deref(), Some("0"));
    assert_eq!(share(kept_of(0, 0)), None);
    assert_eq!(kept_of(2, 1).plus(kept_of(3, 4)), Outcomes { kept: 5, broken: 5, unsaid: 10 });
}

#[test]
fn why_nothing_was_said_is_read_back_from_its_name() {
    let too_few = Unsaid::NotEnoughEvidence { marks: 7, needed: 100 };
    for (reason, name) in
        [(Unsaid::NoPrice, "no_price"), (too_few, "not_enough_evidence"), (Unsaid::NoFiniteBound, "no_finite_bound")]
    {
        assert_eq!(reason.as_str(), name);
        assert_eq!(Unsaid::named(name, 7, 100), Some(reason));
    }
    assert_eq!(Unsaid::named("no_idea", 7, 100), None);
}

#[test]
fn what_is_taken_in_of_an_older_hour_is_forgotten_with_that_hour() {
    let mut evidence = Evidence::default();
    for hour in [0, 3, 0] {
        let error = ErrorBin::of(Deviation::from_units(1));
        evidence.add(Hour::from_number(hour), class(2_000), error, 10, TERMS.coverage);
        evidence.add_outcomes(Hour::from_number(hour), Outcomes { kept: 10, ..Outcomes::default() });
    }
    let mut held_at = |hour: i64| {
        let unsaid = bound(&mut evidence, hour * 3_600, class(2_000)).expect_err("too few");
        (unsaid, evidence.achieved().kept)
    };
    let too_few = |marks| Unsaid::NotEnoughEvidence { marks, needed: 100 };

    assert_eq!(held_at(23), (too_few(30), 30));
    assert_eq!(held_at(24), (too_few(10), 10));
    assert_eq!(held_at(27), (too_few(0), 0));
}

#[test]
fn what_comes_in_after_its_hour_was_forgotten_is_left_out() {
    let mut evidence = Evidence::default();
    for hour in [27, 5, 6] {
        evidence.add(Hour::from_number(hour), class(2_000), ErrorBin::WITHOUT_END, 10, TERMS.coverage);
        evidence.add_outcomes(Hour::from_number(hour), Outcomes { kept: 10, ..Outcomes::default() });
    }

    let unsaid = bound(&mut evidence, 27 * 3_600, class(2_000));
    assert_eq!(unsaid, Err(Unsaid::NotEnoughEvidence { marks: 20, needed: 100 }));
    assert_eq!(evidence.achieved().kept, 20);
}

#[test]
fn the_bytes_held_are_those_of_every_list_and_of_what_it_has_room_for() {
    let mut evidence = Evidence::default();
    // A list, a queue and the hour it is.
    assert_eq!(evidence.bytes(), 24 + 32 + 16);

    // Two classes; of the first, three times three hours, with one, two and three buckets.
    for (hour, error) in [(0, 1), (3, 1), (3, 2), (6, 1), (6, 2), (6, 3)] {
        let error = ErrorBin::of(Deviation::from_units(error));
        // Hours of one slot, and marks of one bucket, take no room of their own.
        for hour in [hour, hour + 1] {
            evidence.add(Hour::from_number(hour), class(2_000), error, 1, TERMS.coverage);
            evidence.add_outcomes(Hour::from_number(hour), Outcomes { kept: 1, ..Outcomes::default() });
        }
    }
    evidence.set_level(class(9_000), 0, TERMS.coverage);

    // Lists begin with room for four, but for the buckets of some hours: they have none to spare.
    let (classes, outcomes) = (4 * 80, 4 * 32);
    let (hours, buckets_of_hours, buckets) = (4 * 32, 6 * 4, 4 * 8);
    assert_eq!(evidence.bytes(), 72 + classes + outcomes + hours + buckets_of_hours + buckets);
    assert_eq!(evidence.achieved().kept, 12);
}

#[test]
fn a_day_of_a_ticker_that_errs_in_every_way_takes_few_bytes() {
    let mut evidence = Evidence::default();
    let mut chance = 88_172_645_463_325_252u64;
    for second in 0..86_400 {
        chance ^= chance << 13;
        chance ^= chance >> 7;
        chance ^= chance << 17;
        let (heard, exponent) = (chance % 1_000, (chance >> 20) % 30);
        let volume = |units: u64| Volume::parse(&units.to_string()).expect("a volume");
        let class = Class::of(2_000 + (chance >> 40) as i64 % 2_500, volume(heard * heard), volume(1_000_000));
        let error = Deviation::from_units((chance >> 34) % (1 << exponent).max(1)).expect("small");
        evidence.add(Hour::of(mark(second)), class, ErrorBin::of(Some(error)), 1, Coverage::DEFAULT);
    }

    assert!(evidence.bytes() < 200_000, "{} bytes", evidence.bytes());
}

proptest! {
    #[test]
    fn the_bound_is_the_order_statistic_of_all_errors_of_its_kind_in_the_day(
        errors in prop::collection::vec((0i64..130_000, 0u64..100_000, 0usize..2), 200..500),
    ) {
        let mut sorted = errors;
        sorted.sort_by_key(|error| error.0);
        let classes = [class(2_000), class(9_000)];
        let mut evidence = Evidence::default();
        for (second, units, of) in &sorted {
            let error = ErrorBin::of(Deviation::from_units(*units));
            evidence.add(Hour::of(mark(*second)), classes[*of], error, 1, TERMS.coverage);
        }
        let now = 130_000i64;
        for (of, class) in classes.into_iter().enumerate() {
            // Three hours are forgotten together.
            let earliest = (now / 10_800 - 7) * 10_800;
            let mut own: Vec<u64> =
                sorted.iter().filter(|error| error.2 == of && earliest <= error.0).map(|error| error.1).collect();
            own.sort_unstable();
            let said = bound(&mut evidence, now, class);
            if own.len() < 100 {
                let missing = Unsaid::NotEnoughEvidence { marks: own.len() as u64, needed: 100 };
                prop_assert_eq!(said, Err(missing));
                continue;
            }
            // ceil((n + 1) · 99 / 100), counted from one.
            let rank = ((own.len() + 1) * 99).div_ceil(100);
            let exact = own[rank - 1];
            let said = said.unwrap().units();
            prop_assert!(exact <= said && (said - exact) * 16 <= exact, "{said} for {exact}");
        }
    }

    #[test]
    fn what_is_said_of_a_mark_does_not_depend_on_what_comes_after_it(
        errors in prop::collection::vec(0u64..1_000_000, 150..400),
        cut in 100usize..150,
    ) {
        let said = |errors: &[u64]| -> Vec<(Result<Deviation, Unsaid>, Level)> {
            let mut evidence = Evidence::default();
            let mut open: VecDeque<(Mark, SaidBefore, u64)> = VecDeque::new();
            let mut all = Vec::new();
            for (second, units) in errors.iter().enumerate() {
                // Each becomes final three marks after it was said.
                if open.len() == 3 && let Some((at, before, units)) = open.pop_front() {
                    evidence.learn(at, before, Some(price(units)), TERMS);
                }
                let at = mark(second as i64);
                let (bound, level) = evidence.bound(at, class(3_000), TERMS);
                all.push((bound, level));
                open.push_back((at, SaidBefore { price: Some(price(0)), class: class(3_000), bound }, *units));
            }
            all
        };
        let (whole, part) = (said(&errors), said(&errors[..cut]));
        prop_assert_eq!(&whole[..cut], &part[..]);
    }

    #[test]
    fn evidence_taken_in_anew_says_what_the_old_said(
        errors in prop::collection::vec((0u64..1_000_000, 0usize..2), 250..600),
    ) {
        let classes = [class(2_000), class(9_000)];
        let mut old = Evidence::default();
        let lessons: Vec<Lesson> = errors
            .iter()
            .enumerate()
            .filter_map(|(second, (units, of))| live(&mut old, mark(second as i64 * 40), classes[*of], *units))
            .collect();
        let mut anew = Evidence::default();
        for lesson in &lessons {
            anew.add(lesson.hour, lesson.class, lesson.error, 1, TERMS.coverage);
            anew.add_outcomes(lesson.hour, lesson.outcome);
            anew.set_level(lesson.class, lesson.level.billionths(), TERMS.coverage);
        }
        for class in classes {
            prop_assert_eq!(old.bound(mark(30_000), class, TERMS), anew.bound(mark(30_000), class, TERMS));
        }
        prop_assert_eq!(old.achieved(), anew.achieved());
    }
}
