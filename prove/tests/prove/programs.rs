//! The programs that are run: those built beside the one under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// The crates the programs are made of.
const SOURCES: [&str; 6] = ["tape", "market", "store", "worker", "api", "venue"];

/// The folder of worker, api and venue. A test run of the whole workspace has
/// built them; for one of this crate alone they are built here.
pub fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_BIN_EXE_prove")).parent().expect("a program is in a folder").to_owned();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace");
    let sources = SOURCES.map(|name| newest(&root.join(name).join("src"))).into_iter().max().expect("there are some");
    let built_at = |name: &str| std::fs::metadata(folder.join(name)).and_then(|program| program.modified());
    let is_fresh = |name: &&str| built_at(name).is_ok_and(|built_at| sources < built_at);
    if !["worker", "api", "venue"].iter().all(is_fresh) {
        let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        cargo.args(["build", "--quiet", "--locked", "-p", "worker", "-p", "api", "-p", "venue", "--target-dir"]);
        cargo.arg(folder.parent().expect("a profile is in a target folder")).current_dir(root);
        if folder.ends_with("release") {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "the programs can be built");
    }
    folder
}

/// When the newest file below a folder was written.
fn newest(folder: &Path) -> SystemTime {
    let entries = std::fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    let written = |path: PathBuf| {
        if path.is_dir() {
            return newest(&path);
        }
        std::fs::metadata(path).and_then(|file| file.modified()).expect("a file has its time")
    };
    entries.map(written).max().unwrap_or(SystemTime::UNIX_EPOCH)
}
