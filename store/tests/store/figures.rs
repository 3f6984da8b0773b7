//! Figures: provisional ones may be said anew, final ones never change.

use store::{Figure, MarkSpan, Pieces};
use tape::{EpochMs, Interval, Mark, Sums};
use testkit::{at, price, quantity, ticker};

use crate::scene::{Scene, scene};

/// A figure of one trade at a price, or of none.
pub fn figure(mark: i64, traded_price: Option<&str>) -> Figure {
    let sums = traded_price.map_or(Sums::EMPTY, |text| Sums::of(price(text), quantity("2")));
    Figure {
        ticker: ticker("BTC"),
        interval: Interval::DEFAULT,
        mark: Mark::at_or_before(at(mark)),
        sums,
        confirmed_trades: sums.trades,
        quarantined_trades: 0,
        chained: None,
        bound: None,
    }
}

fn unconfirmed(figure: Figure) -> Figure {
    Figure { confirmed_trades: 0, ..figure }
}

pub async fn finalize(scene: &Scene, figures: &[Figure], final_at: EpochMs) -> u64 {
    let txn = scene.begin().await;
    let differing = txn.figures_insert_final(figures, final_at).await.expect("written");
    txn.commit().await.expect("committed");
    differing
}

async fn provisional(scene: &Scene, figures: &[Figure], calculated_at: i64) {
    let txn = scene.begin().await;
    txn.figures_insert_provisional(figures, at(calculated_at)).await.expect("written");
    txn.commit().await.expect("committed");
}

async fn history(scene: &Scene) -> String {
    let sql = "select string_agg(concat_ws(' ', ts, coalesce(price::text, 'none'), volume, notional, trades,
            confirmed_trades, is_validated, coalesce(provisional_price::text, '-'), coalesce(provisional_trades::text, '-'),
            calculated_at, coalesce(final_at::text, '-')), '; ' order by ts)
        from vwap_history";
    scene.text(sql).await.unwrap_or_default()
}

#[tokio::test]
async fn a_figure_becomes_final_and_what_was_said_before_stays_beside_it() {
    let scene = scene().await;
    provisional(&scene, &[unconfirmed(figure(1_000, Some("11"))), figure(2_000, None)], 50).await;

    assert_eq!(
        finalize(&scene, &[figure(1_000, Some("10")), figure(2_000, Some("10")), figure(3_000, None)], at(90)).await,
        0
    );

    assert_eq!(
        history(&scene).await,
        "1000 10 2 20 1 1 t 11 1 50 90; 2000 10 2 20 1 1 t - 0 50 90; 3000 none 0 0 0 0 t - - 90 90"
    );
}

#[tokio::test]
async fn a_final_figure_never_changes_and_who_would_have_changed_it_is_told() {
    let scene = scene().await;
    finalize(&scene, &[figure(1_000, Some("10")), figure(2_000, None)], at(90)).await;
    let before = history(&scene).await;

    assert_eq!(finalize(&scene, &[figure(1_000, Some("10")), figure(2_000, None)], at(91)).await, 0, "the same again");
    assert_eq!(finalize(&scene, &[figure(1_000, Some("11")), figure(2_000, None)], at(92)).await, 1, "one differs");
    provisional(&scene, &[figure(1_000, Some("12")), figure(2_000, Some("12"))], 93).await;

    assert_eq!(history(&scene).await, before);
}

#[tokio::test]
async fn of_many_marks_at_once_those_said_before_and_those_final_before_are_told_apart() {
    let scene = scene().await;
    provisional(&scene, &[unconfirmed(figure(7_000, Some("11")))], 50).await;
    finalize(&scene, &[figure(9_000, Some("12"))], at(60)).await;
    let many: Vec<Figure> = (1..=40).map(|second| figure(1_000 * second, Some("10"))).collect();

    assert_eq!(finalize(&scene, &many, at(90)).await, 1, "one was final with another value");

    let rows = history(&scene).await;
    let rows: Vec<&str> = rows.split("; ").collect();
    assert_eq!(rows.len(), 40);
    assert_eq!(rows[5], "6000 10 2 20 1 1 t - - 90 90");
    assert_eq!(rows[6], "7000 10 2 20 1 1 t 11 1 50 90");
    assert_eq!(rows[8], "9000 12 2 24 1 1 t - - 60 60");
    assert_eq!(finalize(&scene, &many, at(95)).await, 1, "nothing changes when it is said again");
}

