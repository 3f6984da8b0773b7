//! Who led when, and which spans of the market were listened to for sure: in
//! those, and only in those, every fault that was done must have been found.
//!
//! A worker that is killed takes with it what it had heard and not yet
//! committed, and a new leader cannot know what its predecessor heard. So
//! everything here is counted against the one who claims: a span is sure only
//! if one leader stood all the time, had connected before it, and lived on
//! long enough after it to commit.

use crate::house::Deed;
use crate::schedule::{Actor, Blow};

/// After connecting, a leader is sure to listen so much later; and what was
/// sent is sure to be committed so much later, in milliseconds.
const MARGIN_MS: i64 = 1_500;

/// A standstill that ended so short before a session did is part of its end.
const BACKLOG_MS: i64 = 4_000;

/// A time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its first millisecond.
    pub from_ms: i64,
    /// Its last one.
    pub to_ms: i64,
}

/// What was listened to, as far as it is sure.
#[derive(Debug)]
pub struct Listening {
    /// The sure spans, one after the other.
    pub spans: Vec<Span>,
    /// How many leaders there were.
    pub sessions: usize,
    /// How many of them lost the leadership without anything done to them.
    pub unexplained: usize,
    market: Vec<Deed>,
}

/// What is known of the leaders.
#[derive(Debug)]
pub struct Evidence<'a> {
    /// The epochs of leadership, and since when each.
    pub epochs: &'a [(i64, i64)],
    /// Which worker said when that it leads.
    pub leading: &'a [(i64, usize)],
    /// What was done.
    pub deeds: &'a [Deed],
    /// When the trades were made of which the market told somebody, in order.
    pub told: &'a [i64],
    /// When the run ended.
    pub ended_ms: i64,
}

impl Listening {
    /// Concludes from what is known.
    pub fn of(evidence: &Evidence<'_>) -> Self {
        let mut spans = Vec::new();
        let mut unexplained = 0;
        for (at, &(_, since_ms)) in evidence.epochs.iter().enumerate() {
            let next_ms = evidence.epochs.get(at + 1).map(|next| next.1);
            let Some(end_ms) = evidence.end_of(since_ms, next_ms) else {
                unexplained += 1;
                continue;
            };
            let Some(begin_ms) = evidence.begin_of(since_ms) else { continue };
            let span = Span { from_ms: begin_ms + MARGIN_MS, to_ms: end_ms - MARGIN_MS };
            spans.extend((span.from_ms < span.to_ms).then_some(span));
        }
        let market = evidence.deeds.iter().filter(|deed| deed.actor == Actor::Venue).copied().collect();
        Self { spans, sessions: evidence.epochs.len(), unexplained, market }
    }

    /// How many milliseconds of a time are sure.
    pub fn sure_ms(&self, time: Span) -> i64 {
        let within = self.spans.iter().map(|span| span.to_ms.min(time.to_ms) - span.from_ms.max(time.from_ms));
        within.map(|ms| ms.max(0)).sum()
    }

    /// Whether one leader stood from one moment to another, and for sure listened.
    pub fn is_sure(&self, from_ms: i64, to_ms: i64) -> bool {
        self.spans.iter().any(|span| span.from_ms <= from_ms && to_ms <= span.to_ms)
    }

    /// Whether what the market said from one moment to another is sure to have
    /// reached whoever listened: it was not killed with words in its mouth, and
    /// did not stand still.
    pub fn is_spoken(&self, from_ms: i64, to_ms: i64) -> bool {
        let is_touched = |deed: &Deed| match deed.blow {
            Blow::Kill | Blow::Restart => from_ms <= deed.from_ms && deed.from_ms <= to_ms + MARGIN_MS,
            Blow::Pause => from_ms <= deed.to_ms && deed.from_ms <= to_ms,
        };
        !self.market.iter().any(is_touched)
    }
}

