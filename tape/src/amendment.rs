//! What final figures become when REST has changed its mind about settled
//! trades: the exact sums of the marks whose windows hold one of them, as it
//! was or as it is, and of no other mark.

use std::collections::BTreeMap;

use crate::{Digest, EpochMs, Finding, Mark, Rolling, Sums, Trade, TradesDigest};

/// A final figure as it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldFinal {
    /// Its mark.
    pub mark: Mark,
    /// Its exact sums.
    pub sums: Sums,
    /// How often it was restated.
    pub revision: u32,
    /// Whether it has a place in the chain.
    pub is_chained: bool,
}

/// A final figure that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restated {
    /// The figure as it is held.
    pub was: HeldFinal,
    /// The exact sums it has now.
    pub sums: Sums,
    /// The digest of the mark's second as its trades were.
    pub old_second_digest: Digest,
    /// The digest of the mark's second as its trades are.
    pub new_second_digest: Digest,
    /// Why, in a sentence.
    pub reason: String,
}

/// So many findings a reason tells one by one.
const REASONS_TOLD: usize = 3;

/// Findings about one ticker, and what is needed to follow them.
#[derive(Debug)]
pub struct Amendment<'a> {
    findings: &'a [Finding],
    window_seconds: i64,
    /// The seconds with a trade that changes: its trades as they were.
    touched: BTreeMap<Mark, Vec<Trade>>,
    /// The other seconds.
    others: BTreeMap<Mark, (Sums, Digest)>,
    ranges: Vec<(Mark, Mark)>,
}

impl<'a> Amendment<'a> {
    /// The marks that findings concern, up to the last settled one. Windows
    /// have so many seconds, at least one.
    pub fn new(findings: &'a [Finding], window_seconds: i64, last_settled: Mark) -> Self {
        let touching = findings.iter().flat_map(|finding| finding.marks(1)).map(|(second, _)| (second, Vec::new()));
        let marks = findings.iter().flat_map(|finding| finding.marks(window_seconds));
        let settled = marks.filter(|(first, _)| *first <= last_settled);
        let ranges = merged(settled.map(|(first, last)| (first, last.min(last_settled))).collect());
        Self { findings, window_seconds, touched: touching.collect(), others: BTreeMap::new(), ranges }
    }

    /// The marks that may change: first and last of each run, in order.
    pub fn ranges(&self) -> &[(Mark, Mark)] {
        &self.ranges
    }

    /// The spans, each after its first mark and up to its second, whose
    /// confirmed trades must be taken in.
    pub fn spans(&self) -> Vec<(Mark, Mark)> {
        let reach = |(first, last): &(Mark, Mark)| (first.minus_seconds(self.window_seconds), *last);
        merged(self.ranges.iter().map(reach).collect())
    }

    /// Takes in confirmed trades as they were: all of some whole seconds.
    pub fn take_in(&mut self, trades: Vec<Trade>) {
        let mut seconds: BTreeMap<Mark, Vec<Trade>> = BTreeMap::new();
        for trade in trades {
            seconds.entry(Mark::at_or_after(trade.traded_at)).or_default().push(trade);
        }
        for (second, trades) in seconds {
            match self.touched.get_mut(&second) {
                Some(touched) => *touched = trades,
                None => {
                    self.others.insert(second, (sums_of(&trades), TradesDigest::of(&trades)));
                }
            }
        }
    }

    /// The figures that change, in the order of marks. Of a window that
    /// reaches back before the tape is kept, nobody can sum the trades any
    /// more: from its held sums what was is taken and what is is added, which
    /// is exact too.
    pub fn restated(&self, tape_from: EpochMs, held: &[HeldFinal]) -> Vec<Restated> {
        let held: BTreeMap<Mark, HeldFinal> = held.iter().map(|figure| (figure.mark, *figure)).collect();
        let now: BTreeMap<Mark, (Sums, Digest)> =
            self.touched.keys().map(|second| (*second, self.now(*second))).collect();
        let nothing = TradesDigest::default().finish();
        let mut restated = Vec::new();
        for &(first, last) in &self.ranges {
            let mut window = Rolling::new(self.window_seconds, first.minus_seconds(1));
            for (second, (sums, _)) in now.iter().chain(&self.others) {
                window.add(second.at(), *sums);
            }
            for (mark, was) in held.range(first..=last).map(|(mark, was)| (*mark, *was)) {
                let is_whole = tape_from <= mark.minus_seconds(self.window_seconds).at();
                let summed = window.advance_to(mark);
                let Some(sums) = (if is_whole { Some(summed) } else { self.shifted(was) }) else { continue };
                let other = self.others.get(&mark).map_or(nothing, |second| second.1);
                let old_second_digest = self.touched.get(&mark).map_or(other, TradesDigest::of);
                let new_second_digest = now.get(&mark).map_or(other, |second| second.1);
                if sums != was.sums || old_second_digest != new_second_digest {
                    let reason = self.reason(mark);
                    restated.push(Restated { was, sums, old_second_digest, new_second_digest, reason });
                }
            }
        }
        restated
    }