/// Figures of these marks, ten at a time.
struct Made(Vec<Figure>, usize);

impl Pieces for Made {
    fn next_piece(&mut self) -> Option<&[Figure]> {
        let piece = self.0[self.1..].chunks(10).next()?;
        self.1 += piece.len();
        Some(piece)
    }
}

/// Whether figures, in the order of their marks, could be written as they are made.
async fn copied(scene: &Scene, figures: Vec<Figure>, final_at: EpochMs) -> bool {
    let (first, last) = (&figures[0], &figures[figures.len() - 1]);
    let span = MarkSpan { ticker: first.ticker.clone(), interval: first.interval, first: first.mark, last: last.mark };
    let txn = scene.begin().await;
    let mut is_done_meanwhile = false;
    let meanwhile = || is_done_meanwhile = true;
    let is_written =
        txn.figures_copy_final(&span, &mut Made(figures, 0), final_at, meanwhile).await.expect("an answer");
    assert_eq!(is_done_meanwhile, is_written);
    txn.commit().await.expect("committed");
    is_written
}

#[tokio::test]
async fn figures_are_written_as_they_are_made_unless_something_was_said_of_one_of_their_marks() {
    const MIDNIGHT: i64 = 86_400_000;
    let scene = scene().await;
    provisional(&scene, &[unconfirmed(figure(MIDNIGHT + 100_000, Some("11")))], 50).await;
    let copy = async |seconds: std::ops::RangeInclusive<i64>| {
        let figures = seconds.map(|second| figure(MIDNIGHT + 1_000 * second, Some("10"))).collect();
        copied(&scene, figures, at(90)).await
    };

    assert!(copy(-30..=42).await, "over midnight, in pieces");
    assert!(!copy(90..=110).await, "one was said before");
    assert!(!copy(42..=60).await, "one is final already");
    assert!(copy(43..=43).await);

    let rows = history(&scene).await;
    let rows: Vec<&str> = rows.split("; ").collect();
    assert_eq!(rows.len(), 73 + 1 + 1);
    for (row, second) in rows.iter().zip(-30..=43) {
        assert_eq!(*row, format!("{} 10 2 20 1 1 t - - 90 90", MIDNIGHT + 1_000 * second));
    }
    assert_eq!(rows[74], format!("{} 11 2 22 1 0 f - - 50 -", MIDNIGHT + 100_000));
}

#[tokio::test]
async fn a_provisional_figure_is_said_anew() {
    let scene = scene().await;
    provisional(&scene, &[unconfirmed(figure(1_000, Some("11")))], 50).await;
    provisional(&scene, &[figure(1_000, Some("12"))], 60).await;

    assert_eq!(history(&scene).await, "1000 12 2 24 1 1 f - - 60 -");
}

#[tokio::test]
async fn of_many_provisional_figures_those_said_before_are_said_anew_and_final_ones_stay() {
    let scene = scene().await;
    provisional(&scene, &[unconfirmed(figure(7_000, Some("11")))], 50).await;
    finalize(&scene, &[figure(9_000, Some("12"))], at(60)).await;
    let many: Vec<Figure> = (1..=150).map(|second| unconfirmed(figure(1_000 * second, Some("10")))).collect();

    provisional(&scene, &many, 90).await;

    let rows = history(&scene).await;
    let rows: Vec<&str> = rows.split("; ").collect();
    assert_eq!(rows.len(), many.len());
    for (row, second) in rows.iter().zip(1..) {
        let said = match second {
            9 => "9000 12 2 24 1 1 t - - 60 60".to_owned(),
            _ => format!("{} 10 2 20 1 0 f - - 90 -", 1_000 * second),
        };
        assert_eq!(*row, said);
    }
}

