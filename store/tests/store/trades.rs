//! What the socket brought: kept, never in the way of what REST said.

use tape::{Confirmation, Extremes, Heard, Known, Standing, Sums, Suspicion, Verdict};
use testkit::{at, heard, id, ticker, trade};

use crate::scene::{known_confirmed, known_heard, name, scene, through};

#[tokio::test]
async fn heard_trades_of_which_nothing_is_held_are_added_and_all_or_none_of_them() {
    let scene = scene().await;
    let [one, two] = [("a", 1_000), ("b", 2_000)].map(|(id, at)| heard(trade("BTC", id, at, "10", "1"), at + 5));
    let suspect = Heard { suspicion: Some(Suspicion::Price), ..two.clone() };
    let add = async |heard: &[Heard]| {
        let txn = scene.begin().await;
        let is_added = txn.trades_copy_heard(heard).await.expect("an answer");
        txn.commit().await.expect("what was refused is no failure of the transaction");
        is_added
    };

    assert!(add(std::slice::from_ref(&one)).await);
    assert!(!add(&[suspect.clone(), one.clone()]).await, "one is held");
    assert_eq!(scene.number("select count(*) from transactions").await, 1);
    assert!(add(std::slice::from_ref(&suspect)).await);
    let known = scene.known(&[name(&one.trade), name(&two.trade)]).await;
    let standing = |heard: &Heard| Standing::Heard { received_at: heard.received_at, suspicion: heard.suspicion };
    let expected = [&one, &suspect].map(|heard| Known { trade: heard.trade.clone(), standing: standing(heard) });
    assert_eq!(known, expected);

    let txn = scene.begin().await;
    txn.trades_insert_unplaced(&[heard(trade("ETH", "z", 500, "10", "1"), 900)]).await.expect("written");
    txn.commit().await.expect("committed");
    assert!(!add(&[heard(trade("BTC", "c", 3_000, "1", "1"), 5)]).await, "it may be aside");
}

#[tokio::test]
async fn a_heard_trade_is_known_with_all_it_said() {
    let scene = scene().await;
    let trade = trade("BTC", "a", 1_684_083_600_123, "27000.12", "0.000000000000000001");

    let inserted = scene.hear(&[heard(trade.clone(), 5)]).await;

    assert_eq!(inserted, [name(&trade)]);
    assert_eq!(scene.known(&[name(&trade)]).await, [known_heard(&trade, 5)]);
}

#[tokio::test]
async fn a_late_or_altered_copy_never_touches_a_confirmed_row() {
    let scene = scene().await;
    let truth = trade("BTC", "a", 1_000, "10", "1");
    let altered = trade("BTC", "a", 9_000, "99", "9");
    scene.confirm(std::slice::from_ref(&truth)).await;

    assert_eq!(scene.hear(&[heard(altered.clone(), 2_000)]).await, []);
    let txn = scene.begin().await;
    assert_eq!(txn.trades_mark_heard(&[heard(altered.clone(), 2_000)]).await.expect("written"), 1);
    assert_eq!(txn.trades_mark_heard(&[heard(altered.clone(), 3_000)]).await.expect("written"), 0, "the first stays");
    txn.trades_remove_heard(&[name(&altered)]).await.expect("written");
    txn.trades_unplace(&[known_heard(&altered, 2_000)]).await.expect("written");
    txn.commit().await.expect("committed");

    assert_eq!(scene.known(&[name(&truth)]).await, [known_confirmed(&truth, true)]);
    assert_eq!(scene.number("select received_at from transactions").await, 2_000);
    assert_eq!(scene.number("select count(*) from unplaced_trades").await, 0);
}

#[tokio::test]
async fn one_conflicting_row_does_not_drop_its_batch() {
    let scene = scene().await;
    let first = trade("BTC", "b", 1_000, "10", "1");
    scene.hear(&[heard(first.clone(), 1)]).await;

    let copy = trade("BTC", "b", 1_000, "11", "1");
    let others = [trade("BTC", "a", 1_000, "1", "1"), trade("BTC", "c", 1_000, "1", "1")];
    let batch = [heard(copy, 2), heard(others[0].clone(), 2), heard(others[1].clone(), 2), heard(others[1].clone(), 3)];
    let inserted = scene.hear(&batch).await;

    assert_eq!(inserted, [name(&others[0]), name(&others[1])], "each new one once");
    assert_eq!(scene.known(&[name(&first)]).await, [known_heard(&first, 1)], "the first copy stays");
}

#[tokio::test]
async fn one_id_of_two_tickers_is_two_trades() {
    let scene = scene().await;
    let (bitcoin, ether) = (trade("BTC", "1", 1_000, "10", "1"), trade("ETH", "1", 1_000, "20", "2"));

    let inserted = scene.hear(&[heard(bitcoin.clone(), 1), heard(ether.clone(), 1)]).await;

    assert_eq!(inserted.len(), 2);
    assert_eq!(scene.known(&[name(&ether)]).await, [known_heard(&ether, 1)]);
}

