//! Which mark the newest consolidated figure is of, and that it never goes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api::Clock;
use serde_json::Value;
use testkit::{at, database, eventually};

use crate::consolidated::{LATEST, equals_postgres, exchange, historical, part, two};
use crate::memory::live;
use crate::running::Running;
use crate::seeded::{MARK, NOW, SETTLED_UNTIL};
use crate::writing::{BEGINS, Writer};

#[tokio::test]
async fn an_exchange_that_stopped_is_not_waited_for_but_shows_and_nothing_is_final() {
    let database = database().await;
    let binance = exchange(&database, "binance", 1, SETTLED_UNTIL, MARK + 1_000).await;
    exchange(&database, "kraken", 37, SETTLED_UNTIL - 20_000, MARK - 5_000).await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json(LATEST).await;

    assert_eq!(
        (&latest["ts"], &latest["stale"], &latest["state"]),
        (&(MARK + 1_000).into(), &true.into(), &"provisional".into())
    );
    let stopped = part(&latest, "kraken");
    assert_eq!(
        (&stopped["stale"], &stopped["newest_mark"], &stopped["source"]),
        (&true.into(), &(MARK - 5_000).into(), &"computed".into())
    );
    assert_eq!((&part(&latest, "binance")["stale"], &latest["bound"]), (&false.into(), &Value::Null));
    // What it did tell still counts.
    equals_postgres(&binance.client, &latest).await;
    // The newest final figure of all is as old as the one that stopped.
    let settled = api.json(&format!("{LATEST}&min_state=final")).await;
    assert_eq!((&settled["ts"], &settled["stale"]), (&(SETTLED_UNTIL - 20_000).into(), &true.into()));
    assert_eq!(settled["age_ms"], NOW - SETTLED_UNTIL + 20_000);
}

#[tokio::test]
async fn an_exchange_a_moment_behind_is_waited_for() {
    let database = database().await;
    exchange(&database, "binance", 1, SETTLED_UNTIL, MARK + 1_000).await;
    exchange(&database, "kraken", 37, SETTLED_UNTIL, MARK - 1_000).await;
    let api = Running::standing_at(&database, NOW);

    let latest = api.json(LATEST).await;

    assert_eq!(
        (&latest["ts"], &latest["source"], &latest["stale"]),
        (&(MARK - 1_000).into(), &"stored".into(), &false.into())
    );
    assert_eq!(part(&latest, "binance")["newest_mark"], MARK + 1_000);
}

#[tokio::test]
async fn an_answer_does_not_go_back_when_an_exchange_that_was_not_waited_for_returns() {
    let database = database().await;
    exchange(&database, "binance", 1, SETTLED_UNTIL, MARK + 1_000).await;
    let kraken = exchange(&database, "kraken", 37, SETTLED_UNTIL - 5_000, MARK - 5_000).await;
    let api = Running::standing_at(&database, NOW);
    assert_eq!(api.json(LATEST).await["ts"], MARK + 1_000);

    kraken.figures(MARK - 4_000, MARK - 2_000).await;

    let latest = api.json(LATEST).await;
    assert_eq!((&latest["ts"], &part(&latest, "kraken")["stale"]), (&(MARK + 1_000).into(), &true.into()));
    // A server that told nobody is free to wait for it.
    assert_eq!(Running::standing_at(&database, NOW).json(LATEST).await["ts"], MARK - 2_000);
    kraken.figures(MARK - 1_000, MARK + 1_000).await;
    let latest = api.json(LATEST).await;
    assert_eq!(
        (&latest["ts"], &latest["stale"], &latest["source"]),
        (&(MARK + 1_000).into(), &false.into(), &"stored".into())
    );
}

#[tokio::test]
async fn min_state_final_answers_what_is_final_on_all_exchanges_or_says_who_holds_it_up() {
    let database = database().await;
    let [binance, kraken] = two(&database).await;
    binance.measured(NOW - 300, 10_000, 11_000, 300).await;
    kraken.measured(NOW - 300, 17_000, 19_000, 300).await;
    let api = Running::standing_at(&database, NOW);

    let settled = api.json(&format!("{LATEST}&min_state=final")).await;

    assert_eq!((&settled["ts"], &settled["state"]), (&(SETTLED_UNTIL - 7_000).into(), &"final".into()));
    equals_postgres(&binance.client, &settled).await;
    for path in [historical(SETTLED_UNTIL, "&min_state=final"), historical(MARK, "&min_state=final")] {
        let answer = api.get(&path).await;
        let problem = answer.problem();
        assert_eq!((answer.status.as_u16(), &problem["code"]), (404, &"not_final_yet".into()));
        let detail = problem["detail"].as_str().expect("a sentence");
        assert!(detail.contains("on kraken") && detail.contains("19000 ms"), "{detail}");
        assert!(problem["expected_at"].is_i64());
    }
    // Nobody can say when while one of them cannot.
    binance.client.execute("update tickers_validation_timestamp set time_to_final_p50_ms = null, time_to_final_p99_ms = null, time_to_final_marks = null where exchange = 'binance'", &[]).await.expect("one");
    let problem = api.get(&historical(MARK, "&min_state=final")).await.problem();
    assert!(
        problem["expected_at"].is_null() && problem["detail"].as_str().is_some_and(|it| it.contains("on binance")),
        "{problem}"
    );
}

/// What of a consolidated answer only ever rises.
fn position(answer: &Value) -> (i64, bool, u64, i64) {
    let number = |name: &str| answer[name].as_i64().expect("a number");
    let is_final = answer["is_validated"].as_bool().expect("a truth");
    (number("ts"), is_final, answer["revision"].as_u64().unwrap_or(0), number("validated_until"))
}

