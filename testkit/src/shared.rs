//! The cluster that all test processes of this user share: the one named by
//! `TRUETAPE_TEST_PG`, else one that the first of them starts.

use std::fs::{File, TryLockError};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::binaries::{Binaries, our_uid};
use crate::cluster::{Cluster, FOR_TESTS, keep_alive};

/// The variable that names a running cluster by the URL of its superuser.
const VARIABLE: &str = "TRUETAPE_TEST_PG";

/// The superuser's URL of the shared cluster, which is started if need be.
pub(crate) fn admin_url() -> String {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| match std::env::var(VARIABLE) {
        Ok(url) if !url.is_empty() => url,
        _ => attach_or_launch(),
    })
    .clone()
}

fn attach_or_launch() -> String {
    let home = std::env::temp_dir().join(format!("truetape-test-{}", our_uid()));
    std::fs::create_dir_all(&home).expect("the temporary folder is writable");
    // Its watcher must be able to remove the cluster's folder from it.
    Binaries::find().give(&home);
    let _lock = lock(&home.join("lock"));
    let current = home.join("current");
    if let Some(url) = attach(&current) {
        return url;
    }
    let cluster = Cluster::launch(&home, FOR_TESTS);
    let url = cluster.admin_url();
    let note = format!("{}\n{url}\n", cluster.folder().display());
    std::fs::write(&current, note).expect("the folder is ours");
    url
}

/// The running cluster, if the last one started still answers.
fn attach(current: &Path) -> Option<String> {
    let note = std::fs::read_to_string(current).ok()?;
    let (folder, url) = note.trim_end().split_once('\n')?;
    let folder = PathBuf::from(folder);
    // Only a folder that is still there can be kept from its watcher.
    if !folder.join("alive").exists() {
        return None;
    }
    keep_alive(&folder);
    let address = url.split_once('@')?.1.split_once('/')?.0;
    TcpStream::connect_timeout(&address.parse().ok()?, Duration::from_secs(2)).ok()?;
    Some(url.to_owned())
}

/// Holds the lock until the file is closed.
fn lock(path: &Path) -> File {
    let file = File::create(path).expect("the folder is ours");
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        match file.try_lock() {
            Ok(()) => return file,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(error) => panic!("could not lock {}: {error}", path.display()),
        }
    }
}