#[tokio::test]
async fn trades_kept_aside_are_known_and_found_and_count_nowhere() {
    let scene = scene().await;
    scene.advance("BTC", through(0), through(5_000)).await;
    let claimed = trade("BTC", "a", 4_000, "10", "1");
    let txn = scene.begin().await;
    let inserted = txn.trades_insert_unplaced(&[heard(claimed.clone(), 6_000)]).await.expect("written");
    assert_eq!(inserted, [name(&claimed)]);
    assert_eq!(txn.trades_insert_unplaced(&[heard(claimed.clone(), 7_000)]).await.expect("written"), []);
    txn.commit().await.expect("committed");

    let expected = [known_heard(&claimed, 6_000)];
    assert_eq!(scene.known(&[name(&claimed)]).await, expected);
    let found = scene.begin().await.trades_heard_until(&[(ticker("BTC"), at(9_000))]).await.expect("read");
    assert_eq!(found, expected);
    assert_eq!(scene.number("select count(*) from transactions").await, 0);
}

#[tokio::test]
async fn what_was_heard_is_found_up_to_the_reach_and_confirmed_trades_are_not() {
    let scene = scene().await;
    scene.advance("BTC", through(0), through(1_000)).await;
    let trades: Vec<_> = [("a", 1_001), ("b", 2_000), ("c", 2_001)]
        .map(|(id, traded_at)| trade("BTC", id, traded_at, "1", "1"))
        .to_vec();
    let confirmed = trade("BTC", "d", 1_500, "1", "1");
    let foreign = trade("ETH", "e", 1_500, "1", "1");
    scene.hear(&[0, 1, 2].map(|index: usize| heard(trades[index].clone(), 1))).await;
    scene.hear(&[heard(confirmed.clone(), 1), heard(foreign, 1)]).await;
    scene.confirm(&[confirmed]).await;

    let txn = scene.begin().await;
    let mut found = txn.trades_heard_until(&[(ticker("BTC"), at(2_000))]).await.expect("read");

    found.sort_by(|a, b| a.trade.id.cmp(&b.trade.id));
    assert_eq!(found, [known_heard(&trades[0], 1), known_heard(&trades[1], 1)]);
    let twice = [(ticker("BTC"), at(2_001)), (ticker("BTC"), at(1_001))];
    assert_eq!(txn.trades_heard_until(&twice).await.expect("read").len(), 3, "the later of two reaches counts, once");
}

#[tokio::test]
async fn a_phantom_is_taken_out_wherever_it_is_kept() {
    let scene = scene().await;
    let (live, aside) = (trade("BTC", "a", 1_000, "1", "1"), trade("BTC", "b", 1_000, "1", "1"));
    let txn = scene.begin().await;
    txn.trades_insert_heard(&[heard(live.clone(), 1)]).await.expect("written");
    txn.trades_insert_unplaced(&[heard(aside.clone(), 1)]).await.expect("written");
    txn.trades_remove_heard(&[name(&live), name(&aside)]).await.expect("written");
    txn.commit().await.expect("committed");

    assert_eq!(scene.known(&[name(&live), name(&aside)]).await, []);
}

#[tokio::test]
async fn a_trade_moved_aside_keeps_what_it_said_and_moving_it_again_changes_nothing() {
    let scene = scene().await;
    let claimed = trade("BTC", "a", 1_000, "10.5", "3");
    scene.hear(&[heard(claimed.clone(), 7)]).await;
    for _ in 0..2 {
        let txn = scene.begin().await;
        txn.trades_unplace(&[known_heard(&claimed, 7)]).await.expect("written");
        txn.commit().await.expect("committed");
    }

    assert_eq!(scene.known(&[name(&claimed)]).await, [known_heard(&claimed, 7)]);
    assert_eq!(scene.number("select count(*) from transactions").await, 0);
    assert_eq!(scene.number("select count(*) from unplaced_trades").await, 1);
}

#[tokio::test]
async fn nothing_to_do_is_done_at_once() {
    let scene = scene().await;
    let txn = scene.begin().await;

    assert_eq!(txn.trades_insert_heard(&[]).await.expect("nothing"), []);
    assert_eq!(txn.trades_known(&[]).await.expect("nothing"), []);
    assert_eq!(txn.trades_known(&[(ticker("BTC"), id("unheard-of"))]).await.expect("read"), []);
    txn.trades_confirm(&[]).await.expect("nothing");
    txn.watermarks_advance(&[], at(0)).await.expect("nothing");
    txn.commit().await.expect("committed");
}

