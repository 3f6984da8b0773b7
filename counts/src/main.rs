//! Counts the instructions of the hot paths, by callgrind, and holds them
//! against stored counts: repeatable where times are not.
//!
//! ```text
//! counts                   hold every path against stored.tsv
//! counts --write           store the counts as they are now
//! counts --do PATH TIMES   do the work of a path so many times: what is counted
//! ```

mod counting;
mod paths;
mod stored;

use std::path::PathBuf;
use std::process::ExitCode;

use crate::paths::PATHS;
use crate::stored::Stored;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => hold(),
        ["--write"] => write(),
        ["--do", path, times] => do_path(path, times),
        _ => fail("accepted: nothing, --write, or --do PATH TIMES"),
    }
}

fn fail(why: &str) -> ExitCode {
    eprintln!("counts: {why}");
    ExitCode::FAILURE
}

fn do_path(name: &str, times: &str) -> ExitCode {
    match (PATHS.iter().find(|path| path.name == name), times.parse()) {
        (Some(path), Ok(times)) => {
            (path.work)(times);
            ExitCode::SUCCESS
        }
        _ => fail(&format!("there is no path {name}, or {times} is no number")),
    }
}

/// Where the counts are kept.
fn store() -> PathBuf {
    PathBuf::from(std::env::var("COUNTS_STORED").unwrap_or_else(|_| "counts/stored.tsv".to_owned()))
}

fn write() -> ExitCode {
    let mut counted = Vec::new();
    for path in PATHS {
        match counting::count(path) {
            Ok(count) => counted.push((path.name, count)),
            Err(error) => return fail(&format!("could not count {}: {error}", path.name)),
        }
    }
    match std::fs::write(store(), stored::text(&counted, &counting::compiler())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("could not write {}: {error}", store().display())),
    }
}

fn hold() -> ExitCode {
    let text = match std::fs::read_to_string(store()) {
        Ok(text) => text,
        Err(error) => return fail(&format!("could not read {}: {error}", store().display())),
    };
    let stored = Stored::read(&text);
    let compiler = counting::compiler();
    let allowed = stored.allowed_percent(&compiler);
    println!("counts: up to {allowed} % away is allowed; {}", stored.told(&compiler));
    println!("{:<16} {:>12} {:>12} {:>8}", "path", "stored", "counted", "%");
    let mut away = Vec::new();
    for path in PATHS {
        let counted = match counting::count(path) {
            Ok(counted) => counted,
            Err(error) => return fail(&format!("could not count {}: {error}", path.name)),
        };
        let held = stored.hold(path.name, counted, allowed);
        println!("{:<16} {:>12} {counted:>12} {:>8}", path.name, held.shown, held.percent);
        if !held.is_near {
            away.push(path.name);
        }
    }
    if away.is_empty() {
        return ExitCode::SUCCESS;
    }
    fail(&format!("{} took more or fewer instructions; if that is meant: bin/count --write", away.join(", ")))
}