#[tokio::test]
async fn figures_of_any_day_are_written_and_their_days_made_with_them() {
    let scene = scene().await;
    let midnight = 1_684_108_800_000;
    let txn = scene.begin().await;
    txn.figures_insert_final(&[figure(midnight - 1_000, None), figure(midnight, None)], at(90)).await.expect("written");
    drop(txn);
    let days = "select count(*) from pg_class where relispartition and relkind = 'r'";
    assert_eq!(scene.number(days).await, 0, "undone with the transaction");

    finalize(&scene, &[figure(midnight - 1_000, None), figure(midnight, None)], at(90)).await;
    assert_eq!(scene.number(days).await, 2);

    // Someone else drops a day this store knows: one transaction fails, the next makes it again.
    scene.client.batch_execute("drop table vwap_history_20230515").await.expect("dropped");
    let txn = scene.begin().await;
    txn.figures_insert_final(&[figure(midnight, None)], at(90)).await.expect_err("no such day");
    drop(txn);
    finalize(&scene, &[figure(midnight, None)], at(90)).await;
    assert_eq!(scene.number(days).await, 2);

    // What goes straight into a day looks whether it is there.
    scene.client.batch_execute("drop table vwap_history_20230515").await.expect("dropped");
    assert!(copied(&scene, vec![figure(midnight, None)], at(90)).await);
    assert_eq!(scene.number(days).await, 2);
}

#[tokio::test]
async fn nothing_is_written_into_a_day_that_was_taken_out_of_the_history() {
    let scene = scene().await;
    let midnight = 1_684_108_800_000;
    assert!(copied(&scene, vec![figure(midnight, None)], at(90)).await);
    assert!(copied(&scene, vec![figure(midnight + 1_000, None)], at(90)).await, "straight into its day");
    let take_out = "alter table vwap_history detach partition vwap_history_20230515";
    scene.client.batch_execute(take_out).await.expect("taken out");

    let one = figure(midnight + 2_000, None);
    let span = MarkSpan { ticker: one.ticker.clone(), interval: one.interval, first: one.mark, last: one.mark };
    let txn = scene.begin().await;
    txn.figures_copy_final(&span, &mut Made(vec![one], 0), at(90), || ()).await.expect_err("no such day");
    drop(txn);

    assert_eq!(scene.number("select count(*) from vwap_history_20230515").await, 2);
}

#[tokio::test]
async fn tens_of_thousands_of_marks_are_final_in_one_transaction() {
    let scene = scene().await;
    let figures: Vec<Figure> = (1..=25_000).map(|second| figure(second * 1_000, Some("27000.12"))).collect();

    assert_eq!(finalize(&scene, &figures, at(90)).await, 0);

    assert_eq!(scene.number("select count(*) from vwap_history where is_validated").await, 25_000);
}

#[tokio::test]
async fn a_mark_that_was_spoken_of_while_many_were_being_copied_becomes_final_with_them() {
    let scene = scene().await;
    provisional(&scene, &[figure(90_000, None)], 1).await;
    let mut other = scene.database.client().await;
    let speaking = other.transaction().await.expect("begun");
    let speak = "insert into vwap_history
            (exchange, ticker, interval, ts, volume, notional, trades, confirmed_trades, is_validated, calculated_at)
        values ('generic', 'BTC', 300000, 17000, 0, 0, 0, 0, false, 1)";
    speaking.batch_execute(speak).await.expect("spoken");
    let figures: Vec<Figure> = (1..=40).map(|second| figure(second * 1_000, Some("10"))).collect();

    let finality = tokio::join!(finalize(&scene, &figures, at(90)), async {
        scene.someone_waits("the copying to wait").await;
        speaking.commit().await.expect("committed");
    });

    assert_eq!(finality.0, 0);
    assert_eq!(scene.number("select count(*) from vwap_history where is_validated and trades = 1").await, 40);
}

