//! What a run came to, in words, and whether it is clean.

use std::collections::BTreeMap;
use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

use crate::compare::faults::Line;
use crate::compare::{answers, faults, figures, trades};
use crate::house::Deed;
use crate::schedule::{Actor, Blow};
use crate::witness::Rest;

/// Differences that are shown of each comparison; the others are counted.
const SHOWN: usize = 12;

/// Everything a run came to.
#[derive(Debug)]
pub struct Verdict {
    /// What the run followed from.
    pub seed: u64,
    /// The command that repeats it.
    pub command: String,
    /// How long the storm was.
    pub storm: Duration,
    /// From the end of the storm until everything had converged.
    pub converged_after: Duration,
    /// The whole run.
    pub all: Duration,
    /// The tickers followed.
    pub tickers: usize,
    /// What was done to the processes.
    pub deeds: Vec<Deed>,
    /// Troubles of the market's channels by command.
    pub troubles: usize,
    /// What the requests to REST got.
    pub rest: Rest,
    /// How many leaders there were, and how many lost it without a cause of ours.
    pub sessions: (usize, usize),
    /// Of the storm, how long a leader for sure listened.
    pub sure: Duration,
    /// The trades.
    pub trades: trades::Compared,
    /// The figures.
    pub figures: figures::Compared,
    /// The answers.
    pub answers: answers::Compared,
    /// How many answers had which status; 0 for none.
    pub statuses: BTreeMap<u16, u64>,
    /// The faults.
    pub faults: faults::Compared,
    /// What should not have happened besides.
    pub complaints: Vec<String>,
}

impl Verdict {
    /// Whether nothing at all is wrong.
    pub fn is_clean(&self) -> bool {
        self.differences().iter().all(|(_, differences)| differences.is_empty())
    }

