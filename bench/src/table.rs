//! What was measured, as a table a person reads.

use std::fmt::Write as _;

use crate::machine::Machine;
use crate::parts::Part;

/// One comparison.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What was done.
    pub work: String,
    /// What it took us.
    pub ours: String,
    /// Against whom or what, and what it took there; `-` when nothing is compared.
    pub other: String,
    /// How many times better we are, where two are compared.
    pub ratio: Option<f64>,
    /// What is asked for.
    pub bar: String,
    /// Whether it holds; nothing is said when nothing was asked or it was not run.
    pub holds: Option<bool>,
}

impl Row {
    /// A comparison with a peer or a ceiling: `ratio` must be at least `bar`.
    pub fn compared(work: &str, ours: String, other: String, ratio: f64, bar: f64) -> Self {
        let (work, bar_text) = (work.to_owned(), format!("≥ {bar} ×"));
        Self { work, ours, other, ratio: Some(ratio), bar: bar_text, holds: Some(ratio >= bar) }
    }

    /// A bar that is no ratio.
    pub fn absolute(work: &str, ours: String, bar: &str, holds: bool) -> Self {
        let other = "-".to_owned();
        Self { work: work.to_owned(), ours, other, ratio: None, bar: bar.to_owned(), holds: Some(holds) }
    }

    /// Something worth knowing of which nothing is asked.
    pub fn told(work: &str, ours: String, other: String) -> Self {
        Self { work: work.to_owned(), ours, other, bar: "-".to_owned(), ..Self::default() }
    }

    /// Whether something is asked that was not measured.
    pub fn is_owed(&self) -> bool {
        self.holds.is_none() && self.bar != "-"
    }

    /// A peer that is not there, and why.
    pub fn not_run(work: &str, peer: &str, why: &str, bar: &str) -> Self {
        let (work, bar) = (work.to_owned(), bar.to_owned());
        Self { work, ours: "-".to_owned(), other: format!("{peer}: not run ({why})"), ratio: None, bar, holds: None }
    }
}

/// The page of one part: its table, and the machine it was made on.
pub fn page(part: &Part, rows: &[Row], machine: &Machine, runs: u32) -> String {
    let mut page = format!("# {}\n\n{}\n\n", part.name, part.about);
    page.push_str("| work | ours | peer or ceiling | ratio | bar | holds |\n|---|---|---|---:|---|---|\n");
    for Row { work, ours, other, ratio, bar, holds } in rows {
        let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let holds = match holds {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "-",
        };
        let _ = writeln!(page, "| {work} | {ours} | {other} | {ratio} | {bar} | {holds} |");
    }
    let counted = if runs == 1 { "One run".to_owned() } else { format!("Medians of {runs} runs in turn") };
    let _ = write!(page, "\n{counted}: `bin/bench {} --runs {runs}`.\n\n{machine}", part.name);
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::PARTS;

    #[test]
    fn a_bar_that_is_missed_stands_out_and_a_peer_that_is_missing_is_named() {
        let rows = [
            Row::compared("w", "1 s".to_owned(), "python 4 s".to_owned(), 4.0, 5.0),
            Row::compared("w", "1 s".to_owned(), "python 5 s".to_owned(), 5.0, 5.0),
            Row::not_run("w", "bytewax", "no pip", "≥ 15 ×"),
        ];

        assert_eq!(rows.each_ref().map(Row::is_owed), [false, false, true]);
        assert!(!Row::told("w", "1 s".to_owned(), "-".to_owned()).is_owed());

        let page = page(&PARTS[0], &rows, &Machine::now(), 5);

        assert!(page.contains("| w | 1 s | python 4 s | 4.00 | ≥ 5 × | **no** |"), "{page}");
        assert!(page.contains("| w | 1 s | python 5 s | 5.00 | ≥ 5 × | yes |"), "{page}");
        assert!(page.contains("| bytewax: not run (no pip) | - | ≥ 15 × | - |"), "{page}");
    }
}
