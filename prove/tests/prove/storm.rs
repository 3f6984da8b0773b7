//! A minute of storm on the debug builds, and a storm that is broken off.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::programs;

fn prove(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prove"));
    command.args(arguments).arg("--programs").arg(programs::folder());
    command
}

#[test]
fn after_a_minute_of_every_fault_kill_and_pause_the_verdict_is_clean() {
    let seed = std::env::var("PROVE_SEED").unwrap_or_else(|_| "3".to_owned());

    let output = prove(&["--seconds", "60", "--seed", &seed]).output().expect("the program runs");

    let (verdict, story) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{story}{verdict}");
    assert!(output.status.success() && verdict.contains("verdict        clean"), "{story}{verdict}");
    // It is no proof if nothing was struck or nothing compared.
    for nothing in [" 0 kills, 0 pauses", "\ntrades         0 true", "\nmarks          0 compared"] {
        assert!(!verdict.contains(nothing), "{verdict}");
    }
}

/// Ended with the test, however that ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_storm_that_is_broken_off_leaves_no_process_and_no_folder() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    // The database may belong to another user, who must get there.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("the folder is ours");
    let mut command = prove(&["--seconds", "60", "--seed", "1"]);
    command.env("TMPDIR", folder.path()).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut running = Running(command.spawn().expect("the program runs"));
    let mut story = BufReader::new(running.0.stderr.take().expect("a story")).lines();
    let begins = story.find(|line| line.as_ref().is_ok_and(|line| line.contains("the storm begins")));
    assert!(begins.is_some(), "the storm begins");

    let told = Command::new("kill").args(["-INT", &running.0.id().to_string()]).status();
    assert!(told.expect("kill runs").success());

    let told_at = Instant::now();
    while running.0.try_wait().expect("it can be asked").is_none() {
        assert!(told_at.elapsed() < Duration::from_secs(30), "it ends in time");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "nothing is left in the folder");
    assert_eq!(processes_about(folder.path()), Vec::<String>::new());
}

/// Processes that name a folder on their command line or have it as their own,
/// watchers aside, which end by themselves.
fn processes_about(folder: &Path) -> Vec<String> {
    let mut ps = Command::new("ps").args(["-A", "-o", "args="]).stdout(Stdio::piped()).spawn().expect("ps runs");
    let mut text = String::new();
    ps.stdout.take().expect("an output").read_to_string(&mut text).expect("text");
    ps.wait().expect("it ends");
    let folder = folder.display().to_string();
    text.lines().filter(|line| line.contains(&folder) && !line.contains("while sleep")).map(str::to_owned).collect()
}
