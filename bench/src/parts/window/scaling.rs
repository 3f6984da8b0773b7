//! What a trade and a mark cost when windows grow, when tickers become many, and
//! when windows fill up.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::sink;

use tape::{Heard, Mark, Price, Quantity, Sums};

use super::engine::{self, Engine};
use crate::Bench;
use crate::made::{self, Plan, Tape};
use crate::processor;
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// Trades per ticker and second: whatever is scaled, each mark follows as many.
pub const TRADES_PER_MARK: u64 = 14;

/// The comparisons of ourselves with ourselves.
///
/// # Errors
/// When the kernel does not tell what was used.
pub fn rows(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut rows = vec![windows(bench)?];
    rows.extend(tickers(bench)?);
    rows.push(marks(bench)?);
    Ok(rows)
}

/// Nanoseconds per trade with windows of so many seconds, filled before.
fn per_trade(tickers: usize, seconds: i64, heard: &[Heard], of_tape: i64) -> anyhow::Result<f64> {
    let mut engine = Engine::new(tickers, seconds, true);
    let began = processor::own_seconds()?;
    engine.write_all(heard, of_tape, &mut sink())?;
    Ok((processor::own_seconds()? - began) * 1e9 / heard.len() as f64)
}

fn tape_of(tickers: usize, bench: &Bench) -> (Vec<Heard>, i64) {
    let trades: u64 = if bench.quick { 20_000 } else { 1_000_000 };
    let seconds = (trades / TRADES_PER_MARK / tickers as u64).max(1);
    let trades = seconds * TRADES_PER_MARK * tickers as u64;
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let plan = Plan { trades, tickers, seconds, seed: 12 };
    (engine::heard(&made::arrivals(Tape::new(plan), 3)), seconds)
}

fn windows(bench: &Bench) -> anyhow::Result<Row> {
    let (heard, of_tape) = tape_of(20, bench);
    let lengths = [("10 s", 10), ("1 min", 60), ("5 min", 300), ("1 h", 3_600), ("24 h", 86_400)];
    let (heard, run) = (&heard, per_trade);
    let contestant = |(name, seconds)| Contestant::new(name, move || run(20, seconds, heard, of_tape));
    let samples = alternate(bench.runs, &mut lengths.map(contestant))?;
    let costs: Vec<f64> = samples.iter().map(|runs| median(runs, |cost| *cost)).collect();
    let shown: Vec<String> =
        lengths.iter().zip(&costs).map(|((name, _), cost)| format!("{name}: {cost:.0} ns")).collect();
    let middle = costs[2];
    let holds = costs.iter().all(|cost| (0.75..=1.25).contains(&(cost / middle)));
    Ok(Row::absolute("a trade, by length of window (20 tickers)", shown.join(", "), "± 25 % of 5 min", holds))
}

/// How many seconds the bare array keeps of each ticker, as windows of five minutes do.
const BARE_SECONDS: usize = 300;

/// So often the tape is added to it, each time to later seconds: the clock is too coarse for once.
const BARE_ROUNDS: usize = 20;

/// Nanoseconds per trade of what nobody can do without: the sums of each
/// ticker's second, found by their number in a bare array and added to. No
/// ticker is looked up, no id and no mark known, nothing wider than a word.
fn per_bare_trade(tickers: usize, heard: &[Heard], of_tape: i64) -> anyhow::Result<f64> {
    let mut numbers = HashMap::new();
    let second_of = |at| Mark::at_or_after(at).seconds_since(engine::mark_at(0)).unsigned_abs() as usize;
    let trades: Vec<(usize, usize, u64)> = heard
        .iter()
        .map(|Heard { trade, .. }| {
            let next = numbers.len();
            let number = *numbers.entry(trade.ticker.clone()).or_insert(next);
            (number * BARE_SECONDS, second_of(trade.traded_at), trade.traded_at.ms().unsigned_abs())
        })
        .collect();
    // As large as one of our seconds, and touched before the clock starts.
    let mut sums = vec![[1u64; 10]; tickers * BARE_SECONDS];
    let began = processor::own_seconds()?;
    for round in 0..BARE_ROUNDS {
        let later = round * of_tape.unsigned_abs() as usize;
        for (first, second, value) in &trades {
            let [count, volume, notional, ..] = &mut sums[first + (second + later) % BARE_SECONDS];
            (*count, *volume, *notional) = (*count + 1, *volume + value, notional.wrapping_add(value * value));
        }
    }
    let taken = processor::own_seconds()? - began;
    black_box(sums);
    Ok(taken * 1e9 / (BARE_ROUNDS * heard.len()) as f64)
}

fn tickers(bench: &Bench) -> anyhow::Result<[Row; 2]> {
    let numbers = [1, 20, 1_000, 10_000];
    let tapes = numbers.map(|tickers| (tickers, tape_of(tickers, bench)));
    let mut contestants = Vec::new();
    for (tickers, (heard, of_tape)) in &tapes {
        let ours = move || per_trade(*tickers, 300, heard, *of_tape);
        contestants.push(Contestant::new(format!("{tickers} tickers"), ours));
        let bare = move || per_bare_trade(*tickers, heard, *of_tape);
        contestants.push(Contestant::new(format!("{tickers} tickers, bare array"), bare));
    }
    let samples = alternate(bench.runs, &mut contestants)?;
    let costs: Vec<f64> = samples.iter().map(|runs| median(runs, |cost| *cost)).collect();
    let [ours, bare] = [0, 1].map(|first| costs.iter().copied().skip(first).step_by(2).collect::<Vec<f64>>());
    let shown = |costs: &[f64]| {
        let each = numbers.iter().zip(costs).map(|(tickers, cost)| format!("{tickers}: {cost:.0} ns"));
        each.collect::<Vec<String>>().join(", ")
    };
    let least = ours.iter().copied().fold(f64::INFINITY, f64::min);
    let holds = ours.iter().all(|cost| *cost <= 2.0 * least);
    let work = "a trade, by number of tickers (5 min)";
    Ok([
        Row::absolute(work, shown(&ours), "within 2 ×", holds),
        Row::told("its memory alone: added to a bare array", "-".to_owned(), shown(&bare)),
    ])
}

/// Moves a full window over many marks, each second of which holds so many trades.
fn per_mark(trades_per_second: u64, marks: i64) -> anyhow::Result<f64> {
    let one = Sums::of(Price::parse("27000.12")?, Quantity::parse("0.5")?);
    let second: Sums = (0..trades_per_second).map(|_| one).sum();
    let mut rolling = engine::rolling(300, marks, second);
    let began = processor::own_seconds()?;
    for mark in 1..=marks {
        black_box(rolling.advance_to(engine::mark_at(mark)).vwap());
    }
    Ok((processor::own_seconds()? - began) * 1e9 / marks as f64)
}

fn marks(bench: &Bench) -> anyhow::Result<Row> {
    let marks = if bench.quick { 10_000 } else { 500_000 };
    let numbers = [1, 100, 10_000];
    let contestant = |trades| Contestant::new(format!("{trades} trades a second"), move || per_mark(trades, marks));
    let samples = alternate(bench.runs, &mut numbers.map(contestant))?;
    let costs: Vec<f64> = samples.iter().map(|runs| median(runs, |cost| *cost)).collect();
    let shown: Vec<String> =
        numbers.iter().zip(&costs).map(|(trades, cost)| format!("{}: {cost:.0} ns", 300 * trades)).collect();
    let holds = costs.iter().all(|cost| (0.75..=1.25).contains(&(cost / costs[1])));
    Ok(Row::absolute("a mark, by trades in its window", shown.join(", "), "the same, ± 25 %", holds))
}
