//! The confirmed trades against the true ones, row for row.

use crate::house::SKEW_MS;
use crate::tables::Tables;
use crate::truth::Truth;

/// What the comparison came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// True trades.
    pub truth: usize,
    /// Confirmed trades.
    pub confirmed: usize,
    /// Every difference.
    pub differences: Vec<String>,
}

/// Compares up to a moment.
pub fn compare(truth: &Truth, tables: &Tables, until_ms: i64) -> Compared {
    let mut compared = Compared::default();
    let mut differ = Vec::new();
    let from_of = |ticker: &String| tables.standings.get(ticker).map(|standing| standing.tape_from);
    for (name, trade) in &truth.trades {
        let is_kept = from_of(&name.0).is_some_and(|from_ms| from_ms < trade.ts) && trade.ts <= until_ms;
        if !is_kept {
            continue;
        }
        compared.truth += 1;
        match tables.trades.get(name) {
            Some((held, true)) if held == trade => {}
            Some((held, true)) => differ.push(format!("{name:?} is {trade:?} and confirmed as {held:?}")),
            Some((_, false)) => differ.push(format!("{name:?} was never confirmed")),
            None => differ.push(format!("{name:?} is not there")),
        }
    }
    for (name, (held, is_confirmed)) in &tables.trades {
        let settled_until = tables.standings.get(&name.0).map_or(i64::MAX, |standing| standing.settled_until);
        if *is_confirmed && held.ts <= until_ms {
            compared.confirmed += 1;
            if !truth.trades.contains_key(name) {
                differ.push(format!("{name:?} never was, and is confirmed as {held:?}"));
            }
        }
        if !is_confirmed && held.ts <= settled_until {
            differ.push(format!("{name:?} at {} is only heard, though all up to {settled_until} is settled", held.ts));
        }
    }
    for (name, received_at) in &tables.unplaced {
        let settled_until = tables.standings.get(&name.0).map_or(i64::MIN, |standing| standing.settled_until);
        if received_at + SKEW_MS <= settled_until {
            differ.push(format!(
                "{name:?} heard at {received_at} has no verdict, all up to {settled_until} being settled"
            ));
        }
    }
    compared.differences = differ;
    compared
}
