//! The counts as they are kept: a line per path, and the compiler they are of.

use std::collections::HashMap;
use std::fmt::Write as _;

/// How far a count may be from the stored one.
const ALLOWED_PERCENT: u64 = 3;

/// How far when another compiler made the program: it chooses instructions.
const ALLOWED_PERCENT_OTHERWISE: u64 = 20;

/// What was stored.
#[derive(Debug, Default)]
pub struct Stored {
    compiler: String,
    counts: HashMap<String, u64>,
}

/// How a count compares.
#[derive(Debug, PartialEq, Eq)]
pub struct Held {
    /// The stored count, for the table.
    pub shown: String,
    /// How far away the new one is, for the table.
    pub percent: String,
    /// Whether that is near enough.
    pub is_near: bool,
}

/// The text to keep.
pub fn text(counts: &[(&str, u64)], compiler: &str) -> String {
    let mut text = format!("# Instructions per piece of work, of programs made by\n# {compiler}\n");
    for (name, count) in counts {
        let _ = writeln!(text, "{name}\t{count}");
    }
    text
}

impl Stored {
    /// Reads what [`text`] wrote.
    pub fn read(text: &str) -> Self {
        let mut comments = text.lines().filter_map(|line| line.strip_prefix("# "));
        let compiler = comments.next_back().unwrap_or_default().to_owned();
        let count = |line: &str| {
            let (name, count) = line.split_once('\t')?;
            Some((name.to_owned(), count.parse().ok()?))
        };
        Self { compiler, counts: text.lines().filter_map(count).collect() }
    }

    /// How many percent away a program of this compiler may be.
    pub fn allowed_percent(&self, compiler: &str) -> u64 {
        if self.compiler == compiler { ALLOWED_PERCENT } else { ALLOWED_PERCENT_OTHERWISE }
    }

    /// By which compiler, in a sentence.
    pub fn told(&self, compiler: &str) -> String {
        if self.compiler == compiler {
            return format!("both by {compiler}");
        }
        format!("stored by {}, counted by {compiler}", self.compiler)
    }

    /// Compares a count.
    pub fn hold(&self, name: &str, counted: u64, allowed_percent: u64) -> Held {
        let Some(stored) = self.counts.get(name).copied() else {
            return Held { shown: "none".to_owned(), percent: "-".to_owned(), is_near: false };
        };
        let sign = if counted < stored { '-' } else { '+' };
        let away = u128::from(counted.abs_diff(stored)) * 10_000 / u128::from(stored.max(1));
        let is_near = away <= u128::from(allowed_percent) * 100;
        Held { shown: stored.to_string(), percent: format!("{sign}{}.{:02}", away / 100, away % 100), is_near }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_may_be_three_percent_away_and_further_when_the_compiler_is_another() {
        let stored = Stored::read(&text(&[("decode", 1_000)], "rustc 1"));
        assert_eq!((stored.allowed_percent("rustc 1"), stored.allowed_percent("rustc 2")), (3, 20));

        for (counted, percent, is_near) in
            [(1_000, "+0.00", true), (1_030, "+3.00", true), (1_031, "+3.10", false), (969, "-3.10", false)]
        {
            let held = stored.hold("decode", counted, 3);
            assert_eq!((held.percent.as_str(), held.is_near), (percent, is_near));
        }
        assert!(!stored.hold("other", 1, 3).is_near, "what is not stored is not held");
    }
}