    fn differences(&self) -> [(&'static str, &Vec<String>); 5] {
        [
            ("trades", &self.trades.differences),
            ("figures", &self.figures.differences),
            ("answers", &self.answers.differences),
            ("faults", &self.faults.differences),
            ("complaints", &self.complaints),
        ]
    }

    fn survived(&self, actor: Actor) -> String {
        let count = |blow: Blow| self.deeds.iter().filter(|deed| deed.actor == actor && deed.blow == blow).count();
        let counts = Blow::ALL.map(|blow| format!("{} {}", count(blow), plural(blow, count(blow))));
        format!("{:<9} {}", actor.name(), counts.join(", "))
    }

    fn undecidable(&self) -> String {
        let unsure = |line: &Line| line.done - line.sure;
        let kinds = self.faults.lines.iter().filter(|(kind, _)| is_looked_for(kind));
        let kinds = kinds.map(|(kind, line)| format!("{kind} {}", unsure(line)));
        let kinds: Vec<String> = kinds.chain([format!("missing {}", unsure(&self.faults.missing))]).collect();
        kinds.join(", ")
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { trades, figures, answers, faults, rest, .. } = self;
        writeln!(f, "seed           {}", self.seed)?;
        writeln!(
            f,
            "duration       storm {} s, converged {:.1} s after it, {:.0} s in all",
            self.storm.as_secs(),
            self.converged_after.as_secs_f64(),
            self.all.as_secs_f64()
        )?;
        let survived = Actor::ALL.map(|actor| self.survived(actor));
        writeln!(f, "survived       {}", survived.join("\n               "))?;
        let (sessions, unexplained) = self.sessions;
        writeln!(f, "leaders        {sessions}, of which {unexplained} lost it without a blow")?;
        writeln!(
            f,
            "REST           {} pages answered; {} requests failed, {} were rate-limited, {} left hanging; troubles by command: {}",
            rest.answered, rest.failed, rest.limited, rest.hung, self.troubles
        )?;
        writeln!(
            f,
            "trades         {} true, {} confirmed, {} tickers; {} differences",
            trades.truth,
            trades.confirmed,
            self.tickers,
            trades.differences.len()
        )?;
        writeln!(
            f,
            "marks          {} compared ({} without a trade), {} seen final during the storm and unchanged; {} mismatches",
            figures.marks,
            figures.empty,
            figures.seen,
            figures.differences.len()
        )?;
        writeln!(f, "time to final  {}", percentiles(&figures.times_to_final_ms))?;
        let statuses = self.statuses.iter().map(|(status, count)| match status {
            0 => format!("{count} without an answer"),
            status => format!("{count} with {status}"),
        });
        writeln!(
            f,
            "answers        {}; {} final and {} provisional figures compared; {} mismatches",
            statuses.collect::<Vec<_>>().join(", "),
            answers.finals,
            answers.provisional,
            answers.differences.len()
        )?;
        writeln!(
            f,
            "faults         {:<15} {:>7} {:>7} {:>22} {:>7}",
            "", "done", "found", "done with a listener", "found"
        )?;
        for (kind, line) in &faults.lines {
            write_line(f, kind, line)?;
        }
        write_line(f, "not said", &faults.missing)?;
        writeln!(f, "               found and never done, or wrong in any value: {}", faults.differences.len())?;
        writeln!(
            f,
            "undecidable    for {:.1} s of {} nobody was sure to listen, and who is struck may have had words in his mouth: {};\n               {} said and lost with a process; {} late by a standstill",
            (self.storm.saturating_sub(self.sure)).as_secs_f64(),
            self.storm.as_secs(),
            self.undecidable(),
            faults.lost,
            faults.late_by_standstill
        )?;
        for (name, differences) in self.differences() {
            for difference in differences.iter().take(SHOWN) {
                writeln!(f, "WRONG          {name}: {difference}")?;
            }
            if let Some(more) = differences.len().checked_sub(SHOWN).filter(|more| *more > 0) {
                writeln!(f, "WRONG          {name}: and {more} more")?;
            }
        }
        let word = if self.is_clean() { "clean" } else { "NOT CLEAN" };
        write!(f, "verdict        {word}: {}", self.command)
    }
}

fn write_line(f: &mut Formatter<'_>, kind: &str, line: &Line) -> Result {
    let Line { done, found, sure, sure_found } = line;
    if is_looked_for(kind) {
        writeln!(f, "               {kind:<15} {done:>7} {found:>7} {sure:>22} {sure_found:>7}")
    } else {
        writeln!(f, "               {kind:<15} {done:>7}       -")
    }
}

/// What only silences others, or changes nothing but their order, is not found
/// under its own name.
fn is_looked_for(kind: &str) -> bool {
    !matches!(kind, "drop" | "reorder" | "silence" | "cut")
}

fn plural(blow: Blow, count: usize) -> String {
    format!("{}{}", blow.as_str(), if count == 1 { "" } else { "s" })
}

/// The middle, the 99th of a hundred, and the longest.
fn percentiles(sorted_ms: &[i64]) -> String {
    let at = |hundredth: usize| {
        let index = (sorted_ms.len() * hundredth).div_ceil(100).max(1) - 1;
        sorted_ms.get(index).map_or("-".to_owned(), |ms| seconds(*ms))
    };
    format!("p50 {}, p99 {}, longest {} ({} live marks)", at(50), at(99), at(100), sorted_ms.len())
}

fn seconds(ms: i64) -> String {
    format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict() -> Verdict {
        Verdict {
            seed: 7,
            command: "bin/prove --seconds 60 --seed 7".to_owned(),
            storm: Duration::from_secs(60),
            converged_after: Duration::from_millis(9_400),
            all: Duration::from_secs(75),
            tickers: 5,
            deeds: Vec::new(),
            troubles: 0,
            rest: Rest::default(),
            sessions: (4, 0),
            sure: Duration::from_secs(30),
            trades: trades::Compared::default(),
            figures: figures::Compared { times_to_final_ms: (1..=200).collect(), ..Default::default() },
            answers: answers::Compared::default(),
            statuses: BTreeMap::from([(200, 5), (0, 2)]),
            faults: faults::Compared::default(),
            complaints: Vec::new(),
        }
    }

    #[test]
    fn one_difference_anywhere_is_enough_for_it_not_to_be_clean() {
        assert!(verdict().is_clean());
        let mut one = verdict();
        one.figures.differences.push("BTC at 1000 is not final".to_owned());
        assert!(!one.is_clean());
        let text = one.to_string();
        assert!(
            text.contains("WRONG          figures: BTC at 1000") && text.contains("NOT CLEAN: bin/prove"),
            "{text}"
        );
        let mut other = verdict();
        other.complaints.push("worker-1 ended by itself".to_owned());
        assert!(!other.is_clean());
    }

    #[test]
    fn it_says_what_was_measured() {
        let text = verdict().to_string();
        for part in ["p50 0.10 s, p99 0.19 s, longest 0.20 s (200 live marks)", "5 with 200", "2 without an answer"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
