//! A recorded tape, from a market's REST pages to final figures in Postgres,
//! against its two ceilings: reading the pages and doing nothing with them, and
//! writing the rows from memory with the fastest durable statement.

mod ceilings;
mod house;

use std::fmt;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use tokio::runtime::Runtime;

use self::ceilings::Target;
use self::house::{House, Stretch, Taken};
use crate::Bench;
use crate::ceiling::Way;
use crate::filled::Filled;
use crate::made::{BEGINS_AT_MS, Made, Plan, Tape, ticker_name};
use crate::rounds::{Contestant, alternate, median};
use crate::table::Row;

/// How much of its slower ceiling a backfill must reach.
const BAR: f64 = 0.8;

/// Measures backfills of a dense tape and of one that is mostly marks.
///
/// # Errors
/// When a program fails, or what was backfilled is not the tape.
pub fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Ten days: what a process takes to start is little beside them.
    let sparse = plan(bench, 90_000, 900_000, 6);
    let mut rows = Vec::new();
    for (name, plan) in [("dense: 10 trades a second", dense(bench)), ("sparse: a trade in 10 seconds", sparse)] {
        rows.extend(measure(bench, &runtime, name, plan)?);
    }
    rows.push(made_days(bench, &runtime)?);
    rows.push(four_days(bench, &runtime)?);
    Ok(rows)
}

/// Trades of one ticker over so many seconds; a twentieth of both to see that it works.
fn plan(bench: &Bench, trades: u64, seconds: i64, seed: u64) -> Plan {
    let parts = if bench.quick { 20 } else { 1 };
    Plan { trades: trades / parts, tickers: 1, seconds: seconds / parts.cast_signed(), seed }
}

/// Ten trades a second.
fn dense(bench: &Bench) -> Plan {
    plan(bench, 600_000, 60_000, 5)
}

/// The dense tape, to be backfilled into databases of others.
pub(super) struct Dense {
    house: House,
    plan: Plan,
}

impl Dense {
    /// Makes the tape, unless it is kept, and starts the market that tells it.
    pub fn new(bench: &Bench) -> anyhow::Result<Self> {
        let plan = dense(bench);
        let tape: Vec<Made> = Tape::new(plan).collect();
        Ok(Self { house: House::build(bench, &kept_tape(bench, plan, &tape)?)?, plan })
    }

    /// How many seconds it takes, under the name of an exchange that has nothing there.
    pub async fn backfill(&self, into: &Filled, exchange: &str) -> anyhow::Result<f64> {
        let client = into.client().await?;
        let ticker = ticker_name(0);
        let stretch = whole(self.plan, &ticker);
        let taken = self.house.backfill_into(&into.url, &client, exchange, &stretch).await?;
        held_against(&taken, self.plan)
    }
}

impl fmt::Display for Dense {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} trades to {} final marks", self.plan.trades, self.plan.seconds)
    }
}

/// How long four days may take, in seconds, and how that is written.
const DAYS_BAR: (f64, &str) = (60.0, "< 60 s");

/// Four days as they are made anywhere, as many trades as a real market had.
fn made_days(bench: &Bench, runtime: &Runtime) -> anyhow::Result<Row> {
    let plan = plan(bench, 632_000, 345_600, 7);
    let tape: Vec<Made> = Tape::new(plan).collect();
    let house = House::build(bench, &kept_tape(bench, plan, &tape)?)?;
    let ticker = ticker_name(0);
    let stretch = whole(plan, &ticker);
    let (rest_s, trades) = runtime.block_on(ceilings::read(&house, &stretch))?;
    let ours =
        Contestant::new("ours, four made days", || held_against(&runtime.block_on(house.backfill(&stretch))?, plan));
    let wall_s = median(&alternate(bench.runs, &mut [ours])?[0], |wall_s| *wall_s);
    let work = format!("four made days, {trades} trades to {} final marks", plan.seconds);
    let row = Row::absolute(&work, format!("{wall_s:.1} s"), DAYS_BAR.1, wall_s < DAYS_BAR.0);
    Ok(Row { other: format!("REST alone: {rest_s:.1} s"), ..row })
}

