//! `GET /latest` from memory: right to the last commit, and never back in time.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use api::Clock;
use serde_json::Value;
use testkit::{TestDatabase, at, database, eventually, own_cluster};
use tokio_postgres::NoTls;

use crate::running::Running;
use crate::seeded::{MARK, NOW, Seeded, market};
use crate::writing::{BEGINS, Writer};

const SOON: Duration = Duration::from_secs(20);

/// Well before everything is read again in any case.
const AT_ONCE: Duration = Duration::from_secs(6);

/// How the listening connection is found among all others.
const LISTENING: &str =
    "from pg_stat_activity where datname = current_database() and application_name like '%listening'";

/// Waits until the newest figures are answered from memory.
pub async fn live(api: &Running) {
    let is_live = || async { (state(api).await == "live").then_some(()) };
    eventually("the newest figures to be answered from memory", SOON, is_live).await;
}

async fn state(api: &Running) -> Value {
    api.get("/health").await.json()["latest_cache"].clone()
}

async fn metric(api: &Running, name: &str) -> u64 {
    let text = api.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("truetape_api_latest_cache_{name} ")));
    line.unwrap_or_else(|| panic!("{name} in {text}")).parse().expect("a number")
}

/// Asks for a ticker until its newest mark is the expected one.
async fn newest(api: &Running, name: &str, second: i64) -> Value {
    eventually(&format!("{name} at {second}"), AT_ONCE, || async {
        let answer = api.json(&format!("/latest?ticker={name}")).await;
        (answer["ts"] == BEGINS + second * 1_000).then_some(answer)
    })
    .await
}

/// A process that stands still for as long as this is held, and goes on even
/// when the test fails: nobody could drop a database any more.
struct Stopped(i32);

impl Stopped {
    fn process(pid: i32) -> Self {
        signal("-STOP", pid);
        Self(pid)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        signal("-CONT", self.0);
    }
}

fn signal(signal: &str, pid: i32) {
    let sent = Command::new("kill").args([signal, &pid.to_string()]).status().expect("there is a kill");
    assert!(sent.success());
}

fn started(database: &TestDatabase, vars: &[(&str, &str)]) -> Running {
    let url = database.url();
    Running::start(&[&[("PG_STRING", url.as_str())], vars].concat(), Clock::StandingAt(at(NOW)))
}

#[tokio::test]
async fn what_memory_answers_is_what_the_database_answers_byte_for_byte() {
    let database = database().await;
    let bitcoin = market(&database).await;
    bitcoin.incident("late", MARK - 400_000, MARK, "It says \"age_ms\":7,\"complete\": \\ and more.").await;
    Seeded::new(&database, "generic", "QUIET").await.figures(MARK, MARK).await;
    let mut settled = Seeded::settled(&database, "third", "DONE", MARK - 1_800_000, MARK + 1_000).await;
    settled.trade("d1", MARK - 5_000, "27000", "1").await;
    settled.figures(MARK, MARK + 1_000).await;
    settled.restate(MARK + 1_000, "27001").await;
    Seeded::new(&database, "generic", "NEW").await;
    for now in [NOW, NOW + 5_000, NOW - 60_000] {
        let url = database.url();
        let clock = Clock::StandingAt(at(now));
        let asking = Running::start(&[("PG_STRING", &url), ("LATEST_CACHE", "off")], clock);
        let remembering = Running::start(&[("PG_STRING", &url)], clock);
        live(&remembering).await;

        let known = ["BTC", "ETH&exchange=SECOND", "ETH&exchange=generic", "QUIET", "DONE", "DONE&exchange=third"];
        for question in known {
            let path = format!("/latest?ticker={question}");
            let (asked, remembered) = (asking.get(&path).await, remembering.get(&path).await);
            assert_eq!(asked.text(), remembered.text());
            assert_eq!(
                (asked.status, asked.header("cache-control")),
                (remembered.status, remembered.header("cache-control"))
            );
        }
        assert_eq!(metric(&remembering, "hits_total").await, known.len() as u64, "all of them came from memory");
        assert_eq!(metric(&remembering, "misses_total").await, 0);
        for question in ["ETH", "NEW", "NONE", "BTC&exchange=second", "BTC&min_state=final", "NEW&min_state=final"] {
            let path = format!("/latest?ticker={question}");
            assert_eq!(asking.get(&path).await.text(), remembering.get(&path).await.text());
        }
        assert_eq!((state(&asking).await, metric(&asking, "hits_total").await), ("off".into(), 0));
    }
}

