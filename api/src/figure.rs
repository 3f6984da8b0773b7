//! What an answer about a figure says.

use serde::Serialize;
use store::answers::{Answered, Figure, Gap, Standing};
use tape::{EpochMs, Window};
use utoipa::ToSchema;

use crate::bound::BoundAnswer;
use crate::desk::Desk;
use crate::instant::rfc3339;
use crate::part_answer::PartAnswer;

/// The volume-weighted average price of one window, and what it rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Figure)]
pub struct FigureAnswer {
    /// The exchange. Null for a consolidated figure: `parts` lists the exchanges.
    #[schema(example = "generic")]
    pub(crate) exchange: Option<String>,
    /// The ticker.
    #[schema(example = "BTC")]
    pub(crate) ticker: String,
    /// Notional over volume, rounded once, half to even, to 24 decimals; closing
    /// zeros are left out. Null when the window holds no trade: it is not zero
    /// and not the last one.
    pub(crate) price: Option<String>,
    /// Where the window closes, epoch milliseconds.
    pub(crate) ts: i64,
    /// The same instant, RFC 3339.
    pub(crate) time: String,
    /// The length of the window in milliseconds.
    pub(crate) interval: i64,
    /// The window's ends.
    pub(crate) window: WindowAnswer,
    /// Whether every trade of the window is confirmed and none can be added.
    pub(crate) is_validated: bool,
    /// How settled the figure is.
    pub(crate) state: State,
    /// Where the figure comes from.
    pub(crate) source: Source,
    /// How often the final figure was restated. Null when that is not known,
    /// since the figure was not read from the history.
    pub(crate) revision: Option<u32>,
    /// When the figure became final, epoch milliseconds. Null while it is
    /// provisional, and for one computed from the trades, where nobody noted it.
    pub(crate) final_at: Option<i64>,
    /// The same instant, RFC 3339.
    pub(crate) final_at_time: Option<String>,
    /// The exact sum of the quantities.
    pub(crate) volume: String,
    /// The exact sum of price times quantity.
    pub(crate) notional: String,
    /// How many trades the window holds.
    pub(crate) trades: u64,
    /// How many of them are confirmed.
    pub(crate) confirmed_trades: u64,
    /// How many heard trades claim to belong to the window, cannot be right, and
    /// are left out until REST has spoken. None of a final figure.
    pub(crate) quarantined_trades: u64,
    /// How wrong the price may be. Null for a final figure, which is exact, and
    /// for one that was not kept.
    pub(crate) bound: Option<BoundAnswer>,
    /// Every trade of the ticker at or before it is confirmed, epoch milliseconds.
    /// Null for a final figure of `/historical`, whose answer stays the same.
    pub(crate) validated_until: Option<i64>,
    /// How long ago `ts` is. Null where `validated_until` is.
    pub(crate) age_ms: Option<i64>,
    /// Whether trades may be absent because the newest data is too old.
    pub(crate) stale: bool,
    /// Whether nothing is known to be missing in the window.
    pub(crate) complete: bool,
    /// What is known to be missing: at most 100 spans.
    pub(crate) missing: Vec<Missing>,
    /// The figure of each exchange, in the order of their names. Only of a
    /// consolidated figure, which several exchanges have a part in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) parts: Option<Vec<PartAnswer>>,
}

/// The span `(opens_after, closes_at]`: a trade on the left edge is not part
/// of it, one on the right edge is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Window)]
pub struct WindowAnswer {
    /// The instant after which trades belong to the window, epoch milliseconds.
    opens_after: i64,
    /// The last instant of the window, epoch milliseconds.
    closes_at: i64,
}

/// How settled a figure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its window reaches beyond what is confirmed.
    Provisional,
    /// Computed from confirmed trades only.
    Final,
    /// Final, and changed since with an entry in the log of restatements.
    Restated,
}

/// Where a figure comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Calculated at its mark and kept.
    Stored,
    /// Summed from the trades for this answer.
    Computed,
}

/// A span of which something is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Missing {
    /// What happened: `before_tape`, or the kind of incident.
    #[schema(example = "before_tape")]
    pub kind: String,
    /// The first millisecond of it.
    pub from: i64,
    /// The last millisecond of it.
    pub to: i64,
    /// A sentence about it.
    pub detail: String,
    /// On which exchange, where the answer is about several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub exchange: Option<String>,
}

