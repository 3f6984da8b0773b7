//! The worker as a process of its own: killed without warning, told to stop,
//! and started with what cannot work.

use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use testkit::eventually;
use venue::{FaultRates, Venue, VenueConfig};

use crate::bench_of_truth::{confirmed_trades_are_the_truth, finals_equal_numeric};
use crate::stage::{PATIENCE, now, settled, tape_from, vars};

/// A worker process, killed when dropped.
struct Process(Child);

impl Process {
    fn start(vars: &[(String, String)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        // A folder without a .env of anybody's.
        command.current_dir(std::env::temp_dir()).env_clear().envs(vars.iter().cloned()).env("WORKER_PORT", "0");
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the worker starts"))
    }

    fn sigkill(mut self) {
        self.0.kill().expect("it was running");
        self.0.wait().expect("it is gone");
    }

    async fn ended(&mut self) -> ExitStatus {
        let child = std::cell::RefCell::new(&mut self.0);
        eventually("the process to end", Duration::from_secs(5), || async {
            child.borrow_mut().try_wait().expect("it can be asked")
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn pass(ms: i64) {
    let until = now().plus_ms(ms);
    eventually("time to pass", PATIENCE, || async { (until <= now()).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_sigkill_at_random_moments_beside_a_second_worker_no_final_figure_differs() {
    let market = VenueConfig { faults: FaultRates::all(0.05), ..VenueConfig::generated(80.0, Duration::from_secs(20)) };
    let venue = Venue::start(market).await.expect("the venue starts");
    let database = testkit::database().await;
    let more = [("INTERVAL", "10s"), ("BACKFILL_FROM", "-15s"), ("TICKERS", "BTC,ETH")];
    let vars = vars(&venue, &database.url(), &more);
    let (mut first, mut second) = (Process::start(&vars), Process::start(&vars));
    let client = database.client().await;

    for after_ms in [1_300, 420, 2_050, 777] {
        pass(after_ms).await;
        first.sigkill();
        first = second;
        second = Process::start(&vars);
    }

    let until = now().plus_ms(1_000);
    for name in ["BTC", "ETH"] {
        settled(&client, name, until).await;
        let from = tape_from(&client, name).await;
        let trades = confirmed_trades_are_the_truth(&client, &venue, name, from, until).await;
        assert!(trades > 0);
        finals_equal_numeric(&client, name, from, until).await;
    }
    drop((first, second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_venue_that_is_restarted_is_heard_again_and_nothing_is_lost() {
    let market = VenueConfig::generated(60.0, Duration::from_secs(20));
    let venue = Venue::start(market.clone()).await.expect("the venue starts");
    let port = venue.addr().port();
    let database = testkit::database().await;
    let more = [("INTERVAL", "10s"), ("BACKFILL_FROM", "-5s"), ("TICKERS", "BTC")];
    let _worker = Process::start(&vars(&venue, &database.url(), &more));
    let client = database.client().await;
    eventually("the ticker to be followed", PATIENCE, || async {
        client.query_opt("select from tickers_validation_timestamp", &[]).await.ok()?
    })
    .await;
    settled(&client, "BTC", now()).await;

    venue.stop().await;
    pass(1_500).await;
    // The same seed makes the same past, the time of its absence included.
    let venue = Venue::start(VenueConfig { port, ..market }).await.expect("the port is free again");

    let until = now().plus_ms(500);
    settled(&client, "BTC", until).await;
    let from = tape_from(&client, "BTC").await;
    confirmed_trades_are_the_truth(&client, &venue, "BTC", from, until).await;
    finals_equal_numeric(&client, "BTC", from, until).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_stop_it_ends_well_within_five_seconds() {
    let venue = Venue::start(VenueConfig::generated(60.0, Duration::ZERO)).await.expect("the venue starts");
    let database = testkit::database().await;
    let mut process = Process::start(&vars(&venue, &database.url(), &[]));
    assert!(venue.wait_for_listeners(1, PATIENCE).await);

    let told = Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status().expect("kill runs");
    assert!(told.success());

    assert!(process.ended().await.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_variable_stops_the_start_with_its_name_and_value() {
    let output = Command::new(env!("CARGO_BIN_EXE_worker"))
        .current_dir(std::env::temp_dir())
        .env_clear()
        .envs([("INTERVAL", "5x"), ("MARKET", "nowhere")])
        .output()
        .expect("the worker starts");

    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    for part in ["INTERVAL is \"5x\"; accepted: ", "MARKET is \"nowhere\"; accepted: generic"] {
        assert!(said.contains(part), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_wrong_variable_it_cannot_be_told_whether_a_receipt_agrees() {
    let output = Command::new(env!("CARGO_BIN_EXE_worker"))
        .current_dir(std::env::temp_dir())
        .env_clear()
        .env("MARKET", "nowhere")
        .args(["verify", "receipt.json"])
        .output()
        .expect("the worker starts");

    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("could not be checked: ") && said.contains("MARKET is \"nowhere\""), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_url_that_is_none_ends_the_process_with_a_reason() {
    let output = Command::new(env!("CARGO_BIN_EXE_worker"))
        .current_dir(std::env::temp_dir())
        .env_clear()
        .envs([("PG_STRING", "postgres://me@host:no-port/database"), ("WORKER_PORT", "0")])
        .output()
        .expect("the worker starts");

    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(said.contains("not a database we can use"), "{said}");
}
