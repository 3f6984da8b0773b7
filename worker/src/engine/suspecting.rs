//! Suspects: who is held back from provisional figures, and how right that was.

use store::{CountDelta, count_graded, count_suspected};
use tape::grade::{Grade, TurnedOut};
use tape::{Heard, Suspicion};

use super::Engine;
use super::hearing::Counts;
use crate::tables::Tables;

impl<T: Tables> Engine<T> {
    /// Notes of each trade heard for the first time what is held against it.
    pub(super) fn suspect(&self, heard: &mut [Heard]) {
        for heard in heard {
            let book = self.books.get(&heard.trade.ticker);
            heard.suspicion = book.and_then(|book| book.suspicion_of(heard, self.settings.suspects));
        }
    }
}

/// Counts those who are suspected among trades that are new, by the minute they
/// claim. Their grades follow when REST has spoken.
pub(super) fn count_new_suspects<'a>(new: impl Iterator<Item = &'a Heard>) -> Vec<CountDelta> {
    let mut counts = Counts::default();
    for Heard { trade, suspicion, .. } in new {
        if let Some(suspicion) = suspicion {
            counts.add(&trade.ticker, trade.traded_at, &count_suspected(*suspicion), 1);
        }
    }
    counts.into_deltas()
}

/// Counts trades heard with other values than REST had confirmed before: the
/// suspicion is right at once.
pub(super) fn count_contradicted<'a>(altered: impl Iterator<Item = &'a Heard>) -> Vec<CountDelta> {
    let suspicion = Suspicion::Contradicted;
    let mut counts = Counts::default();
    for Heard { trade, .. } in altered {
        counts.add(&trade.ticker, trade.traded_at, &count_suspected(suspicion), 1);
        counts.add(&trade.ticker, trade.traded_at, &count_graded(Some(suspicion), TurnedOut::Altered), 1);
    }
    counts.into_deltas()
}

/// Counts how right the filter was, by the minute each trade claimed.
pub(super) fn count_grades(grades: impl Iterator<Item = Grade>) -> Vec<CountDelta> {
    let mut counts = Counts::default();
    for Grade { ticker, claimed_at, suspicion, turned_out } in grades {
        counts.add(&ticker, claimed_at, &count_graded(suspicion, turned_out), 1);
    }
    counts.into_deltas()
}
