//! What REST said: it replaces what was heard, and keeps when that was.

use tape::{Confirmation, EpochMs, Verdict};
use testkit::{heard, trade};

use crate::scene::{known_confirmed, missing, name, scene};

#[tokio::test]
async fn a_confirmation_replaces_the_values_and_keeps_when_the_trade_was_heard() {
    let scene = scene().await;
    let said = trade("BTC", "a", 2_000, "11", "2");
    let truth = trade("BTC", "a", 1_000, "10", "1");
    scene.hear(&[heard(said.clone(), 777)]).await;

    let verdict = Verdict::Altered { heard: said };
    let confirmation =
        Confirmation { trade: truth.clone(), verdict, received_at: Some(EpochMs::new(777)), suspicion: None };
    let txn = scene.begin().await;
    txn.trades_confirm(&[confirmation]).await.expect("written");
    txn.commit().await.expect("committed");

    assert_eq!(scene.known(&[name(&truth)]).await, [known_confirmed(&truth, true)]);
    assert_eq!(scene.number("select received_at from transactions").await, 777);
}

#[tokio::test]
async fn a_trade_nobody_heard_is_confirmed_as_such() {
    let scene = scene().await;
    let truth = trade("BTC", "a", 1_000, "10", "1");

    scene.confirm(std::slice::from_ref(&truth)).await;

    assert_eq!(scene.known(&[name(&truth)]).await, [known_confirmed(&truth, false)]);
}

#[tokio::test]
async fn confirming_again_changes_nothing_and_writes_nothing() {
    let scene = scene().await;
    let truth = trade("BTC", "a", 1_000, "10", "1");
    scene.hear(&[heard(truth.clone(), 5)]).await;
    scene.confirm(std::slice::from_ref(&truth)).await;
    let written = scene.text("select xmin::text from transactions").await;

    scene.confirm(&[truth.clone(), truth.clone()]).await;

    assert_eq!(scene.known(&[name(&truth)]).await, [known_confirmed(&truth, true)]);
    assert_eq!(scene.text("select xmin::text from transactions").await, written, "the row was not written again");
}

#[tokio::test]
async fn a_trade_that_was_kept_aside_gets_its_place() {
    let scene = scene().await;
    let said = trade("BTC", "a", 500, "10", "1");
    let truth = trade("BTC", "a", 1_000, "10", "1");
    let txn = scene.begin().await;
    txn.trades_insert_unplaced(&[heard(said.clone(), 900)]).await.expect("written");
    txn.commit().await.expect("committed");

    let txn = scene.begin().await;
    let confirmation = Confirmation { received_at: Some(EpochMs::new(900)), ..missing(&truth) };
    txn.trades_confirm(&[confirmation]).await.expect("written");
    txn.commit().await.expect("committed");

    assert_eq!(scene.known(&[name(&truth)]).await, [known_confirmed(&truth, true)]);
    assert_eq!(scene.number("select count(*) from unplaced_trades").await, 0);
}

#[tokio::test]
async fn trades_of_which_nothing_is_held_are_written_and_all_or_none_of_them() {
    let scene = scene().await;
    let said = trade("BTC", "a", 2_000, "11", "2");
    let trades = [trade("BTC", "a", 1_000, "10", "1"), trade("BTC", "b", 1_000, "10", "1")];
    scene.hear(&[heard(said.clone(), 777)]).await;

    let txn = scene.begin().await;
    assert!(!txn.trades_copy_confirmed(&[&trades[0], &trades[1]], || ()).await.expect("an answer"), "one is held");
    assert!(txn.trades_copy_confirmed(&[&trades[1]], || ()).await.expect("an answer"));
    assert!(txn.trades_copy_confirmed(&[], || ()).await.expect("an answer"));
    // What was refused is no failure of the transaction.
    txn.commit().await.expect("committed");

    let known = scene.known(&[name(&trades[0]), name(&trades[1])]).await;
    assert_eq!(known[0].trade, said, "what was held stands");
    assert_eq!(known[1], known_confirmed(&trades[1], false));
}

#[tokio::test]
async fn that_one_of_thousands_is_held_is_told_wherever_it_stands_among_them() {
    let scene = scene().await;
    let trades: Vec<_> =
        (0..20_000).map(|index| trade("BTC", &format!("{index:05}"), 1_000 + index, "27000.12", "0.5")).collect();
    let all: Vec<_> = trades.iter().collect();
    for held in [0, 9_999, 19_999] {
        scene.client.batch_execute("delete from transactions").await.expect("deleted");
        scene.confirm(&trades[held..=held]).await;

        let txn = scene.begin().await;
        assert!(!txn.trades_copy_confirmed(&all, || ()).await.expect("an answer"), "{held}");
        txn.commit().await.expect("committed");

        assert_eq!(scene.number("select count(*) from transactions").await, 1);
    }
}

#[tokio::test]
async fn a_correction_changes_confirmed_trades_only() {
    let scene = scene().await;
    let (confirmed, said) = (trade("BTC", "a", 1_000, "10", "1"), trade("BTC", "b", 1_000, "10", "1"));
    scene.confirm(std::slice::from_ref(&confirmed)).await;
    scene.hear(&[heard(said.clone(), 5)]).await;

    let corrections = [trade("BTC", "a", 1_001, "10.5", "2"), trade("BTC", "b", 1_001, "10.5", "2")];
    let txn = scene.begin().await;
    assert_eq!(txn.trades_correct(&corrections).await.expect("written"), 1);
    txn.commit().await.expect("committed");

    let known = scene.known(&[name(&confirmed), name(&said)]).await;
    assert_eq!(known[0], known_confirmed(&corrections[0], false));
    assert_eq!(known[1].trade, said);
}

#[tokio::test]
async fn thousands_are_confirmed_in_one_statement() {
    let scene = scene().await;
    let trades: Vec<_> =
        (0..5_000).map(|index| trade("BTC", &format!("t{index}"), 1_000 + index, "27000.12", "0.5")).collect();
    let said: Vec<_> = trades.iter().map(|trade| heard(trade.clone(), 9)).collect();
    assert_eq!(scene.hear(&said).await.len(), 5_000);

    scene.confirm(&trades).await;

    assert_eq!(scene.number("select count(*) from transactions where is_validated and received_at = 9").await, 5_000);
}