#[tokio::test]
async fn no_answer_goes_back_while_two_exchanges_advance_and_one_of_them_stops_and_returns() {
    const MARKS: i64 = 120;
    let database = database().await;
    let first = Writer::of(&database, "binance", 300_000, &["BTC"]).await;
    let second = Writer::of(&database, "kraken", 300_000, &["BTC"]).await;
    let say = async |writer: &Writer, second: i64| writer.say(&[writer.figure("BTC", second, "100")]).await;
    say(&first, 1).await;
    say(&second, 1).await;
    let url = database.url();
    let now = Clock::StandingAt(at(BEGINS + MARKS * 1_000));
    let api = Arc::new(Running::start(&[("PG_STRING", &url)], now));
    live(&api).await;

    let is_over = Arc::new(AtomicBool::new(false));
    let client = |path: &'static str| {
        let (api, is_over) = (Arc::clone(&api), Arc::clone(&is_over));
        tokio::spawn(async move {
            let (mut last, mut seen) = ((0, false, 0, 0), 0);
            while !is_over.load(Ordering::Relaxed) {
                let answer = api.get(path).await;
                if answer.status != 200 {
                    assert_eq!(answer.problem()["code"], "not_final_yet");
                    continue;
                }
                let position = position(&answer.json());
                assert!(last <= position, "{path} went back from {last:?} to {position:?}");
                (last, seen) = (position, seen + 1);
            }
            seen
        })
    };
    let paths =
        ["/latest?ticker=BTC", "/latest?ticker=BTC&min_state=final", "/latest?ticker=BTC&min_state=provisional"];
    let clients: Vec<_> = (0..18).map(|index| client(paths[index % 3])).collect();

    // What the figure of all has told of an exchange, that exchange alone does not fall behind.
    let beside = {
        let (api, is_over) = (Arc::clone(&api), Arc::clone(&is_over));
        tokio::spawn(async move {
            while !is_over.load(Ordering::Relaxed) {
                let all = api.json("/latest?ticker=BTC").await;
                let alone = api.json("/latest?ticker=BTC&exchange=binance").await;
                let newest = part(&all, "binance")["newest_mark"].as_i64().unwrap_or(0);
                assert!(newest <= alone["ts"].as_i64().expect("a mark"), "{all} {alone}");
            }
        })
    };

    let (mut settled, mut said) = ([0, 0], 1);
    for mark in 2..=MARKS {
        say(&first, mark).await;
        // The second one stops for a dozen marks every so often, and then makes up for them one by one.
        if mark % 40 < 20 {
            while said < mark {
                said += 1;
                say(&second, said).await;
            }
        }
        if mark % 3 == 0 {
            for (index, (writer, to)) in [(&first, mark), (&second, said)].into_iter().enumerate() {
                if settled[index] < to {
                    writer.settle(&[writer.figure("BTC", to, "101")], settled[index], to).await;
                    settled[index] = to;
                }
            }
        }
    }
    is_over.store(true, Ordering::Relaxed);
    beside.await.expect("it was never behind");
    for client in clients {
        assert!(client.await.expect("it never saw an answer go back") > 10);
    }
}

#[tokio::test]
async fn what_one_exchange_had_alone_is_consolidated_as_soon_as_another_begins_also_from_memory() {
    let database = database().await;
    let first = Writer::of(&database, "binance", 300_000, &["BTC"]).await;
    first.say(&[first.figure("BTC", 1, "100")]).await;
    let url = database.url();
    let api = Running::start(&[("PG_STRING", &url)], Clock::StandingAt(at(BEGINS + 2_000)));
    live(&api).await;
    assert_eq!(api.json("/latest?ticker=BTC").await["exchange"], "binance");

    // It has no figure yet, and is told of well before everything is read again.
    let second = Writer::of(&database, "kraken", 300_000, &["BTC"]).await;

    let both = eventually("the second exchange to show", Duration::from_secs(6), || async {
        let answer = api.json("/latest?ticker=BTC").await;
        answer["parts"].is_array().then_some(answer)
    })
    .await;
    assert_eq!((&both["stale"], &part(&both, "kraken")["newest_mark"]), (&true.into(), &Value::Null));
    second.say(&[second.figure("BTC", 1, "103")]).await;
    let both = api.json("/latest?ticker=BTC").await;
    assert_eq!((&both["price"], &both["volume"], &both["stale"]), (&"101.5".into(), &"4".into(), &false.into()));
    assert_eq!(api.json("/latest?ticker=BTC&exchange=Binance").await["price"], "100");
}

#[tokio::test]
async fn memory_does_not_tell_less_of_an_exchange_than_was_told_of_it_among_all() {
    let database = database().await;
    let binance = exchange(&database, "binance", 1, SETTLED_UNTIL, MARK).await;
    let kraken = exchange(&database, "kraken", 37, SETTLED_UNTIL, MARK).await;
    let api = Running::standing_at(&database, NOW);
    live(&api).await;
    let alone = format!("{LATEST}&exchange=binance");
    assert_eq!(api.json(&alone).await["ts"], MARK);

    // Written by hand: nobody is told.
    for of in [&binance, &kraken] {
        of.figures(MARK + 1_000, MARK + 1_000).await;
    }

    assert_eq!(api.json(LATEST).await["ts"], MARK + 1_000);
    assert_eq!(api.json(&alone).await["ts"], MARK + 1_000);
}