impl Evidence<'_> {
    /// When a leader that began at a moment had ended at the earliest; none when
    /// nothing that was done explains its end.
    fn end_of(&self, since_ms: i64, next_ms: Option<i64>) -> Option<i64> {
        let until_ms = next_ms.unwrap_or(self.ended_ms);
        let leader = self.leader_of(since_ms, until_ms);
        let concerns = |deed: &&Deed| match deed.actor {
            Actor::Postgres => true,
            Actor::Worker(number) => leader.is_none_or(|leader| leader == number),
            Actor::Venue | Actor::Api => false,
        };
        let during: Vec<&Deed> =
            self.deeds.iter().filter(concerns).filter(|deed| deed.overlaps(since_ms, until_ms)).collect();
        let first = |is_end: fn(&Deed) -> bool| {
            during.iter().filter(|deed| is_end(deed) && since_ms < deed.from_ms).map(|deed| deed.from_ms).min()
        };
        let killed_ms = first(|deed| deed.blow != Blow::Pause);
        let end_ms = match (killed_ms, next_ms) {
            (Some(killed_ms), _) => killed_ms,
            (None, None) => self.ended_ms,
            // It must have lost it over a standstill.
            (None, Some(_)) => first(|deed| deed.blow == Blow::Pause)?,
        };
        let backlog = during.iter().filter(|deed| {
            deed.blow == Blow::Pause && deed.from_ms <= end_ms && end_ms <= deed.to_ms.saturating_add(BACKLOG_MS)
        });
        // In calm nothing ends: the last session has all the time it needs.
        if next_ms.is_none() && killed_ms.is_none() {
            return Some(end_ms);
        }
        Some(backlog.map(|deed| deed.from_ms).min().unwrap_or(end_ms).min(end_ms))
    }

    /// When the leader of a session was told something, at the latest for the
    /// first time. Its predecessor does not count as a listener: it may hang on
    /// for a moment, and longer if it stood still while it was replaced.
    fn begin_of(&self, since_ms: i64) -> Option<i64> {
        let standing = self.deeds.iter().filter(|deed| {
            matches!(deed.actor, Actor::Worker(_)) && deed.blow == Blow::Pause && deed.overlaps(since_ms, since_ms)
        });
        let from_ms = standing.map(|deed| deed.to_ms).max().unwrap_or(since_ms).max(since_ms) + MARGIN_MS;
        let next = self.told.partition_point(|told_ms| *told_ms < from_ms);
        self.told.get(next).copied()
    }

    /// Who led between two moments, if only one says so.
    fn leader_of(&self, since_ms: i64, until_ms: i64) -> Option<usize> {
        let said = |number: usize| {
            self.leading.iter().filter(|(at_ms, who)| since_ms < *at_ms && *at_ms < until_ms && *who == number).count()
        };
        let mut numbers: Vec<usize> = self.leading.iter().map(|(_, number)| *number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.retain(|number| said(*number) > 0);
        if let [leader] = numbers[..] { Some(leader) } else { None }
    }
}

