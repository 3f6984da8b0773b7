//! When a figure that is not final yet is expected to be, by what was measured
//! of its ticker; or why that cannot be said.

use serde::Serialize;
use store::answers::Standing;
use tape::EpochMs;
use utoipa::ToSchema;

use crate::desk::Desk;
use crate::figure::in_words;
use crate::instant::rfc3339;
use crate::problem::{Code, Problem, ProblemBody};

/// When a figure is expected to be final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// By then; none where that cannot be said.
    pub at: Option<EpochMs>,
    /// How long until then.
    pub wait_ms: i64,
}

/// What a problem says about it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ExpectedAnswer {
    /// When the figure is expected to be final, epoch milliseconds. Null where
    /// that cannot be said; the sentence tells why.
    expected_at: Option<i64>,
    /// The same instant, RFC 3339.
    expected_at_time: Option<String>,
}

/// Why there is no answer; with `not_final_yet`, when to ask again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotFinalProblem)]
pub struct NotFinalProblem {
    #[serde(flatten)]
    problem: ProblemBody,
    #[serde(flatten)]
    expected: ExpectedAnswer,
}

impl From<Expected> for ExpectedAnswer {
    fn from(expected: Expected) -> Self {
        Self { expected_at: expected.at.map(EpochMs::ms), expected_at_time: expected.at.map(rfc3339) }
    }
}

/// The problem of a window that closes beyond what is confirmed.
pub fn not_final_yet(desk: &Desk, standing: &Standing, closes_at: EpochMs) -> Problem {
    let (expected, why) = expect(desk, standing, closes_at);
    let (ticker, settled) = (&standing.ticker, in_words(standing.settled_until));
    let detail = format!(
        "The figure of {ticker} at {} is not final yet: trades are confirmed up to {settled}. {why}",
        in_words(closes_at)
    );
    Problem::new(Code::NotFinalYet, detail).about("min_state").expecting(expected)
}

/// The problem of a consolidated figure that some exchanges hold up: it is
/// expected when the last of them is.
pub fn not_final_yet_on(desk: &Desk, held_up_by: &[&Standing], closes_at: EpochMs) -> Option<Problem> {
    let expected = held_up_by.iter().map(|standing| (standing, expect(desk, standing, closes_at)));
    let (last, (expected, why)) = expected.max_by_key(|(_, (expected, _))| (expected.at.is_none(), expected.at))?;
    let (ticker, venue, settled) = (&last.ticker, &last.venue, in_words(last.settled_until));
    let detail = format!(
        "The consolidated figure of {ticker} at {} is not final yet: on {venue} trades are confirmed up to {settled}. {why}",
        in_words(closes_at)
    );
    Some(Problem::new(Code::NotFinalYet, detail).about("min_state").expecting(expected))
}

/// By when, and a sentence about how that is known or why it is not.
///
/// It takes as long as 99 of 100 of the latest marks took, or as the watermark
/// is behind now, whichever is longer. Without answers of REST there is nothing
/// to expect.
fn expect(desk: &Desk, standing: &Standing, closes_at: EpochMs) -> (Expected, String) {
    let never = Expected { at: None, wait_ms: 0 };
    let Some(checked_at) = standing.checked_at else {
        return (
            never,
            "When it will be cannot be said: REST has told nothing of it yet; the log of the worker says why."
                .to_owned(),
        );
    };
    let Some(measured) = standing.time_to_final else {
        let why = "no mark of it has become final live yet, so nothing is measured";
        return (never, format!("When it will be cannot be said: {why}."));
    };
    let now = desk.now();
    let silent_ms = now.ms_since(checked_at);
    if silent_ms > desk.stale_after_ms().max(measured.p99_ms) {
        let why = format!("REST has not answered for {silent_ms} ms");
        return (never, format!("When it will be cannot be said: {why}."));
    }
    let present = desk.present_of(standing);
    let behind_ms = present.ms_since(standing.settled_until);
    let usual_ms = measured.p99_ms.max(behind_ms);
    let wait_ms = closes_at.plus_ms(usual_ms).ms_since(present).max(0);
    let at = now.plus_ms(wait_ms);
    let basis = if measured.p99_ms < behind_ms {
        format!("REST is {behind_ms} ms behind now")
    } else {
        format!("99 of 100 of the latest {} marks were final {} ms after they closed", measured.marks, measured.p99_ms)
    };
    (Expected { at: Some(at), wait_ms }, format!("It is expected by {}: {basis}.", in_words(at)))
}
