//! An answer about a newest figure, laid out once and told many times. Only
//! its age and whether that is too old are put in when it is told.

use serde::Serialize;
use store::answers::{Answered, Standing};
use tape::EpochMs;

use crate::desk::Desk;
use crate::figure::FigureAnswer;

/// The members between which an answer changes by the mere passing of time.
const AGE: &str = "\"age_ms\":";
const AFTER_STALE: &str = ",\"complete\":";

/// Which of two answers about one ticker is the newer one. Each part only ever
/// rises from commit to commit while those before it stay, so the order of
/// versions is the order of commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    mark: EpochMs,
    is_final: bool,
    revision: u32,
    settled_until: EpochMs,
    tape_from: EpochMs,
}

/// An answer about a newest figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    version: Version,
    standing: Standing,
    closes_at: EpochMs,
    head: Box<str>,
    tail: Box<str>,
}

impl Told {
    /// Lays out the answer; a ticker without a figure has none.
    pub fn new(desk: &Desk, answered: &Answered) -> Option<Self> {
        let figure = answered.figure.as_ref()?;
        let standing = &answered.standing;
        let version = Version {
            mark: figure.closes_at,
            is_final: figure.is_final,
            revision: figure.revision.unwrap_or(0),
            settled_until: standing.settled_until,
            tape_from: standing.tape_from,
        };
        let (head, tail) = around_the_age(&FigureAnswer::of_newest(desk, figure, answered));
        Some(Self { version, standing: standing.clone(), closes_at: figure.closes_at, head, tail })
    }

    /// How new it is.
    pub fn version(&self) -> Version {
        self.version
    }

    /// What it says of how far its ticker is known.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The answer as it is now.
    pub fn json(&self, desk: &Desk) -> String {
        let age_ms = desk.age_ms(&self.standing, self.closes_at);
        let stale = desk.is_doubtful(&self.standing);
        let mut json = String::with_capacity(self.head.len() + self.tail.len() + 40);
        json.push_str(&self.head);
        push_digits(&mut json, age_ms.unsigned_abs());
        json.push_str(if stale { ",\"stale\":true" } else { ",\"stale\":false" });
        json.push_str(&self.tail);
        json
    }
}

/// The answer up to its age, and from what follows it. No text of an answer
/// can be taken for the name of a member: in text a quote follows a backslash.
fn around_the_age(answer: &impl Serialize) -> (Box<str>, Box<str>) {
    let json = serde_json::to_string(answer).expect("text, numbers and lists are always JSON");
    let age_at = json.find(AGE).expect("every answer has an age") + AGE.len();
    let after_at = json.rfind(AFTER_STALE).expect("every answer says whether it is complete");
    (json[..age_at].into(), json[after_at..].into())
}

fn push_digits(text: &mut String, number: u64) {
    use std::fmt::Write as _;
    write!(text, "{number}").expect("a string takes any text");
}

impl Version {
    /// The mark of the figure.
    pub fn mark(self) -> EpochMs {
        self.mark
    }
}
