//! `worker verify` as a process of its own, with no database: it agrees with
//! what is true, says where what is not differs, and admits what it cannot tell.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tape::EpochMs;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use venue::{FaultRates, VenueConfig};

use crate::stage::{Stage, get, now, settled_until, tape_from};

/// What a run of `worker verify` came to.
struct Verified {
    code: i32,
    said: String,
}

/// A market that was followed for a while, with an api, and nobody writing any more.
struct Scene {
    stage: Stage,
    client: Client,
    api: String,
    /// The last final mark.
    last: EpochMs,
    shutdown: CancellationToken,
}

impl Scene {
    async fn new() -> Self {
        let market =
            VenueConfig { faults: FaultRates::all(0.05), ..VenueConfig::generated(60.0, Duration::from_secs(40)) };
        let mut stage =
            Stage::start(market, &[("INTERVAL", "5s"), ("BACKFILL_FROM", "-30s"), ("TICKERS", "BTC")]).await;
        let client = stage.database.client().await;
        stage.settled("BTC", now().minus_ms(1_000)).await;
        stage.worker.take().expect("a worker").stop().await.expect("a clean end");
        let vars = [("PG_STRING".to_owned(), stage.database.url()), ("INTERVAL".to_owned(), "5s".to_owned())];
        let config = api::Config::from_vars(vars).expect("a valid configuration");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let api = format!("http://{}", listener.local_addr().expect("an address"));
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        tokio::spawn(async move { api::run(listener, &config, api::Clock::Wall, token).await });
        let last = EpochMs::new(settled_until(&client, "BTC").await.ms() / 1_000 * 1_000);
        Self { stage, client, api, last, shutdown }
    }

    /// The URL of the receipt so many milliseconds before the last final mark.
    fn receipt(&self, before_ms: i64) -> String {
        format!("{}/receipt?ticker=BTC&ts={}", self.api, self.last.minus_ms(before_ms))
    }

    async fn verify(&self, arguments: &[&str], input: &str) -> Verified {
        let rest_url = self.stage.venue.rest_url();
        run(&rest_url, arguments, input).await
    }

