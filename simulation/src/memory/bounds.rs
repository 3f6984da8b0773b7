//! What was said of how wrong provisional figures may be, and what that taught.

use std::collections::BTreeSet;

use store::bounds::{BoundEvidence, BoundOutcomes};
use store::{BoundsKept, StoreError};
use tape::bound::{Class, ErrorBin, Hour, Lesson, Outcomes, SaidBefore, Unsaid};
use tape::{Interval, Mark, Ticker};

use super::disk::Disk;
use super::txn::Txn;
use super::view::View;

impl Txn {
    pub(super) async fn bounds_said(
        &self,
        interval: Interval,
        marks: &[(Ticker, Mark)],
    ) -> Result<Vec<(Ticker, Mark, SaidBefore)>, StoreError> {
        self.step("bounds_said", marks.len()).await?;
        let (state, mut writes) = self.sight();
        let view = View { held: &state.disk.figures, own: &mut writes.figures };
        let mut said = Vec::new();
        for (ticker, mark) in marks.iter().collect::<BTreeSet<_>>() {
            let Some(row) = view.get(&(ticker.clone(), interval, *mark)) else { continue };
            let (Some(price), Some(statement), None) = (row.price, &row.bound, row.final_at) else { continue };
            // How many marks there were then is not kept: it teaches nothing.
            let bound = statement.bound.map_err(|unsaid| match unsaid {
                Unsaid::NotEnoughEvidence { .. } => Unsaid::NotEnoughEvidence { marks: 0, needed: 0 },
                other => other,
            });
            said.push((ticker.clone(), *mark, SaidBefore { price: Some(price), class: statement.class, bound }));
        }
        Ok(said)
    }

    pub(super) async fn bounds_learn(
        &self,
        interval: Interval,
        lessons: &[(Ticker, Lesson)],
    ) -> Result<(), StoreError> {
        self.step("bounds_learn", lessons.len()).await?;
        let (state, mut writes) = self.sight();
        for (ticker, Lesson { hour, class, error, outcome, level }) in lessons {
            let mut evidence = View { held: &state.disk.bound_evidence, own: &mut writes.bound_evidence };
            let key = (ticker.clone(), interval, *hour, *class, *error);
            let marks = evidence.get(&key).copied().unwrap_or(0);
            evidence.put(key, marks + 1);
            let mut outcomes = View { held: &state.disk.bound_outcomes, own: &mut writes.bound_outcomes };
            let key = (ticker.clone(), interval, *hour, *class);
            let held = outcomes.get(&key).map_or(Outcomes::default(), |held| held.0);
            outcomes.put(key, (held.plus(*outcome), level.billionths()));
        }
        Ok(())
    }
}

/// What is kept of an interval's bounds from an hour on.
pub(super) fn kept(disk: &Disk, interval: Interval, from: Hour) -> BoundsKept {
    let is_asked = |of: Interval, hour: Hour| of == interval && from <= hour;
    let mut kept = BoundsKept::default();
    for ((ticker, of, hour, class, error), marks) in &disk.bound_evidence {
        if !is_asked(*of, *hour) {
            continue;
        }
        let error: (ErrorBin, u32) = (*error, *marks);
        match kept.evidence.last_mut() {
            Some(last) if is_same(last, ticker, *hour, *class) => last.errors.push(error),
            _ => kept.evidence.push(BoundEvidence {
                ticker: ticker.clone(),
                hour: *hour,
                class: *class,
                errors: vec![error],
            }),
        }
    }
    for ((ticker, of, hour, class), (outcomes, level)) in &disk.bound_outcomes {
        if is_asked(*of, *hour) {
            let (ticker, hour, class) = (ticker.clone(), *hour, *class);
            kept.outcomes.push(BoundOutcomes { ticker, hour, class, outcomes: *outcomes, level: *level });
        }
    }
    kept
}

fn is_same(last: &BoundEvidence, ticker: &Ticker, hour: Hour, class: Class) -> bool {
    last.ticker == *ticker && last.hour == hour && last.class == class
}
