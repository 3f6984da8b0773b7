//! Where the installed Postgres is, and as whom it may run.

use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The programs of one installed Postgres.
#[derive(Debug, Clone)]
pub(crate) struct Binaries {
    folder: PathBuf,
    /// The user to run as when we are root: Postgres refuses root.
    user: Option<User>,
}

#[derive(Debug, Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

const INSTALL: &str = "no Postgres found: neither initdb and pg_ctl in PATH nor in the usual folders. Install it:
  Debian, Ubuntu: sudo apt-get install -y postgresql
  Fedora, RHEL:   sudo dnf install -y postgresql-server
  macOS:          brew install postgresql@17
or name a running one: TRUETAPE_TEST_PG=postgres://postgres@127.0.0.1:5432/postgres";

impl Binaries {
    /// Finds an installed Postgres.
    ///
    /// # Panics
    /// With the command that installs one, when there is none.
    pub(crate) fn find() -> Self {
        let in_path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&in_path).chain(usual_folders());
        for folder in folders {
            let Ok(initdb) = folder.join("initdb").canonicalize() else {
                continue;
            };
            // A link in PATH may stand alone; its neighbors are where it points.
            let folder = initdb.parent().expect("a file is in a folder").to_owned();
            if folder.join("pg_ctl").exists() && folder.join("postgres").exists() {
                return Self { folder, user: unprivileged_user() };
            }
        }
        panic!("{INSTALL}");
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Gives a folder to whom Postgres runs as.
    pub(crate) fn give(&self, folder: &Path) {
        if let Some(user) = self.user {
            std::os::unix::fs::chown(folder, Some(user.uid), Some(user.gid)).expect("root may give folders away");
        }
    }

    /// One of the programs, to be run in `folder`, detached from our terminal.
    pub(crate) fn command(&self, program: &str, folder: &Path) -> Command {
        self.as_user(&self.folder.join(program), folder)
    }

    /// Any program, run as whom Postgres runs as.
    pub(crate) fn as_user(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        if let Some(user) = self.user {
            command.uid(user.uid).gid(user.gid);
        }
        command
    }
}

/// Debian's, Red Hat's and Homebrew's folders, newest version first.
fn usual_folders() -> Vec<PathBuf> {
    let versioned = [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql", "bin"),
        ("/usr/local/opt", "postgresql", "bin"),
        ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ];
    let mut folders = Vec::new();
    for (root, prefix, leaf) in versioned {
        let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = entries
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
            .map(|entry| entry.path().join(leaf))
            .filter(|folder| folder.join("initdb").exists())
            .collect();
        found.sort();
        folders.extend(found.into_iter().rev());
    }
    folders
}

/// Who we are, told by who owns a file we make.
pub(crate) fn our_uid() -> u32 {
    let file = tempfile::tempfile().expect("a temporary file can be made");
    file.metadata().expect("it has an owner").uid()
}

fn unprivileged_user() -> Option<User> {
    if our_uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map(str::parse);
        Some(User { uid: fields.next()?.ok()?, gid: fields.next()?.ok()? })
    };
    Some(named("postgres").or_else(|| named("nobody")).unwrap_or(User { uid: 65_534, gid: 65_534 }))
}
