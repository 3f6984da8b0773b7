//! One program of the run as a real process: started, told to end, killed, and
//! brought to a standstill, always by its id. What it says goes to a file.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How a program is started.
#[derive(Debug, Clone)]
pub struct Program {
    /// What it is called here.
    pub name: String,
    /// The executable.
    pub path: PathBuf,
    /// What it is told on its command line.
    pub arguments: Vec<String>,
    /// What it is told by its environment; nothing else is in it.
    pub variables: Vec<(String, String)>,
    /// Where it runs: a folder without a `.env` of anybody's.
    pub folder: PathBuf,
    /// What it says, of all its lives.
    pub log: PathBuf,
}

/// A program and the process that runs it, if one does. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    program: Program,
    child: Option<Child>,
    is_paused: bool,
}

/// How long a process may take to end once it was told to.
const ENDS_WITHIN: Duration = Duration::from_secs(12);

impl Process {
    /// A process that does not run yet.
    pub fn new(program: Program) -> Self {
        Self { program, child: None, is_paused: false }
    }

    /// Its id, while it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts it, unless it runs.
    pub fn start(&mut self) -> anyhow::Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        let Program { name, path, arguments, variables, folder, log } = &self.program;
        let log = OpenOptions::new().create(true).append(true).open(log).context("could not write a log")?;
        let mut command = Command::new(path);
        command.args(arguments).env_clear().envs(variables.iter().cloned()).current_dir(folder);
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn().with_context(|| format!("could not start {name} ({})", path.display()))?);
        Ok(())
    }

    /// Ends it without a word.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        self.is_paused = false;
        Ok(())
    }

    /// Brings it to a standstill.
    pub fn pause(&mut self) -> anyhow::Result<()> {
        self.signal("STOP")?;
        self.is_paused = true;
        Ok(())
    }

    /// Lets it go on.
    pub fn resume(&mut self) -> anyhow::Result<()> {
        if self.is_paused {
            self.signal("CONT")?;
            self.is_paused = false;
        }
        Ok(())
    }

    /// Tells it to end and waits until it has; it must do so in time, and well.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        self.signal("TERM")?;
        let told_at = Instant::now();
        while told_at.elapsed() < ENDS_WITHIN {
            if let Some(status) = self.ended()? {
                if !status.success() {
                    bail!("{} was told to end and ended with {status}", self.program.name);
                }
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill()?;
        bail!("{} was told to end and did not within {} s", self.program.name, ENDS_WITHIN.as_secs());
    }

    /// How it ended, if it has: nobody but ourselves may end it.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        let Some(child) = &mut self.child else { return Ok(None) };
        let status = child.try_wait()?;
        if status.is_some() {
            self.child = None;
        }
        Ok(status)
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        // A child that was not waited for keeps its id, even if it has ended.
        let Some(id) = self.id() else { return Ok(()) };
        send(signal, &[id])
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Sends a signal to processes.
pub fn send(signal: &str, ids: &[u32]) -> anyhow::Result<()> {
    let mut command = Command::new("kill");
    command.arg(format!("-{signal}")).args(ids.iter().map(u32::to_string));
    let output = command.output().context("could not run kill")?;
    if !output.status.success() {
        bail!("kill -{signal} {ids:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
