//! Where the auditor reads next, and what it makes of an answer. Pure: chance,
//! clocks, REST and tables are the caller's.

use std::collections::VecDeque;

use market::Answer;
use store::{AskedHoldings, TickerState};
use tape::audit::{Audit, Holdings, Span, audit};
use tape::{EpochMs, Finding, Patience, Ticker, Trade, TradeId, Watermark};

use crate::engine::from_whole_second;

/// Half of all readings begin within the latest hour.
const RECENT_MS: i64 = 3_600_000;

/// Readings around one change of mind at most.
const NEARBY_READINGS: u32 = 50;

/// Changes of mind whose surroundings wait to be read at most.
const NEARBY_WAITING: usize = 100;

/// From where one reading begins, and where more of them go on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose trades are read.
    pub ticker: Ticker,
    /// The first instant read.
    pub from: EpochMs,
    until: EpochMs,
    readings_left: u32,
}

/// Chance, rolled for one reading.
#[derive(Debug, Clone, Copy)]
pub struct Dice {
    /// Which ticker.
    pub ticker: u32,
    /// Whether only the latest hour of its tape counts.
    pub is_recent: bool,
    /// Where on the tape.
    pub moment: u32,
}

/// One answer held against what is held.
#[derive(Debug, Default)]
pub struct Reading {
    /// What it says.
    pub audit: Audit,
    /// When the first trade of the answer was made.
    first_row_at: Option<EpochMs>,
    /// Where the next reading begins, if there was a row at all.
    goes_on_from: Option<EpochMs>,
}

/// What is to be read, beside what chance says.
#[derive(Debug)]
pub struct Course {
    window_ms: i64,
    nearby: VecDeque<Target>,
}

impl Course {
    /// A course that has found nothing yet; windows are so long.
    pub fn new(window_ms: i64) -> Self {
        Self { window_ms, nearby: VecDeque::new() }
    }

    /// What to read next: around a change of mind, else where the dice say. None
    /// while there is no settled tape under them.
    pub fn next(&mut self, tickers: &[TickerState], dice: Dice) -> Option<Target> {
        self.nearby.pop_front().or_else(|| at_random(tickers, dice))
    }

    /// After a reading: it may not have come to its target's end.
    pub fn has_read(&mut self, target: &Target, reading: &Reading) {
        let Some(from) = reading.goes_on_from.filter(|from| *from < target.until) else { return };
        if target.readings_left > 0 {
            self.nearby.push_front(Target { from, readings_left: target.readings_left - 1, ..target.clone() });
        }
    }

    /// Who changes one trade often changes its neighbors: what surrounds a change
    /// of mind is read next, as far as a window reaches.
    pub fn has_found(&mut self, ticker: &Ticker, findings: &[Finding]) {
        let times = || findings.iter().flat_map(|it| [it.was(), it.now()]).flatten().map(|trade| trade.traded_at);
        let (Some(first), Some(last)) = (times().min(), times().max()) else { return };
        if self.nearby.len() < NEARBY_WAITING {
            let (from, until) = (first.minus_ms(self.window_ms), last.plus_ms(self.window_ms));
            self.nearby.push_back(Target { ticker: ticker.clone(), from, until, readings_left: NEARBY_READINGS });
        }
    }
}

impl Target {
    /// The question to REST.
    pub fn question(&self) -> Watermark {
        Watermark::Through(self.asked_after())
    }

    fn asked_after(&self) -> EpochMs {
        self.from.minus_ms(1)
    }

    /// The names of an answer's trades: their holders are wanted whatever their time.
    pub fn names(answer: &Answer) -> Vec<TradeId> {
        answer.page.trades.iter().map(|trade| trade.id.clone()).collect()
    }

    /// The question to the tables, once REST has answered; none about an answer without rows.
    pub fn asked<'a>(&'a self, answer: &Answer, names: &'a [TradeId]) -> Option<AskedHoldings<'a>> {
        let until = answer.page.latest_row_at?;
        Some(AskedHoldings { ticker: &self.ticker, after: self.asked_after(), until, names })
    }
}

impl Reading {
    /// What an answer says of what is held.
    pub fn of(target: &Target, answer: &Answer, held: Option<Holdings>, patience: Patience) -> Self {
        let page = &answer.page;
        let (Some(latest), Some(held)) = (page.latest_row_at, held.map(from_whole_second)) else {
            return Self::default();
        };
        let span = Span::told_by(page, target.from, held.settled_until, patience);
        let is_incomplete = !answer.rejected.is_empty() || !answer.gaps.is_empty();
        let audit = audit(page, span, is_incomplete, &held);
        let first_row_at = page.trades.iter().map(|trade| trade.traded_at).min();
        Self { audit, first_row_at, goes_on_from: Some(latest.max(target.from.plus_ms(1))) }
    }

    /// Those findings for which no earlier row of the answer shows that the market still knows so
    /// much of its past: it may have forgotten what it seems to have withdrawn.
    pub fn in_front<'a>(&self, findings: &'a [Finding]) -> impl Iterator<Item = &'a Finding> + use<'a> {
        let first_row_at = self.first_row_at;
        let is_in_front = move |was: &Trade| first_row_at.is_none_or(|first| was.traded_at <= first);
        findings.iter().filter(move |finding| {
            matches!(finding, Finding::Withdrawn { .. }) && finding.was().is_some_and(is_in_front)
        })
    }

    /// The last moment before all of them: the trade confirmed until then is the one to ask for.
    pub fn doubted_after(&self, findings: &[Finding]) -> Option<EpochMs> {
        let made_at = self.in_front(findings).filter_map(|finding| finding.was()).map(|was| was.traded_at);
        made_at.min().map(|first| first.minus_ms(1))
    }
}

