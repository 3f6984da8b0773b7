//! The Dockerfile and what it may copy.

use crate::files::{path, text};

/// The instructions of each stage, by its name. Continued lines are one.
fn stages() -> Vec<(String, String, Vec<String>)> {
    let joined = text("Dockerfile").replace("\\\n", " ");
    let mut stages = Vec::new();
    for line in joined.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if let Some(from) = line.strip_prefix("FROM ") {
            let (base, name) = from.split_once(" AS ").expect("every stage has a name");
            stages.push((name.to_owned(), base.to_owned(), Vec::new()));
        } else {
            stages.last_mut().expect("FROM comes first").2.push(line.to_owned());
        }
    }
    stages
}

fn instructions(stage: &str) -> Vec<String> {
    let (_, base, own) =
        stages().into_iter().find(|found| found.0 == stage).unwrap_or_else(|| panic!("no stage {stage}"));
    let inherited = if stages().iter().any(|found| found.0 == base) { instructions(&base) } else { Vec::new() };
    inherited.into_iter().chain(own).collect()
}

#[test]
fn every_program_runs_as_an_unprivileged_user_and_can_tell_its_health() {
    for program in ["worker", "api", "venue"] {
        let instructions = instructions(program);
        let last = |name: &str| instructions.iter().rev().find(|line| line.starts_with(&format!("{name} ")));

        let user = last("USER").unwrap_or_else(|| panic!("{program} runs as root"));
        let id = user.split([' ', ':']).nth(1).and_then(|id| id.parse::<u32>().ok());
        assert!(id.is_some_and(|id| id > 0), "{program}: {user}");
        assert!(last("HEALTHCHECK").is_some(), "{program}");
        assert_eq!(last("ENTRYPOINT").map(String::as_str), Some(format!("ENTRYPOINT [\"{program}\"]").as_str()));
    }
}

#[test]
fn base_images_have_exact_versions() {
    let stages = stages();
    for (name, base, _) in &stages {
        let is_ours = stages.iter().any(|stage| stage.0 == *base);
        assert!(is_ours || base.split_once(':').is_some_and(|(_, tag)| tag.contains('.')), "{name} is built on {base}");
    }
}

#[test]
fn every_member_of_the_workspace_and_every_copied_file_reaches_the_build() {
    let ignored = text(".dockerignore");
    let is_kept = |name: &str| ignored.lines().any(|line| line == format!("!{name}"));
    let members = text("Cargo.toml");
    let members = members.lines().find_map(|line| line.strip_prefix("members = [")).expect("the members");

    for member in members.trim_end_matches(']').split(',') {
        let member = member.trim().trim_matches('"');
        assert!(is_kept(member), "{member} is ignored");
    }
    for file in ["Cargo.toml", "Cargo.lock", "migrations", "bin/healthy"] {
        assert!(is_kept(file), "{file} is ignored");
        assert!(path(file).exists(), "{file} is missing");
    }
}
