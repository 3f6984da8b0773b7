//! The figure of every mark against the exact sums of the true trades.

use super::Market;
use crate::house::INTERVAL_MS;
use crate::tables::{Figure, Tables};
use crate::witness::Seen;

/// What the comparison came to.
#[derive(Debug, Default)]
pub struct Compared {
    /// Marks of which the figure was held against the truth.
    pub marks: usize,
    /// How many of them have no trade in their window.
    pub empty: usize,
    /// Figures that were seen final while the storm raged, and are there unchanged.
    pub seen: usize,
    /// From a mark to its final figure, for the marks of the storm, in
    /// milliseconds and in order.
    pub times_to_final_ms: Vec<i64>,
    /// Every difference.
    pub differences: Vec<String>,
}

/// Compares every mark up to a moment; those after `live_from_ms` were marked live.
pub fn compare(market: &Market, tables: &Tables, seen: &Seen, live_from_ms: i64, until_ms: i64) -> Compared {
    let mut compared = Compared::default();
    for (ticker, (standing, tape)) in market.tapes() {
        let mut mark = standing.tape_from.div_euclid(1_000) * 1_000 + 1_000;
        while mark <= until_ms {
            compared.marks += 1;
            let truth = tape.window(mark - INTERVAL_MS, mark);
            compared.empty += usize::from(truth.trades == 0);
            match tables.figures.get(&(ticker.clone(), mark)) {
                None => compared.differences.push(format!("{ticker} at {mark} has no figure")),
                Some(Figure { final_at: None, .. }) => {
                    compared.differences.push(format!("{ticker} at {mark} is not final"));
                }
                Some(figure) => {
                    let is_true = figure.sums == truth
                        && figure.price == truth.price()
                        && figure.confirmed_trades == truth.trades;
                    if !is_true {
                        let sums = &figure.sums;
                        compared.differences.push(format!("{ticker} at {mark} is {truth} and final as {sums}"));
                    }
                    let live_for_ms = figure.final_at.map(|final_at| final_at - mark);
                    compared.times_to_final_ms.extend(live_for_ms.filter(|_| live_from_ms < mark));
                }
            }
            mark += 1_000;
        }
    }
    for (name, before) in &seen.finals {
        match tables.figures.get(name) {
            Some(figure) if figure.final_at.is_some() && figure.sums == *before => compared.seen += 1,
            Some(figure) => {
                compared.differences.push(format!("{name:?} was seen final as {before} and is {}", figure.sums));
            }
            None => compared.differences.push(format!("{name:?} was seen final and is not there")),
        }
    }
    compared.times_to_final_ms.sort_unstable();
    compared
}
