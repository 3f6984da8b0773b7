//! The kept inputs: `seeds/<target>/`, made by hand, grown by runs of ours, or
//! once found to break something.

use std::path::{Path, PathBuf};

use crate::Target;

/// Where a target's seeds lie.
pub fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target.name)
}

/// A target's seeds, each with its file, in the order of their names.
pub fn of(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = std::fs::read_dir(folder(target)) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("could not read {}: {error}", path.display()));
        (path, bytes)
    };
    files.into_iter().map(read).collect()
}
