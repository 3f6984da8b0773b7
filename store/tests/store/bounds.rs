//! Bounds: what was said with each figure, what was learned, and what counts.

use store::Figure;
use tape::bound::{
    Class, Coverage, Deviation, ErrorBin, Evidence, HOURS_KEPT, Hour, Level, Outcomes, SaidBefore, Statement, Terms,
    Unsaid,
};
use tape::{Interval, Mark, Volume};
use testkit::{at, ticker};

use crate::figures::{figure, finalize};
use crate::scene::{Scene, VENUE, scene};

const TERMS: Terms = Terms { coverage: Coverage::DEFAULT, min_marks: 100 };

fn class() -> Class {
    Class::of(2_500, Volume::ZERO, Volume::ZERO)
}

fn statement(bound: Result<Deviation, Unsaid>) -> Statement {
    let level = Level::of(Coverage::DEFAULT);
    let day = Outcomes { kept: 98, broken: 2, unsaid: 5 };
    Statement { tail_ms: 2_500, class: class(), bound, coverage: Coverage::DEFAULT, level, day }
}

fn bounded(mark: i64, price: Option<&str>, bound: Result<Deviation, Unsaid>) -> Figure {
    Figure { bound: Some(statement(bound)), confirmed_trades: 0, ..figure(mark, price) }
}

async fn say(scene: &Scene, figures: &[Figure]) {
    let txn = scene.begin().await;
    txn.figures_insert_provisional(figures, at(50)).await.expect("written");
    txn.latest_upsert(figures, false, at(50)).await.expect("written");
    txn.commit().await.expect("committed");
}

async fn said(scene: &Scene, marks: &[i64]) -> Vec<(i64, SaidBefore)> {
    let marks: Vec<_> = marks.iter().map(|mark| (ticker("BTC"), Mark::at_or_before(at(*mark)))).collect();
    let txn = scene.begin().await;
    let mut said = txn.bounds_said(Interval::DEFAULT, &marks).await.expect("read");
    said.sort_by_key(|said| said.1);
    said.into_iter().map(|(_, mark, said)| (mark.at().ms(), said)).collect()
}

/// Of all that is kept of figures but their marks: how many differ, one of them, and how many there are.
async fn kinds(scene: &Scene) -> String {
    let sql = "select concat_ws(' ', count(distinct kept.all_of_it), min(kept.all_of_it), count(*)) from (
            select (to_jsonb(figure) - 'ts')::text as all_of_it from vwap_history as figure
        ) as kept";
    scene.text(sql).await.expect("figures")
}

#[tokio::test]
async fn hundreds_of_figures_are_said_and_said_anew_as_one_is() {
    let scene = scene().await;
    let bound = Deviation::from_units(1_250_000).expect("small");
    let many = |price: &str| -> Vec<Figure> {
        let of = |second: i64| Figure { quarantined_trades: 3, ..bounded(1_000 * second, Some(price), Ok(bound)) };
        (1..=150).map(of).collect()
    };
    say(&scene, &many("11")[..1]).await;
    let one = kinds(&scene).await.strip_suffix(" 1").map(str::to_owned);
    // The first is there: the others have to wait until that is seen to.
    say(&scene, &many("11")).await;
    let at_once = kinds(&scene).await.strip_suffix(" 150").map(str::to_owned);
    assert!(one.as_ref().is_some_and(|one| one.starts_with("1 {")) && one == at_once, "{one:?} {at_once:?}");

    scene.client.batch_execute("delete from vwap_history").await.expect("deleted");
    say(&scene, &many("11")).await;
    assert_eq!(kinds(&scene).await.strip_suffix(" 150").map(str::to_owned), one, "none was there");
    say(&scene, &many("12")).await;
    let anew = kinds(&scene).await;
    assert!(anew.starts_with("1 {") && anew.contains("\"price\": 12,") && anew.ends_with(" 150"), "{anew}");
}

#[tokio::test]
async fn what_was_said_of_a_mark_is_read_back_until_it_is_final_and_stays_beside_it() {
    let scene = scene().await;
    let bound = Deviation::from_units(1_250_000).expect("small");
    let figures = [
        bounded(1_000, Some("10"), Ok(bound)),
        bounded(2_000, Some("11"), Err(Unsaid::NotEnoughEvidence { marks: 3, needed: 100 })),
        bounded(3_000, None, Err(Unsaid::NoPrice)),
        bounded(4_000, Some("12"), Err(Unsaid::NoFiniteBound)),
    ];
    say(&scene, &figures).await;

    let read = said(&scene, &[1_000, 2_000, 3_000, 4_000, 5_000]).await;
    let bounds: Vec<_> = read.iter().map(|(mark, said)| (*mark, said.class, said.bound)).collect();
    let between: Vec<i64> = said(&scene, &[1_000, 4_000]).await.into_iter().map(|(mark, _)| mark).collect();
    assert_eq!(between, [1_000, 4_000], "of marks in between nothing was asked");
    let unknown = Unsaid::NotEnoughEvidence { marks: 0, needed: 0 };
    assert_eq!(
        bounds,
        [(1_000, class(), Ok(bound)), (2_000, class(), Err(unknown)), (4_000, class(), Err(Unsaid::NoFiniteBound))]
    );
    assert_eq!(read[0].1.price, figures[0].sums.vwap());

    finalize(&scene, &[figure(1_000, Some("10"))], at(90)).await;
    assert_eq!(said(&scene, &[1_000]).await, []);
    let beside = "select concat_ws(' ', provisional_tail_ms, provisional_class, provisional_bound_bps)
        from vwap_history where ts = 1000 and is_validated";
    assert_eq!(scene.text(beside).await.as_deref(), Some("2500 88 1.25"));
}

