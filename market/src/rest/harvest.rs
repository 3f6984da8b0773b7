//! What has been read so far of one answer, in a history that is read by ids. Pure.

use std::collections::BTreeMap;

use tape::{EpochMs, Ticker, Watermark};

use super::ROWS_TOGETHER;
use super::answer::{Answer, Request};
use super::by_id::DISORDER_MS;
use super::trail::Trail;
use crate::headers::MarketTime;
use crate::reading::{Anchor, Gap};
use crate::said::{Decoded, Row};

/// Rows without an id that are kept of one answer.
const WITHOUT_ID_LIMIT: usize = 100;

/// A row that outlives the answer it came with.
pub(super) struct Kept {
    pub decoded: Decoded,
    pub text: String,
}

/// What has been read so far of one answer.
pub(super) struct Harvest {
    /// Where reading goes on.
    pub last: Anchor,
    pub rows: Vec<(Anchor, Kept)>,
    /// The highest id seen anywhere, read so far or not.
    pub newest: Option<u64>,
    pub market_time: Option<MarketTime>,
    gaps: Vec<Gap>,
    without_id: Vec<Kept>,
    /// The latest time met; times may fall while ids rise.
    latest: EpochMs,
}

impl Kept {
    pub fn traded_at(&self) -> Option<EpochMs> {
        match &self.decoded {
            Ok(trade) => Some(trade.traded_at),
            Err(refusal) => refusal.traded_at,
        }
    }
}

impl Harvest {
    pub fn after(last: Anchor) -> Self {
        let (rows, gaps, without_id) = (Vec::new(), Vec::new(), Vec::new());
        Self { last, rows, newest: None, market_time: None, gaps, without_id, latest: last.traded_at }
    }

    /// Whether there is enough to be settled at once.
    pub fn is_enough(&self, watermark: &Watermark) -> bool {
        ROWS_TOGETHER <= self.rows.len() && watermark.settled_until() < self.complete_until()
    }

    /// The market's present, as far as it is known.
    pub fn present(&self) -> EpochMs {
        self.market_time.map_or(self.latest, |time| time.present)
    }

    /// Rows that cannot be told apart: each text is refused once.
    pub fn refuse(&mut self, rows: Vec<Kept>) {
        for row in rows {
            if self.without_id.len() < WITHOUT_ID_LIMIT && self.without_id.iter().all(|known| known.text != row.text) {
                self.without_id.push(row);
            }
        }
    }

    /// Takes the rows in as far as each id is the next. Returns whether that was to the end.
    pub fn take_in(&mut self, rows: BTreeMap<u64, Kept>) -> bool {
        for (id, kept) in rows {
            if id != self.last.id + 1 {
                return false;
            }
            // A row whose time cannot be read stands where the one before it did.
            let traded_at = kept.traded_at().unwrap_or(self.last.traded_at);
            let known_by_now = self.market_time.map_or(traded_at, |time| time.latest);
            self.latest = self.latest.max(traded_at.min(known_by_now));
            self.last = Anchor { id, traded_at };
            self.rows.push((self.last, kept));
        }
        true
    }

    /// Names the hole before an id and goes on behind it.
    pub fn pass_to(&mut self, first: u64, first_at: Option<EpochMs>) {
        let last_at = self.last.traded_at;
        let (missing, until) = (self.last.id + 1, first - 1);
        let detail = format!("the exchange's own history lacks the trades {missing} to {until}");
        // What is missing may have been made a little before what it follows, and after what follows it.
        let to = first_at.unwrap_or(last_at).max(last_at).plus_ms(DISORDER_MS);
        self.gaps.push(Gap { from: last_at.minus_ms(DISORDER_MS), to, detail });
        self.last.id = until;
    }

    /// Names the trades beyond `told`, the last id ever read before, that are from before
    /// what was settled meanwhile.
    pub fn name_the_late(&mut self, trail: &Trail, told: Option<u64>, watermark: &Watermark) {
        let settled_until = watermark.settled_until();
        let is_late = |(anchor, kept): &&(Anchor, Kept)| {
            let is_new = told.is_some_and(|told| told < anchor.id);
            let is_settled = anchor.traded_at <= settled_until && trail.is_ours(anchor.traded_at);
            is_new && kept.decoded.is_ok() && is_settled
        };
        let late: Vec<Anchor> = self.rows.iter().filter(is_late).map(|(anchor, _)| *anchor).collect();
        let times = || late.iter().map(|anchor| anchor.traded_at);
        let (Some(first), Some(from), Some(to)) = (late.first(), times().min(), times().max()) else { return };
        let detail = format!(
            "the exchange told {} trades, from {} on, only after it had told that there were none",
            late.len(),
            first.id
        );
        self.gaps.push(Gap { from: from.minus_ms(1), to, detail });
    }

    /// The answer. `is_at_end`: nothing follows now; `goes_on`: more follows at once.
    pub fn answer(self, ticker: &Ticker, watermark: &Watermark, is_at_end: bool, goes_on: bool) -> Answer {
        let complete_until = if is_at_end { EpochMs::MAX } else { self.complete_until() };
        let market_time = self.market_time.unwrap_or(MarketTime { present: self.latest, latest: self.latest });
        let all = self.without_id.iter().chain(self.rows.iter().map(|(_, kept)| kept));
        let rows = all.map(|kept| Row { decoded: kept.decoded.clone(), text: &kept.text }).collect();
        let request = Request { ticker, ask_from: watermark.ask_from(), page_limit: usize::MAX, market_time };
        request.answer(rows).vouched(complete_until, goes_on, 1).with_gaps(self.gaps)
    }

    /// Up to when nothing can be missing any more, while more may follow.
    fn complete_until(&self) -> EpochMs {
        self.latest.minus_ms(DISORDER_MS)
    }
}