/// A question about a confirmed trade from before others that seem to be
/// withdrawn: if the market still tells it, it has not forgotten them.
#[derive(Debug, Clone, Copy)]
pub struct Control {
    made_at: EpochMs,
}

impl Control {
    /// About the trade of a moment.
    pub fn at(made_at: EpochMs) -> Self {
        Self { made_at }
    }

    /// The question to REST.
    pub fn question(self) -> Watermark {
        Watermark::Through(self.made_at.minus_ms(1))
    }

    /// Whether an answer to it shows that the market still knows that moment.
    pub fn is_answered(self, answer: &Answer) -> bool {
        answer.gaps.is_empty() && answer.page.trades.iter().any(|trade| trade.traded_at == self.made_at)
    }
}

/// A ticker and a moment of its settled tape.
fn at_random(tickers: &[TickerState], dice: Dice) -> Option<Target> {
    if tickers.is_empty() {
        return None;
    }
    let state = &tickers[dice.ticker as usize % tickers.len()];
    let from = moment(state.tape_from, state.watermark.settled_until(), dice.is_recent, dice.moment)?;
    Some(Target { ticker: state.ticker.clone(), from, until: from, readings_left: 0 })
}

/// A moment of a tape by two rolls of chance: half within the latest hour, half
/// anywhere. It may fall a little before the beginning, which then counts, so
/// that the first trades are read as often as others.
fn moment(tape_from: EpochMs, settled_until: EpochMs, is_recent: bool, roll: u32) -> Option<EpochMs> {
    if settled_until <= tape_from {
        return None;
    }
    let begins = if is_recent { tape_from.max(settled_until.minus_ms(RECENT_MS)) } else { tape_from };
    let length_ms = settled_until.ms_since(begins);
    let lead_ms = (length_ms / 10).min(60_000);
    let offset = i128::from(length_ms + lead_ms) * i128::from(roll) / i128::from(u32::MAX);
    let rolled = begins.minus_ms(lead_ms).plus_ms(i64::try_from(offset).unwrap_or(0));
    Some(rolled.max(tape_from.plus_ms(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> EpochMs {
        EpochMs::new(ms)
    }

    fn reading(goes_on_from: i64) -> Reading {
        Reading { goes_on_from: Some(at(goes_on_from)), ..Reading::default() }
    }

    #[test]
    fn a_moment_lies_on_the_settled_tape_whatever_the_roll() {
        let (begins, ends) = (at(1_000), at(10_000_000));
        let recent = ends.minus_ms(RECENT_MS);

        for roll in [0, 1, u32::MAX / 2, u32::MAX] {
            for is_recent in [true, false] {
                let moment = moment(begins, ends, is_recent, roll).expect("a tape");
                assert!(begins < moment && moment <= ends, "{moment}");
                assert!(!is_recent || recent.minus_ms(60_000) <= moment, "{moment}");
            }
        }
        assert_eq!(moment(begins, ends, false, 0), Some(at(1_001)));
        assert_eq!(moment(begins, begins, false, 7), None);
    }

    #[test]
    fn what_surrounds_a_change_of_mind_is_read_next_within_a_bound() {
        let ticker = Ticker::new("BTC").expect("a ticker");
        let was = testkit::trade("BTC", "a", 50_000, "1", "1");
        let dice = Dice { ticker: 0, is_recent: false, moment: 0 };
        let mut course = Course::new(10_000);
        course.has_found(&ticker, &[]);
        assert_eq!(course.next(&[], dice), None);

        for _ in 0..2 * NEARBY_WAITING {
            course.has_found(&ticker, &[Finding::Withdrawn { was: was.clone() }]);
        }
        assert_eq!(course.nearby.len(), NEARBY_WAITING);
        let target = course.next(&[], dice).expect("one");
        assert_eq!((target.from, target.until), (at(40_000), at(60_000)));

        course.has_read(&target, &reading(45_000));
        let next = course.next(&[], dice).expect("it goes on");
        assert_eq!((next.from, next.readings_left), (at(45_000), NEARBY_READINGS - 1));
        course.has_read(&next, &reading(60_000));
        assert_eq!(course.nearby.len(), NEARBY_WAITING - 1, "it is at its end");
    }

    #[test]
    fn what_is_missing_in_front_of_an_answer_wants_an_earlier_trade_that_is_still_told() {
        let front = testkit::trade("BTC", "f", 10_000, "1", "1");
        let within = testkit::trade("BTC", "w", 10_001, "1", "1");
        let reading = Reading { first_row_at: Some(at(10_000)), ..Reading::default() };
        let [front, within] = [front, within].map(|was| Finding::Withdrawn { was });

        assert_eq!(reading.doubted_after(std::slice::from_ref(&within)), None, "a row stands before it");
        assert_eq!(reading.doubted_after(&[within, front]), Some(at(9_999)));
        assert_eq!(Control::at(at(9_000)).question(), Watermark::Through(at(8_999)));
    }
}
