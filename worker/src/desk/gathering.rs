//! When heard trades are written: some together, and none right in front of a
//! second mark, which waits for what was heard before it in any case.

use std::time::Duration;

use tokio::time::Instant;

/// Heard trades are gathered for so long before they are written together.
const GATHER: Duration = Duration::from_millis(20);

/// What a timer waits at least, and may be late.
pub const TICK: Duration = Duration::from_millis(1);

/// Since when trades are gathered, and how long it takes to write them.
#[derive(Debug)]
pub struct Gathering {
    since: Instant,
    writing_took: Duration,
}

impl Gathering {
    /// From now on; nothing is known of how long it takes to write them.
    pub fn new(now: Instant) -> Self {
        Self { since: now, writing_took: Duration::ZERO }
    }

    /// What was gathered begins to be written, and others are gathered.
    pub fn begin_writing(&mut self, now: Instant) {
        self.since = now;
    }

    /// It is written.
    pub fn finish_writing(&mut self, now: Instant) {
        self.writing_took = now.saturating_duration_since(self.since);
    }

    /// When what is gathered is written: not before it has come together, and not
    /// before the next mark if that would have to wait for it: then it is written
    /// once, with what comes until the mark. No trade waits for a mark longer than
    /// it waits for others.
    pub fn due(&self, now: Instant, mark_at: Instant) -> Instant {
        let due = now.max(self.since + GATHER);
        // A mark whose second has come and whose timer has not is before all else.
        if mark_at < due + self.writing_took.min(GATHER) { mark_at.max(now + TICK) } else { due }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trades_are_gathered_first_and_never_written_right_in_front_of_a_mark() {
        let at = {
            let began = Instant::now();
            move |ms| began + Duration::from_millis(ms)
        };
        let mut gathering = Gathering::new(at(0));
        assert_eq!(gathering.due(at(5), at(21)), at(20), "nothing is known yet");

        gathering.begin_writing(at(20));
        gathering.finish_writing(at(27));
        assert_eq!(gathering.due(at(30), at(47)), at(40), "over in time");
        assert_eq!(gathering.due(at(30), at(46)), at(46));
        assert_eq!(gathering.due(at(45), at(46)), at(46));
        assert_eq!(gathering.due(at(30), at(35)), at(35), "the mark comes before it is due");
        assert_eq!(gathering.due(at(45), at(60)), at(45), "late already");
        assert_eq!(gathering.due(at(47), at(46)), at(48), "the mark is due itself");

        gathering.begin_writing(at(100));
        gathering.finish_writing(at(1_000));
        assert_eq!(gathering.due(at(1_000), at(1_019)), at(1_019));
        assert_eq!(gathering.due(at(1_000), at(1_021)), at(1_000), "a wait is short however long writing takes");
    }
}
