//! The chain: a final figure keeps its place in it, and nobody appends to an
//! end that is not there.

use store::{Appended, ChainStep, Chained, Figure, Restatement};
use tape::{Chain, Digest, Entry, Head, Interval, Ticker, TradesDigest};
use testkit::{at, ticker, trade};

use crate::figures::{figure, finalize};
use crate::scene::{Scene, VENUE, scene};

fn chain() -> Chain {
    Chain { exchange: VENUE.to_owned(), ticker: ticker("BTC"), interval: Interval::DEFAULT }
}

fn step(from: Head, to: Head) -> ChainStep {
    ChainStep { ticker: ticker("BTC"), interval: Interval::DEFAULT, from, to }
}

fn after(head: Head, mark: i64) -> Head {
    let Figure { mark, sums, .. } = figure(mark, Some("10"));
    chain().append(&head, &Entry { mark, revision: 0, sums, second_digest: Digest::of(b"") })
}

async fn heads(scene: &Scene) -> Vec<(Ticker, Head)> {
    scene.store.chain_heads(VENUE, Interval::DEFAULT).await.expect("read")
}

async fn advance(scene: &Scene, steps: &[ChainStep]) -> Result<(), store::StoreError> {
    let txn = scene.begin().await;
    txn.chain_advance(steps).await?;
    txn.commit().await
}

#[tokio::test]
async fn a_chain_grows_from_its_genesis_and_only_from_its_end() {
    let scene = scene().await;
    let genesis = chain().genesis();
    let (first, second) = (after(genesis, 1_000), after(after(genesis, 1_000), 2_000));
    assert_eq!(heads(&scene).await, []);

    advance(&scene, &[step(genesis, first)]).await.expect("the first entry");
    advance(&scene, &[step(first, second)]).await.expect("the second entry");

    assert_eq!(heads(&scene).await, [(ticker("BTC"), second)]);
    let third = after(second, 3_000);
    let elsewhere = Head { link: Digest::of(b"another history"), ..second };
    for from in [genesis, first, elsewhere] {
        advance(&scene, &[step(from, third)]).await.expect_err("that is not where it ends");
    }
    assert_eq!(heads(&scene).await, [(ticker("BTC"), second)], "nothing of it stays");
    let other = scene.store.chain_heads(VENUE, Interval::from_ms(1_000).expect("a second")).await.expect("read");
    assert_eq!(other, [], "each interval has a chain of its own");
}

#[tokio::test]
async fn a_final_figure_keeps_its_place_and_a_restatement_appends_one_of_its_own() {
    let scene = scene().await;
    let head = after(chain().genesis(), 1_000);
    let chained = Some(Chained { head, final_watermark: at(1_250) });
    finalize(&scene, &[Figure { chained, ..figure(1_000, Some("10")) }, figure(2_000, None)], at(90)).await;
    let now = figure(1_000, Some("11"));
    let new_second_digest = TradesDigest::of([&trade("BTC", "a", 900, "11", "2")]);
    let entry = Entry { mark: now.mark, revision: 1, sums: now.sums, second_digest: new_second_digest };
    let restated = chain().append(&head, &entry);
    let appended =
        Appended { previous_link: head.link, head: restated, old_second_digest: Digest::of(b""), new_second_digest };
    let restatement = Restatement { figure: now, reason: "repaired".to_owned(), appended: Some(appended) };

    let txn = scene.begin().await;
    assert_eq!(txn.figures_restate(&[restatement], at(95)).await.expect("written"), 1);
    txn.commit().await.expect("committed");

    let rows =
        "select string_agg(concat_ws(' ', ts, revision, entry, encode(link, 'hex'), final_watermark), '; ' order by ts)
        from vwap_history";
    let expected = format!("1000 1 1 {} 1250; 2000 0", head.link);
    assert_eq!(scene.text(rows).await, Some(expected), "the first link stays where it was");
    let log = "select concat_ws(' ', ts, revision, entry, encode(link, 'hex'), encode(previous_link, 'hex'),
        encode(old_second_digest, 'hex'), encode(new_second_digest, 'hex')) from restatements";
    let expected = format!("1000 1 2 {} {} {} {new_second_digest}", restated.link, head.link, Digest::of(b""));
    assert_eq!(scene.text(log).await, Some(expected));
}

