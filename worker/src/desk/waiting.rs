//! Answers of REST that wait to be settled, and how many of them are settled
//! together: few enough that neither a heard trade nor a second mark waits long.

use std::collections::VecDeque;
use std::time::Duration;

use tape::Patience;
use tokio::time::Instant;

use crate::engine::Asked;

/// Answers settled together at most.
pub const ANSWERS_TOGETHER: usize = 128;

/// Rows settled and marks made final together, unless a single answer has more:
/// some twenty milliseconds' work, and more would not be done much faster.
const PIECES_TOGETHER: usize = 500;

/// What a settlement without any row costs, in rows.
const PIECES_OF_A_TRANSACTION: usize = 200;

/// A settlement that takes longer is begun whatever comes next: a backfill would
/// else stand still for much of every second.
const MADE_ROOM_FOR: Duration = Duration::from_millis(225);

/// At most so much is allowed for a settlement that takes longer than expected.
const LONGEST_EXCESS: Duration = Duration::from_millis(100);

/// By so much of itself that allowance shrinks with every settlement: one of twenty a second
/// counts half after two minutes. A disk that is busy with a checkpoint is so every few minutes.
const EXCESS_SHRINKS_BY: u32 = 4_096;

/// What a row or a mark is taken to cost before any was settled.
const FIRST_GUESS: Duration = Duration::from_micros(50);

/// Answers in the order they came.
pub struct Waiting {
    answers: VecDeque<Asked>,
    patience: Patience,
    per_piece: Duration,
    /// How much longer than expected one took lately.
    excess: Duration,
    /// The mark that the next settlement let go first.
    gave_way_to: Option<Instant>,
}

impl Waiting {
    /// None yet; they will be settled with this patience.
    pub fn new(patience: Patience) -> Self {
        Self { answers: VecDeque::new(), patience, per_piece: FIRST_GUESS, excess: Duration::ZERO, gave_way_to: None }
    }

    /// Whether there is nothing to settle.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// How many more may wait here; the others wait with those who asked.
    pub fn room(&self) -> usize {
        ANSWERS_TOGETHER - self.answers.len().min(ANSWERS_TOGETHER)
    }

    /// Adds answers behind those that wait.
    pub fn extend(&mut self, answers: impl IntoIterator<Item = Asked>) {
        self.answers.extend(answers);
    }

    /// Whether the next settlement lets a mark go first: it would not be over by then, and
    /// somebody may wait for what is confirmed of that mark. It does so once: where marks take
    /// nearly all the time there is, nothing would be confirmed any more.
    pub fn is_held_back(&mut self, now: Instant, mark_at: Instant, follows_the_present: impl Fn() -> bool) -> bool {
        let has_given_way = self.gave_way_to.is_some_and(|earlier| earlier != mark_at);
        let is_held_back =
            !has_given_way && !self.fits_into(mark_at.saturating_duration_since(now)) && follows_the_present();
        if is_held_back {
            self.gave_way_to = Some(mark_at);
        }
        is_held_back
    }

    /// Whether the next settlement will be over in so much time, or is one for
    /// which nothing else is held up.
    fn fits_into(&self, left: Duration) -> bool {
        // Half as long again: what stands in a mark's way is worse than a pause.
        let expected = self.expected(self.next().1) * 3 / 2;
        expected + self.excess <= left || MADE_ROOM_FOR < expected
    }

    fn expected(&self, pieces: usize) -> Duration {
        let pieces = u32::try_from(pieces + PIECES_OF_A_TRANSACTION).unwrap_or(u32::MAX);
        self.per_piece.saturating_mul(pieces)
    }

    /// Takes out what is settled next, and how many rows and marks that is.
    pub fn take(&mut self) -> (Vec<Asked>, usize) {
        self.gave_way_to = None;
        let (answers, pieces) = self.next();
        (self.answers.drain(..answers).collect(), pieces)
    }

    /// Learns from a settlement how long the next one will take.
    pub fn learn(&mut self, pieces: usize, took: Duration) {
        if pieces <= PIECES_TOGETHER {
            let excess = took.saturating_sub(self.expected(pieces)).min(LONGEST_EXCESS);
            self.excess = excess.max(self.excess - self.excess / EXCESS_SHRINKS_BY);
        }
        let pieces = u32::try_from(pieces + PIECES_OF_A_TRANSACTION).unwrap_or(u32::MAX);
        self.per_piece = (self.per_piece * 7 + took / pieces) / 8;
    }

    /// How many answers are settled next, and how many rows and marks that is.
    fn next(&self) -> (usize, usize) {
        let (mut answers, mut pieces) = (0, 0);
        for asked in self.answers.iter().take(ANSWERS_TOGETHER) {
            let own = self.pieces(asked);
            if 0 < answers && PIECES_TOGETHER < pieces + own {
                break;
            }
            (answers, pieces) = (answers + 1, pieces + own);
        }
        (answers, pieces)
    }

    /// The rows of an answer, and the marks that become final with it: where a
    /// market was silent or not heard for an hour, that is thousands without a row.
    fn pieces(&self, asked: &Asked) -> usize {
        let Asked { watermark, answer, .. } = asked;
        let settled_ms = answer.page.reach(watermark, self.patience).ms_since(watermark.settled_until());
        let marks = usize::try_from(settled_ms / 1_000).unwrap_or(0);
        answer.page.trades.len() + answer.rejected.len() + marks
    }
}

