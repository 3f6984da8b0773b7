//! What a second reading of a confirmed range says: whether REST has changed
//! its mind about trades that final figures rest on.

use std::collections::{HashMap, HashSet};

use crate::{EpochMs, Known, Mark, Page, Patience, Standing, Ticker, Trade, TradeId};

/// What REST did to a trade that was settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// It has other values now; perhaps another time.
    Altered,
    /// REST has it, and we do not.
    Added,
    /// We hold it, and REST does not have it any more.
    Withdrawn,
}

impl FindingKind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Altered, Self::Added, Self::Withdrawn];

    /// The kind's name in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Added => "added",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// A change of mind of REST about one settled trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It has other values now.
    Altered {
        /// As we confirmed it.
        was: Trade,
        /// As REST tells it now.
        now: Trade,
    },
    /// REST tells it now, and did not when its time was settled.
    Added {
        /// As REST tells it.
        now: Trade,
    },
    /// REST does not tell it any more, or tells it of a time that is not settled yet.
    Withdrawn {
        /// As we confirmed it.
        was: Trade,
    },
}

impl Finding {
    /// What kind it is.
    pub fn kind(&self) -> FindingKind {
        match self {
            Self::Altered { .. } => FindingKind::Altered,
            Self::Added { .. } => FindingKind::Added,
            Self::Withdrawn { .. } => FindingKind::Withdrawn,
        }
    }

    /// The trade as we confirmed it, if we did.
    pub fn was(&self) -> Option<&Trade> {
        match self {
            Self::Altered { was, .. } | Self::Withdrawn { was } => Some(was),
            Self::Added { .. } => None,
        }
    }

    /// The trade as REST tells it now, if it does.
    pub fn now(&self) -> Option<&Trade> {
        match self {
            Self::Altered { now, .. } | Self::Added { now } => Some(now),
            Self::Withdrawn { .. } => None,
        }
    }

    /// The trade's name.
    pub fn name(&self) -> (&Ticker, &TradeId) {
        match self {
            Self::Altered { now: trade, .. } | Self::Added { now: trade } | Self::Withdrawn { was: trade } => {
                (&trade.ticker, &trade.id)
            }
        }
    }

    /// The marks, first and last, whose windows of so many seconds hold the
    /// trade as it was, and those whose windows hold it as it is.
    pub fn marks(&self, seconds: i64) -> impl Iterator<Item = (Mark, Mark)> {
        let marks_of = move |trade: &Trade| {
            let first = Mark::at_or_after(trade.traded_at);
            (first, first.minus_seconds(1 - seconds))
        };
        [self.was().map(marks_of), self.now().map(marks_of)].into_iter().flatten()
    }
}

impl std::fmt::Display for Finding {
    /// A clause: what the exchange did to which trade.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let values = |trade: &Trade| format!("{} x {} at {}", trade.price, trade.quantity, trade.traded_at);
        let id = self.name().1;
        match self {
            Self::Altered { was, now } => {
                write!(f, "the exchange altered trade {id} from {} to {}", values(was), values(now))
            }
            Self::Added { now } => write!(f, "the exchange added trade {id}, {}", values(now)),
            Self::Withdrawn { was } => write!(f, "the exchange withdrew trade {id}, {}", values(was)),
        }
    }
}

/// The span `(after, until]` of settled time of which an answer tells every trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The instant after which it begins.
    pub after: EpochMs,
    /// The last instant that belongs to it.
    pub until: EpochMs,
}

impl Span {
    /// What an answer, asked from an instant on, tells completely.
    ///
    /// Rows come in order of time, so one proves that nothing before its
    /// millisecond is left out; of that millisecond itself, and of what
    /// follows, nothing is proven, however short the answer is. An answer
    /// without rows proves nothing. What is not settled, or was not when REST
    /// answered, is none of an audit's business.
    pub fn told_by(page: &Page, asked_from: EpochMs, settled_until: EpochMs, patience: Patience) -> Option<Self> {
        let known_by_then = page.market_time.minus_ms(patience.settle_delay_ms);
        let told_until = page.complete_until.map_or(page.latest_row_at?.minus_ms(1), |until| until.min(known_by_then));
        let until = told_until.min(known_by_then).min(settled_until);
        let after = asked_from.minus_ms(1);
        (after < until).then_some(Self { after, until })
    }