impl Deed {
    fn overlaps(&self, from_ms: i64, to_ms: i64) -> bool {
        self.from_ms <= to_ms && from_ms <= self.to_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deed(actor: Actor, blow: Blow, from_ms: i64, to_ms: i64) -> Deed {
        Deed { actor, blow, from_ms, to_ms }
    }

    fn listening(epochs: &[(i64, i64)], leading: &[(i64, usize)], deeds: &[Deed]) -> Listening {
        let told: Vec<i64> = (0..1_000).map(|n| n * 100).collect();
        Listening::of(&Evidence { epochs, leading, deeds, told: &told, ended_ms: 100_000 })
    }

    fn spans(listening: &Listening) -> Vec<(i64, i64)> {
        listening.spans.iter().map(|span| (span.from_ms, span.to_ms)).collect()
    }

    #[test]
    fn a_session_is_sure_from_after_its_first_word_to_before_the_blow_that_ended_it() {
        let deeds = [deed(Actor::Worker(1), Blow::Kill, 30_000, 31_000)];
        let found = listening(&[(1, 10_000), (2, 32_050)], &[(11_000, 1), (33_000, 2)], &deeds);

        assert_eq!(spans(&found), [(13_000, 28_500), (35_100, 98_500)]);
        assert!(found.is_sure(13_000, 28_500) && !found.is_sure(28_000, 28_501) && !found.is_sure(28_000, 34_000));
        assert_eq!((found.sure_ms(Span { from_ms: 0, to_ms: 20_000 }), found.unexplained), (7_000, 0));
    }

    #[test]
    fn a_blow_to_the_one_who_waits_ends_nothing_and_one_to_an_unknown_leader_ends_what_it_may() {
        let deeds = [deed(Actor::Worker(2), Blow::Kill, 20_000, 21_000), deed(Actor::Api, Blow::Kill, 15_000, 16_000)];
        assert_eq!(spans(&listening(&[(1, 10_000)], &[(11_000, 1)], &deeds)), [(13_000, 98_500)]);
        assert_eq!(spans(&listening(&[(1, 10_000)], &[], &deeds)), [(13_000, 18_500)]);
    }

    #[test]
    fn a_standstill_ends_a_session_only_when_it_was_lost_or_left_a_backlog() {
        let paused = deed(Actor::Postgres, Blow::Pause, 20_000, 22_000);
        assert_eq!(spans(&listening(&[(1, 10_000)], &[(11_000, 1)], &[paused])), [(13_000, 98_500)]);
        let lost = listening(&[(1, 10_000), (2, 40_000)], &[(11_000, 1), (41_000, 1)], &[paused]);
        assert_eq!(spans(&lost)[0], (13_000, 18_500));
        let killed = deed(Actor::Worker(1), Blow::Kill, 24_000, 25_000);
        let backlog = listening(&[(1, 10_000), (2, 40_000)], &[(11_000, 1), (41_000, 1)], &[paused, killed]);
        assert_eq!(spans(&backlog)[0], (13_000, 18_500));
    }

    #[test]
    fn a_leadership_lost_for_no_reason_is_counted_and_nothing_of_it_is_sure() {
        let found = listening(&[(1, 10_000), (2, 40_000)], &[(11_000, 1), (41_000, 1)], &[]);

        assert_eq!((spans(&found), found.unexplained), (vec![(43_000, 98_500)], 1));
    }

    #[test]
    fn what_is_told_to_a_predecessor_that_hangs_on_does_not_begin_a_session() {
        let (epochs, leading) = ([(1, 10_000)], [(11_000, 1)]);
        let told = [10_200, 20_000, 20_100];
        let found =
            Listening::of(&Evidence { epochs: &epochs, leading: &leading, deeds: &[], told: &told, ended_ms: 100_000 });

        assert_eq!(spans(&found), [(21_500, 98_500)]);
    }

    #[test]
    fn a_worker_that_stands_still_is_no_listener_of_its_successor() {
        let deeds =
            [deed(Actor::Worker(1), Blow::Pause, 20_000, 23_000), deed(Actor::Postgres, Blow::Kill, 20_500, 21_000)];
        let found = listening(&[(1, 10_000), (2, 22_000)], &[(11_000, 1), (23_000, 2)], &deeds);

        assert_eq!(spans(&found), [(13_000, 18_500), (26_000, 98_500)]);
    }

    #[test]
    fn words_in_the_mouth_of_a_killed_market_may_be_lost_and_a_standing_one_speaks_late() {
        let deeds = [deed(Actor::Venue, Blow::Kill, 20_000, 22_000), deed(Actor::Venue, Blow::Pause, 30_000, 32_000)];
        let found = listening(&[(1, 10_000)], &[(11_000, 1)], &deeds);

        for (from_ms, to_ms, is_spoken) in [
            (15_000, 16_000, true),
            (15_000, 19_000, false),
            (20_001, 21_000, true),
            (29_000, 29_900, true),
            (31_000, 31_500, false),
        ] {
            assert_eq!(found.is_spoken(from_ms, to_ms), is_spoken, "{from_ms} to {to_ms}");
        }
    }
}
