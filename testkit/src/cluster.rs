//! A private Postgres cluster in a folder of its own. It outlives nobody: a
//! small watcher stops it and removes the folder once no process of ours has
//! shown a sign of life for two minutes, even if all of them were killed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, Once};
use std::time::Duration;

use crate::binaries::Binaries;
use crate::port::free_port;

/// Nobody reaches a private cluster but by loopback.
const LOOPBACK: &str = "
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
";

/// Settings for a cluster of tests: durability is no use to it, room for many is.
pub const FOR_TESTS: &str = "
fsync = off
full_page_writes = off
shared_buffers = 64MB
max_connections = 300
max_locks_per_transaction = 256
";

const WATCH: &str = r#"
while sleep 5 && [ -n "$(find "$1/alive" -mmin -2 2>/dev/null)" ]; do :; done
"$2/pg_ctl" -D "$1/data" -m immediate stop
rm -rf "$1"
"#;

/// A cluster: where it is and how to control it.
///
/// Whatever goes wrong panics, with what Postgres said of it.
#[derive(Debug, Clone)]
pub struct Cluster {
    binaries: Binaries,
    folder: PathBuf,
    port: u16,
}

impl Cluster {
    /// Makes and starts a cluster in a new folder below `parent`, on loopback,
    /// with lines of `postgresql.conf`.
    pub fn launch(parent: &Path, settings: &str) -> Self {
        let binaries = Binaries::find();
        let folder = tempfile::Builder::new().prefix("pg-").tempdir_in(parent).expect("a folder can be made").keep();
        binaries.give(&folder);
        let cluster = Self { binaries, folder, port: free_port() };
        cluster.watch();
        let initialize = ["--pgdata=data", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8"];
        cluster.run("initdb", &[&initialize[..], &["--locale=C"]].concat());
        let path = cluster.folder.join("data/postgresql.conf");
        let defaults = std::fs::read_to_string(&path).expect("initdb wrote it");
        std::fs::write(&path, defaults + LOOPBACK + settings).expect("the folder is ours");
        cluster.start();
        cluster
    }

    /// Starts the server; once it answers, it listens on the port.
    pub fn start(&self) {
        let port = format!("-p {}", self.port);
        self.run("pg_ctl", &["-D", "data", "-w", "-t", "60", "-l", "log", "-o", &port, "start"]);
    }

    /// Kills the server as a crash would.
    pub fn stop_immediate(&self) {
        self.stop("immediate");
    }

    /// Stops the server in one of the modes of `pg_ctl`.
    pub fn stop(&self, mode: &str) {
        self.run("pg_ctl", &["-D", "data", "-w", "-t", "60", "-m", mode, "stop"]);
    }

    /// Stops the server, if it runs, and removes everything.
    pub fn remove(&self) {
        let _ = self.command("pg_ctl", &["-D", "data", "-m", "immediate", "stop"]).status();
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// The database of the superuser.
    pub fn admin_url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Its folder, which holds `data` and the server's `log`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.binaries.command(program, &self.folder);
        command.args(arguments);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = self.command(program, arguments).status().expect("the program was found");
        let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(
            status.success(),
            "{program} {arguments:?} in {} ended with {status}\n{}",
            self.folder.display(),
            log()
        );
    }

    fn watch(&self) {
        keep_alive(&self.folder);
        let mut watcher = self.binaries.as_user(Path::new("/bin/sh"), Path::new("/"));
        watcher.arg("-c").arg(WATCH).arg("watch").arg(&self.folder).arg(self.binaries.folder());
        let mut watcher = watcher.spawn().expect("there is a shell");
        // It usually outlives us; if it does not, it must not stay as a zombie.
        std::thread::spawn(move || watcher.wait());
    }
}

/// Shows signs of life in a cluster's folder for as long as this process lives.
pub(crate) fn keep_alive(folder: &Path) {
    static ALIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
    static BEAT: Once = Once::new();
    let alive = folder.join("alive");
    std::fs::write(&alive, "").expect("the folder is ours");
    ALIVE.lock().expect("nothing panics holding it").push(alive);
    BEAT.call_once(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(Duration::from_secs(15));
                for alive in ALIVE.lock().expect("nothing panics holding it").iter() {
                    // Not creating it: a folder that is gone stays gone.
                    if alive.exists() {
                        let _ = std::fs::write(alive, "");
                    }
                }
            }
        });
    });
}