    /// Whether an instant belongs to it.
    pub fn contains(self, at: EpochMs) -> bool {
        self.after < at && at <= self.until
    }
}

/// What we hold of a ticker, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    /// Trades after it are kept.
    pub tape_from: EpochMs,
    /// Everything at or before it is confirmed.
    pub settled_until: EpochMs,
    /// The settled trades of the span, and whatever is held under the ids of the page.
    pub trades: Vec<Known>,
}

/// What a second reading came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Audit {
    /// The times of the settled trades that REST told just as we hold them.
    pub agreed: Vec<EpochMs>,
    /// The changes of mind.
    pub findings: Vec<Finding>,
}

/// Holds an answer against what we hold.
///
/// A trade counts as withdrawn only within the span the answer tells
/// completely, and only when no row of it was refused: such a row may be the
/// trade.
pub fn audit(page: &Page, span: Option<Span>, has_refused_rows: bool, held: &Holdings) -> Audit {
    let by_id: HashMap<&TradeId, &Known> = held.trades.iter().map(|known| (&known.trade.id, known)).collect();
    let is_settled = |at: EpochMs| held.tape_from < at && at <= held.settled_until;
    let mut audit = Audit::default();
    let mut told: HashSet<&TradeId> = HashSet::new();
    for trade in page.trades.iter().filter(|trade| is_settled(trade.traded_at)) {
        if !told.insert(&trade.id) {
            continue;
        }
        match by_id.get(&trade.id).filter(|known| is_confirmed(known)) {
            Some(known) if known.trade == *trade => audit.agreed.push(trade.traded_at),
            Some(known) => {
                audit.findings.push(Finding::Altered { was: known.trade.clone(), now: trade.clone() });
            }
            None => audit.findings.push(Finding::Added { now: trade.clone() }),
        }
    }
    let Some(span) = span.filter(|_| !has_refused_rows) else { return audit };
    for known in held.trades.iter().filter(|known| is_confirmed(known)) {
        let at = known.trade.traded_at;
        if span.contains(at) && is_settled(at) && !told.contains(&known.trade.id) {
            audit.findings.push(Finding::Withdrawn { was: known.trade.clone() });
        }
    }
    audit
}

/// What two readings agree on: a change that only one of them saw may be a
/// hiccup of REST.
pub fn agreed_on(first: &[Finding], second: &[Finding]) -> Vec<Finding> {
    let first: HashMap<(&Ticker, &TradeId), &Finding> = first.iter().map(|finding| (finding.name(), finding)).collect();
    second.iter().filter(|finding| first.get(&finding.name()) == Some(finding)).cloned().collect()
}

/// Whether what a finding rests on is still so: the trade is held as it was
/// then, and both its times are settled and on the tape.
pub fn still_stands(finding: &Finding, held: &Holdings) -> bool {
    let (_, id) = finding.name();
    let confirmed = held.trades.iter().find(|known| known.trade.id == *id && is_confirmed(known));
    let is_as_it_was = confirmed.map(|known| &known.trade) == finding.was();
    let is_on_tape = |trade: &Trade| held.tape_from < trade.traded_at;
    let is_settled = |trade: &Trade| trade.traded_at <= held.settled_until;
    is_as_it_was
        && finding.was().is_none_or(is_on_tape)
        && finding.now().is_none_or(|now| is_on_tape(now) && is_settled(now))
}

fn is_confirmed(known: &Known) -> bool {
    matches!(known.standing, Standing::Confirmed { .. })
}

#[cfg(test)]
mod tests;
