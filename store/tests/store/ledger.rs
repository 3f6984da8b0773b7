//! Faults, counts, rejections and incidents.

use store::{Channel, CountDelta, Incident, Refused};
use tape::{Fault, FaultKind, RejectionKind};
use testkit::{at, ticker, trade};

use crate::scene::{Scene, name, scene};

async fn add(scene: &Scene, deltas: &[(&str, i64, &str, i64)]) {
    let deltas: Vec<CountDelta> = deltas
        .iter()
        .map(|(ticker, minute, kind, delta)| CountDelta {
            ticker: (*ticker).to_owned(),
            minute: at(*minute),
            kind: (*kind).to_owned(),
            delta: *delta,
        })
        .collect();
    let txn = scene.begin().await;
    txn.counts_add(&deltas).await.expect("written");
    txn.commit().await.expect("committed");
}

async fn counts(scene: &Scene) -> String {
    let sql = "select string_agg(concat_ws(' ', ticker, minute, kind, trades), '; ' order by ticker, minute, kind) from feed_counts";
    scene.text(sql).await.unwrap_or_default()
}

#[tokio::test]
async fn counts_add_up_and_those_that_come_to_nothing_are_gone() {
    let scene = scene().await;
    add(
        &scene,
        &[
            ("BTC", 0, "matched", 2),
            ("BTC", 0, "matched", 3),
            ("BTC", 60_000, "missing", 1),
            ("", 0, "rejected_malformed", 1),
        ],
    )
    .await;
    add(&scene, &[("BTC", 0, "matched", 1), ("BTC", 60_000, "missing", -1)]).await;

    assert_eq!(counts(&scene).await, " 0 rejected_malformed 1; BTC 0 matched 6");
}

#[tokio::test]
async fn a_count_never_falls_below_zero() {
    let scene = scene().await;
    add(&scene, &[("BTC", 0, "missing", -5)]).await;
    add(&scene, &[("BTC", 0, "missing", 1)]).await;
    add(&scene, &[("BTC", 0, "missing", -5)]).await;

    assert_eq!(counts(&scene).await, "");
}

#[tokio::test]
async fn a_fault_is_kept_with_both_sides() {
    let scene = scene().await;
    let (heard, truth) = (trade("BTC", "a", 2_000, "11.5", "1"), trade("BTC", "a", 1_000, "10", "1"));
    let altered = Fault::new(FaultKind::Altered, Some(heard.clone()), Some(truth.clone()), Some(at(2_500)));
    let phantom = Fault::new(FaultKind::Phantom, Some(heard), None, Some(at(2_500)));
    let missing = Fault::new(FaultKind::Missing, None, Some(truth.clone()), None);
    let faults: Vec<Fault> = [altered, phantom, missing].into_iter().flatten().collect();
    let txn = scene.begin().await;
    txn.faults_insert(&faults, at(3_000)).await.expect("written");
    txn.commit().await.expect("committed");

    let sql =
        "select string_agg(concat_ws(' ', kind, ts, coalesce(heard_price::text, '-'), coalesce(true_price::text, '-'),
            coalesce(received_at::text, '-'), found_at), '; ' order by id) from feed_faults";
    let expected = "altered 1000 11.5 10 2500 3000; phantom 2000 11.5 - 2500 3000; missing 1000 - 10 - 3000";
    assert_eq!(scene.text(sql).await.as_deref(), Some(expected));
}

#[tokio::test]
async fn what_was_missing_and_comes_after_all_is_withdrawn_and_nothing_else() {
    let scene = scene().await;
    let (late, gone) = (trade("BTC", "late", 1_000, "1", "1"), trade("BTC", "gone", 1_000, "1", "1"));
    let faults: Vec<Fault> = [
        Fault::new(FaultKind::Missing, None, Some(late.clone()), None),
        Fault::new(FaultKind::Duplicate, Some(late.clone()), None, Some(at(1))),
        Fault::new(FaultKind::Missing, None, Some(gone.clone()), None),
    ]
    .into_iter()
    .flatten()
    .collect();
    let txn = scene.begin().await;
    txn.faults_insert(&faults, at(3_000)).await.expect("written");
    let unheard_of = trade("BTC", "never-missing", 1_000, "1", "1");
    let withdrawn = txn.missing_withdraw(&[name(&late), name(&unheard_of)]).await.expect("written");
    txn.commit().await.expect("committed");

    assert_eq!(withdrawn, [name(&late)]);
    let left = scene.text("select string_agg(tradeid || ' ' || kind, '; ' order by id) from feed_faults").await;
    assert_eq!(left.as_deref(), Some("late duplicate; gone missing"));
}

fn refused(frame: &str, received_at: i64) -> Refused {
    Refused {
        channel: Channel::Socket,
        ticker: None,
        kind: RejectionKind::Malformed,
        reason: "no JSON\0".to_owned(),
        frame: frame.to_owned(),
        received_at: at(received_at),
    }
}

#[tokio::test]
async fn any_frame_can_be_kept_however_long_or_odd() {
    let scene = scene().await;
    let long = format!("a{}", "ä".repeat(5_000));
    let rest = Refused { channel: Channel::Rest, ticker: Some(ticker("BTC")), ..refused("row", 2) };
    let txn = scene.begin().await;
    txn.rejections_insert(&[refused("nul \0 and 'quote' \u{1F600}", 1), refused(&long, 1), rest])
        .await
        .expect("written");
    txn.commit().await.expect("committed");

    let frames =
        scene.client.query("select frame, channel, ticker from rejections order by id", &[]).await.expect("rows");
    assert_eq!(frames[0].get::<_, String>(0), "nul \u{2400} and 'quote' \u{1F600}");
    let kept: String = frames[1].get(0);
    assert!(long.starts_with(&kept) && kept.len() == 4_095, "{} bytes: a whole number of characters", kept.len());
    assert_eq!((frames[2].get::<_, &str>(1), frames[2].get::<_, &str>(2)), ("rest", "BTC"));
}

#[tokio::test]
async fn only_the_latest_refused_frames_are_kept() {
    let scene = scene().await;
    let fill = "insert into rejections (exchange, channel, kind, reason, frame, received_at)
        select 'generic', 'socket', 'malformed', '', '', n from generate_series(1, 10500) as n";
    scene.client.batch_execute(fill).await.expect("filled");

    assert_eq!(scene.store.rejections_trim("generic").await.expect("written"), 500);
    assert_eq!(scene.store.rejections_trim("generic").await.expect("written"), 0);

    assert_eq!(scene.number("select min(received_at) from rejections").await, 501);
    assert_eq!(scene.number("select count(*) from rejections").await, store::REJECTIONS_KEPT);
}

#[tokio::test]
async fn an_incident_is_recorded_once() {
    let scene = scene().await;
    let incident = Incident {
        ticker: ticker("BTC"),
        kind: "unpageable_millisecond".to_owned(),
        from: at(1_000),
        to: at(1_000),
        detail: "more trades than a page".to_owned(),
    };
    let txn = scene.begin().await;
    let incidents = [incident.clone(), incident.clone()];
    assert_eq!(txn.incidents_insert(&incidents, at(5)).await.expect("written"), 1);
    assert_eq!(txn.incidents_insert(&incidents, at(6)).await.expect("written"), 0);
    txn.commit().await.expect("committed");

    assert_eq!(scene.number("select found_at from incidents").await, 5);
}