#[tokio::test]
async fn what_is_held_against_a_trade_is_told_and_dropped_when_rest_confirms_it() {
    let scene = scene().await;
    let trade = trade("BTC", "a", 5_000, "10", "1");
    let suspicion = Some(Suspicion::Quantity);
    let copy = Heard { suspicion: None, ..heard(trade.clone(), 6) };
    scene.hear(&[Heard { suspicion, ..heard(trade.clone(), 5) }, copy]).await;
    let expected = Known { trade: trade.clone(), standing: Standing::Heard { received_at: at(5), suspicion } };

    assert_eq!(scene.known(&[name(&trade)]).await, std::slice::from_ref(&expected), "the first copy decides");
    let found = scene.begin().await.trades_heard_until(&[(ticker("BTC"), at(9_000))]).await.expect("read");
    assert_eq!(found, [expected]);
    let confirmation =
        Confirmation { trade: trade.clone(), verdict: Verdict::Matched, received_at: Some(at(5)), suspicion };
    let txn = scene.begin().await;
    txn.trades_confirm(&[confirmation]).await.expect("written");
    txn.commit().await.expect("committed");

    assert_eq!(scene.known(&[name(&trade)]).await, [known_confirmed(&trade, true)]);
    assert_eq!(scene.text("select suspicion from transactions").await, None);
}

#[tokio::test]
async fn a_suspect_stays_one_when_it_is_moved_aside_or_kept_there_from_the_first() {
    let scene = scene().await;
    let (moved, kept) = (trade("BTC", "a", 5_000, "10", "1"), trade("BTC", "b", 1, "10", "1"));
    let suspected = |trade: &tape::Trade, suspicion| Heard { suspicion: Some(suspicion), ..heard(trade.clone(), 5) };
    let known = |trade: &tape::Trade, suspicion| Known {
        trade: trade.clone(),
        standing: Standing::Heard { received_at: at(5), suspicion: Some(suspicion) },
    };
    scene.hear(&[suspected(&moved, Suspicion::Price)]).await;
    let txn = scene.begin().await;
    txn.trades_insert_unplaced(&[suspected(&kept, Suspicion::Contradicted)]).await.expect("written");
    txn.trades_unplace(&[known(&moved, Suspicion::Price)]).await.expect("written");
    txn.commit().await.expect("committed");

    let expected = [known(&moved, Suspicion::Price), known(&kept, Suspicion::Contradicted)];
    assert_eq!(scene.known(&[name(&moved), name(&kept)]).await, expected);
    let mut found = scene.begin().await.trades_heard_until(&[(ticker("BTC"), at(9_000))]).await.expect("read");
    found.sort_by(|a, b| a.trade.id.cmp(&b.trade.id));
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_confirmed_trade_can_never_be_a_suspect() {
    let scene = scene().await;
    scene.confirm(&[trade("BTC", "a", 1_000, "10", "1")]).await;

    let refused = scene.client.execute("update transactions set suspicion = 'price'", &[]).await;
    assert!(refused.is_err());
    let unknown = "insert into unplaced_trades values ('generic', 'BTC', 'x', 1, 1, 1, 1, 'odd')";
    assert!(scene.client.execute(unknown, &[]).await.is_err());
}

#[tokio::test]
async fn a_rebuild_keeps_suspects_apart_and_knows_the_ends_of_what_is_confirmed() {
    let scene = scene().await;
    let suspect = trade("BTC", "far", 10_500, "99", "2");
    scene.hear(&[Heard { suspicion: Some(Suspicion::Price), ..heard(suspect.clone(), 10_600) }]).await;
    let (low, high) = (trade("BTC", "low", 10_001, "9.5", "3"), trade("BTC", "high", 11_000, "10.5", "1"));
    let confirmed = |trade: &tape::Trade, received_at| Confirmation {
        trade: trade.clone(),
        verdict: Verdict::Matched,
        received_at,
        suspicion: None,
    };
    let txn = scene.begin().await;
    txn.trades_confirm(&[confirmed(&low, Some(at(10_100))), confirmed(&high, Some(at(10_970)))])
        .await
        .expect("written");
    txn.commit().await.expect("committed");

    let buckets = scene.store.window_buckets("generic", &[(ticker("BTC"), at(0))]).await.expect("read");

    let bucket = buckets[&ticker("BTC")][0];
    assert_eq!((bucket.confirmed.trades, bucket.heard.trades), (2, 0));
    assert_eq!(bucket.quarantined, Sums::of(suspect.price, suspect.quantity));
    let ends =
        Extremes { trades: 2, lowest: low.price, highest: high.price, largest: low.quantity, earliest_ms: Some(30) };
    assert_eq!(bucket.extremes, Some(ends));
}