/// Four days of a real market, untidy as it was, where that tape is at hand.
fn four_days(bench: &Bench, runtime: &Runtime) -> anyhow::Result<Row> {
    const WORK: &str = "four days of bitFlyer's BTC/JPY in January 2018";
    const FROM_MS: i64 = 1_516_460_400_000;
    // The market stands still six seconds later.
    const MARKS: i64 = 345_560;
    let file = bench.recorded.join("bitflyer-btc_jpy-20180121-20180124.csv.gz");
    if bench.quick || !file.exists() {
        let why = if bench.quick { "this is a quick run" } else { "there is no such tape" };
        return Ok(Row::told(WORK, format!("not run ({why})"), "-".to_owned()));
    }
    let house = House::build(bench, &file)?;
    let stretch = Stretch { ticker: "BTC_JPY", from_ms: FROM_MS, last_mark_ms: FROM_MS + 1000 * MARKS };
    let (rest_s, trades) = runtime.block_on(ceilings::read(&house, &stretch))?;
    let ours = Contestant::new("ours, four days", || {
        let taken = runtime.block_on(house.backfill(&stretch))?;
        ensure!(taken.trades == trades, "{} trades of {trades}", taken.trades);
        ensure!(taken.marks >= MARKS, "{} marks of {MARKS}", taken.marks);
        Ok(taken.wall_s)
    });
    let samples = alternate(bench.runs, &mut [ours])?;
    let wall_s = median(&samples[0], |wall_s| *wall_s);
    let work = format!("{WORK}, {trades} trades to {MARKS} final marks");
    let row = Row::absolute(&work, format!("{wall_s:.1} s"), DAYS_BAR.1, wall_s < DAYS_BAR.0);
    Ok(Row { other: format!("REST alone: {rest_s:.1} s"), ..row })
}

fn measure(bench: &Bench, runtime: &Runtime, name: &str, plan: Plan) -> anyhow::Result<Vec<Row>> {
    let tape: Vec<Made> = Tape::new(plan).collect();
    let file = kept_tape(bench, plan, &tape)?;
    let house = House::build(bench, &file)?;
    let ticker = ticker_name(0);
    let stretch = whole(plan, &ticker);
    let samples = alternate(
        bench.runs,
        &mut [
            Contestant::new("ours", || held_against(&runtime.block_on(house.backfill(&stretch))?, plan)),
            Contestant::new("REST alone", || {
                let (wall_s, trades) = runtime.block_on(ceilings::read(&house, &stretch))?;
                ensure!(trades == plan.trades, "{trades} trades of {}", plan.trades);
                Ok(wall_s)
            }),
            Contestant::new("Postgres alone, insert", || {
                runtime.block_on(ceilings::write(&house, Way::Insert, Target::History, &tape, plan.seconds))
            }),
            Contestant::new("Postgres alone, copy", || {
                runtime.block_on(ceilings::write(&house, Way::Copy, Target::History, &tape, plan.seconds))
            }),
            Contestant::new("Postgres alone, copy into days", || {
                runtime.block_on(ceilings::write(&house, Way::Copy, Target::Days, &tape, plan.seconds))
            }),
        ],
    )?;
    let [ours, rest, insert, copy, days] = [0, 1, 2, 3, 4].map(|index| median(&samples[index], |wall_s| *wall_s));
    let postgres = insert.min(copy).min(days);
    let work = format!("{name}, {} trades to {} final marks", plan.trades, plan.seconds);
    let (slower, which) = if rest < postgres { (postgres, "Postgres") } else { (rest, "the market's REST") };
    let shown = format!(
        "{which} is the slower: {slower:.2} s (REST {rest:.2} s, Postgres copying {copy:.2} s, straight into days {days:.2} s, inserting {insert:.2} s)"
    );
    Ok(vec![Row::compared(&work, format!("{ours:.2} s"), shown, slower / ours, BAR)])
}

/// All of a made tape.
fn whole(plan: Plan, ticker: &str) -> Stretch<'_> {
    Stretch { ticker, from_ms: BEGINS_AT_MS, last_mark_ms: BEGINS_AT_MS + 1000 * plan.seconds }
}

/// What a backfill took; nothing that is not the tape has a speed.
fn held_against(taken: &Taken, plan: Plan) -> anyhow::Result<f64> {
    ensure!(taken.trades == plan.trades, "{} trades of {}", taken.trades, plan.trades);
    ensure!(taken.marks >= plan.seconds, "{} marks of {}", taken.marks, plan.seconds);
    Ok(taken.wall_s)
}

/// The tape as a file that the practice market reads, made once.
fn kept_tape(bench: &Bench, plan: Plan, tape: &[Made]) -> anyhow::Result<PathBuf> {
    let Plan { trades, tickers, seconds, seed } = plan;
    let path = bench.kept.join(format!("tape-{trades}-{tickers}-{seconds}-{seed}.csv"));
    if !path.exists() {
        let part = path.with_extension("part");
        let file = File::create(&part).with_context(|| format!("could not make {}", part.display()))?;
        let mut to = BufWriter::new(file);
        writeln!(to, "ticker,ts,quantity,price,tradeid")?;
        for made in tape {
            let (name, quantity, price) = (ticker_name(made.ticker), made.quantity_text(), made.price_text());
            writeln!(to, "{name},{},{quantity},{price},{}", made.traded_at_ms, made.id)?;
        }
        // The market's present: everything before it is settled.
        let last = BEGINS_AT_MS + 1000 * seconds + 10_000;
        writeln!(to, "{},{last},1,1,last", ticker_name(0))?;
        to.flush()?;
        std::fs::rename(&part, &path)?;
    }
    Ok(path)
}
