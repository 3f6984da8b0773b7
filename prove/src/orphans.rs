//! Nobody is left behind, even when this process is killed: a small watcher
//! notices by the end of a pipe, and kills whoever is noted in a file.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

const WATCH: &str = r#"read -r _; for id in $(cat "$1" 2>/dev/null); do kill -KILL "$id" 2>/dev/null; done"#;

/// The watcher, and the file of those to be killed.
#[derive(Debug)]
pub struct Orphans {
    path: PathBuf,
    watcher: Child,
}

impl Orphans {
    /// Begins to watch.
    pub fn guard(path: &Path) -> anyhow::Result<Self> {
        std::fs::write(path, "")?;
        let mut watcher = Command::new("/bin/sh");
        // In a group of its own: what ends us must not end it.
        watcher.args(["-c", WATCH, "watch"]).arg(path).stdin(Stdio::piped()).process_group(0);
        watcher.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self { path: path.to_owned(), watcher: watcher.spawn().context("could not start a shell")? })
    }

    /// Who would be left behind now.
    pub fn note(&self, ids: &[u32]) -> anyhow::Result<()> {
        let text: String = ids.iter().map(|id| format!("{id}\n")).collect();
        std::fs::write(&self.path, text).context("could not note the processes")
    }
}

impl Drop for Orphans {
    fn drop(&mut self) {
        // Whoever is noted still is killed with us.
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}