    async fn change(&self, sql: &str) {
        let changed = self.client.execute(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert!(changed > 0, "{sql} changes something");
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

async fn run(rest_url: &str, arguments: &[&str], input: &str) -> Verified {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    command
        .current_dir(std::env::temp_dir())
        .env_clear()
        .env("MARKET_REST_URL", rest_url)
        .arg("verify")
        .args(arguments);
    let (input, mut command) = (input.to_owned(), command);
    let output = tokio::task::spawn_blocking(move || {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the worker starts");
        child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it reads");
        child.wait_with_output().expect("it ends")
    });
    let output = output.await.expect("no panic");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Verified { code: output.status.code().expect("a code"), said }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_true_receipt_agrees_however_it_is_handed_over_and_a_changed_one_does_not() {
    let scene = Scene::new().await;
    let middle = scene.receipt(10_000);
    for query in ["", "&detail=seconds", "&interval=1ms", "&interval=12345ms"] {
        let verified = scene.verify(&[&format!("{middle}{query}")], "").await;
        assert_eq!(verified.code, 0, "{query}: {}", verified.said);
        assert!(verified.said.starts_with("agrees: BTC of "), "{}", verified.said);
    }
    let odd = format!("{}/receipt?ticker=BTC&ts={}", scene.api, scene.last.minus_ms(7_531));
    assert_eq!(scene.verify(&[&odd], "").await.code, 0);
    // Its window begins before the tape.
    let from = tape_from(&scene.client, "BTC").await;
    let early = format!("{}/receipt?ticker=BTC&ts={}", scene.api, (from.ms() / 1_000 + 2) * 1_000);
    let verified = scene.verify(&[&early], "").await;
    assert!(verified.code == 0 && verified.said.contains("since its tape begins there"), "{}", verified.said);

    let (_, text) = get(&middle).await.expect("a receipt");
    assert_eq!(scene.verify(&["-"], &text).await.code, 0);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let mut receipt: Value = serde_json::from_str(&text).expect("JSON");
    for (pointer, value, name) in [
        ("/trades", Value::from(3), "trades"),
        ("/volume", "1.5".into(), "volume"),
        ("/notional", "1.5".into(), "notional"),
        ("/price", "1.5".into(), "price"),
        ("/digest/value", "00".repeat(32).into(), "digest"),
        ("/first/price", "2".into(), "first"),
        ("/last/price", "2".into(), "last"),
        ("/chain/second_digest", "00".repeat(32).into(), "second_digest"),
        ("/chain/link", "00".repeat(32).into(), "link"),
        ("/chain/previous_link", "00".repeat(32).into(), "link"),
        ("/chain/entry", 1.into(), "previous_link"),
    ] {
        let was = std::mem::replace(receipt.pointer_mut(pointer).expect(pointer), value);
        std::fs::write(file.path(), receipt.to_string()).expect("written");
        let verified = scene.verify(&[file.path().to_str().expect("a path")], "").await;
        assert_eq!(verified.code, 1, "{pointer}: {}", verified.said);
        assert!(verified.said.contains(&format!("  {name}: the receipt says")), "{pointer}: {}", verified.said);
        *receipt.pointer_mut(pointer).expect(pointer) = was;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_changed_in_the_database_is_named_by_its_second() {
    let scene = Scene::new().await;
    let at = scene.last.minus_ms(10_000).ms();
    let one = format!(
        "select ts from transactions where ticker = 'BTC' and is_validated and ts <= {at} and ts > {at} - 5000 order by ts limit 1"
    );
    let traded_at: i64 = scene.client.query_one(&one, &[]).await.expect("a trade").get(0);
    scene.change(&format!("update transactions set price = price + 0.01 where ctid = (select ctid from transactions where ticker = 'BTC' and ts = {traded_at} limit 1)")).await;

    let verified = scene.verify(&[&scene.receipt(10_000)], "").await;

    assert_eq!(verified.code, 1, "{}", verified.said);
    let second = (traded_at + 999) / 1_000 * 1_000;
    for part in ["digest: the receipt says", &format!("the second that ends at {second}: ")] {
        assert!(verified.said.contains(part), "{part}: {}", verified.said);
    }
    assert_eq!(verified.said.matches("the second that ends at").count(), 1, "{}", verified.said);

    scene
        .change(&format!(
            "update vwap_history set volume = volume + 1 where ticker = 'BTC' and is_validated and ts = {}",
            at - 10_000
        ))
        .await;
    let verified = scene.verify(&[&scene.receipt(20_000)], "").await;
    assert_eq!(verified.code, 1, "{}", verified.said);
    for part in ["  volume: the receipt says", "the trades of every second are the same"] {
        assert!(verified.said.contains(part), "{part}: {}", verified.said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_of_the_chain_is_verified_by_its_ends_and_the_first_false_link_is_found() {
    let scene = Scene::new().await;
    let (from, to) = (scene.receipt(20_000), scene.receipt(0));
    let verified = scene.verify(&["--from", &from, "--to", &to], "").await;
    assert_eq!(verified.code, 0, "{}", verified.said);
    assert!(verified.said.contains("20 links"), "{}", verified.said);
    // The ends alone, as somebody kept them: no list of restatements to be asked for.
    let kept = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    for (name, url) in [("from", &from), ("to", &to)] {
        let file = kept.path().join(name);
        std::fs::write(&file, get(url).await.expect("a receipt").1).expect("written");
        files.push(file.to_str().expect("a path").to_owned());
    }
    assert_eq!(scene.verify(&["--from", &files[0], "--to", &files[1]], "").await.code, 0);
    let backward = scene.verify(&["--from", &to, "--to", &from], "").await;
    assert!(backward.code == 2 && backward.said.contains("backward"), "{}", backward.said);

    // History written anew from a mark on: every link from there is another one.
    let rewritten = scene.last.minus_ms(7_000);
    scene
        .change(&format!("update vwap_history set link = sha256(link) where ticker = 'BTC' and ts >= {rewritten} and link is not null"))
        .await;
    let verified = scene.verify(&["--from", &from, "--to", &to], "").await;
    assert_eq!(verified.code, 1, "{}", verified.said);
    assert!(verified.said.contains(&format!("that of the mark {rewritten}")), "{}", verified.said);
    let verified = scene.verify(&["--from", &files[0], "--to", &to], "").await;
    assert_eq!(verified.code, 1, "{}", verified.said);
    assert_eq!(scene.verify(&["--from", &files[0], "--to", &files[1]], "").await.code, 0, "the exchange still agrees");
}

/// SHA-256 of a text, by Postgres.
async fn sha256(client: &Client, text: &str) -> String {
    let sql = "select encode(sha256(convert_to($1, 'UTF8')), 'hex')";
    client.query_one(sql, &[&text]).await.expect("a digest").get(0)
}

/// Gives the finals from `first` on another past: the figure of `wrong` was
/// another one until it was restated, right after the mark `restated_after`, to
/// what it is or to the trades, volume and notional given.
async fn restate(client: &Client, first: i64, wrong: i64, restated_after: i64, to: Option<[i64; 3]>) {
    let before = "select entry, encode(link, 'hex') from vwap_history where ticker = 'BTC' and ts = $1";
    let before = client.query_one(before, &[&(first - 1_000)]).await.expect("the entry before");
    let (mut entry, mut link): (i64, String) = (before.get(0), before.get(1));
    let rows = "select exchange, ts, trades, trim_scale(volume)::text, trim_scale(notional)::text, (
            select encode(sha256(convert_to(coalesce(string_agg(t.ts || ' ' || tradeid || ' ' || trim_scale(t.price) || ' '
                || trim_scale(quantity) || E'\\n', '' order by t.ts, tradeid collate \"C\"), ''), 'UTF8')), 'hex')
            from transactions as t where t.ticker = 'BTC' and t.is_validated and t.ts > h.ts - 1000 and t.ts <= h.ts) as second
        from vwap_history as h where ticker = 'BTC' and is_validated and ts >= $1 order by ts";
    let old_second = sha256(client, "another trade").await;
    let rows = client.query(rows, &[&first]).await.expect("the figures");
    let said = |link: &str, entry: i64, venue: &str, mark: i64, revision: i64, sums: &str, second: &str| {
        format!("{link} {entry} {venue} BTC 5000 {mark} {revision} {sums} {second}\n")
    };
    let mut truth = (String::new(), String::new());
    for row in &rows {
        let (venue, mark, trades, volume, notional, second): (&str, i64, i64, &str, &str, &str) =
            (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5));
        let sums = format!("{trades} {volume} {notional}");
        let text = if mark == wrong {
            truth = (sums, second.to_owned());
            if let Some([trades, volume, notional]) = to {
                truth.0 = format!("{trades} {volume} {notional}");
                let update = "update vwap_history set trades = $2, confirmed_trades = $2,
                    volume = $3::bigint, notional = $4::bigint where ticker = 'BTC' and ts = $1";
                client.execute(update, &[&wrong, &trades, &volume, &notional]).await.expect("a false figure");
            }
            said(&link, entry + 1, venue, mark, 0, "1 2 3", &old_second)
        } else {
            said(&link, entry + 1, venue, mark, 0, &sums, second)
        };
        (entry, link) = (entry + 1, sha256(client, &text).await);
        let place = "update vwap_history set entry = $1, link = decode($2, 'hex'), revision = $3 where ticker = 'BTC' and ts = $4";
        let revision = i32::from(mark == wrong);
        client.execute(place, &[&entry, &link, &revision, &mark]).await.expect("a place");
        if mark == restated_after {
            let text = said(&link, entry + 1, venue, wrong, 1, &truth.0, &truth.1);
            let previous = std::mem::replace(&mut link, sha256(client, &text).await);
            entry += 1;
            let log = "insert into restatements (exchange, ticker, interval, ts, revision, reason, old_price, old_volume,
                    old_notional, old_trades, new_price, new_volume, new_notional, new_trades, restated_at,
                    entry, link, previous_link, old_second_digest, new_second_digest)
                select exchange, ticker, interval, ts, 1, 'corrected', 1.5, 2, 3, 1, price, volume, notional, trades, ts,
                    $2, decode($3, 'hex'), decode($4, 'hex'), decode($5, 'hex'), decode($6, 'hex')
                from vwap_history where ticker = 'BTC' and ts = $1";
            client.execute(log, &[&wrong, &entry, &link, &previous, &old_second, &truth.1]).await.expect("logged");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_with_a_restatement_in_it_is_verified_with_the_list_of_restatements() {
    let scene = Scene::new().await;
    let last = scene.last.ms();
    restate(&scene.client, last - 15_000, last - 12_000, last - 6_000, None).await;

    for (before, after) in [(20_000, 0), (20_000, 8_000), (12_000, 0), (20_000, 12_000), (5_000, 0)] {
        let (from, to) = (scene.receipt(before), scene.receipt(after));
        let verified = scene.verify(&["--from", &from, "--to", &to], "").await;
        // The receipt of the restated mark is that of its restatement.
        let links = match (before, after) {
            (20_000, 0) => 21,
            (20_000, 8_000) => 12,
            (12_000, 0) => 6,
            (20_000, 12_000) => 15,
            _ => 5,
        };
        assert_eq!(verified.code, 0, "{before} {after}: {}", verified.said);
        assert!(verified.said.contains(&format!(" {links} links")), "{before} {after}: {}", verified.said);
    }
    let (from, to) = (scene.receipt(20_000), scene.receipt(0));
    let none = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(none.path(), r#"{"restatements":[]}"#).expect("written");
    let verified =
        scene.verify(&["--from", &from, "--to", &to, "--log", none.path().to_str().expect("a path")], "").await;
    assert!(verified.code == 2 && verified.said.contains("not whole"), "{}", verified.said);

    scene.change("update restatements set old_volume = old_volume + 1").await;
    let verified = scene.verify(&["--from", &from, "--to", &to], "").await;
    assert_eq!(verified.code, 1, "a false log breaks the links: {}", verified.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restatement_that_the_exchange_does_not_bear_out_is_named_though_every_link_follows() {
    let scene = Scene::new().await;
    let last = scene.last.ms();
    restate(&scene.client, last - 15_000, last - 12_000, last - 6_000, Some([4, 5, 6])).await;

    let verified = scene.verify(&["--from", &scene.receipt(20_000), "--to", &scene.receipt(0)], "").await;

    assert_eq!(verified.code, 1, "{}", verified.said);
    let named = format!("the mark {} was restated to what the exchange does not say", last - 12_000);
    assert!(verified.said.contains(&named) && !verified.said.contains("recomputed it is"), "{}", verified.said);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_checked_is_neither_right_nor_wrong() {
    let scene = Scene::new().await;
    let receipt = scene.receipt(1_000);
    let (_, text) = get(&receipt).await.expect("a receipt");

    let away = run("http://127.0.0.1:1/trades", &["-", "--within", "3s"], &text).await;
    assert!(away.code == 2 && away.said.contains("could not be checked"), "{}", away.said);
    let not_final = format!("{}/receipt?ticker=BTC&ts={}", scene.api, scene.last.plus_ms(1_500));
    for arguments in [&[not_final.as_str()][..], &["/no/such/file"], &["-"]] {
        let verified = scene.verify(arguments, "no receipt").await;
        assert_eq!(verified.code, 2, "{arguments:?}: {}", verified.said);
    }
}

/// The lines of the guide that recompute a receipt with other people's programs.
fn recipe() -> &'static str {
    let guide = include_str!("../../../docs/receipts.md");
    let blocks = guide.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.into_iter().find(|block| block.contains("sha256sum")).expect("the guide has the recipe")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_recipe_of_the_guide_makes_the_digest_of_a_receipt() {
    for program in ["bash", "curl", "jq", "awk", "sed", "sort", "sha256sum"] {
        if Command::new(program).arg("--version").output().is_err() {
            eprintln!("SKIPPED: the recipe of the guide needs {program}, which is not here");
            return;
        }
    }
    let scene = Scene::new().await;
    let (rest, ts) = (scene.stage.venue.rest_url(), scene.last.minus_ms(1_234).to_string());
    for (ticker, interval) in [("BTC", "25s"), ("BTC", "12345ms"), ("BTC", "1ms")] {
        let mut bash = Command::new("bash");
        bash.stdin(Stdio::null())
            .args(["-c", recipe()])
            .env("no_proxy", "127.0.0.1")
            .env("api", &scene.api)
            .env("rest", &rest);
        bash.env("ticker", ticker).env("ts", &ts).env("interval", interval);
        let output = tokio::task::spawn_blocking(move || bash.output()).await.expect("no panic").expect("bash runs");

        let said = String::from_utf8_lossy(&output.stdout);
        let failed = String::from_utf8_lossy(&output.stderr);
        let receipt = get(&format!("{}/receipt?ticker={ticker}&ts={ts}&interval={interval}", scene.api)).await;
        let receipt: Value = serde_json::from_str(&receipt.expect("a receipt").1).expect("JSON");
        let agrees = format!("agrees: {}\n", receipt["digest"]["value"].as_str().expect("a digest"));
        assert_eq!(said, agrees, "{ticker} {interval}: {failed}\n{receipt}");
    }
}
