//! What an answer about the quality of the fast channel says.

use serde::Serialize;
use store::answers::{Corrected, Counted, Damage, Drift, Gap, Restatement, Restatements, Scope};
use store::{COUNT_AUDITED, COUNT_MATCHED, COUNT_UNHEARD};
use tape::bound::Outcomes;
use tape::{FaultKind, FindingKind, Interval, RejectionKind};
use utoipa::ToSchema;

use crate::bound::achieved;
use crate::figure::Missing;
use crate::instant::rfc3339;
use crate::quality::Minutes;
use crate::suspects_answer::SuspectsAnswer;

/// The most incidents and restatements one answer lists.
pub const LISTED: u32 = 100;

/// What the ledger holds of a span.
#[derive(Debug)]
pub struct Found {
    /// What the socket brought, by kind.
    pub counts: Vec<Counted>,
    /// What its faults would have done.
    pub damage: Vec<Damage>,
    /// What was said before figures were final.
    pub drift: Drift,
    /// How often the bounds of provisional figures held.
    pub bounds: Outcomes,
    /// Spans known to be incomplete.
    pub incidents: Vec<Gap>,
    /// Settled trades that the exchange changed its mind about.
    pub corrections: Vec<Corrected>,
    /// Final figures that were changed.
    pub restatements: Restatements,
}

/// How good the fast channel was over a span.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Quality)]
pub struct QualityAnswer {
    /// The exchange; null for all of them.
    exchange: Option<String>,
    /// The ticker; null for all of them.
    ticker: Option<String>,
    /// The length of the windows that damage and drift refer to, in milliseconds.
    interval: i64,
    /// Where the first whole minute begins, epoch milliseconds.
    from: i64,
    /// The same instant, RFC 3339.
    from_time: String,
    /// Where the last whole minute ends, epoch milliseconds; it is not included.
    to: i64,
    /// The same instant, RFC 3339.
    to_time: String,
    /// Trades that REST confirmed of a time at which we listened: matched, altered
    /// and missing ones. Rates refer to it.
    confirmed: u64,
    /// Trades that REST confirmed of a time at which nobody listened, as in a
    /// backfill. They say nothing about the socket and count in no rate.
    unheard: u64,
    /// What REST said of what the socket had said. A trade may have several.
    verdicts: Vec<CountAnswer>,
    /// What was refused at the door, by kind.
    rejections: Vec<CountAnswer>,
    /// How good the filter of heard trades was.
    suspects: SuspectsAnswer,
    /// What each kind of fault would have done to final figures.
    damage: Vec<DamageAnswer>,
    /// What was said of marks before they were final, against what they became.
    drift: DriftAnswer,
    /// How often the bounds of provisional figures held.
    bounds: BoundsAnswer,
    /// Spans known to be incomplete, the oldest 100.
    incidents: Vec<Missing>,
    /// What reading settled trades again came to.
    audit: AuditAnswer,
    /// Final figures that were changed.
    restatements: RestatementsAnswer,
}

/// What reading settled trades again, at random, came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Audit)]
struct AuditAnswer {
    /// How many times a trade of the span was read again and told as before;
    /// one may be read many times.
    reread: u64,
    /// How many trades of the span REST confirmed, heard or unheard: what could
    /// be read again.
    confirmed: u64,
    /// Settled trades that the exchange changed its mind about: `altered`,
    /// `added` or `withdrawn`. Each restated the figures whose windows hold it.
    findings: Vec<FindingAnswer>,
}

/// How many settled trades the exchange changed its mind about in one way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
struct FindingAnswer {
    /// The kind.
    #[schema(example = "altered")]
    kind: &'static str,
    /// How many.
    trades: u64,
}

/// How many there were of one kind.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Count)]
struct CountAnswer {
    /// The kind.
    #[schema(example = "matched")]
    kind: String,
    /// How many.
    trades: u64,
    /// How many per confirmed trade, to six decimals; null without any confirmed trade.
    rate: Option<String>,
}

