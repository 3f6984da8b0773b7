//! Measures how fast the house is, side by side with what a user would pick
//! instead, or with the ceiling of what is underneath.
//!
//! Two cores that are shared say little about seconds and much about ratios:
//! whatever is compared runs in turn, in the same minutes, and the medians
//! count. Every part is a module of [`parts`]; how to add one is told there.

mod bare;
mod ceiling;
mod filled;
mod load;
mod machine;
mod made;
mod process;
mod processor;
mod python;
mod rounds;
mod servers;
mod table;

mod parts;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser;

use crate::machine::Machine;
use crate::parts::{PARTS, Part};

/// Runs ours and others in turn and prints how they compare.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is measured; everything when none is named.
    parts: Vec<String>,
    /// How often each contestant runs; the medians count.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=99))]
    runs: u32,
    /// Little work and one run, to see that it works: nothing is written.
    #[arg(long)]
    quick: bool,
    /// Name the parts and end.
    #[arg(long)]
    list: bool,
    /// The folder of the programs.
    #[arg(long, value_name = "FOLDER", default_value = "target/release")]
    programs: PathBuf,
    /// Where tapes, peers and their output are kept.
    #[arg(long, value_name = "FOLDER", default_value = ".run/bench")]
    kept: PathBuf,
    /// Answer everything with these bytes, as a peer of `latest`, until killed.
    #[arg(long, hide = true, value_name = "BODY")]
    bare: Option<String>,
    /// The checkout's folder of this crate, where tables are written.
    #[arg(long, value_name = "FOLDER", default_value = "bench")]
    house: PathBuf,
}

/// What a part is given.
#[derive(Debug)]
pub struct Bench {
    /// How often each contestant runs.
    pub runs: u32,
    /// Whether it is only to be seen that it works.
    pub quick: bool,
    /// The folder of the programs of ours.
    pub programs: PathBuf,
    /// A folder of the run's own, kept between runs: tapes, virtual environments, output.
    pub kept: PathBuf,
    /// The folder of the peers' scripts.
    pub peers: PathBuf,
    /// The folder of recorded tapes, which may not be there.
    pub recorded: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { parts, runs, quick, list, programs, kept, bare, house } = Arguments::parse();
    if let Some(body) = bare {
        bare::serve(body.leak())?;
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = chosen(&parts)?;
    if list {
        PARTS.iter().for_each(|part| println!("{:<12} {}", part.name, part.about));
        return Ok(ExitCode::SUCCESS);
    }
    std::fs::create_dir_all(&kept).with_context(|| format!("could not make {}", kept.display()))?;
    let runs = if quick { 1 } else { runs };
    let (peers, recorded) = (house.join("peers"), house.join("../../shared/tapes"));
    let bench = Bench { runs, quick, programs, kept: std::path::absolute(kept)?, peers, recorded };
    let mut holds = true;
    for part in chosen {
        eprintln!("bench: {}", part.name);
        let machine = Machine::now();
        let rows = match (part.run)(&bench) {
            Ok(rows) => rows,
            Err(error) => {
                eprintln!("bench: could not measure {}: {error:#}", part.name);
                holds = false;
                continue;
            }
        };
        holds &= rows.iter().all(|row| row.holds != Some(false) && (quick || !row.is_owed()));
        let text = table::page(part, &rows, &machine, if part.is_run_once { 1 } else { runs });
        println!("{text}");
        if !quick {
            let path = house.join("results").join(format!("{}.md", part.name));
            std::fs::create_dir_all(house.join("results")).context("could not make the folder of results")?;
            std::fs::write(&path, text).with_context(|| format!("could not write {}", path.display()))?;
        }
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The parts of these names, or all of them.
fn chosen(names: &[String]) -> anyhow::Result<Vec<&'static Part>> {
    if names.is_empty() {
        return Ok(PARTS.iter().collect());
    }
    let find = |name: &String| match PARTS.iter().find(|part| part.name == name) {
        Some(part) => Ok(part),
        None => {
            let known: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
            bail!("there is no part {name}; known are: {}", known.join(", "))
        }
    };
    names.iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_chosen_by_name_and_an_unknown_one_is_answered_with_the_known() {
        assert_eq!(chosen(&[]).expect("all").len(), PARTS.len());
        assert_eq!(chosen(&["window".to_owned()]).expect("one")[0].name, "window");
        let complaint = chosen(&["windows".to_owned()]).expect_err("no such part").to_string();
        assert!(complaint.starts_with("there is no part windows; known are: window"), "{complaint}");
    }
}
