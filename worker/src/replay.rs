//! `worker replay`: a recorded tape to the exact figure of every mark, on
//! standard output or in a file. It needs no database and no market.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use replay::{Limits, Replay, ReplayError, Summary};
use tape::Interval;

/// How often the progress is shown.
const SHOWN_EVERY: Duration = Duration::from_millis(100);

/// What is to be replayed.
#[derive(Debug, Clone, Args)]
pub struct ReplayArguments {
    /// A tape: CSV with the columns ticker, ts, quantity, price and tradeid in
    /// any order, plain, gzip or zstd.
    file: PathBuf,
    /// Where the figures go, as CSV, instead of standard output. The file appears
    /// when all of them are written.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// How long windows are, in whole seconds: 300000, 90s, 5m.
    #[arg(long, default_value = "5m", value_parser = whole_seconds)]
    interval: i64,
}

/// Replays a tape, and says on standard error what it was.
///
/// # Errors
/// When the tape cannot be read, naming the line, or the figures not be written.
pub fn run(arguments: &ReplayArguments) -> anyhow::Result<()> {
    let ReplayArguments { file, out, interval } = arguments;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let replay = Replay { seconds: *interval, cores, limits: Limits::default() };
    let shown = Shown::begin(file);
    let ended = match out {
        Some(path) => into_file(&replay, file, path, &shown.read),
        None => replay.run(file, &mut std::io::stdout().lock(), &shown.read).map_err(anyhow::Error::from),
    };
    shown.end();
    let Summary { rows, repeats, tickers, marks } = match ended {
        // Whoever read the figures has seen enough.
        Err(error) if is_closed_pipe(&error) => return Ok(()),
        ended => ended?,
    };
    eprintln!("{rows} rows, {repeats} of them repeats, tickers: {tickers}, figures: {marks}");
    Ok(())
}

fn into_file(replay: &Replay, file: &Path, path: &Path, read: &Arc<AtomicU64>) -> anyhow::Result<Summary> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let written = || -> anyhow::Result<Summary> {
        let out = File::create(&part).with_context(|| format!("could not make {}", part.display()))?;
        let summary = replay.run(file, &mut BufWriter::new(out), read)?;
        std::fs::rename(&part, path).with_context(|| format!("could not make {}", path.display()))?;
        Ok(summary)
    }();
    if written.is_err() {
        // It may never have been made.
        let _ = std::fs::remove_file(&part);
    }
    written
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<ReplayError>();
    matches!(error, Some(ReplayError::Unwritable(source)) if source.kind() == ErrorKind::BrokenPipe)
}

fn whole_seconds(text: &str) -> Result<i64, String> {
    let seconds = Interval::parse(text).and_then(Interval::whole_seconds);
    seconds.ok_or_else(|| "give whole seconds, up to seven days: 300000, 90s or 5m".to_owned())
}

/// How much of the file has been read, on a terminal.
struct Shown {
    read: Arc<AtomicU64>,
    bar: Option<ProgressBar>,
}

impl Shown {
    fn begin(file: &Path) -> Self {
        let read = Arc::new(AtomicU64::new(0));
        if !std::io::stderr().is_terminal() {
            return Self { read, bar: None };
        }
        let style = ProgressStyle::with_template("replay {bar:30} {percent}%  {bytes} of {total_bytes}  {eta} left");
        let bytes = std::fs::metadata(file).map_or(0, |metadata| metadata.len());
        let bar = ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let (moved, until) = (bar.clone(), Arc::clone(&read));
        thread::spawn(move || {
            while !moved.is_finished() {
                moved.set_position(until.load(Ordering::Relaxed));
                thread::sleep(SHOWN_EVERY);
            }
        });
        Self { read, bar: Some(bar) }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