/// What one kind of fault would have done to final figures.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Damage)]
struct DamageAnswer {
    /// The kind of fault.
    #[schema(example = "altered")]
    kind: String,
    /// How many faults the ledger holds.
    faults: u64,
    /// Of how many the damage is known: their figure is final. A duplicate is
    /// recognized and does no damage, so it has none.
    priced: u64,
    /// The mean in basis points, positive when figures would have been too high.
    mean_bps: Option<String>,
    /// The mean of the absolute values in basis points.
    mean_absolute_bps: Option<String>,
    /// The largest absolute value in basis points.
    max_absolute_bps: Option<String>,
}

/// How often the bounds of provisional figures held, for the marks of the whole
/// hours that touch the span.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Bounds)]
struct BoundsAnswer {
    /// Final prices within the bound that had been said.
    kept: u64,
    /// Final prices beyond it.
    broken: u64,
    /// Figures with a price of which no bound had been said.
    unsaid: u64,
    /// The share that was kept, to six decimals, rounded down; null without any bound.
    achieved: Option<String>,
}

/// What was said of marks before they were final, against what they became.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Drift)]
struct DriftAnswer {
    /// How many marks of the span are final.
    final_marks: u64,
    /// Of how many something was said before, and both had a price.
    compared: u64,
    /// How many of these did not move at all.
    equal: u64,
    /// The mean in basis points, positive when figures had been too high.
    mean_bps: Option<String>,
    /// The mean of the absolute values in basis points.
    mean_absolute_bps: Option<String>,
    /// The largest absolute value in basis points.
    max_absolute_bps: Option<String>,
}

/// Final figures that were changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Restatements)]
struct RestatementsAnswer {
    /// How many changes there are.
    total: u64,
    /// The latest 100, newest first.
    latest: Vec<RestatementAnswer>,
}

/// A final figure that was changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Restatement)]
struct RestatementAnswer {
    /// The exchange.
    exchange: String,
    /// The ticker.
    ticker: String,
    /// The mark, epoch milliseconds.
    ts: i64,
    /// Which change of this mark it was.
    revision: u32,
    /// Why.
    reason: String,
    /// The price before; null without trades.
    old_price: Option<String>,
    /// The price after; null without trades.
    new_price: Option<String>,
    /// When it was changed, epoch milliseconds.
    restated_at: i64,
}

/// Of several exchanges it is said which.
fn incident(scope: &Scope, gap: &Gap) -> Missing {
    let exchange = if scope.venue.is_none() { Some(gap.venue.clone()) } else { None };
    Missing { exchange, ..Missing::from(gap) }
}

impl QualityAnswer {
    /// The answer about a span.
    pub fn new(scope: &Scope, interval: Interval, minutes: Minutes, found: Found) -> Self {
        let Found { counts, damage, drift, bounds, incidents, corrections, restatements } = found;
        let verdict_kinds = [COUNT_MATCHED].into_iter().chain(FaultKind::ALL.map(FaultKind::as_str));
        let verdicts: Vec<_> = verdict_kinds.map(|kind| CountAnswer::find(&counts, kind, kind)).collect();
        let rejections = RejectionKind::ALL.map(|kind| {
            let kind = kind.as_str();
            CountAnswer::find(&counts, &format!("rejected_{kind}"), kind)
        });
        let is_confirmed = |verdict: &&CountAnswer| ["matched", "altered", "missing"].contains(&&*verdict.kind);
        Self {
            exchange: scope.venue.clone(),
            ticker: scope.ticker.as_ref().map(ToString::to_string),
            interval: interval.ms(),
            from: minutes.from.ms(),
            from_time: rfc3339(minutes.from),
            to: minutes.to.ms(),
            to_time: rfc3339(minutes.to),
            confirmed: verdicts.iter().filter(is_confirmed).map(|verdict| verdict.trades).sum(),
            unheard: CountAnswer::find(&counts, COUNT_UNHEARD, COUNT_UNHEARD).trades,
            verdicts,
            rejections: rejections.into(),
            suspects: SuspectsAnswer::new(&counts),
            damage: FaultKind::ALL.map(|kind| DamageAnswer::find(&damage, kind)).into(),
            drift: drift.into(),
            bounds: bounds.into(),
            incidents: incidents.iter().map(|gap| incident(scope, gap)).collect(),
            audit: AuditAnswer::new(&counts, &corrections),
            restatements: RestatementsAnswer {
                total: restatements.total,
                latest: restatements.latest.iter().map(RestatementAnswer::from).collect(),
            },
        }
    }
}

