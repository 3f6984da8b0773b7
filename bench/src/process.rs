//! A child process that is measured: how long it ran, how much of the
//! processors it used, and how much memory it held at most.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// How often the child is looked at. Its peak is kept by the kernel and only
/// ever grows, so no more is lost than what it took in its last moments.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What a child took.
#[derive(Debug, Clone)]
pub struct Taken {
    /// From its start to its end.
    pub wall_s: f64,
    /// The most memory it held at once.
    pub peak_mib: f64,
    /// What it said on its standard output.
    pub said: String,
}

impl Taken {
    /// The last line it said that is a JSON object.
    pub fn json(&self) -> serde_json::Value {
        let lines = self.said.lines().rev();
        lines.filter(|line| line.starts_with('{')).find_map(|line| serde_json::from_str(line).ok()).unwrap_or_default()
    }

    /// A number of that object.
    ///
    /// # Errors
    /// When it is not there.
    pub fn number(&self, name: &str) -> anyhow::Result<f64> {
        self.json()[name].as_f64().with_context(|| format!("it said no {name}: {:?}", self.said))
    }
}

/// Runs a command to its end. Its output goes to files beside `log`.
///
/// # Errors
/// When it does not start, fails, or takes longer than `deadline`; with the
/// end of what it said on standard error.
pub fn measured(command: &mut Command, log: &Path, deadline: Duration) -> anyhow::Result<Taken> {
    let (out, err) = (log.with_extension("out"), log.with_extension("err"));
    let create =
        |path: &Path| std::fs::File::create(path).with_context(|| format!("could not make {}", path.display()));
    command.stdin(Stdio::null()).stdout(create(&out)?).stderr(create(&err)?);
    let began = Instant::now();
    let mut child = command.spawn().with_context(|| format!("could not start {command:?}"))?;
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if began.elapsed() > deadline {
            child.kill()?;
            child.wait()?;
            bail!("{command:?} took longer than {} s", deadline.as_secs());
        }
        peak_kib = peak_kib.max(peak_of(&status_file));
        std::thread::sleep(LOOK_EVERY);
    };
    let wall_s = began.elapsed().as_secs_f64();
    let text = |path: &Path| std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if !status.success() {
        let complaint = text(&err)?;
        let from = complaint.len().saturating_sub(2_000);
        bail!("{command:?} failed: {status}: {}", complaint.get(from..).unwrap_or_default().trim());
    }
    Ok(Taken { wall_s, peak_mib: f64::from(peak_kib) / 1024.0, said: text(&out)? })
}

/// The most memory a process held so far, in KiB; nothing once it has ended.
fn peak_of(status_file: &str) -> u32 {
    let text = std::fs::read_to_string(status_file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> anyhow::Result<Taken> {
        let folder = std::env::temp_dir().join(format!("truetape-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let log = folder.join(format!("{:?}", std::thread::current().id()));
        measured(Command::new("sh").args(["-c", script]), &log, deadline)
    }

    #[test]
    fn a_child_is_measured_and_heard() {
        let taken =
            shell("echo noise; sleep 0.1; echo '{\"engine_s\":2.5}'", Duration::from_secs(20)).expect("it runs");

        assert!(taken.wall_s >= 0.1);
        assert!(taken.peak_mib > 0.0);
        assert_eq!(taken.number("engine_s").expect("a number"), 2.5);
        assert!(taken.number("other").is_err());
    }

    #[test]
    fn a_child_that_fails_or_never_ends_is_an_error() {
        let failed = shell("echo alas >&2; exit 3", Duration::from_secs(20)).expect_err("it fails");
        assert!(failed.to_string().contains("alas"), "{failed}");

        let endless = shell("exec sleep 60", Duration::from_millis(100)).expect_err("it takes too long");
        assert!(endless.to_string().contains("took longer"), "{endless}");
    }
}
