//! The faults of the fast channel, as the ledger keeps them.

use crate::{EpochMs, Known, Outcome, Standing, Ticker, Trade, TradeId, Verdict};

/// What the socket did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FaultKind {
    /// Same id, other values.
    Altered,
    /// REST has it, the socket did not bring it.
    Missing,
    /// The socket brought it, REST does not have it.
    Phantom,
    /// Heard again.
    Duplicate,
    /// Heard after a mark whose window holds it had been calculated.
    Late,
}

impl FaultKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 5] = [Self::Altered, Self::Missing, Self::Phantom, Self::Duplicate, Self::Late];

    /// The kind's name in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Missing => "missing",
            Self::Phantom => "phantom",
            Self::Duplicate => "duplicate",
            Self::Late => "late",
        }
    }
}

/// One fault: what was heard and what is true, as far as there is either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What happened.
    pub kind: FaultKind,
    /// The ticker of the trade.
    pub ticker: Ticker,
    /// The trade's id.
    pub id: TradeId,
    /// The true time where there is one, else the claimed one.
    pub at: EpochMs,
    /// What the socket said.
    pub heard: Option<Trade>,
    /// What REST said.
    pub truth: Option<Trade>,
    /// When the frame came.
    pub received_at: Option<EpochMs>,
}

impl Fault {
    /// A fault of a trade of which at least one side is known.
    pub fn new(
        kind: FaultKind,
        heard: Option<Trade>,
        truth: Option<Trade>,
        received_at: Option<EpochMs>,
    ) -> Option<Self> {
        let named = truth.as_ref().or(heard.as_ref())?;
        let (ticker, id, at) = (named.ticker.clone(), named.id.clone(), named.traded_at);
        Some(Self { kind, ticker, id, at, heard, truth, received_at })
    }
}

/// Whether a trade was heard so late that a mark whose window holds it had passed without it.
pub fn is_late(traded_at: EpochMs, received_at: EpochMs, late_after_ms: i64) -> bool {
    received_at.ms_since(traded_at) > late_after_ms
}

impl Outcome {
    /// The faults this outcome found, in the order of its trades.
    pub fn faults(&self, late_after_ms: i64) -> Vec<Fault> {
        let mut faults = Vec::new();
        for confirmation in &self.confirmations {
            let truth = &confirmation.trade;
            let heard = match &confirmation.verdict {
                Verdict::Matched => Some(truth.clone()),
                Verdict::Altered { heard } => Some(heard.clone()),
                Verdict::Missing | Verdict::Unheard => None,
            };
            let late = confirmation.received_at.is_some_and(|at| is_late(truth.traded_at, at, late_after_ms));
            let kinds = [
                (FaultKind::Missing, confirmation.verdict == Verdict::Missing),
                (FaultKind::Altered, matches!(confirmation.verdict, Verdict::Altered { .. })),
                (FaultKind::Late, late),
            ];
            for (kind, _) in kinds.into_iter().filter(|(_, found)| *found) {
                faults.extend(Fault::new(kind, heard.clone(), Some(truth.clone()), confirmation.received_at));
            }
        }
        for Known { trade, standing } in &self.phantoms {
            let received_at = match standing {
                Standing::Heard { received_at, .. } => Some(*received_at),
                Standing::Confirmed { .. } => None,
            };
            faults.extend(Fault::new(FaultKind::Phantom, Some(trade.clone()), None, received_at));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::trade;
    use crate::{Confirmation, Watermark};

    #[test]
    fn an_altered_trade_heard_late_is_two_faults_and_a_matched_one_none() {
        let confirmation = |id: &str, verdict, received_at| Confirmation {
            trade: trade(id, 1_000, "1"),
            verdict,
            received_at: Some(EpochMs::new(received_at)),
            suspicion: None,
        };
        let outcome = Outcome {
            confirmations: vec![
                confirmation("a", Verdict::Matched, 2_000),
                confirmation("b", Verdict::Altered { heard: trade("b", 1_000, "2") }, 2_001),
            ],
            corrections: vec![],
            phantoms: vec![],
            unplaced: vec![],
            watermark: Watermark::Through(EpochMs::new(1_000)),
            unpageable: None,
            has_more: false,
        };

        let kinds: Vec<_> = outcome.faults(1_000).iter().map(|fault| (fault.id.to_string(), fault.kind)).collect();
        assert_eq!(kinds, [("b".to_owned(), FaultKind::Altered), ("b".to_owned(), FaultKind::Late)]);
    }

    #[test]
    fn a_fault_is_placed_at_its_true_time_when_there_is_one() {
        let fault = Fault::new(FaultKind::Altered, Some(trade("a", 5, "1")), Some(trade("a", 9, "1")), None);

        assert_eq!(fault.expect("named").at.ms(), 9);
        assert_eq!(Fault::new(FaultKind::Missing, None, None, None), None);
    }

    #[test]
    fn every_kind_has_the_name_that_tables_and_answers_know() {
        let names = FaultKind::ALL.map(FaultKind::as_str);

        assert_eq!(names, ["altered", "missing", "phantom", "duplicate", "late"]);
    }
}
