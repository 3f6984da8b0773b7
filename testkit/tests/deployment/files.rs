//! Reading what lies beside the crates.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// A path below the workspace's root.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is in the workspace").join(name)
}

pub fn text(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("could not read {name}: {error}"))
}

pub fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&text(name)).unwrap_or_else(|error| panic!("{name} is no YAML: {error}"))
}

/// The entries of a list; none when it is absent.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub fn string<'a>(value: &'a Value, what: &str) -> &'a str {
    value.as_str().unwrap_or_else(|| panic!("{what} is {value}, not a text"))
}

/// The names in the table of variables that a program's `--help` prints.
pub fn variables_of(program: &str) -> Vec<String> {
    let beside = std::fs::read_dir(path(&format!("{program}/src/config"))).into_iter().flatten().flatten();
    let files = beside.map(|entry| entry.path()).chain([path(&format!("{program}/src/config.rs"))]);
    let sources: Vec<String> = files.map(|file| std::fs::read_to_string(file).expect("a source file")).collect();
    let mut tables = sources.iter().filter_map(|source| source.split("pub const VARIABLES").nth(1)?.split("];").next());
    let table = tables.next_back().unwrap_or_else(|| panic!("{program} has no table of variables"));
    // A row is ("NAME", "default", "meaning"), on one line or several.
    let rows = table.split('(').filter_map(|row| row.trim_start().strip_prefix('"')?.split('"').next());
    rows.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')).map(str::to_owned).collect()
}
