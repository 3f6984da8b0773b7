//! The program itself, as a shell runs it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

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
