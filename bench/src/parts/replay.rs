//! A tape file to the figure of every ticker at every mark: `worker replay`
//! beside what one would write in Polars or DuckDB.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::Bench;
use crate::made::{self, BEGINS_AT_MS, Plan, Tape};
use crate::process::{Taken, measured};
use crate::python::Python;
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Five minutes, like everyone here is asked.
const WINDOW_SECONDS: i64 = 300;

/// No contestant may take longer.
const DEADLINE: Duration = Duration::from_secs(600);

/// One figure in this many is compared with the peers'.
const COMPARED_EVERY: usize = 101;

/// Somebody else who does the same work.
struct Peer {
    name: &'static str,
    shown: &'static str,
    /// How many times faster we must be, if this is the fastest of its kind.
    bar: f64,
    is_exact: bool,
}

const PEERS: [Peer; 4] = [
    Peer { name: "polars", shown: "Polars, floats", bar: 2.0, is_exact: false },
    Peer { name: "duckdb", shown: "DuckDB, floats", bar: 2.0, is_exact: false },
    Peer { name: "polars_i128", shown: "Polars, 128-bit integers", bar: 3.0, is_exact: true },
    Peer { name: "duckdb_decimal", shown: "DuckDB, decimals", bar: 3.0, is_exact: true },
];

/// Measures the replay of a tape.
///
/// # Errors
/// When ours fails or differs from a peer.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let trades = if bench.quick { 100_000 } else { 10_000_000 };
    let plan = Plan { trades, tickers: 20, seconds: if bench.quick { 600 } else { 21_600 }, seed: 42 };
    let tape = kept_tape(bench, plan)?;
    // Read once, so that nobody waits for the disk.
    std::io::copy(&mut File::open(&tape)?, &mut std::io::sink())?;

    let python = Python::with(&bench.kept, "batch", &["polars", "duckdb"]);
    let out = bench.kept.join("marks.csv");
    let mut contestants = vec![Contestant::new("worker replay", || {
        let mut command = Command::new(bench.programs.join("worker"));
        command.arg("replay").arg(&tape).arg("--out").arg(&out);
        measured(&mut command, &bench.kept.join("worker"), DEADLINE)
    })];
    if let Ok(python) = &python {
        for peer in &PEERS {
            let tape = &tape;
            contestants.push(Contestant::new(peer.shown, move || {
                let mut command = python.script(&bench.peers.join("batch.py"));
                command.arg(peer.name).arg(tape).arg(bench.kept.join(format!("{}.parquet", peer.name)));
                command.args([BEGINS_AT_MS, plan.seconds, WINDOW_SECONDS].map(|number| number.to_string()));
                measured(&mut command, &bench.kept.join(peer.name), DEADLINE)
            }));
        }
    }
    let samples = alternate(bench.runs, &mut contestants)?;
    let work = format!("{} M trades from CSV to {} marks", trades as f64 / 1e6, 20 * plan.seconds);
    let python = match &python {
        Ok(python) => python,
        Err(why) => return Ok(vec![Row::not_run(&work, "Polars, DuckDB", why, "≥ 2 × floats, ≥ 3 × exact")]),
    };
    let figures = figures(&out)?;
    for peer in &PEERS {
        agrees(bench, python, peer, &figures)?;
    }
    Ok(rows(&work, &samples, &python.versions))
}

fn rows(work: &str, samples: &[Vec<Taken>], versions: &str) -> Vec<Row> {
    let took = |samples: &Vec<Taken>| {
        let (wall_s, peak_mib) = (median(samples, |run| run.wall_s), median(samples, |run| run.peak_mib));
        (wall_s, peak_mib, format!("{wall_s:.2} s, {peak_mib:.0} MiB"))
    };
    let (our_wall, our_peak, ours) = took(&samples[0]);
    let theirs: Vec<_> = PEERS.iter().zip(samples[1..].iter().map(took)).collect();
    let fastest = |is_exact: bool| {
        let walls = theirs.iter().filter(|(peer, _)| peer.is_exact == is_exact).map(|(_, taken)| taken.0);
        walls.fold(f64::INFINITY, f64::min)
    };
    let mut rows: Vec<Row> = Vec::new();
    for (peer, (wall, peak, taken)) in &theirs {
        let shown = format!("{}: {taken}", peer.shown);
        let ratio = wall / our_wall;
        let is_fastest = *wall <= fastest(peer.is_exact);
        rows.push(if is_fastest {
            Row::compared(work, ours.clone(), shown.clone(), ratio, peer.bar)
        } else {
            Row { ratio: Some(ratio), ..Row::told(work, ours.clone(), shown.clone()) }
        });
        rows.push(Row::compared("less memory at its peak", format!("{our_peak:.0} MiB"), shown, peak / our_peak, 1.0));
    }
    rows.push(Row::told("the peers", "-".to_owned(), versions.to_owned()));
    rows
}

/// Our figures, by ticker and mark.
fn figures(path: &Path) -> anyhow::Result<HashMap<String, f64>> {
    let mut figures = HashMap::new();
    for line in BufReader::new(File::open(path)?).lines().skip(1) {
        let line = line?;
        let mut fields = line.split(',');
        let mut next = || fields.next().with_context(|| format!("a line is cut: {line}"));
        let (ticker, ts, price) = (next()?, next()?, next()?);
        if !price.is_empty() {
            figures.insert(format!("{ticker},{ts}"), price.parse()?);
        }
    }
    Ok(figures)
}

/// Holds a peer's figures against ours: as many, and none further off than floats are.
fn agrees(bench: &Bench, python: &Python, peer: &Peer, figures: &HashMap<String, f64>) -> anyhow::Result<()> {
    let mut command = python.script(&bench.peers.join("marks.py"));
    command.arg(bench.kept.join(format!("{}.parquet", peer.name))).arg(COMPARED_EVERY.to_string());
    let said = measured(&mut command, &bench.kept.join("marks"), DEADLINE)?.said;
    let mut lines = said.lines();
    let count: usize = lines.next().context("it counted nothing")?.parse()?;
    ensure!(count == figures.len(), "{} has {count} figures, we have {}", peer.shown, figures.len());
    for line in lines {
        let (key, price) = line.rsplit_once(',').context("a line is cut")?;
        let (theirs, ours) = (price.parse::<f64>()?, figures.get(key).with_context(|| format!("we lack {key}"))?);
        ensure!((theirs / ours - 1.0).abs() < 1e-9, "{} says {price} at {key}, we say {ours}", peer.shown);
    }
    Ok(())
}

/// The tape as a file, made once.
fn kept_tape(bench: &Bench, plan: Plan) -> anyhow::Result<PathBuf> {
    let Plan { trades, tickers, seconds, seed } = plan;
    let path = bench.kept.join(format!("tape-{trades}-{tickers}-{seconds}-{seed}.csv"));
    if !path.exists() {
        eprintln!("  making {}", path.display());
        let part = path.with_extension("part");
        let file = File::create(&part).with_context(|| format!("could not make {}", part.display()))?;
        made::write_csv(Tape::new(plan), BufWriter::new(file))?;
        std::fs::rename(&part, &path)?;
    }
    Ok(path)
}