    /// A second that is touched, as it is.
    fn now(&self, second: Mark) -> (Sums, Digest) {
        let gone = |trade: &&Trade| !self.findings.iter().any(|finding| finding.was() == Some(*trade));
        let is_here = |trade: &&Trade| Mark::at_or_after(trade.traded_at) == second;
        let staying = self.touched.get(&second).into_iter().flatten().filter(gone);
        let coming = self.findings.iter().filter_map(Finding::now).filter(is_here);
        let trades: Vec<Trade> = staying.chain(coming).cloned().collect();
        (sums_of(&trades), TradesDigest::of(&trades))
    }

    /// Held sums with what was taken out and what is put in.
    fn shifted(&self, held: HeldFinal) -> Option<Sums> {
        let opens_after = held.mark.minus_seconds(self.window_seconds).at();
        let inside = |trade: &&Trade| opens_after < trade.traded_at && trade.traded_at <= held.mark.at();
        let coming: Sums = self.findings.iter().filter_map(Finding::now).filter(inside).map(sums).sum();
        let going: Sums = self.findings.iter().filter_map(Finding::was).filter(inside).map(sums).sum();
        held.sums.plus(coming).minus(going)
    }

    fn reason(&self, mark: Mark) -> String {
        let holds =
            |finding: &&Finding| finding.marks(self.window_seconds).any(|(first, last)| first <= mark && mark <= last);
        let mut clauses: Vec<String> = self.findings.iter().filter(holds).map(ToString::to_string).collect();
        if REASONS_TOLD < clauses.len() {
            let more = clauses.len() - REASONS_TOLD;
            clauses.truncate(REASONS_TOLD);
            clauses.push(format!("and {more} more"));
        }
        clauses.join("; ")
    }
}

fn sums(trade: &Trade) -> Sums {
    Sums::of(trade.price, trade.quantity)
}

fn sums_of(trades: &[Trade]) -> Sums {
    trades.iter().map(sums).sum()
}