#[tokio::test]
async fn the_shortest_way_answers_like_the_ordinary_one_header_by_header() {
    let database = database().await;
    market(&database).await;
    let api = started(&database, &[]);
    live(&api).await;

    let short = api.get("/latest?ticker=BTC").await;
    let ordinary = api.get("/latest?&ticker=BTC").await;

    let headers = |answer: &crate::running::Answer| {
        let mut headers: Vec<(String, Vec<u8>)> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["date", "access-control-expose-headers"].contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        headers.sort();
        headers
    };
    assert_eq!((short.text(), headers(&short)), (ordinary.text(), headers(&ordinary)));
    assert_eq!(metric(&api, "hits_total").await, 2);
}

/// What of an answer only ever rises.
fn position(answer: &Value) -> (i64, bool, u64, i64) {
    let number = |name: &str| answer[name].as_i64().expect("a number");
    let is_final = answer["is_validated"].as_bool().expect("a truth");
    (number("ts"), is_final, answer["revision"].as_u64().unwrap_or(0), number("validated_until"))
}

#[tokio::test]
async fn no_answer_goes_back_in_time_under_a_writer_while_the_listening_connection_is_cut_again_and_again() {
    const TICKERS: [&str; 3] = ["BTC", "ETH", "SOL"];
    const MARKS: i64 = 150;
    let database = database().await;
    let writer = Writer::new(&database, 300_000, &TICKERS).await;
    let of_all = |second: i64, price: &str| TICKERS.map(|name| writer.figure(name, second, price));
    writer.say(&of_all(1, "100")).await;
    let api = Arc::new(started(&database, &[("DB_POOL", "4")]));
    live(&api).await;

    let is_over = Arc::new(AtomicBool::new(false));
    let asked = Arc::new(AtomicU64::new(0));
    let client = |index: usize| {
        let (api, is_over, asked) = (Arc::clone(&api), Arc::clone(&is_over), Arc::clone(&asked));
        let path = format!("/latest?ticker={}", TICKERS[index % TICKERS.len()]);
        tokio::spawn(async move {
            let mut last = (0, false, 0, 0);
            while !is_over.load(Ordering::Relaxed) {
                let answer = api.json(&path).await;
                let position = position(&answer);
                assert!(last <= position, "{path} went back from {last:?} to {position:?}");
                last = position;
                asked.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let clients: Vec<_> = (0..64).map(client).collect();

    let outside = database.client().await;
    let mut settled = 0;
    for second in 2..=MARKS {
        writer.say(&of_all(second, "100")).await;
        if second % 3 == 0 {
            // Final up to the newest mark every other time, so that final follows provisional.
            let to = if second % 6 == 0 { second } else { second - 1 };
            writer.settle(&of_all(to, "101"), settled, to).await;
            settled = to;
        }
        if second % 6 == 0 {
            writer.restate(writer.figure("BTC", second, "102")).await;
        }
        if second % 25 == 0 {
            live(&api).await; // Else a fast writer finds nothing to cut.
            outside.execute(&format!("select pg_terminate_backend(pid) {LISTENING}"), &[]).await.expect("cut");
        }
    }
    for name in TICKERS {
        newest(&api, name, MARKS).await;
    }
    live(&api).await;
    let last = newest(&api, "BTC", MARKS).await;
    assert_eq!((&last["state"], &last["price"], &last["revision"]), (&"restated".into(), &"102".into(), &1.into()));
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.expect("it never saw an answer go back");
    }
    let (hits, misses) = (metric(&api, "hits_total").await, metric(&api, "misses_total").await);
    println!("{} answers seen, {hits} from memory, {misses} from the database", asked.load(Ordering::Relaxed));
    assert!(hits > 500 && misses > 20 && metric(&api, "losses_total").await >= 3, "{hits} {misses}");
}

#[tokio::test]
async fn a_final_and_a_restated_figure_take_the_place_of_the_provisional_one_as_soon_as_they_are_committed() {
    let database = database().await;
    let writer = Writer::new(&database, 300_000, &["BTC"]).await;
    writer.say(&[writer.figure("BTC", 5, "100")]).await;
    let api = started(&database, &[]);
    live(&api).await;
    let state = async |expected: &str| {
        eventually(expected, AT_ONCE, || async {
            let answer = api.json("/latest?ticker=BTC").await;
            (answer["state"] == expected).then_some(answer)
        })
        .await
    };
    state("provisional").await;

    writer.settle(&[writer.figure("BTC", 5, "101")], 0, 5).await;
    assert_eq!(state("final").await["price"], "101");
    writer.restate(writer.figure("BTC", 5, "102")).await;
    assert_eq!(state("restated").await["price"], "102");
    // A watermark that moves alone is told too.
    let later = writer.figure("BTC", 4, "100");
    writer.settle(&[later], 5, 9).await;
    eventually("the watermark", AT_ONCE, || async {
        (api.json("/latest?ticker=BTC").await["validated_until"] == BEGINS + 9_000).then_some(())
    })
    .await;
    assert_eq!(metric(&api, "misses_total").await, 0);
}

#[tokio::test]
async fn while_nobody_listens_the_database_answers_and_afterwards_everything_is_read_again() {
    let database = database().await;
    let writer = Writer::new(&database, 300_000, &["BTC", "ETH"]).await;
    let both = |second: i64| ["BTC", "ETH"].map(|name| writer.figure(name, second, "100"));
    writer.say(&both(1)).await;
    let api = started(&database, &[("DB_POOL", "2")]);
    live(&api).await;
    assert_eq!(api.json("/latest?ticker=BTC&min_state=provisional").await["ts"], BEGINS + 1_000);
    // A connection that the pool keeps, and one of ours to another database.
    api.get("/latest?ticker=BTC&min_state=final").await;
    let url = database.url();
    let (server, name) = url.rsplit_once('/').expect("a URL");
    let (outside, connection) = tokio_postgres::connect(&format!("{server}/postgres"), NoTls).await.expect("connected");
    tokio::spawn(connection);

    // Whoever is connected stays; nobody can connect anew.
    outside.batch_execute(&format!("alter database {name} allow_connections false")).await.expect("closed");
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = $1 and application_name like '%listening'";
    assert_eq!(outside.execute(cut, &[&name]).await.expect("cut"), 1);
    eventually("the loss to be noticed", SOON, || async { (state(&api).await == "off").then_some(()) }).await;
    let hits = metric(&api, "hits_total").await;
    for second in 2..20 {
        writer.say(&both(second)).await;
        assert_eq!(api.json("/latest?ticker=BTC").await["ts"], BEGINS + second * 1_000, "at once");
    }
    assert_eq!(metric(&api, "hits_total").await, hits);

    outside.batch_execute(&format!("alter database {name} allow_connections true")).await.expect("open");
    live(&api).await;
    // Nobody asked for it meanwhile, and nothing was told of it since.
    assert_eq!(api.json("/latest?ticker=ETH").await["ts"], BEGINS + 19_000);
    assert_eq!(metric(&api, "hits_total").await, hits + 1);
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_trusted_for_a_second_and_no_longer() {
    let database = database().await;
    let writer = Writer::new(&database, 300_000, &["BTC"]).await;
    writer.say(&[writer.figure("BTC", 1, "100")]).await;
    let api = started(&database, &[]);
    live(&api).await;
    let outside = database.client().await;
    let pid: i32 = outside.query_one(&format!("select pid {LISTENING}"), &[]).await.expect("one").get(0);

    let stopped = Stopped::process(pid);
    writer.say(&[writer.figure("BTC", 2, "100")]).await;
    let answered = newest(&api, "BTC", 2).await;
    let misses = metric(&api, "misses_total").await;
    drop(stopped);

    assert_eq!((answered["price"].as_str(), misses > 0), (Some("100"), true), "the database answered");
    live(&api).await;
}

#[tokio::test]
async fn a_stopped_database_is_told_at_once_and_followed_again_when_it_is_back() {
    let cluster = own_cluster().await;
    market(cluster.database()).await;
    let api = started(cluster.database(), &[]);
    live(&api).await;
    assert_eq!(api.get("/latest?ticker=BTC").await.status, 200);

    cluster.stop_immediate().await;
    assert_eq!(api.problem("/latest?ticker=BTC").await, (503, "database_away".to_owned()));
    let health = api.get("/health").await;
    assert_eq!((health.status.as_u16(), &health.json()["latest_cache"]), (503, &"off".into()));

    cluster.start().await;
    live(&api).await;
    assert_eq!(api.get("/latest?ticker=BTC").await.status, 200);
}

#[tokio::test]
async fn each_interval_has_a_memory_of_its_own() {
    let database = database().await;
    let long = Writer::new(&database, 300_000, &["BTC"]).await;
    long.say(&[long.figure("BTC", 1, "100")]).await;
    let apis = ["5m", "1m"].map(|interval| started(&database, &[("INTERVAL", interval)]));
    for api in &apis {
        live(api).await;
    }
    assert_eq!(apis[1].problem("/latest?ticker=BTC").await, (404, "no_figure_yet".to_owned()));

    // The same ticker and mark, told by a worker of another interval.
    drop(long);
    let short = Writer::leading(&database, 60_000).await;
    short.say(&[short.figure("BTC", 1, "7")]).await;

    let minute = newest(&apis[1], "BTC", 1).await;
    assert_eq!((&minute["interval"], &minute["price"]), (&60_000.into(), &"7".into()));
    let five = newest(&apis[0], "BTC", 1).await;
    assert_eq!((&five["interval"], &five["price"]), (&300_000.into(), &"100".into()));
}

#[tokio::test]
async fn a_failover_of_the_worker_is_followed_without_a_step_back() {
    let database = database().await;
    let first = Writer::new(&database, 300_000, &["BTC"]).await;
    first.say(&[first.figure("BTC", 1, "100")]).await;
    let api = started(&database, &[]);
    live(&api).await;
    newest(&api, "BTC", 1).await;

    // It has begun to write when another takes over, and does not know.
    let outside = database.client().await;
    let cut = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'
        and database = (select oid from pg_database where datname = current_database())";
    outside.execute(cut, &[]).await.expect("cut");
    let second = Writer::leading(&database, 300_000).await;
    second.say(&[second.figure("BTC", 2, "101")]).await;
    newest(&api, "BTC", 2).await;
    let refused = first.store.begin(&first.leadership).await;
    assert!(refused.is_err(), "the first leads no more");
    // What the second makes up for is older than what is told, and changes nothing.
    second.say(&[second.figure("BTC", 1, "99")]).await;
    second.say(&[second.figure("BTC", 3, "102")]).await;

    assert_eq!(newest(&api, "BTC", 3).await["price"], "102");
    assert_eq!(metric(&api, "misses_total").await, 0);
}

#[tokio::test]
async fn a_ticker_that_is_gone_from_the_tables_is_forgotten() {
    let database = database().await;
    let writer = Writer::new(&database, 300_000, &["BTC", "ETH"]).await;
    writer.say(&["BTC", "ETH"].map(|name| writer.figure(name, 1, "100"))).await;
    let api = started(&database, &[]);
    live(&api).await;
    newest(&api, "ETH", 1).await;

    let outside = database.client().await;
    let gone = "delete from latest_vwap_history where ticker = 'ETH';
        delete from tickers_validation_timestamp where ticker = 'ETH'; notify truetape_figures";
    outside.batch_execute(gone).await.expect("gone");

    eventually("ETH to be unknown", SOON, || async {
        (api.get("/latest?ticker=ETH").await.status == 404).then_some(())
    })
    .await;
    assert_eq!(metric(&api, "tickers").await, 1);
    newest(&api, "BTC", 1).await;
}

#[tokio::test]
async fn what_somebody_changed_by_hand_and_told_nobody_is_seen_soon() {
    let database = database().await;
    let writer = Writer::new(&database, 300_000, &["BTC"]).await;
    writer.say(&[writer.figure("BTC", 1, "100")]).await;
    let api = started(&database, &[]);
    live(&api).await;

    let changed = "update latest_vwap_history set price = 101 where ticker = 'BTC'";
    assert_eq!(database.client().await.execute(changed, &[]).await.expect("changed"), 1);

    eventually("the change to be seen", SOON, || async {
        (api.json("/latest?ticker=BTC").await["price"] == "101").then_some(())
    })
    .await;
    assert_eq!((state(&api).await, metric(&api, "losses_total").await), ("live".into(), 0));
}
