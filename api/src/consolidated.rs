//! The figure of all exchanges that trade a ticker, as one answer with a part
//! for each. What the parts come to is decided in the tape; here is what is
//! said of it.

use store::answers::{Answered, Bound, Figure, Moment, Standing};
use tape::consolidated::{PartBound, TooLarge};
use tape::{Consolidated, EpochMs, Part, Window};
use tracing::error;

use crate::bound::BoundAnswer;
use crate::desk::Desk;
use crate::expected::not_final_yet_on;
use crate::figure::{FigureAnswer, Missing, Source, State, WindowAnswer, in_words, missing};
use crate::instant::rfc3339;
use crate::part_answer::PartAnswer;
use crate::problem::{Code, Problem};

/// The most spans that are listed as missing.
const MISSING_LISTED: usize = 100;

/// The figures of one moment, one for each exchange, and what they come to.
pub struct Consolidation {
    moment: Moment,
    /// By exchange.
    found: Vec<Answered>,
    whole: Consolidated,
}

impl Consolidation {
    /// Puts together what was found of a moment in one snapshot.
    ///
    /// # Errors
    /// When the tables hold sums that no trades come to.
    pub fn of(moment: Moment, mut found: Vec<Answered>) -> Result<Self, Problem> {
        found.sort_by(|a, b| a.standing.venue.cmp(&b.standing.venue));
        let parts: Vec<Option<Part>> = found.iter().map(|one| figure_in(one).map(part)).collect();
        match Consolidated::of(&parts) {
            Ok(whole) => Ok(Self { moment, found, whole }),
            Err(reason @ TooLarge) => {
                error!("could not consolidate: {reason}");
                let detail = "The sums in the tables are larger than any trades come to. Was one changed by hand?";
                Err(Problem::new(Code::DatabaseUnfit, detail))
            }
        }
    }

    /// Whether every exchange's part is final.
    pub fn is_final(&self) -> bool {
        self.whole.is_final
    }

    /// How far the ticker is known on each exchange.
    pub fn standings(&self) -> impl Iterator<Item = &Standing> {
        self.found.iter().map(|one| &one.standing)
    }

    /// Where no exchange has a figure of the moment: the one whose tape begins first.
    pub fn all_before_their_tapes(&self) -> Option<&Standing> {
        let is_known = self.found.iter().any(|one| figure_in(one).is_some());
        self.standings().filter(|_| !is_known).min_by_key(|standing| standing.tape_from)
    }

    /// Why it is not final.
    pub fn not_final(&self, desk: &Desk) -> Problem {
        let closes_at = self.moment.closes_at;
        let never = self.found.iter().find(|one| figure_in(one).is_none()).map(|one| &one.standing);
        let is_open = |one: &&Answered| figure_in(one).is_some_and(|figure| !figure.is_final);
        let held_up_by: Vec<&Standing> = self.found.iter().filter(is_open).map(|one| &one.standing).collect();
        match (never, not_final_yet_on(desk, &held_up_by, closes_at)) {
            (None, Some(problem)) => problem,
            (Some(standing), _) => self.before_a_tape(standing),
            (None, None) => Problem::new(Code::NotFinalYet, "There is no exchange to have a final figure."),
        }
    }

    /// Where one exchange's tape begins later, the figure of all never becomes final.
    fn before_a_tape(&self, standing: &Standing) -> Problem {
        let Standing { ticker, venue, tape_from, .. } = standing;
        let with_figure = self.found.iter().filter(|one| figure_in(one).is_some());
        let others: Vec<String> = with_figure.map(|one| one.standing.venue.clone()).collect();
        let listed = others.join(", ");
        let detail = format!(
            "{} is before the tape of {ticker} on {venue}, which begins at {}: the figure of all exchanges is never final there. Name one of the others with exchange=: {listed}.",
            in_words(self.moment.closes_at),
            in_words(tape_from.plus_ms(1)),
        );
        Problem::new(Code::BeforeTheTape, detail).about("exchange").accepting(listed).offering(others)
    }

    /// The answer about the newest mark, whose age matters.
    pub fn newest(&self, desk: &Desk) -> FigureAnswer {
        let closes_at = self.moment.closes_at;
        self.answer(desk, |one| desk.is_doubtful(&one.standing) || is_ahead_of(&one.standing, closes_at))
    }

