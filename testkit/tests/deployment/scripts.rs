//! `bin/start_db` for real, with a private cluster in a folder of the test's
//! own, and what `bin/up` refuses before it starts anything.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::files::path;

/// A place for one cluster; what runs there is stopped with it.
struct Place {
    folder: TempDir,
    port: u16,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("truetape-start-db-").tempdir().expect("a folder can be made");
        // Root hands the data to another user, who must get there.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), open.clone()).expect("the folder is ours");
        // The migrations are tested elsewhere: here somebody only has to say that they ran.
        let worker = folder.path().join("worker");
        std::fs::write(&worker, "#!/bin/sh\necho \"migrated with $PG_STRING\" >&2\n").expect("the folder is ours");
        std::fs::set_permissions(worker, open).expect("the folder is ours");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        Self { folder, port }
    }

    fn start_db(&self, verb: &str) -> Output {
        let mut command = Command::new(path("bin/start_db"));
        command.arg(verb).env("TRUETAPE_RUN", self.folder.path().join("run")).env("TRUETAPE_BIN", self.folder.path());
        command.env("TRUETAPE_DB", "private").env("DB_PORT", self.port.to_string()).env("PG_STRING", "");
        command.output().expect("the script is there and may be run")
    }

    fn up(&self) -> String {
        let output = self.start_db("up");
        assert!(output.status.success(), "{}", said(&output));
        said(&output)
    }

    /// What status says while the database runs, and its process.
    fn running(&self) -> (String, String) {
        let output = self.start_db("status");
        let text = said(&output);
        assert!(output.status.success(), "{text}");
        let pid = text.split("process ").nth(1).and_then(|rest| rest.split(',').next()).expect("a process");
        (text.clone(), pid.to_owned())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.start_db("down");
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_database_is_started_once_migrated_described_and_stopped() {
    let place = Place::new();
    assert_eq!(place.start_db("status").status.code(), Some(3));

    let first = place.up();
    let url = format!("postgres://postgres:postgres@localhost:{}/crypto_market", place.port);
    assert!(first.contains("started") && first.contains(&format!("migrated with {url}")), "{first}");
    let (text, pid) = place.running();
    assert!(text.contains(&format!("port {}", place.port)), "{text}");

    let second = place.up();
    assert!(second.contains(&format!("already running (process {pid})")), "{second}");
    assert_eq!(place.running().1, pid);

    assert!(place.start_db("down").status.success());
    assert_eq!(place.start_db("status").status.code(), Some(3));
    assert!(said(&place.start_db("down")).contains("was not running"));
}

#[test]
fn a_killed_database_is_started_again_with_its_data() {
    let place = Place::new();
    place.up();
    let (_, pid) = place.running();

    let killed = Command::new("kill").args(["-9", &pid]).status().expect("kill is everywhere");
    assert!(killed.success());
    let again = place.up();

    assert!(again.contains("recovers by itself") && !again.contains("making a Postgres cluster"), "{again}");
    assert_ne!(place.running().1, pid);
}

#[test]
fn a_taken_port_is_named_with_the_variable_to_change() {
    let place = Place::new();
    let _taken = TcpListener::bind(("127.0.0.1", place.port)).expect("the port is still free");

    let output = place.start_db("up");

    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(text.contains(&format!("port {} is taken by", place.port)) && text.contains("DB_PORT="), "{text}");
}

#[test]
fn a_wrong_word_or_url_stops_the_start_and_says_what_is_accepted() {
    let place = Place::new();
    assert!(said(&place.start_db("sideways")).contains("accepted: up, down, status"));

    let output = Command::new(path("bin/start_db")).arg("status").env("PG_STRING", "localhost:5432").output();
    let text = said(&output.expect("the script is there"));
    assert!(text.contains("PG_STRING is 'localhost:5432'; accepted here is postgres://"), "{text}");
}

/// `bin/up` with programs that do nothing: whoever gets as far as to start them has gone too far.
fn up(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    for program in ["api", "venue"] {
        std::fs::copy(place.folder.path().join("worker"), place.folder.path().join(program))
            .expect("the folder is ours");
    }
    let mut command = Command::new(path("bin/up"));
    command
        .args(arguments)
        .env("TRUETAPE_RUN", place.folder.path().join("run"))
        .env("TRUETAPE_BIN", place.folder.path());
    for name in ["PG_STRING", "MARKET", "MARKET_WS_URL", "MARKET_REST_URL"] {
        command.env(name, "");
    }
    let output = command.envs(variables.iter().copied()).output().expect("the script is there and may be run");
    (output.status.code(), said(&output))
}

#[test]
fn what_cannot_be_brought_up_is_refused_with_what_to_say_instead() {
    let place = Place::new();
    for (arguments, advice) in [
        (&["--wat"][..], "bin/up --help"),
        (&["--tape"], "--tape wants a value"),
        (&["--tape", "/no/such/tape.csv"], "could not read the tape /no/such/tape.csv"),
        (&["--live"], "name it with --tape FILE"),
        (&["--speed", "2"], "--live --speed N"),
        (&["--tape", "/dev/null", "--market", "generic"], "exclude each other"),
        (&["--market", "generic"], "needs both MARKET_WS_URL"),
        (&["--market", "elsewhere", "--faults", "0.1"], "is your own"),
    ] {
        let (status, text) = up(&place, arguments, &[]);
        assert_eq!(status, Some(1), "{arguments:?}: {text}");
        assert!(text.contains(advice), "{arguments:?}: {text}");
    }
}

/// What the worker is told of its market, as `bin/up` settles it.
fn told(variables: &[(&str, &str)]) -> String {
    let script = "set -euo pipefail
        die() { printf 'die: %s' \"$*\"; exit 1; }
        tape='' live='' faults='' seed='' speed='' market_named='' VENUE_PORT=61792
        source \"$0\"
        market_choose
        market_settle
        printf '%s|%s|%s|%s' \"$market\" \"${MARKET_WS_URL:-}\" \"${MARKET_REST_URL:-}\" \"$market_says\"";
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(path("bin/lib/market.sh"));
    for name in ["PG_STRING", "MARKET", "MARKET_WS_URL", "MARKET_REST_URL", "DB_NAME", "EXCHANGE"] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().expect("there is a bash");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_real_exchange_is_followed_at_its_own_addresses_and_without_the_practice_market() {
    let pairs = ("TICKERS", "BTC/USDT,ETH/USDT");
    assert_eq!(told(&[("MARKET", "binance"), pairs]), "own|||binance at its own addresses");
    assert_eq!(told(&[("MARKET", "binance,kraken"), pairs]), "own|||binance,kraken at its own addresses");
    let elsewhere = ("MARKET_REST_URL_BINANCE", "http://127.0.0.1:1");
    let said = told(&[("MARKET", "binance"), pairs, elsewhere]);
    assert_eq!(said, "own|||binance at the addresses in MARKET_REST_URL_BINANCE");
    let practice = "generated|ws://127.0.0.1:61792/stream|http://127.0.0.1:61792/trades|";
    assert!(told(&[]).starts_with(practice), "{}", told(&[]));
    let own = [("MARKET_WS_URL", "ws://a/s"), ("MARKET_REST_URL", "http://a/t")];
    assert_eq!(told(&own), "own|ws://a/s|http://a/t|generic at ws://a/s and http://a/t");
}

#[test]
fn a_taken_port_stops_the_start_of_everything_and_names_its_variable() {
    let place = Place::new();
    let taken = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let free = place.port.to_string();

    for variable in ["PORT", "WORKER_PORT", "VENUE_PORT"] {
        let ports =
            ["PORT", "WORKER_PORT", "VENUE_PORT"].map(|name| (name, if name == variable { &*port } else { &*free }));
        let (status, text) = up(&place, &[], &ports);
        assert_eq!(status, Some(1), "{text}");
        assert!(
            text.contains(&format!("port {port} of the "))
                && text.contains(&format!("with {variable}, for example {variable}=")),
            "{text}"
        );
    }
    assert!(!place.folder.path().join("run/postgres").exists(), "no database was made");
}
