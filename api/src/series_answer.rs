//! What an answer about a series of figures says.

use serde::Serialize;
use store::answers::{Gap, Known, Point, Standing};
use tape::{EpochMs, Window};
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::figure::{Missing, State, before_tape};
use crate::grid::{Grid, GridPage};
use crate::instant::rfc3339;
use crate::parameters::MinState;

/// The most spans one answer lists as missing.
pub const MISSING_LISTED: u32 = 100;

/// What was asked for, and which part of it this page is.
#[derive(Debug)]
pub struct AskedSeries<'a> {
    /// The marks of all pages together.
    pub grid: Grid,
    /// Those of this page and the later ones.
    pub rest: Grid,
    /// The ticker.
    pub known: &'a Known,
    /// Those of this page.
    pub page: &'a GridPage,
    /// Where the next page is.
    pub next_url: Option<String>,
    /// How settled the points must be.
    pub min_state: MinState,
}

/// The figures of a ticker, oldest first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Series)]
pub struct SeriesAnswer {
    /// The exchange.
    exchange: String,
    /// The ticker.
    ticker: String,
    /// The length of every window in milliseconds.
    interval: i64,
    /// How far apart the points are in milliseconds.
    step: i64,
    /// The first instant asked for, epoch milliseconds.
    from: i64,
    /// The last instant asked for, epoch milliseconds.
    to: i64,
    /// How settled the points must be: with `final` none is provisional, and
    /// marks that are not final yet are listed as missing.
    min_state: MinState,
    /// The points, oldest first. A mark without a kept figure is left out and listed as missing.
    points: Vec<PointAnswer>,
    /// Whether every mark has its point and nothing is known to be missing in any window.
    complete: bool,
    /// What is known to be missing: at most 100 spans of each kind.
    missing: Vec<Missing>,
    /// Whether trades may be absent because the newest data of the ticker is too old. Only said of a page that is not settled.
    stale: bool,
    /// Where the next page begins; null on the last one.
    next_cursor: Option<String>,
    /// The next page; null on the last one.
    next_url: Option<String>,
    /// Whether marks that were asked for are still to come.
    #[serde(skip)]
    may_grow: bool,
}

/// The figure of one mark.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Point)]
struct PointAnswer {
    /// Where the window closes, epoch milliseconds.
    ts: i64,
    /// The same instant, RFC 3339.
    time: String,
    /// As in `/latest`. Null when the window holds no trade.
    price: Option<String>,
    /// The exact sum of the quantities.
    volume: String,
    /// The exact sum of price times quantity.
    notional: String,
    /// How many trades the window holds.
    trades: u64,
    /// How many of them are confirmed.
    confirmed_trades: u64,
    /// How many heard trades claim to belong to the window, cannot be right, and
    /// are left out until REST has spoken. None of a final figure.
    quarantined_trades: u64,
    /// Whether the figure is final.
    is_validated: bool,
    /// How settled the figure is.
    state: State,
    /// How often the final figure was restated.
    revision: u32,
    /// When the figure became final, epoch milliseconds; null while it is provisional.
    final_at: Option<i64>,
    /// The same instant, RFC 3339.
    final_at_time: Option<String>,
    /// Whether nothing is known to be missing in the window.
    complete: bool,
}

impl PointAnswer {
    fn new(standing: &Standing, point: &Point) -> Self {
        let figure = &point.figure;
        let window = Window::closing_at(figure.closes_at, figure.interval);
        Self {
            ts: figure.closes_at.ms(),
            time: rfc3339(figure.closes_at),
            price: figure.price.map(|price| price.to_string()),
            volume: figure.sums.volume.to_string(),
            notional: figure.sums.notional.to_string(),
            trades: figure.sums.trades,
            confirmed_trades: figure.confirmed_trades,
            quarantined_trades: figure.quarantined_trades,
            is_validated: figure.is_final,
            state: State::of(figure),
            revision: figure.revision.unwrap_or(0),
            final_at: figure.final_at.map(EpochMs::ms),
            final_at_time: figure.final_at.map(rfc3339),
            complete: !point.is_touched && before_tape(standing, window).is_none(),
        }
    }
}