/// Runs that overlap or touch become one.
fn merged(mut runs: Vec<(Mark, Mark)>) -> Vec<(Mark, Mark)> {
    runs.sort_unstable();
    let mut merged: Vec<(Mark, Mark)> = Vec::with_capacity(runs.len());
    for (first, last) in runs {
        match merged.last_mut() {
            Some(open) if first <= open.1.next() => open.1 = open.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reconcile::tests::trade;
    use crate::{Interval, Window};

    fn mark(second: i64) -> Mark {
        Mark::at_or_before(EpochMs::new(second * 1000))
    }

    /// One plain scan of a window.
    fn scan(trades: &[Trade], mark: Mark, seconds: i64) -> Sums {
        let window = Window::closing_at(mark.at(), Interval::from_ms(seconds * 1000).expect("interval"));
        trades.iter().filter(|trade| window.contains(trade.traded_at)).map(sums).sum()
    }

    fn finals(trades: &[Trade], last: i64, seconds: i64) -> Vec<HeldFinal> {
        let figure = |second| {
            let mark = mark(second);
            HeldFinal { mark, sums: scan(trades, mark, seconds), revision: 0, is_chained: true }
        };
        (1..=last).map(figure).collect()
    }

    fn restate(findings: &[Finding], was: &[Trade], last: i64, seconds: i64, tape_from: i64) -> Vec<Restated> {
        let mut amendment = Amendment::new(findings, seconds, mark(last));
        let spans = amendment.spans();
        for (after, until) in spans {
            let inside = |trade: &&Trade| {
                (after.at() < trade.traded_at && trade.traded_at <= until.at()) && tape_from < trade.traded_at.ms()
            };
            amendment.take_in(was.iter().filter(inside).cloned().collect());
        }
        amendment.restated(EpochMs::new(tape_from), &finals(was, last, seconds))
    }

    #[test]
    fn exactly_the_marks_whose_window_holds_the_trade_are_restated() {
        let was = [trade("a", 10_000, "1"), trade("b", 12_500, "2")];
        let findings = [Finding::Altered { was: was[1].clone(), now: trade("b", 12_500, "3") }];

        let restated = restate(&findings, &was, 30, 5, 0);

        let marks: Vec<i64> = restated.iter().map(|it| it.was.mark.at().ms() / 1000).collect();
        assert_eq!(marks, [13, 14, 15, 16, 17]);
        assert_eq!(restated[0].reason, "the exchange altered trade b from 2 x 1 at 12500 to 3 x 1 at 12500");
    }

    #[test]
    fn a_time_moved_within_a_second_changes_no_sum_but_the_digest_of_that_second() {
        let was = [trade("a", 10_100, "1")];
        let findings = [Finding::Altered { was: was[0].clone(), now: trade("a", 10_200, "1") }];

        let restated = restate(&findings, &was, 30, 5, 0);

        assert_eq!(restated.len(), 1);
        assert_eq!((restated[0].was.mark, restated[0].was.sums), (mark(11), restated[0].sums));
        assert_ne!(restated[0].old_second_digest, restated[0].new_second_digest);
    }

    #[test]
    fn marks_that_are_not_final_or_not_held_any_more_are_left_alone() {
        let findings = [Finding::Added { now: trade("n", 10_000, "1") }];
        let amendment = Amendment::new(&findings, 5, mark(12));

        assert_eq!(amendment.ranges(), [(mark(10), mark(12))]);
        assert_eq!(amendment.restated(EpochMs::new(0), &[]), []);
    }

    #[test]
    fn a_window_that_reaches_before_the_tape_keeps_what_only_its_figure_knows() {
        let was = [trade("gone", 4_000, "7"), trade("a", 6_000, "1")];
        let findings = [Finding::Withdrawn { was: was[1].clone() }];

        let restated = restate(&findings, &was, 30, 5, 5_000);

        assert_eq!(restated[0].sums, sums(&was[0]), "the trade that was let go of still counts at second 6");
        assert_eq!(restated.last().map(|it| it.sums), Some(Sums::EMPTY));
    }

    #[test]
    fn what_lies_on_the_opening_edge_is_not_put_into_a_window_that_reaches_before_the_tape() {
        let was = [trade("a", 6_000, "1")];
        let findings = [Finding::Withdrawn { was: was[0].clone() }, Finding::Added { now: trade("edge", 4_000, "7") }];

        let restated = restate(&findings, &was, 9, 5, 5_000);

        let at_nine = restated.iter().find(|it| it.was.mark == mark(9)).expect("restated");
        assert_eq!(at_nine.sums, Sums::EMPTY);
    }

    #[test]
    fn changes_far_apart_concern_no_mark_between_them() {
        let findings = [10_000, 40_000].map(|at| Finding::Added { now: trade("n", at, "1") });
        let amendment = Amendment::new(&findings, 5, mark(100));

        assert_eq!(amendment.ranges(), [(mark(10), mark(14)), (mark(40), mark(44))]);
        assert_eq!(amendment.spans(), [(mark(5), mark(14)), (mark(35), mark(44))]);
    }

    #[test]
    fn a_reason_tells_three_changes_of_its_own_window_and_how_many_more_there_are() {
        let reason_of = |here: i64| -> String {
            let elsewhere = [Finding::Added { now: trade("before", 1_000, "1") }];
            let own = (0..here).map(|n| Finding::Added { now: trade(&n.to_string(), 20_000 + n, "1") });
            let after = [Finding::Added { now: trade("after", 60_000, "1") }];
            let findings: Vec<Finding> = elsewhere.into_iter().chain(own).chain(after).collect();
            let restated = restate(&findings, &[], 100, 5, 0);
            restated.iter().find(|it| it.was.mark == mark(21)).expect("restated").reason.clone()
        };
        let told = |n: i64| format!("the exchange added trade {n}, 1 x 1 at {}", 20_000 + n);

        assert_eq!(reason_of(3), [told(0), told(1), told(2)].join("; "));
        assert_eq!(reason_of(5), [told(0), told(1), told(2), "and 2 more".to_owned()].join("; "));
    }

    proptest! {
        #[test]
        fn whatever_changes_the_restated_marks_equal_a_plain_scan_and_the_others_did_not_change(
            held in prop::collection::vec((1i64..30_000, 1u32..50), 1..30),
            changes in prop::collection::vec((0usize..30, 0u8..3, 1i64..30_000, 1u32..50), 1..6),
            seconds in 1i64..9,
        ) {
            let price = |units: u32| units.to_string();
            let was: Vec<Trade> =
                held.iter().enumerate().map(|(index, (at, units))| trade(&format!("t{index}"), *at, &price(*units))).collect();
            let mut now = was.clone();
            let mut findings = Vec::new();
            let mut changed = std::collections::HashSet::new();
            for (index, (of, kind, at, units)) in changes.into_iter().enumerate() {
                let old = &was[of % was.len()];
                if kind == 0 {
                    let added = trade(&format!("n{index}"), at, &price(units));
                    now.push(added.clone());
                    findings.push(Finding::Added { now: added });
                    continue;
                }
                if !changed.insert(old.id.clone()) {
                    continue;
                }
                now.retain(|trade| trade.id != old.id);
                if kind == 1 {
                    findings.push(Finding::Withdrawn { was: old.clone() });
                } else {
                    let altered = Trade { traded_at: EpochMs::new(at), ..trade(old.id.as_str(), at, &price(units)) };
                    now.push(altered.clone());
                    findings.push(Finding::Altered { was: old.clone(), now: altered });
                }
            }
            let restated = restate(&findings, &was, 40, seconds, 0);
            let by_mark: BTreeMap<Mark, &Restated> = restated.iter().map(|it| (it.was.mark, it)).collect();
            for figure in finals(&was, 40, seconds) {
                let truth = scan(&now, figure.mark, seconds);
                prop_assert_eq!(by_mark.get(&figure.mark).map_or(figure.sums, |it| it.sums), truth);
                let inside = |trades: &[Trade]| TradesDigest::of(trades.iter().filter(|it| Mark::at_or_after(it.traded_at) == figure.mark));
                let is_changed = truth != figure.sums || inside(&was) != inside(&now);
                prop_assert_eq!(by_mark.contains_key(&figure.mark), is_changed);
            }
        }
    }
}
