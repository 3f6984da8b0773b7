//! A final figure changes with an entry that says why, or not at all.

use store::Restatement;
use testkit::at;

use crate::figures::{figure, finalize};
use crate::scene::scene;

fn restatement(mark: i64, price: &str) -> Restatement {
    Restatement {
        figure: figure(mark, Some(price)),
        reason: "the venue repaired its history".to_owned(),
        appended: None,
    }
}

#[tokio::test]
async fn a_restatement_changes_the_figure_and_says_what_it_was() {
    let scene = scene().await;
    finalize(&scene, &[figure(1_000, Some("10")), figure(2_000, None)], at(90)).await;
    let txn = scene.begin().await;
    txn.latest_upsert(&[figure(2_000, None)], true, at(90)).await.expect("written");
    assert_eq!(
        txn.figures_restate(&[restatement(1_000, "11"), restatement(2_000, "11")], at(95)).await.expect("written"),
        2
    );
    assert_eq!(txn.figures_restate(&[restatement(1_000, "12")], at(96)).await.expect("written"), 1);
    txn.commit().await.expect("committed");

    let entries = scene
        .text("select string_agg(concat_ws(' ', ts, revision, coalesce(old_price::text, 'none'), old_trades, new_price, new_notional, restated_at), '; ' order by ts, revision) from restatements")
        .await;
    assert_eq!(entries.as_deref(), Some("1000 1 10 1 11 22 95; 1000 2 11 1 12 24 96; 2000 1 none 0 11 22 95"));
    let held = scene
        .text(
            "select string_agg(concat_ws(' ', ts, price, revision, is_validated, final_at), '; ' order by ts) from vwap_history",
        )
        .await;
    assert_eq!(held.as_deref(), Some("1000 12 2 t 90; 2000 11 1 t 90"));
    let latest = scene.text("select concat_ws(' ', ts, price, trades) from latest_vwap_history").await;
    assert_eq!(latest.as_deref(), Some("2000 11 1"));
}

#[tokio::test]
async fn what_is_right_or_provisional_or_unknown_is_not_restated() {
    let scene = scene().await;
    finalize(&scene, &[figure(1_000, Some("10"))], at(90)).await;
    let txn = scene.begin().await;
    txn.figures_insert_provisional(&[figure(2_000, Some("10"))], at(90)).await.expect("written");

    let restated = [restatement(1_000, "10"), restatement(2_000, "11"), restatement(3_000, "11")];
    assert_eq!(txn.figures_restate(&restated, at(95)).await.expect("written"), 0);

    txn.commit().await.expect("committed");
    assert_eq!(scene.number("select count(*) from restatements").await, 0);
}

#[tokio::test]
async fn a_restatement_undone_leaves_neither_the_figure_nor_the_entry() {
    let scene = scene().await;
    finalize(&scene, &[figure(1_000, Some("10"))], at(90)).await;
    let txn = scene.begin().await;
    txn.figures_restate(&[restatement(1_000, "11")], at(95)).await.expect("written");
    drop(txn);

    assert_eq!(scene.text("select price::text from vwap_history").await.as_deref(), Some("10"));
    assert_eq!(scene.number("select count(*) from restatements").await, 0);
}
