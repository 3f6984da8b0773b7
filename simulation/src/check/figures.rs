//! Every mark from the tape's beginning to the watermark has one final figure,
//! and it is what the oracle says.

use num_bigint::BigUint;
use tape::{Mark, Ticker};

use super::oracle::{Oracle, Window};
use super::{Case, Complaints};
use crate::memory::disk::{FigureRow, TickerRow};

/// Complaints about one ticker's figures are enough after so many.
const ENOUGH: usize = 3;

pub fn check(case: &Case<'_>, complaints: &mut Complaints) -> u64 {
    case.disk.tickers.iter().map(|(ticker, row)| check_ticker(case, ticker, row, complaints)).sum()
}

fn check_ticker(case: &Case<'_>, ticker: &Ticker, row: &TickerRow, complaints: &mut Complaints) -> u64 {
    let interval = case.scenario.config.interval;
    let oracle = Oracle::new(case.tape(case.truth, ticker, row));
    let last = Mark::at_or_before(row.watermark.settled_until());
    let mut mark = Mark::at_or_before(row.tape_from).next();
    let mut found = 0;
    let mut finals = 0;
    let mut price: Option<(Window, Option<BigUint>)> = None;
    while mark <= last && found < ENOUGH {
        let truth = oracle.window(mark.at().ms(), interval.ms());
        // Neighboring marks often have the same window: divide once.
        if price.as_ref().is_none_or(|known| known.0 != truth) {
            price = Some((truth.clone(), truth.price()));
        }
        let true_price = price.as_ref().and_then(|known| known.1.clone());
        let held = case.disk.figures.get(&(ticker.clone(), interval, mark)).filter(|row| row.final_at.is_some());
        match held {
            None => {
                complaints.push(format!("{ticker}: the mark {mark} is not final"));
                found += 1;
            }
            Some(held) if !is_equal(held, &truth, true_price.as_ref()) => {
                complaints.push(format!("{ticker}: the mark {mark} holds {held:?}, true is {truth:?} {true_price:?}"));
                found += 1;
            }
            Some(_) => finals += 1,
        }
        mark = mark.next();
    }
    check_beyond(case, ticker, (row, last, finals), complaints);
    finals
}

/// Nothing is final outside the tape, and the chain has an entry per final mark
/// and per restatement.
fn check_beyond(case: &Case<'_>, ticker: &Ticker, at: (&TickerRow, Mark, u64), complaints: &mut Complaints) {
    let (row, last, finals) = at;
    let interval = case.scenario.config.interval;
    let own = case.disk.figures.iter().filter(|(key, _)| key.0 == *ticker);
    let is_outside = |mark: Mark| mark.at() <= row.tape_from || last < mark;
    let outside = own.filter(|(key, it)| it.final_at.is_some() && is_outside(key.2)).count();
    if outside > 0 {
        complaints.push(format!("{ticker}: {outside} marks are final outside the tape"));
    }
    let entries = case.disk.chain_heads.get(&(ticker.clone(), interval)).map_or(0, |head| head.entry);
    let own = case.disk.restatements.iter().filter(|(key, row)| key.0 == *ticker && row.appended.is_some());
    let restatements = own.count() as u64;
    if entries != finals + restatements {
        let what = format!("{finals} marks are final and {restatements} restatements appended");
        complaints.push(format!("{ticker}: the chain has {entries} entries, {what}"));
    }
}

fn is_equal(held: &FigureRow, truth: &Window, true_price: Option<&BigUint>) -> bool {
    let big = |bytes: [u8; 32]| BigUint::from_bytes_be(&bytes);
    let price = held.price.map(|price| big(price.units().to_be_bytes()));
    usize::try_from(held.sums.trades) == Ok(truth.trades)
        && held.confirmed_trades == held.sums.trades
        && big(held.sums.volume.units().to_be_bytes()) == truth.volume
        && big(held.sums.notional.units().to_be_bytes()) == truth.notional
        && price.as_ref() == true_price
}
