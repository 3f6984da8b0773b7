//! Holds the house to its plan: which crate may use which, and what the pure
//! domain must not touch.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each crate may use of ours when it is shipped.
const ARROWS: &[(&str, &[&str])] = &[
    ("tape", &[]),
    ("market", &["tape"]),
    ("store", &["tape"]),
    ("replay", &["tape"]),
    ("worker", &["market", "replay", "store", "tape"]),
    ("api", &["store", "tape"]),
    ("venue", &["tape"]),
    ("testkit", &["store", "tape", "venue"]),
    // A black box around processes, tables and HTTP: it must know no code that it tests.
    ("prove", &["testkit"]),
    ("fuzz", &["api", "market", "store", "tape", "venue"]),
    ("simulation", &["market", "store", "tape", "worker"]),
    ("bench", &["market", "store", "tape", "testkit", "venue"]),
    ("counts", &["market", "replay", "tape"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("testkit lies in the workspace").to_owned()
}

/// Every package's dependencies that are shipped with it.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("cargo prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let shipped = |package: &serde_json::Value| {
        let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
        let shipped = dependencies.filter(|dependency| dependency["kind"] != "dev");
        shipped.map(|dependency| dependency["name"].as_str().expect("a name").to_owned()).collect()
    };
    packages.iter().map(|package| (package["name"].as_str().expect("a name").to_owned(), shipped(package))).collect()
}

/// Every source file of a crate, with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect_sources(folder, &mut found);
    assert!(!found.is_empty(), "no source below {}", folder.display());
    found
}

fn collect_sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect_sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source file");
            found.push((path, text));
        }
    }
}

/// The code without what only tests see.
fn shipped(source: &str) -> &str {
    source.split("#[cfg(test)]").next().unwrap_or_default()
}

#[test]
fn crates_use_each_other_only_along_the_arrows() {
    let dependencies = dependencies();
    let ours: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(dependencies.keys().map(String::as_str).collect::<BTreeSet<_>>(), ours);
    for (name, allowed) in ARROWS {
        let used: Vec<&str> =
            dependencies[*name].iter().map(String::as_str).filter(|used| ours.contains(used)).collect();
        for used in used {
            assert!(allowed.contains(&used), "{name} must not use {used}");
        }
    }
}

#[test]
fn the_worker_does_not_know_actix_and_the_api_no_socket() {
    let dependencies = dependencies();

    assert!(!dependencies["worker"].contains("actix-web"));
    assert!(!dependencies["api"].contains("tokio-tungstenite"));
    assert!(!dependencies["store"].contains("reqwest"));
    assert!(!dependencies["market"].contains("tokio-postgres"));
}

#[test]
fn the_pure_domain_reads_no_clock_does_no_io_and_holds_no_float() {
    let allowed = ["ethnum", "foldhash", "prefetch-index", "rust_decimal", "sha2", "smol_str", "thiserror"];
    let allowed: BTreeSet<String> = allowed.map(str::to_owned).into();
    assert!(dependencies()["tape"].is_subset(&allowed), "tape depends on more than {allowed:?}");

    let forbidden = [
        "std::time",
        "std::fs",
        "std::io",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant",
        "async ",
        "await",
        "serde",
        "println!",
        "f32",
        "f64",
        "static mut",
    ];
    for (path, source) in sources(&root().join("tape/src")) {
        for word in forbidden {
            let code = shipped(&source).lines().filter(|line| !line.trim_start().starts_with("//"));
            let found = code.into_iter().find(|line| line.contains(word));
            assert!(found.is_none(), "{} mentions {word}: {found:?}", path.display());
        }
    }
}

#[test]
fn sql_is_written_in_the_store_alone() {
    let statements = ["insert into ", "delete from ", "update transactions", "from transactions", "from vwap_history"];
    for folder in ["tape/src", "market/src", "worker/src", "api/src", "venue/src"] {
        for (path, source) in sources(&root().join(folder)) {
            let code = shipped(&source).to_lowercase();
            for statement in statements {
                assert!(!code.contains(statement), "{} holds SQL: {statement}", path.display());
            }
        }
    }
}

#[test]
fn the_wall_clock_of_the_worker_is_read_in_one_file() {
    for (path, source) in sources(&root().join("worker/src")) {
        let may_read = path.ends_with("clock.rs") || path.ends_with("config.rs");
        assert!(may_read || !shipped(&source).contains("Utc::now"), "{} reads the wall clock", path.display());
    }
}