impl SeriesAnswer {
    /// The answer about a page of marks, given their figures and the incidents around them.
    pub fn new(desk: &Desk, asked: AskedSeries<'_>, points: &[Point], gaps: &[Gap]) -> Self {
        let AskedSeries { grid, rest, known, page, next_url, min_state } = asked;
        let standing = &known.standing;
        let windows: Vec<_> = page.marks.iter().map(|mark| Window::closing_at(*mark, desk.interval)).collect();
        let touches =
            |gap: &&Gap| windows.iter().any(|window| window.opens_after() < gap.to && gap.from <= window.closes_at());
        let before = windows.first().and_then(|first| before_tape(standing, *first));
        let is_settled_enough = |point: &&Point| min_state == MinState::Provisional || point.figure.is_final;
        let mut missing = absent(rest, known, page, points, min_state);
        missing.extend(before);
        missing.extend(gaps.iter().filter(touches).map(Missing::from));

        let points: Vec<_> =
            points.iter().filter(is_settled_enough).map(|point| PointAnswer::new(standing, point)).collect();
        let is_last = page.next.is_none();
        let may_grow = is_last && known.last_mark.is_none_or(|last| last < rest.to);
        let mut answer = Self {
            exchange: standing.venue.clone(),
            ticker: standing.ticker.to_string(),
            interval: desk.interval.ms(),
            step: grid.step_ms,
            from: grid.from.ms(),
            to: grid.to.ms(),
            min_state,
            complete: missing.is_empty() && points.iter().all(|point| point.complete),
            points,
            missing,
            stale: desk.is_doubtful(standing),
            next_cursor: page.next.map(|next| next.to_string()),
            next_url,
            may_grow,
        };
        // A settled page stays the same, whatever the worker does meanwhile.
        answer.stale &= !answer.is_settled();
        answer
    }

    /// Whether only a restatement can change it.
    pub fn is_settled(&self) -> bool {
        self.complete && !self.may_grow && self.points.iter().all(|point| point.is_validated)
    }
}

/// Marks of the page that have no kept figure, or none that is settled enough, as spans.
fn absent(rest: Grid, known: &Known, page: &GridPage, points: &[Point], min_state: MinState) -> Vec<Missing> {
    const NOT_CALCULATED: (&str, &str) = ("not_calculated", "These marks have no figure yet.");
    const NOT_FINAL_YET: (&str, &str) = ("not_final_yet", "The figures of these marks are not final yet.");
    let mut spans: Vec<(EpochMs, EpochMs, (&str, &str))> = Vec::new();
    if let Some(first) = known.first_mark.filter(|first| rest.at_or_after(rest.from) < *first) {
        let why = ("before_history", "The history begins later.");
        spans.push((rest.from, first.minus_ms(1).min(rest.to), why));
    }
    let mut kept = points.iter().peekable();
    let mut open = None;
    for &mark in &page.marks {
        let why = match kept.next_if(|point| point.figure.closes_at == mark) {
            None => Some(NOT_CALCULATED),
            Some(point) if min_state == MinState::Final && !point.figure.is_final => Some(NOT_FINAL_YET),
            Some(_) => None,
        };
        match (why, spans.last_mut()) {
            (Some(why), Some(span)) if open == Some(why) => span.1 = mark,
            (Some(why), _) => spans.push((mark, mark, why)),
            (None, _) => {}
        }
        open = why;
    }
    let listed = spans.into_iter().take(MISSING_LISTED as usize);
    listed
        .map(|(from, to, (kind, detail))| Missing {
            kind: kind.to_owned(),
            from: from.ms(),
            to: to.ms(),
            detail: detail.to_owned(),
            exchange: None,
        })
        .collect()
}