async fn latest(scene: &Scene, figures: &[Figure], is_final: bool) -> u64 {
    let txn = scene.begin().await;
    let changed = txn.latest_upsert(figures, is_final, at(7)).await.expect("written");
    txn.commit().await.expect("committed");
    changed
}

#[tokio::test]
async fn the_latest_figure_gives_way_to_a_newer_mark_or_to_its_own_final_one() {
    let scene = scene().await;
    let shown = "select concat_ws(' ', ts, price, is_validated) from latest_vwap_history";

    assert_eq!(latest(&scene, &[figure(1_000, Some("9")), figure(2_000, Some("10"))], false).await, 1);
    assert_eq!(scene.text(shown).await.as_deref(), Some("2000 10 f"), "the newest of a batch");
    assert_eq!(latest(&scene, &[figure(1_000, Some("11"))], true).await, 0, "an older one, final or not");
    assert_eq!(latest(&scene, &[figure(2_000, Some("12"))], false).await, 0, "no second opinion on one mark");
    assert_eq!(latest(&scene, &[figure(2_000, Some("13"))], true).await, 1);
    assert_eq!(scene.text(shown).await.as_deref(), Some("2000 13 t"));
    assert_eq!(latest(&scene, &[figure(2_000, Some("14"))], false).await, 0, "final stays");
    assert_eq!(latest(&scene, &[figure(3_000, None)], false).await, 1);
    assert_eq!(scene.text(shown).await.as_deref(), Some("3000 f"), "no trades have no price");
}

#[tokio::test]
async fn a_provisional_figure_says_how_many_are_held_back_and_a_final_one_none() {
    let scene = scene().await;
    let held_back = Figure { quarantined_trades: 3, ..unconfirmed(figure(5_000, Some("10"))) };
    let txn = scene.begin().await;
    txn.figures_insert_provisional(std::slice::from_ref(&held_back), at(1)).await.expect("written");
    txn.latest_upsert(&[held_back], false, at(1)).await.expect("written");
    txn.commit().await.expect("committed");
    for table in ["vwap_history", "latest_vwap_history"] {
        assert_eq!(scene.number(&format!("select quarantined_trades from {table}")).await, 3);
    }

    let txn = scene.begin().await;
    txn.figures_insert_final(&[figure(5_000, Some("10"))], at(2)).await.expect("written");
    txn.latest_upsert(&[figure(5_000, Some("10"))], true, at(2)).await.expect("written");
    txn.commit().await.expect("committed");
    for table in ["vwap_history", "latest_vwap_history"] {
        assert_eq!(scene.number(&format!("select quarantined_trades from {table} where is_validated")).await, 0);
    }
}

#[tokio::test]
async fn only_a_day_that_was_over_when_it_was_first_written_has_full_pages() {
    const DAY: i64 = 86_400_000;
    let scene = scene().await;

    provisional(&scene, &[figure(0, None)], 2 * DAY).await;
    finalize(&scene, &[figure(DAY, None), figure(2 * DAY, None)], at(2 * DAY)).await;
    for (midnight, now) in [(3 * DAY, 4 * DAY), (4 * DAY, 5 * DAY - 1)] {
        let figures: Vec<Figure> = (0..3).map(|second| figure(midnight + 1_000 * second, None)).collect();
        assert!(copied(&scene, figures, at(now)).await);
    }

    let sql = "select string_agg(right(relname, 4) || ' ' || array_to_string(reloptions, ','), '; ' order by relname)
        from pg_class where relispartition and relkind = 'r'";
    let half_and_full =
        "0101 fillfactor=50; 0102 fillfactor=100; 0103 fillfactor=50; 0104 fillfactor=100; 0105 fillfactor=50";
    assert_eq!(scene.text(sql).await.unwrap_or_default(), half_and_full);
}
