//! The window engine, exact: trades one by one, some late and some twice, and a
//! figure per ticker and mark.

mod engine;
mod oracle;
mod scaling;

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tape::Heard;

use self::engine::Engine;
use crate::Bench;
use crate::made::{self, Arrived, BEGINS_AT_MS, Plan, Tape};
use crate::process::measured;
use crate::processor;
use crate::python::Python;
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Five minutes, like everyone here is asked.
const WINDOW_SECONDS: i64 = 300;

/// No peer may take longer.
const DEADLINE: Duration = Duration::from_secs(600);

/// Measures the window engine.
///
/// # Errors
/// When a figure is wrong, or files cannot be written.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let trades = if bench.quick { 50_000 } else { 1_000_000 };
    let plan = Plan { trades, tickers: 20, seconds: if bench.quick { 400 } else { 3_600 }, seed: 11 };
    check(plan)?;
    let mut rows = against_peers(bench, plan)?;
    rows.extend(scaling::rows(bench)?);
    Ok(rows)
}

/// Holds every figure of a tape, and of one that breaks floats, against whole numbers.
fn check(plan: Plan) -> anyhow::Result<()> {
    let smaller = Plan { trades: plan.trades.min(200_000), ..plan };
    let adversarial: Vec<_> = made::adversarial(smaller).collect();
    for tape in [Tape::new(plan).collect::<Vec<_>>(), adversarial] {
        let arrivals = made::arrivals(tape.iter().copied(), plan.seed);
        let mut engine = Engine::new(plan.tickers, WINDOW_SECONDS, false);
        let mut said = Vec::new();
        engine.take_all(&engine::heard(&arrivals), plan.seconds, |ticker, figure| {
            said.push((ticker.clone(), figure.mark.at().ms(), figure.sums));
        });
        oracle::hold(&tape, plan, WINDOW_SECONDS, &said)?;
    }
    eprintln!("  every figure equals that of whole numbers, on the adversarial tape too");
    Ok(())
}

fn against_peers(bench: &Bench, plan: Plan) -> anyhow::Result<Vec<Row>> {
    let arrivals = made::arrivals(Tape::new(plan), plan.seed);
    let file = kept_arrivals(bench, plan, &arrivals)?;
    let heard = engine::heard(&arrivals);
    let peers = [
        Peer { name: "Python ring", script: "ring.py", packages: &[], bar: 5.0 },
        Peer { name: "Bytewax", script: "bytewax_ring.py", packages: &["bytewax"], bar: 15.0 },
    ];
    let found: Vec<(&Peer, Result<Python, String>)> = peers
        .iter()
        .map(|peer| (peer, Python::with(&bench.kept, peer.script.trim_end_matches(".py"), peer.packages)))
        .collect();
    let mut contestants = vec![Contestant::new("ours", || timed(bench, plan, &heard))];
    for (peer, python) in found.iter().filter_map(|(peer, python)| Some((peer, python.as_ref().ok()?))) {
        contestants.push(Contestant::new(peer.name, || peer.timed(bench, python, &file, plan)));
    }
    let mut samples = alternate(bench.runs, &mut contestants)?.into_iter();
    let mut next = || samples.next().unwrap_or_default();

    let rate = |samples: &[Run]| arrivals.len() as f64 / median(samples, |run| run.processor_s) / 1e6;
    let shown = |rate: f64| format!("{rate:.2} M trades/s");
    let work = "20 tickers, five minutes, one core";
    let ours = rate(&next());
    let mut rows = vec![Row::absolute(work, shown(ours), "≥ 5 M trades/s", ours >= 5.0)];
    for (Peer { name, bar, .. }, python) in &found {
        let python = match python {
            Ok(python) => python,
            Err(why) => {
                rows.push(Row::not_run(work, name, why, &format!("≥ {bar} ×")));
                continue;
            }
        };
        let runs = next();
        let theirs = rate(&runs);
        rows.push(Row::compared(work, shown(ours), format!("{name} {}", shown(theirs)), ours / theirs, *bar));
        let (wall_s, peak_mib) = (median(&runs, |run| run.wall_s), median(&runs, |run| run.peak_mib));
        let whole = format!("{name} ({}): {wall_s:.1} s, {peak_mib:.0} MiB at most", python.versions);
        rows.push(Row::told("their whole process, reading included", "-".to_owned(), whole));
    }
    Ok(rows)
}

/// Somebody else who does the same work.
struct Peer {
    name: &'static str,
    script: &'static str,
    packages: &'static [&'static str],
    /// How many times faster we must be.
    bar: f64,
}

/// What one run took.
struct Run {
    /// What the work alone took of a processor, without reading the arrivals.
    processor_s: f64,
    /// The whole process; nothing of ours is told of it, which runs in here.
    wall_s: f64,
    peak_mib: f64,
}

impl Peer {
    fn timed(&self, bench: &Bench, python: &Python, arrivals: &Path, plan: Plan) -> anyhow::Result<Run> {
        let mut command = python.script(&bench.peers.join(self.script));
        command.arg(arrivals).arg(bench.kept.join(self.script).with_extension("csv")).arg(BEGINS_AT_MS.to_string());
        command.arg(plan.seconds.to_string()).arg(WINDOW_SECONDS.to_string());
        let taken = measured(&mut command, &bench.kept.join(self.script), DEADLINE)?;
        Ok(Run { processor_s: taken.number("processor_s")?, wall_s: taken.wall_s, peak_mib: taken.peak_mib })
    }
}

/// The time of one run over the whole tape, figures written as text.
fn timed(bench: &Bench, plan: Plan, heard: &[Heard]) -> anyhow::Result<Run> {
    let path = bench.kept.join("ours.csv");
    let file = File::create(&path).with_context(|| format!("could not make {}", path.display()))?;
    let mut out = BufWriter::new(file);
    let mut engine = Engine::new(plan.tickers, WINDOW_SECONDS, false);
    let began = processor::own_seconds()?;
    engine.write_all(heard, plan.seconds, &mut out)?;
    Ok(Run { processor_s: processor::own_seconds()? - began, wall_s: 0.0, peak_mib: 0.0 })
}

/// The arrivals as a file, made once.
fn kept_arrivals(bench: &Bench, plan: Plan, arrivals: &[Arrived]) -> anyhow::Result<PathBuf> {
    let Plan { trades, tickers, seconds, seed } = plan;
    let path = bench.kept.join(format!("arrivals-{trades}-{tickers}-{seconds}-{seed}.csv"));
    if !path.exists() {
        let part = path.with_extension("part");
        let file = File::create(&part).with_context(|| format!("could not make {}", part.display()))?;
        made::write_arrivals(arrivals, BufWriter::new(file))?;
        std::fs::rename(&part, &path)?;
    }
    Ok(Path::new(&path).to_owned())
}
