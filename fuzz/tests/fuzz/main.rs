//! Holds every target's properties without libFuzzer: for the kept seeds and
//! for a bounded number of mutations of them.

use std::panic::{AssertUnwindSafe, catch_unwind};

use fuzz::mutation::Mutations;
use fuzz::{TARGETS, Target, seeds};

/// How many mutations of each target's seeds are tried; `FUZZ_MUTATIONS` changes it.
const MUTATIONS: usize = 4_000;

/// What the mutations are drawn by; `FUZZ_SEED` changes it.
const SEED: u64 = 1;

fn variable<T: std::str::FromStr>(name: &str, absent: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(absent)
}

/// Checks one input, and says how to repeat it when its property fails.
fn check(target: &Target, bytes: &[u8], origin: &str) {
    let held = catch_unwind(AssertUnwindSafe(|| (target.check)(bytes)));
    if held.is_err() {
        let path = std::env::temp_dir().join(format!("fuzz-{}-{}", target.name, std::process::id()));
        std::fs::write(&path, bytes).expect("the folder for temporary files takes one");
        let (name, path) = (target.name, path.display());
        panic!("{name} does not hold for {origin}; repeat it by: bin/fuzz {name} --repeat {path}");
    }
}

#[test]
fn every_property_holds_for_every_kept_seed() {
    for target in TARGETS {
        let seeds = seeds::of(target);
        assert!(seeds.len() >= 5, "{} has too few seeds", target.name);
        for (path, bytes) in seeds {
            assert!(bytes.len() <= target.longest, "{} is longer than {}", path.display(), target.longest);
            check(target, &bytes, &path.display().to_string());
        }
    }
}

#[test]
fn every_property_holds_for_mutations_of_the_seeds() {
    let (count, number) = (variable("FUZZ_MUTATIONS", MUTATIONS), variable("FUZZ_SEED", SEED));
    for target in TARGETS {
        let seeds: Vec<Vec<u8>> = seeds::of(target).into_iter().map(|(_, bytes)| bytes).collect();
        for (index, bytes) in Mutations::new(target, &seeds, number).take(count).enumerate() {
            check(target, &bytes, &format!("mutation {index} by seed {number}"));
        }
    }
}

#[test]
fn no_folder_of_seeds_belongs_to_nobody() {
    let folders = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/seeds")).expect("the seeds");
    for folder in folders.flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        assert!(Target::named(&name).is_some(), "seeds/{name} belongs to no target");
    }
}