impl AuditAnswer {
    fn new(counts: &[Counted], corrections: &[Corrected]) -> Self {
        let count = |kind: &str| counts.iter().find(|counted| counted.kind == kind).map_or(0, |counted| counted.trades);
        let verdicts = [FaultKind::Altered, FaultKind::Missing].map(FaultKind::as_str);
        let confirmed: u64 = verdicts.into_iter().chain([COUNT_MATCHED, COUNT_UNHEARD]).map(count).sum();
        let reread = count(COUNT_AUDITED);
        let findings = FindingKind::ALL.map(|kind| {
            let found = corrections.iter().find(|corrected| corrected.kind == kind.as_str());
            FindingAnswer { kind: kind.as_str(), trades: found.map_or(0, |corrected| corrected.trades) }
        });
        Self { reread, confirmed, findings: findings.into() }
    }
}

impl CountAnswer {
    /// The count of a kind, which is zero when there is none.
    fn find(counts: &[Counted], stored: &str, kind: &str) -> Self {
        let counted = counts.iter().find(|counted| counted.kind == stored);
        let has_rates = counts.iter().any(|counted| counted.rate.is_some());
        Self {
            kind: kind.to_owned(),
            trades: counted.map_or(0, |counted| counted.trades),
            rate: match counted {
                Some(counted) => counted.rate.clone(),
                None => has_rates.then(|| "0.000000".to_owned()),
            },
        }
    }
}

impl DamageAnswer {
    fn find(damage: &[Damage], kind: FaultKind) -> Self {
        let found = damage.iter().find(|damage| damage.kind == kind.as_str());
        Self {
            kind: kind.as_str().to_owned(),
            faults: found.map_or(0, |damage| damage.faults),
            priced: found.map_or(0, |damage| damage.priced),
            mean_bps: found.and_then(|damage| damage.mean_bps.clone()),
            mean_absolute_bps: found.and_then(|damage| damage.mean_absolute_bps.clone()),
            max_absolute_bps: found.and_then(|damage| damage.max_absolute_bps.clone()),
        }
    }
}

impl From<Outcomes> for BoundsAnswer {
    fn from(outcomes: Outcomes) -> Self {
        let Outcomes { kept, broken, unsaid } = outcomes;
        Self { kept, broken, unsaid, achieved: achieved(outcomes) }
    }
}

impl From<Drift> for DriftAnswer {
    fn from(drift: Drift) -> Self {
        let Drift { final_marks, compared, equal, mean_bps, mean_absolute_bps, max_absolute_bps } = drift;
        Self { final_marks, compared, equal, mean_bps, mean_absolute_bps, max_absolute_bps }
    }
}

impl From<&Restatement> for RestatementAnswer {
    fn from(restatement: &Restatement) -> Self {
        Self {
            exchange: restatement.venue.clone(),
            ticker: restatement.ticker.to_string(),
            ts: restatement.mark.ms(),
            revision: restatement.revision,
            reason: restatement.reason.clone(),
            old_price: restatement.old_price.map(|price| price.to_string()),
            new_price: restatement.new_price.map(|price| price.to_string()),
            restated_at: restatement.restated_at.ms(),
        }
    }
}