impl State {
    /// How settled a figure is.
    pub fn of(figure: &Figure) -> Self {
        match (figure.is_final, figure.revision) {
            (false, _) => Self::Provisional,
            (true, Some(revision)) if revision > 0 => Self::Restated,
            (true, _) => Self::Final,
        }
    }
}

impl FigureAnswer {
    /// The answer about the newest figure, whose age matters.
    pub fn of_newest(desk: &Desk, figure: &Figure, answered: &Answered) -> Self {
        let stale = desk.is_doubtful(&answered.standing);
        Self::new(desk, figure, answered, stale)
    }

    /// The answer about any moment. Once final and complete it says nothing
    /// that changes from one request to the next.
    pub fn of_moment(desk: &Desk, figure: &Figure, answered: &Answered) -> Self {
        let standing = &answered.standing;
        let is_ahead_of_data = standing.newest_mark.is_none_or(|mark| mark < figure.closes_at);
        let stale = !figure.is_final && is_ahead_of_data && desk.is_doubtful(standing);
        let mut answer = Self::new(desk, figure, answered, stale);
        if answer.is_settled() {
            (answer.validated_until, answer.age_ms) = (None, None);
        }
        answer
    }

    /// Whether only a restatement can change it.
    pub fn is_settled(&self) -> bool {
        self.is_validated && self.complete
    }

    fn new(desk: &Desk, figure: &Figure, answered: &Answered, stale: bool) -> Self {
        let Answered { standing, gaps, .. } = answered;
        let window = Window::closing_at(figure.closes_at, figure.interval);
        let missing = missing(standing, window, gaps);
        Self {
            exchange: Some(standing.venue.clone()),
            ticker: standing.ticker.to_string(),
            price: figure.price.map(|price| price.to_string()),
            ts: figure.closes_at.ms(),
            time: rfc3339(figure.closes_at),
            interval: figure.interval.ms(),
            window: WindowAnswer::from(window),
            is_validated: figure.is_final,
            state: State::of(figure),
            source: if figure.is_kept { Source::Stored } else { Source::Computed },
            revision: figure.revision,
            final_at: figure.final_at.map(EpochMs::ms),
            final_at_time: figure.final_at.map(rfc3339),
            volume: figure.sums.volume.to_string(),
            notional: figure.sums.notional.to_string(),
            trades: figure.sums.trades,
            confirmed_trades: figure.confirmed_trades,
            quarantined_trades: figure.quarantined_trades,
            bound: BoundAnswer::of(figure),
            validated_until: Some(standing.settled_until.ms()),
            age_ms: Some(desk.age_ms(standing, figure.closes_at)),
            stale,
            complete: missing.is_empty(),
            missing,
            parts: None,
        }
    }
}

/// What is known to be missing in a window.
pub fn missing(standing: &Standing, window: Window, gaps: &[Gap]) -> Vec<Missing> {
    let before = before_tape(standing, window);
    before.into_iter().chain(gaps.iter().map(Missing::from)).collect()
}

/// The part of a window that lies before the tape.
pub fn before_tape(standing: &Standing, window: Window) -> Option<Missing> {
    let tape_from = standing.tape_from;
    if tape_from <= window.opens_after() {
        return None;
    }
    Some(Missing {
        kind: "before_tape".to_owned(),
        from: window.opens_after().plus_ms(1).ms(),
        to: tape_from.min(window.closes_at()).ms(),
        detail: format!("Trades at or before {} are not kept.", rfc3339(tape_from)),
        exchange: None,
    })
}

impl From<Window> for WindowAnswer {
    fn from(window: Window) -> Self {
        Self { opens_after: window.opens_after().ms(), closes_at: window.closes_at().ms() }
    }
}

impl From<&Gap> for Missing {
    fn from(gap: &Gap) -> Self {
        let Gap { kind, from, to, detail, .. } = gap;
        Self { kind: kind.clone(), from: from.ms(), to: to.ms(), detail: detail.clone(), exchange: None }
    }
}

/// An instant in both notations, for sentences.
pub fn in_words(instant: EpochMs) -> String {
    format!("{instant} ({})", rfc3339(instant))
}
