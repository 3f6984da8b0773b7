//! What REST's word makes of the filter of heard trades: was a suspect
//! suspected with reason, and who should have been suspected and was not?

use crate::{EpochMs, Known, Outcome, Standing, Suspicion, Ticker, Verdict};

/// What a heard trade turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TurnedOut {
    /// As it was heard.
    Matched,
    /// Heard with other values.
    Altered,
    /// There is no such trade.
    Phantom,
}

impl TurnedOut {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 3] = [Self::Matched, Self::Altered, Self::Phantom];

    /// The kind's name in counts and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Altered => "altered",
            Self::Phantom => "phantom",
        }
    }
}

/// One trade about which the filter was right or wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grade {
    /// The ticker of the trade.
    pub ticker: Ticker,
    /// The time it was heard with.
    pub claimed_at: EpochMs,
    /// What was held against it; nothing when the filter let it pass.
    pub suspicion: Option<Suspicion>,
    /// What it turned out to be.
    pub turned_out: TurnedOut,
}

/// How good the filter was over a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grades {
    suspected: [u64; Suspicion::ALL.len()],
    turned_out: [[u64; TurnedOut::ALL.len()]; Suspicion::ALL.len()],
    passed: [u64; TurnedOut::ALL.len()],
}

impl Grades {
    /// Takes the counts: how many were suspected of each kind, and how many of
    /// each kind, or of those let pass, turned out what.
    pub fn of(suspected: impl Fn(Suspicion) -> u64, turned_out: impl Fn(Option<Suspicion>, TurnedOut) -> u64) -> Self {
        Self {
            suspected: Suspicion::ALL.map(suspected),
            turned_out: Suspicion::ALL.map(|kind| TurnedOut::ALL.map(|what| turned_out(Some(kind), what))),
            passed: TurnedOut::ALL.map(|what| turned_out(None, what)),
        }
    }

    /// How many were suspected of a kind.
    pub fn suspected(&self, kind: Suspicion) -> u64 {
        self.suspected[kind as usize]
    }

    /// How many of those were not what they claimed.
    pub fn justified(&self, kind: Suspicion) -> u64 {
        self.caught_as(kind, TurnedOut::Altered) + self.caught_as(kind, TurnedOut::Phantom)
    }

    /// How many of those were true.
    pub fn unjustified(&self, kind: Suspicion) -> u64 {
        self.caught_as(kind, TurnedOut::Matched)
    }

    /// Of how many of those REST has not spoken.
    pub fn open(&self, kind: Suspicion) -> u64 {
        self.suspected(kind).saturating_sub(self.justified(kind) + self.unjustified(kind))
    }

    /// How many false trades of a kind were let pass.
    pub fn missed(&self, what: TurnedOut) -> u64 {
        self.passed[what as usize]
    }

    /// How many false trades of a kind were suspected.
    pub fn caught(&self, what: TurnedOut) -> u64 {
        Suspicion::ALL.iter().map(|kind| self.caught_as(*kind, what)).sum()
    }

    /// The share of suspects that were false, of those decided.
    pub fn precision(&self) -> Option<Share> {
        let justified = self.caught(TurnedOut::Altered) + self.caught(TurnedOut::Phantom);
        Share::of(justified, justified + self.caught(TurnedOut::Matched))
    }

    /// The share of false trades of some kinds that were suspected.
    pub fn recall(&self, kinds: &[TurnedOut]) -> Option<Share> {
        let caught: u64 = kinds.iter().map(|what| self.caught(*what)).sum();
        let missed: u64 = kinds.iter().map(|what| self.missed(*what)).sum();
        Share::of(caught, caught + missed)
    }

    fn caught_as(&self, kind: Suspicion, what: TurnedOut) -> u64 {
        self.turned_out[kind as usize][what as usize]
    }
}

/// A part of a whole, in millionths, rounded half to even.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(u64);

