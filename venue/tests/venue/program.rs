//! The program itself, as a shell runs it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use crate::support::{Heard, Listener, get_at, read};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_venue"));
    command.args(arguments);
    command
}

fn output(arguments: &[&str]) -> Output {
    program(arguments).output().expect("the program runs")
}

/// A child that does not outlive its test.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_says_where_it_listens_and_ends_well_when_asked_to() {
    let child = program(&["--port", "0", "--history", "1s"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut served = Served(child.expect("the program runs"));
    let stdout = served.0.stdout.take().expect("an output");
    let line = BufReader::new(stdout).lines().next().expect("a line").expect("text");
    let address = line.strip_prefix("listening on http://").expect("an address");
    assert!(std::net::TcpStream::connect(address).is_ok());

    let pid = served.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("a signal").success());
    let asked = Instant::now();
    let status = loop {
        if let Some(status) = served.0.try_wait().expect("a child") {
            break status;
        }
        assert!(asked.elapsed() < Duration::from_secs(5), "it ends in time");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success());
}

/// Serves a lively, lying market, until dropped.
fn serve(port: u16, ledger: &str) -> (Served, String) {
    let port = port.to_string();
    let arguments = ["--port", &port, "--ledger", ledger, "--seed", "7", "--rate", "400", "--history", "1m"];
    let lies = ["--faults", "0.08", "--silence", "0", "--cut", "0"];
    let child = program(&[&arguments[..], &lies].concat()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut served = Served(child.expect("the program runs"));
    let stdout = served.0.stdout.take().expect("an output");
    let line = BufReader::new(stdout).lines().next().expect("a line").expect("text");
    (served, line.strip_prefix("listening on ").expect("an address").to_owned())
}

#[tokio::test]
async fn a_venue_that_is_killed_knows_afterwards_whatever_anybody_had_heard() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let ledger = folder.path().join("ledger").display().to_string();
    let (mut served, url) = serve(0, &ledger);
    let mut listener = Listener::at(&format!("{}/stream", url.replace("http", "ws"))).await;
    let mut heard = listener.texts(600).await;
    served.0.kill().expect("it was running");
    served.0.wait().expect("it is gone");
    while let Heard::Text(text) = listener.hear().await {
        heard.push(text);
    }

    let port = url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let (_served, url) = serve(port, &ledger);

    let faults = get_at(&format!("{url}/truth/faults")).await.body;
    let deliveries = get_at(&format!("{url}/truth/deliveries")).await.body;
    let lies: Vec<serde_json::Value> =
        faults.lines().map(|line| serde_json::from_str(line).expect("a fault")).collect();
    for text in heard {
        let is_lie = lies.iter().any(|fault| fault["sent"] == text.as_str());
        let is_told = read(&text).is_some_and(|trade| {
            let line = format!("{},{},{},heard,", trade.ticker, trade.traded_at, trade.id);
            deliveries.contains(&line)
        });
        assert!(is_lie || is_told, "the ledgers do not know of {text}");
    }
}

#[test]
fn describe_prints_what_a_tape_holds() {
    let mut file = NamedTempFile::new().expect("a file");
    write!(file, "ticker,ts,quantity,price,tradeid\nA,2,1,1,x\nA,1,1,1,y\nA,2,1,1,x\n").expect("writes");

    let output = output(&["describe", file.path().to_str().expect("a path")]);
    let described: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        described,
        serde_json::json!({"tickers": ["A"], "rows": 3, "trades": 2, "repeats": 1, "first_ts": 1, "last_ts": 2})
    );
}

#[test]
fn what_cannot_be_is_refused_in_one_line_that_names_it() {
    let mut file = NamedTempFile::new().expect("a file");
    write!(file, "ticker,ts,quantity,price,tradeid\nA,2,0,1,x\n").expect("writes");
    let path = file.path().to_str().expect("a path");
    for (arguments, word) in [
        (&["--tape", path][..], ":2: quantity is not positive: 0"),
        (&["--faults", "0.3"], "must not exceed 1"),
        (&["--tickers", "A B"], "not a ticker"),
        (&["describe", "/nowhere.csv"], "/nowhere.csv"),
        (&["--ledger", "/nowhere/ledger"], "could not keep the ledger in /nowhere/ledger"),
    ] {
        let output = output(arguments);
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && complaint.contains(word), "{complaint}");
        assert_eq!(complaint.lines().count(), 1, "{complaint}");
    }
}

#[test]
fn help_names_every_fault_and_the_way_to_ask_a_running_venue() {
    let help = String::from_utf8(output(&["--help"]).stdout).expect("text");
    for kind in venue::FaultKind::ALL {
        let option = format!("--{}", kind.as_str().replace('_', "-"));
        assert!(help.contains(&option), "{option}");
    }
    for word in ["--tape", "--as-recorded", "--rest-hang", "describe", "61792", "curl"] {
        assert!(help.contains(word), "{word}");
    }
}
