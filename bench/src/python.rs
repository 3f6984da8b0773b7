//! Peers that are written in Python, in a virtual environment of the run's own
//! that is filled by plain `pip` from wherever that machine gets its packages.

use std::path::{Path, PathBuf};
use std::process::Command;

/// An interpreter that has the packages that were asked for.
#[derive(Debug, Clone)]
pub struct Python {
    interpreter: PathBuf,
    /// The packages with their versions, for the table.
    pub versions: String,
}

impl Python {
    /// The environment of some name with these packages, made now unless it is
    /// there already.
    ///
    /// # Errors
    /// Why there is none, in words for the table.
    pub fn with(kept: &Path, name: &str, packages: &[&str]) -> Result<Self, String> {
        let folder = kept.join(format!("venv-{name}"));
        let interpreter = folder.join("bin/python3");
        let done = folder.join("packages");
        let wanted = packages.join(" ");
        let is_made = std::fs::read_to_string(&done).is_ok_and(|had| had == wanted);
        if !is_made {
            eprintln!("  making {} with {wanted}", folder.display());
            let _ = std::fs::remove_dir_all(&folder);
            said(Command::new("python3").args(["-m", "venv"]).arg(&folder)).map_err(|why| format!("no venv: {why}"))?;
            if !packages.is_empty() {
                let mut pip = Command::new(&interpreter);
                pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
                said(&mut pip).map_err(|why| format!("pip could not install {wanted}: {why}"))?;
            }
            std::fs::write(&done, &wanted).map_err(|error| error.to_string())?;
        }
        let mut versions = Command::new(&interpreter);
        versions.args(["-c", VERSIONS]).args(packages);
        let versions = said(&mut versions)?;
        Ok(Self { interpreter, versions })
    }

    /// A command that runs a script.
    pub fn script(&self, path: &Path) -> Command {
        let mut command = Command::new(&self.interpreter);
        command.arg(path);
        command
    }
}

const VERSIONS: &str = "import sys, platform, importlib.metadata as m
print(', '.join(['Python ' + platform.python_version()] + [p + ' ' + m.version(p) for p in sys.argv[1:]]))";

/// What a command says, or the last line of its complaint.
fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(complaint.lines().last().unwrap_or("it failed").chars().take(160).collect());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