#[tokio::test]
async fn a_second_whose_digest_alone_changes_is_restated_too() {
    let scene = scene().await;
    let genesis = chain().genesis();
    finalize(&scene, &[figure(1_000, Some("10"))], at(90)).await;
    let restate = |old: &[u8], new: &[u8]| Restatement {
        figure: figure(1_000, Some("10")),
        reason: "another id".to_owned(),
        appended: Some(Appended {
            previous_link: genesis.link,
            head: after(genesis, 1_000),
            old_second_digest: Digest::of(old),
            new_second_digest: Digest::of(new),
        }),
    };

    let txn = scene.begin().await;
    assert_eq!(txn.figures_restate(&[restate(b"a", b"a")], at(95)).await.expect("written"), 0);
    assert_eq!(txn.figures_restate(&[restate(b"a", b"b")], at(96)).await.expect("written"), 1);
    txn.commit().await.expect("committed");

    assert_eq!(scene.text("select revision::text from vwap_history").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn the_trades_of_an_unfinished_second_are_the_confirmed_ones_after_it_began() {
    let scene = scene().await;
    let confirmed =
        [trade("BTC", "b", 1_000, "1", "1"), trade("BTC", "a", 1_001, "2", "3.5"), trade("ETH", "a", 1_500, "9", "1")];
    scene.confirm(&confirmed).await;
    scene.hear(&[testkit::heard(trade("BTC", "h", 1_600, "5", "5"), 1_700)]).await;

    let asked = [(ticker("BTC"), at(1_000)), (ticker("ETH"), at(1_500))];
    let unfinished = scene.store.trades_unfinished(VENUE, &asked).await.expect("read");

    assert_eq!(unfinished.get(&ticker("BTC")), Some(&vec![confirmed[1].clone()]));
    assert_eq!(unfinished.get(&ticker("ETH")), None);
}

/// A moment at which nothing but trades is kept.
fn moment(closes_at: i64, interval_ms: i64) -> store::answers::Moment {
    let interval = Interval::from_ms(interval_ms).expect("in bounds");
    store::answers::Moment { closes_at: at(closes_at), interval, kept_interval: Interval::DEFAULT }
}

#[tokio::test]
async fn a_window_of_many_pages_of_trades_has_the_digest_that_postgres_makes_of_it_and_is_bounded() {
    let scene = scene().await;
    // A thousand trades share each millisecond: pages end in the middle of one.
    let fill = "insert into transactions
        select 'generic', 'BTC', md5(n::text), 1000 + n / 1000, 1 + n % 7, 0.5, true, null from generate_series(1, 25000) as n;
        update tickers_validation_timestamp set validated_until = 5000;";
    scene.client.batch_execute(fill).await.expect("filled");
    let by_postgres = "select encode(sha256(convert_to(string_agg(
            ts || ' ' || tradeid || ' ' || trim_scale(price) || ' ' || trim_scale(quantity) || E'\\n',
            '' order by ts, tradeid collate \"C\"), 'UTF8')), 'hex')
        from transactions where ts > 1001 and ts <= 1024";
    let by_postgres = scene.text(by_postgres).await.expect("a digest");
    let read = async |limit| {
        let found = scene.store.receipt_at(None, &ticker("BTC"), moment(1_024, 23), limit).await.expect("read");
        found.into_iter().next().expect("one venue").trades
    };

    let store::answers::Trades::Read(evidence) = read(30_000).await else { panic!("all of them fit") };
    assert_eq!((evidence.digest.to_string(), evidence.sums.trades), (by_postgres, 23_000));
    assert!(matches!(read(22_999).await, store::answers::Trades::TooMany));
    assert!(matches!(read(23_000).await, store::answers::Trades::Read(_)));
}