impl Share {
    /// A part of a whole that it is not larger than; of nothing there is none.
    pub fn of(part: u64, whole: u64) -> Option<Self> {
        if whole == 0 {
            return None;
        }
        let (part, whole) = (u128::from(part.min(whole)) * 1_000_000, u128::from(whole));
        let (floor, twice_left) = (part / whole, part % whole * 2);
        let rounds_up = twice_left > whole || (twice_left == whole && floor % 2 == 1);
        u64::try_from(floor + u128::from(rounds_up)).ok().map(Self)
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

impl Outcome {
    /// What this outcome says of the filter. A trade that was rightly let pass
    /// gives no grade: that is nearly all of them.
    pub fn grades(&self) -> Vec<Grade> {
        let confirmed = self.confirmations.iter().filter_map(|it| {
            let (heard, turned_out) = match &it.verdict {
                Verdict::Matched => (&it.trade, TurnedOut::Matched),
                Verdict::Altered { heard } => (heard, TurnedOut::Altered),
                Verdict::Missing | Verdict::Unheard => return None,
            };
            Some((heard, it.suspicion, turned_out))
        });
        let phantoms = self.phantoms.iter().map(|Known { trade, standing }| match standing {
            Standing::Heard { suspicion, .. } => (trade, *suspicion, TurnedOut::Phantom),
            Standing::Confirmed { .. } => (trade, None, TurnedOut::Phantom),
        });
        let all = confirmed.chain(phantoms);
        let tells = all.filter(|(_, suspicion, turned_out)| suspicion.is_some() || *turned_out != TurnedOut::Matched);
        tells
            .map(|(heard, suspicion, turned_out)| Grade {
                ticker: heard.ticker.clone(),
                claimed_at: heard.traded_at,
                suspicion,
                turned_out,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::trade;
    use crate::{Page, Patience, Watermark, reconcile};

    const PATIENCE: Patience = Patience {
        settle_delay_ms: 1_000,
        allowed_skew_ms: 500,
        longest_step_ms: 100_000,
        listening_since: Some(EpochMs::new(0)),
    };

    #[test]
    fn precision_and_recall_are_shares_of_what_rest_has_decided() {
        let grades = Grades::of(
            |kind| if kind == Suspicion::Price { 10 } else { 0 },
            |kind, what| match (kind, what) {
                (Some(Suspicion::Price), TurnedOut::Altered) => 2,
                (Some(Suspicion::Price), TurnedOut::Phantom) => 4,
                (Some(Suspicion::Price), TurnedOut::Matched) => 2,
                (None, TurnedOut::Matched) => 1,
                (None, TurnedOut::Altered) => 3,
                (None, TurnedOut::Phantom) => 12,
                _ => 0,
            },
        );
        let price = Suspicion::Price;

        assert_eq!((grades.justified(price), grades.unjustified(price), grades.open(price)), (6, 2, 2));
        let text = |share: Option<Share>| share.map(|share| share.to_string());
        assert_eq!(text(grades.precision()).as_deref(), Some("0.750000"));
        assert_eq!(text(grades.recall(&[TurnedOut::Altered])).as_deref(), Some("0.400000"));
        assert_eq!(text(grades.recall(&[TurnedOut::Phantom])).as_deref(), Some("0.250000"));
        assert_eq!(text(grades.recall(&[TurnedOut::Altered, TurnedOut::Phantom])).as_deref(), Some("0.285714"));
        assert_eq!(text(Grades::default().precision()), None);
    }

    #[test]
    fn what_a_trade_turned_out_to_be_has_a_name_of_its_own() {
        assert_eq!(TurnedOut::ALL.map(TurnedOut::as_str), ["matched", "altered", "phantom"]);
    }

    #[test]
    fn a_share_is_rounded_half_to_even_and_never_above_the_whole() {
        let share = |part, whole| Share::of(part, whole).map(|share| share.to_string());

        assert_eq!(share(1, 2_000_000).as_deref(), Some("0.000000"));
        assert_eq!(share(3, 2_000_000).as_deref(), Some("0.000002"));
        assert_eq!(share(u64::MAX, u64::MAX).as_deref(), Some("1.000000"));
        assert_eq!(share(1, 0), None);
    }

    #[test]
    fn every_heard_trade_but_those_rightly_let_pass_grades_the_filter_once() {
        let heard = |id: &str, at: i64, price: &str, suspicion| Known {
            trade: trade(id, at, price),
            standing: Standing::Heard { received_at: EpochMs::new(at), suspicion },
        };
        let known = [
            heard("right", 2_000, "1", None),
            heard("accused", 2_001, "1", Some(Suspicion::Price)),
            heard("caught", 2_002, "9", Some(Suspicion::Price)),
            heard("escaped", 2_003, "9", None),
            heard("ghost", 2_004, "1", Some(Suspicion::Quantity)),
            heard("spirit", 2_005, "1", None),
            heard("open", 99_000, "1", Some(Suspicion::Future)),
        ];
        let trades = vec![
            trade("right", 2_000, "1"),
            trade("accused", 2_001, "1"),
            trade("caught", 2_002, "1"),
            trade("escaped", 2_003, "1"),
            trade("unheard", 2_006, "1"),
        ];
        let page = Page { trades, latest_row_at: Some(EpochMs::new(9_000)), ..Page::empty_at(EpochMs::new(9_000)) };

        let mut grades: Vec<_> = reconcile(&Watermark::Through(EpochMs::new(1_000)), &page, &known, PATIENCE)
            .grades()
            .into_iter()
            .map(|grade| (grade.claimed_at.ms(), grade.suspicion, grade.turned_out))
            .collect();
        grades.sort_unstable();

        assert_eq!(
            grades,
            [
                (2_001, Some(Suspicion::Price), TurnedOut::Matched),
                (2_002, Some(Suspicion::Price), TurnedOut::Altered),
                (2_003, None, TurnedOut::Altered),
                (2_004, Some(Suspicion::Quantity), TurnedOut::Phantom),
                (2_005, None, TurnedOut::Phantom),
            ]
        );
    }
}
