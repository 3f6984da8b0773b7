//! What one REST page settles: which trades are confirmed, what the socket had
//! said of them, and where the watermark goes.

use std::collections::HashMap;

use crate::{EpochMs, Page, Patience, Suspicion, Trade, TradeId, Watermark};

/// What is held under one trade id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The values held: the confirmed ones, else the first heard.
    pub trade: Trade,
    /// Who vouches for them.
    pub standing: Standing,
}

/// Who vouches for a held trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Only the socket, at this time of ours.
    Heard {
        /// When the frame came.
        received_at: EpochMs,
        /// What was held against it.
        suspicion: Option<Suspicion>,
    },
    /// REST; and whether the socket had it too.
    Confirmed {
        /// Whether any copy was heard.
        was_heard: bool,
    },
}

/// What REST says of what the socket said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Heard as it was.
    Matched,
    /// Heard with other values.
    Altered {
        /// The values heard.
        heard: Trade,
    },
    /// Not heard by the time REST confirmed it, though we were listening.
    Missing,
    /// Made before we began to listen: no fault of the socket.
    Unheard,
}

/// A trade that REST confirms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The true values.
    pub trade: Trade,
    /// What the socket had said.
    pub verdict: Verdict,
    /// When it was heard, if it was.
    pub received_at: Option<EpochMs>,
    /// What was held against what was heard.
    pub suspicion: Option<Suspicion>,
}

/// A change of mind of REST about a trade no final figure holds yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The values confirmed before.
    pub was: Trade,
    /// The values now.
    pub now: Trade,
}

/// What a page changes. Nothing in it happens unless all of it does.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Trades confirmed for the first time, in the venue's order.
    pub confirmations: Vec<Confirmation>,
    /// Confirmed trades, not settled yet, to which REST now gives other values.
    pub corrections: Vec<Correction>,
    /// Heard trades that do not exist.
    pub phantoms: Vec<Known>,
    /// Heard trades that claim a settled time at which they were not made, but
    /// may yet turn up at another.
    pub unplaced: Vec<Known>,
    /// Where the watermark goes; never back.
    pub watermark: Watermark,
    /// The millisecond that could not be read to its end, if that happened.
    pub unpageable: Option<EpochMs>,
    /// Whether REST may have more at once: ask again without waiting.
    pub has_more: bool,
}

/// Holds a page against what is known.
///
/// `known` must hold whatever is held under the ids of the page, and every
/// trade of the ticker that was heard and is not confirmed, as far as its
/// claimed time is within the page's [`Page::reach`].
pub fn reconcile(watermark: &Watermark, page: &Page, known: &[Known], patience: Patience) -> Outcome {
    let places: HashMap<&TradeId, usize> =
        known.iter().enumerate().map(|(place, known)| (&known.trade.id, place)).collect();
    let mut is_told = vec![false; known.len()];
    let mut confirmations = Vec::new();
    let mut corrections = Vec::new();
    let limit = page.limit(watermark, patience);
    for trade in page.judged(watermark, patience) {
        let place = places.get(&trade.id).copied();
        if let Some(place) = place {
            is_told[place] = true;
        }
        match place.map(|place| &known[place]) {
            None => {
                let was_listening = patience.listening_since.is_some_and(|since| since <= trade.traded_at);
                let verdict = if was_listening { Verdict::Missing } else { Verdict::Unheard };
                confirmations.push(Confirmation { trade: trade.clone(), verdict, received_at: None, suspicion: None });
            }
            Some(Known { trade: held, standing: Standing::Heard { received_at, suspicion } }) => {
                let verdict = if held == trade { Verdict::Matched } else { Verdict::Altered { heard: held.clone() } };
                let (received_at, suspicion) = (Some(*received_at), *suspicion);
                confirmations.push(Confirmation { trade: trade.clone(), verdict, received_at, suspicion });
            }
            Some(Known { trade: held, standing: Standing::Confirmed { .. } }) => {
                if held != trade && watermark.settled_until() < held.traded_at {
                    corrections.push(Correction { was: held.clone(), now: trade.clone() });
                }
            }
        }
    }

    let (next, unpageable) = next_watermark(watermark, page, confirmations.last(), limit);
    let settled_until = next.settled_until();
    let mut phantoms = Vec::new();
    let mut unplaced = Vec::new();
    for (known, is_told) in known.iter().zip(is_told) {
        let Standing::Heard { received_at, .. } = known.standing else {
            continue;
        };
        if is_told || settled_until < known.trade.traded_at {
            continue;
        }
        // A trade is made before it is heard: once everything up to its hearing
        // is confirmed, no other time is left at which it could have been made.
        let is_decided = received_at.plus_ms(patience.allowed_skew_ms) <= settled_until;
        if is_decided { phantoms.push(known.clone()) } else { unplaced.push(known.clone()) }
    }

    let is_at_its_end = next == Watermark::Through(page.known_by_now(patience));
    // A page that is vouched for ends where it is known to be complete, full or not.
    let goes_on = page.complete_until.is_some() && page.is_full;
    let has_more = watermark.is_before(&next) && (goes_on || !is_at_its_end);
    Outcome { confirmations, corrections, phantoms, unplaced, watermark: next, unpageable, has_more }
}

/// Where reading goes on, and the millisecond that had to be left unfinished.
fn next_watermark(
    watermark: &Watermark,
    page: &Page,
    last_new: Option<&Confirmation>,
    limit: EpochMs,
) -> (Watermark, Option<EpochMs>) {
    let forward = |next: Watermark| if watermark.is_before(&next) { next } else { watermark.clone() };
    if page.complete_until.is_some() {
        return (forward(Watermark::Through(limit)), None);
    }
    // Rows come in order of time: one beyond the limit proves that nothing up to it is left out.
    if page.latest_row_at.is_some_and(|latest| limit < latest) {
        return (forward(Watermark::Through(limit)), None);
    }
    if let Some(Confirmation { trade: last, .. }) = last_new {
        return (forward(Watermark::Within { at: last.traded_at, last: last.id.clone() }), None);
    }
    // Nothing new. Only an answer with room left in it proves that nothing follows.
    if !page.is_full {
        return (forward(Watermark::Through(limit)), None);
    }
    match page.latest_row_at {
        Some(latest) if watermark.ask_from() < latest => (forward(Watermark::Through(latest.minus_ms(1))), None),
        // A full page that ends in the millisecond it was asked from, and the
        // venue has no way to go on inside it.
        Some(latest) if latest == watermark.ask_from() => (forward(Watermark::Through(latest)), Some(latest)),
        _ => (watermark.clone(), None),
    }
}

#[cfg(test)]
pub(crate) mod tests;
