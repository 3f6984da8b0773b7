//! Lets callgrind count a path. Starting and preparing takes instructions too:
//! they are the same however often the work is done, so the difference between
//! doing it often and doing it seldom is the work alone.

use std::process::Command;

use crate::paths::Path;

/// How often the work is done in one of the two runs; in the other, three times so often.
pub const TIMES: usize = 20;

/// The instructions of one piece of work.
///
/// # Errors
/// When valgrind does not run, or says nothing.
pub fn count(path: &Path) -> Result<u64, String> {
    let (seldom, often) = (counted(path.name, TIMES)?, counted(path.name, 3 * TIMES)?);
    often.checked_sub(seldom).map(|both| both / (2 * TIMES as u64)).ok_or_else(|| "more work took less".to_owned())
}

fn counted(name: &str, times: usize) -> Result<u64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(own)
        .args(["--do", name, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.filter(|_| output.status.success()).ok_or_else(|| format!("valgrind said: {said}"))
}

/// The compiler that is here, and most likely made this program.
pub fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    let version = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    format!("{} on {}", if version.is_empty() { "an unknown compiler" } else { &version }, std::env::consts::ARCH)
}
