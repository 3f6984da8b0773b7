//! Every crate we link has a license that deny.toml allows. It is the part of
//! cargo-deny that must hold on machines without it.

use std::process::Command;

use serde_json::Value;

use crate::files::{list, path, text};

fn allowed() -> Vec<String> {
    let text = text("deny.toml");
    let licenses =
        text.split("[licenses]").nth(1).and_then(|rest| rest.split("allow = [").nth(1)).expect("an allow list");
    let entries = licenses.split(']').next().unwrap_or_default().split(',');
    entries.map(|entry| entry.trim().trim_matches('"').to_owned()).filter(|entry| !entry.is_empty()).collect()
}

/// What single crates may have beyond that: `{ crate = "name", allow = ["license"] }`.
fn excepted(package: &str) -> Option<String> {
    let line = text("deny.toml");
    let line = line.lines().find(|line| line.contains(&format!("{{ crate = \"{package}\", allow = [")))?;
    let license = line.split("allow = [\"").nth(1)?.split('"').next()?;
    Some(license.to_owned())
}

/// Whether an SPDX expression is met: `or` needs one side, `and` both.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = any_of(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "{expression} is not understood");
    met
}

fn any_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = all_of(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= all_of(words, at, allowed);
    }
    met
}

fn all_of(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let word = *words.get(*at).expect("an expression does not end in the middle");
    *at += 1;
    if word == "(" {
        let met = any_of(words, at, allowed);
        assert_eq!(words.get(*at), Some(&")"), "a bracket is open");
        *at += 1;
        return met;
    }
    let mut license = word.to_owned();
    if words.get(*at) == Some(&"WITH") {
        license = format!("{word} WITH {}", words[*at + 1]);
        *at += 2;
    }
    allowed.contains(&license)
}

#[test]
fn an_expression_is_met_as_spdx_says() {
    let allowed = ["MIT".to_owned(), "Unicode-3.0".to_owned()];

    assert!(is_met("MIT OR GPL-3.0", &allowed));
    assert!(is_met("(MIT OR Apache-2.0) AND Unicode-3.0", &allowed));
    assert!(is_met("Unlicense/MIT", &allowed));
    assert!(!is_met("MIT AND GPL-3.0", &allowed));
    assert!(!is_met("MIT WITH Something-exception", &allowed));
    assert!(!is_met("GPL-3.0", &allowed));
}

/// The platform we are on, as cargo calls it: crates of others need not be there.
fn platform() -> String {
    let version = Command::new("rustc").arg("-vV").output().expect("rustc is beside cargo");
    let version = String::from_utf8(version.stdout).expect("plain text");
    version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

#[test]
fn every_crate_has_an_allowed_license_and_comes_from_the_registry() {
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--all-features"])
        .args(["--filter-platform", &platform()])
        .current_dir(path(""))
        .output()
        .expect("cargo runs");
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let allowed = allowed();
    let used: Vec<&Value> = list(&metadata["resolve"]["nodes"]).iter().map(|node| &node["id"]).collect();

    let mut wrong = Vec::new();
    for package in list(&metadata["packages"]).iter().filter(|package| used.contains(&&package["id"])) {
        let excepted = package["name"].as_str().and_then(excepted);
        let allowed: Vec<String> = allowed.iter().cloned().chain(excepted).collect();
        let is_allowed = package["license"].as_str().is_some_and(|license| is_met(license, &allowed));
        let is_ours_or_published = package["source"].as_str().is_none_or(|source| source.starts_with("registry+"));
        if !is_allowed || !is_ours_or_published {
            wrong.push(format!("{}: {} from {}", package["name"], package["license"], package["source"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
