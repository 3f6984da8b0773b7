//! The machine something was measured on, described for those who read the
//! figures later.

use std::process::Command;

/// What is known of the machine, and how busy it was at the beginning.
#[derive(Debug, Clone)]
pub struct Machine {
    processor: String,
    cores: usize,
    memory_gib: u64,
    kernel: String,
    compiler: String,
    commit: String,
    load_before: String,
}

impl Machine {
    /// The machine as it is now.
    pub fn now() -> Self {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let memory_kib: u64 = field("/proc/meminfo", "MemTotal").and_then(|text| first_number(&text)).unwrap_or(0);
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores,
            memory_gib: (memory_kib + (1 << 19)) >> 20,
            kernel: said_by("uname", &["-sr"]),
            compiler: said_by("rustc", &["--version"]),
            commit: commit(),
            load_before: load(),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { processor, cores, memory_gib, kernel, compiler, commit, load_before } = self;
        writeln!(f, "- processor: {processor}, {cores} cores, {memory_gib} GiB of memory")?;
        writeln!(f, "- system: {kernel}; {compiler}")?;
        writeln!(f, "- measured at commit {commit}")?;
        writeln!(f, "- load average before: {load_before}; after: {}", load())
    }
}

/// The commit checked out, and whether what is measured may be something else. Figures kept are
/// not what is measured.
fn commit() -> String {
    let changed = ["status", "--porcelain", "--untracked-files=no", "--", ":/", ":(top,exclude)bench/results"];
    let is_clean = Command::new("git").args(changed).output().is_ok_and(|output| output.stdout.is_empty());
    let commit = said_by("git", &["rev-parse", "--short", "HEAD"]);
    if is_clean { commit } else { format!("{commit}, with changes") }
}

/// The value after a name in one of the kernel's lists.
fn field(path: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The load averages over one, five and fifteen minutes.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let averages: Vec<&str> = text.split_whitespace().take(3).collect();
    if averages.is_empty() { "not known".to_owned() } else { averages.join(" ") }
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { format!("{program}: not known") } else { text }
}