    /// The answer about any moment. Once final and complete it says nothing
    /// that changes from one request to the next.
    pub fn at_moment(&self, desk: &Desk) -> FigureAnswer {
        let mut answer = self.answer(desk, |one| {
            let can_change = figure_in(one).is_some_and(|figure| !figure.is_final);
            can_change && is_ahead_of(&one.standing, self.moment.closes_at) && desk.is_doubtful(&one.standing)
        });
        if answer.is_settled() {
            (answer.validated_until, answer.age_ms) = (None, None);
            answer.parts.iter_mut().flatten().for_each(|part| part.validated_until = None);
        }
        answer
    }

    fn answer(&self, desk: &Desk, is_stale: impl Fn(&Answered) -> bool) -> FigureAnswer {
        let Self { moment: Moment { closes_at, interval, .. }, found, whole } = self;
        let (closes_at, interval) = (*closes_at, *interval);
        let window = Window::closing_at(closes_at, interval);
        let (mut parts, mut all_missing) = (Vec::with_capacity(found.len()), Vec::new());
        for one in found {
            let missing = missing(&one.standing, window, &one.gaps);
            parts.push(PartAnswer::new(&one.standing, figure_in(one), is_stale(one), missing.is_empty()));
            let named = |missing| Missing { exchange: Some(one.standing.venue.clone()), ..missing };
            all_missing.extend(missing.into_iter().map(named));
        }
        all_missing.sort_by_key(|missing| missing.from);
        all_missing.truncate(MISSING_LISTED);
        let ticker = found.first().map(|one| one.standing.ticker.to_string());
        FigureAnswer {
            exchange: None,
            ticker: ticker.unwrap_or_default(),
            price: whole.price.map(|price| price.to_string()),
            ts: closes_at.ms(),
            time: rfc3339(closes_at),
            interval: interval.ms(),
            window: WindowAnswer::from(window),
            is_validated: whole.is_final,
            state: state(whole.is_final, &parts),
            source: if whole.is_kept { Source::Stored } else { Source::Computed },
            revision: whole.revision,
            final_at: whole.final_at.map(EpochMs::ms),
            final_at_time: whole.final_at.map(rfc3339),
            volume: whole.sums.volume.to_string(),
            notional: whole.sums.notional.to_string(),
            trades: whole.sums.trades,
            confirmed_trades: whole.confirmed_trades,
            quarantined_trades: whole.quarantined_trades,
            bound: whole.bound.as_ref().map(BoundAnswer::of_hull),
            validated_until: self.standings().map(|standing| standing.settled_until.ms()).min(),
            age_ms: self.standings().map(|standing| desk.age_ms(standing, closes_at)).max(),
            stale: parts.iter().any(|part| part.stale),
            complete: parts.iter().all(|part| part.complete),
            missing: all_missing,
            parts: Some(parts),
        }
    }
}

/// The figure of an exchange; none where the moment lies before its tape.
fn figure_in(answered: &Answered) -> Option<&Figure> {
    let begins_before = |figure: &Figure| figure.is_kept || answered.standing.tape_from < figure.closes_at;
    answered.figure.as_ref().filter(|figure| begins_before(figure))
}

/// Whether an instant is beyond the newest mark an exchange has come to.
fn is_ahead_of(standing: &Standing, instant: EpochMs) -> bool {
    standing.newest_mark.is_none_or(|mark| mark < instant)
}

/// The state of the least settled part.
fn state(is_final: bool, parts: &[PartAnswer]) -> State {
    let is_restated = parts.iter().any(|part| part.state == Some(State::Restated));
    match (is_final, is_restated) {
        (false, _) => State::Provisional,
        (true, true) => State::Restated,
        (true, false) => State::Final,
    }
}

fn part(figure: &Figure) -> Part {
    Part {
        sums: figure.sums,
        price: figure.price,
        confirmed_trades: figure.confirmed_trades,
        quarantined_trades: figure.quarantined_trades,
        is_final: figure.is_final,
        is_kept: figure.is_kept,
        revision: figure.revision,
        final_at: figure.final_at,
        bound: figure.bound.and_then(part_bound),
    }
}

fn part_bound(bound: Bound) -> Option<PartBound> {
    let deviation = match (bound.deviation, bound.unsaid) {
        (Some(deviation), _) => Ok(deviation),
        (None, Some(reason)) => Err(reason),
        (None, None) => return None,
    };
    Some(PartBound { deviation, coverage: bound.coverage?, tail_ms: bound.tail_ms })
}