#[cfg(test)]
mod tests {
    use market::Answer;
    use tape::{EpochMs, Page, Patience, Ticker, Watermark};
    use testkit::trade;
    use tokio::sync::oneshot;

    use super::*;

    const PATIENCE: Patience =
        Patience { settle_delay_ms: 1_000, allowed_skew_ms: 0, longest_step_ms: 5_000_000, listening_since: None };

    /// Answers of so many rows, each of a market that was settled so many seconds before.
    fn waiting_behind(seconds: i64, rows: &[usize]) -> Waiting {
        let mut waiting = Waiting::new(PATIENCE);
        waiting.extend(rows.iter().map(|rows| {
            let trades = (0..*rows).map(|row| trade("BTC", &row.to_string(), 1_000, "1", "1")).collect();
            let page = Page { trades, ..Page::empty_at(EpochMs::new(1_000_000_000)) };
            Asked {
                ticker: Ticker::new("BTC").expect("ticker"),
                watermark: Watermark::Through(EpochMs::new(1_000_000_000 - 1_000 * (seconds + 1))),
                answer: Answer { page, rejected: Vec::new(), rows_before: 0, gaps: Vec::new() },
                reply: oneshot::channel().0,
            }
        }));
        waiting
    }

    fn waiting(rows: &[usize]) -> Waiting {
        waiting_behind(0, rows)
    }

    fn taken(waiting: &mut Waiting) -> (usize, usize) {
        let (answers, rows) = waiting.take();
        (answers.len(), rows)
    }

    #[test]
    fn as_many_answers_are_settled_together_as_have_few_rows_and_one_in_any_case() {
        let mut few = waiting(&[400, 100, 1, 5_000, 0]);
        assert_eq!(taken(&mut few), (2, 500));
        assert_eq!(taken(&mut few), (1, 1));
        assert_eq!(taken(&mut few), (1, 5_000));
        assert_eq!(taken(&mut few), (1, 0));
        assert!(few.is_empty());

        let mut many = waiting(&[1; 130]);
        assert_eq!(taken(&mut many), (128, 128));
        assert_eq!(taken(&mut many), (2, 2));
    }

    #[test]
    fn marks_that_become_final_count_as_rows_do_up_to_the_longest_step() {
        assert_eq!(taken(&mut waiting_behind(200, &[0; 5])), (2, 400));
        assert_eq!(taken(&mut waiting_behind(3_600, &[0, 1, 0])), (1, 3_600));
        assert_eq!(taken(&mut waiting_behind(99_999, &[7, 7])), (1, 5_007));
        assert_eq!(taken(&mut waiting_behind(-60, &[7, 7])), (2, 14));
    }

    #[test]
    fn no_more_wait_here_than_are_settled_together() {
        assert_eq!(waiting(&[]).room(), 128);
        assert_eq!(waiting(&[1; 100]).room(), 28);
        assert_eq!(waiting(&[1; 130]).room(), 0);
    }

    #[test]
    fn a_settlement_is_not_begun_that_would_not_be_over_in_time_unless_it_is_a_long_one() {
        let ms = Duration::from_millis;
        let mut few = waiting(&[100]);
        for took in (15..=30).chain([30; 100]) {
            few.learn(100, ms(took));
        }
        few.excess = Duration::ZERO;
        assert!(few.fits_into(ms(46)) && !few.fits_into(ms(40)));

        let mut long = waiting(&[5_000]);
        long.learn(100, ms(30));
        assert!(long.fits_into(ms(1)));

        let now = Instant::now();
        assert!(!few.is_held_back(now, now + ms(46), || true));
        assert!(!few.is_held_back(now, now + ms(40), || false), "nobody follows the present");
        assert!(few.is_held_back(now, now + ms(40), || true));
        assert!(few.is_held_back(now + ms(9), now + ms(40), || true), "for the same mark");
    }

    #[test]
    fn what_one_took_too_long_is_allowed_for_until_it_is_long_ago() {
        let ms = Duration::from_millis;
        let mut waiting = waiting(&[100]);
        waiting.learn(100, ms(15));
        assert!(waiting.fits_into(ms(23)) && !waiting.fits_into(ms(22)));

        waiting.learn(5_000, ms(900));
        assert!(waiting.excess.is_zero(), "a long one tells nothing of the others");
        waiting.learn(100, ms(70));
        assert!(ms(40) < waiting.excess && waiting.excess < ms(70), "{:?}", waiting.excess);
        assert!(!waiting.fits_into(ms(60)));
        waiting.learn(100, ms(900));
        assert_eq!(waiting.excess, LONGEST_EXCESS);

        for _ in 0..3_000 {
            waiting.learn(100, ms(15));
        }
        assert!(ms(40) < waiting.excess && waiting.excess < ms(60), "{:?}", waiting.excess);
    }

    #[test]
    fn a_settlement_lets_one_mark_go_first_and_not_the_next_too() {
        let ms = Duration::from_millis;
        let (now, mut waiting) = (Instant::now(), waiting(&[450, 450]));
        assert!(waiting.is_held_back(now, now + ms(1), || true));
        assert!(!waiting.is_held_back(now + ms(999), now + ms(1_000), || true));

        waiting.take();
        assert!(waiting.is_held_back(now + ms(999), now + ms(1_000), || true), "another settlement");
    }
}