#[tokio::test]
async fn the_latest_figure_carries_its_bound_and_a_final_one_none() {
    let scene = scene().await;
    let bound = Deviation::from_units(1_250_000).expect("small");
    say(&scene, &[bounded(1_000, Some("10"), Ok(bound))]).await;
    let newest = || async {
        let found = scene.store.figure_newest(None, &ticker("BTC"), Interval::DEFAULT).await.expect("read");
        found[0].figure.expect("a figure").bound
    };

    let said = newest().await.expect("a bound");
    assert_eq!((said.tail_ms, said.deviation, said.unsaid), (2_500, Some(bound), None));
    assert_eq!((said.coverage, said.level), (Some(Coverage::DEFAULT), Some(Level::of(Coverage::DEFAULT))));
    assert_eq!((said.day.kept, said.day.broken), (98, 2));

    let missing = Unsaid::NotEnoughEvidence { marks: 3, needed: 100 };
    say(&scene, &[bounded(2_000, Some("10"), Err(missing))]).await;
    assert_eq!(newest().await.expect("a reason").unsaid, Some(missing));

    let txn = scene.begin().await;
    txn.latest_upsert(&[figure(2_000, Some("10"))], true, at(60)).await.expect("written");
    txn.commit().await.expect("committed");
    assert_eq!(newest().await, None);
}

#[tokio::test]
async fn evidence_read_from_the_tables_says_what_that_in_memory_says() {
    let scene = scene().await;
    let mut memory = Evidence::default();
    for round in 0..6i64 {
        let mut lessons = Vec::new();
        for second in 0..60i64 {
            let mark = Mark::at_or_before(at((round * 700 + second) * 1_000));
            let bound = memory.bound(mark, class(), TERMS).0;
            let price = |units: i64| figure(1_000, Some(&(1_000_000 + units).to_string())).sums.vwap();
            let before = SaidBefore { price: price(0), class: class(), bound };
            let lesson = memory.learn(mark, before, price(second * round % 17), TERMS);
            lessons.extend(lesson.map(|lesson| (ticker("BTC"), lesson)));
        }
        let txn = scene.begin().await;
        txn.bounds_learn(Interval::DEFAULT, &lessons).await.expect("written");
        txn.commit().await.expect("committed");
    }

    let now = Mark::at_or_before(at(24_000_000));
    let kept = scene.store.bounds_kept(VENUE, Interval::DEFAULT, Hour::of(now).earliest_counted()).await.expect("read");
    let mut read = Evidence::default();
    for of_hour in kept.evidence {
        for (error, marks) in of_hour.errors {
            read.add(of_hour.hour, of_hour.class, error, marks, TERMS.coverage);
        }
    }
    for of_hour in kept.outcomes {
        read.add_outcomes(of_hour.hour, of_hour.outcomes);
        read.set_level(of_hour.class, of_hour.level, TERMS.coverage);
    }
    assert!(memory.bound(now, class(), TERMS).0.is_ok());
    assert_eq!(memory.bound(now, class(), TERMS), read.bound(now, class(), TERMS));
    assert_eq!(memory.achieved(), read.achieved());
    assert!(memory.achieved().said() > 100);
}

#[tokio::test]
async fn evidence_that_no_longer_counts_goes_and_outcomes_stay_for_the_retention() {
    let scene = scene().await;
    let mut memory = Evidence::default();
    let day = HOURS_KEPT * 3_600_000;
    let mut lessons = Vec::new();
    for hours in [0, 1, 30, 50] {
        let mark = Mark::at_or_before(at(hours * 3_600_000));
        let price = figure(1_000, Some("10")).sums.vwap();
        let before = SaidBefore { price, class: class(), bound: Ok(Deviation::NONE) };
        let lesson = memory.learn(mark, before, price, TERMS);
        lessons.extend(lesson.map(|lesson| (ticker("BTC"), lesson)));
    }
    assert_eq!(lessons[0].1.error, ErrorBin::of(Some(Deviation::NONE)));
    let txn = scene.begin().await;
    txn.bounds_learn(Interval::DEFAULT, &lessons).await.expect("written");
    txn.commit().await.expect("committed");

    assert_eq!(scene.store.bounds_trim(VENUE, at(50 * 3_600_000)).await.expect("written"), 2);
    assert_eq!(scene.store.bounds_trim(VENUE, at(50 * 3_600_000)).await.expect("written"), 0);
    assert_eq!(scene.number("select count(*) from bound_evidence where hour in (30, 50)").await, 2);
    assert_eq!(scene.number("select count(*) from bound_outcomes").await, 4);
    scene.store.retention(VENUE).let_go(at(2 * day), 100).await.expect("written");
    assert_eq!(scene.number("select min(hour) from bound_outcomes").await, 50);
}
