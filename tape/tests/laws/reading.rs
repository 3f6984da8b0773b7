//! A market that is read page by page, and a socket that says something of it
//! in between: the pure half of the worker, without its tables.

use std::collections::BTreeMap;

use tape::{
    Arrival, Book, EpochMs, Known, Mark, Page, Patience, Standing, Sums, Suspicion, Trade, TradeId, Unfinished,
    Verdict, Watermark, reconcile,
};

pub const PATIENCE: Patience = Patience {
    settle_delay_ms: 1_000,
    allowed_skew_ms: 500,
    longest_step_ms: 7_000,
    listening_since: Some(EpochMs::new(0)),
};

/// When the market is read: everything was made well before.
pub const PRESENT: i64 = 60_000;

/// Something the socket says, after so many pages were read.
#[derive(Debug, Clone)]
pub struct SaidOnce {
    pub trade: Trade,
    pub received_at: i64,
    pub suspicion: Option<Suspicion>,
    pub after_pages: usize,
}

/// What came of reading a market to its present.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Read {
    pub finals: BTreeMap<i64, Sums>,
    pub confirmed: Vec<Trade>,
    pub matched: u64,
    pub altered: u64,
    pub missing: u64,
    pub phantoms: Vec<TradeId>,
    /// Heard trades that nothing was decided about.
    pub open: usize,
}

/// Reads the whole market with pages of the given sizes, over and over.
pub fn read(truth: &[Trade], said: &[SaidOnce], seconds: i64, page_sizes: &[usize]) -> Read {
    read_ahead(truth, said, seconds, page_sizes, &[0])
}

/// [`read`], with so many further pages before the first of them is settled.
pub fn read_ahead(
    truth: &[Trade],
    said: &[SaidOnce],
    seconds: i64,
    page_sizes: &[usize],
    pages_ahead: &[usize],
) -> Read {
    let start = Watermark::Through(EpochMs::new(0));
    let mut book = Book::rebuild(start, seconds, mark(0), &[], Unfinished::default());
    let mut held: BTreeMap<TradeId, Known> = BTreeMap::new();
    let mut read = Read::default();
    // Every question moves the watermark or ends the reading.
    for question in 0.. {
        assert!(question < 10_000, "the reading does not end");
        for said in said.iter().filter(|said| said.after_pages == question) {
            hear(&mut book, &mut held, said);
        }
        let was = book.watermark().clone();
        let size = page_sizes[question % page_sizes.len()];
        let page = pages(truth, &was, size, pages_ahead[question % pages_ahead.len()]);
        let reach = page.reach(&was, PATIENCE);
        let is_asked_for = |known: &&Known| {
            let is_heard = matches!(known.standing, Standing::Heard { .. });
            page.trades.iter().any(|row| row.id == known.trade.id) || (is_heard && known.trade.traded_at <= reach)
        };
        let known: Vec<Known> = held.values().filter(is_asked_for).cloned().collect();
        let outcome = reconcile(&was, &page, &known, PATIENCE);
        assert!(outcome.watermark == was || was.is_before(&outcome.watermark), "{was:?} to {:?}", outcome.watermark);
        for settled in book.settle(&outcome).expect("consistent") {
            assert!(read.finals.insert(settled.said.mark.at().ms(), settled.said.sums).is_none(), "final twice");
        }
        for confirmation in &outcome.confirmations {
            match confirmation.verdict {
                Verdict::Matched => read.matched += 1,
                Verdict::Altered { .. } => read.altered += 1,
                Verdict::Missing | Verdict::Unheard => read.missing += 1,
            }
            let trade = confirmation.trade.clone();
            let was_heard = confirmation.received_at.is_some();
            held.insert(trade.id.clone(), Known { trade: trade.clone(), standing: Standing::Confirmed { was_heard } });
            read.confirmed.push(trade);
        }
        for phantom in &outcome.phantoms {
            held.remove(&phantom.trade.id);
            read.phantoms.push(phantom.trade.id.clone());
        }
        let all_said = said.iter().all(|said| said.after_pages <= question);
        if !outcome.has_more && was == outcome.watermark && all_said {
            break;
        }
    }
    read.phantoms.sort();
    read.open = held.values().filter(|known| matches!(known.standing, Standing::Heard { .. })).count();
    read
}

fn hear(book: &mut Book, held: &mut BTreeMap<TradeId, Known>, said: &SaidOnce) {
    let SaidOnce { trade, received_at, suspicion, .. } = said;
    let arrival = Arrival::of(trade, held.get(&trade.id), book.watermark().settled_until());
    if !matches!(arrival, Arrival::New | Arrival::Unplaced) {
        return;
    }
    if arrival == Arrival::New {
        book.hear(trade, *suspicion);
    }
    let standing = Standing::Heard { received_at: EpochMs::new(*received_at), suspicion: *suspicion };
    held.insert(trade.id.clone(), Known { trade: trade.clone(), standing });
}

/// A page, and so many that follow it, as one.
fn pages(truth: &[Trade], was: &Watermark, size: usize, ahead: usize) -> Page {
    let mut page = answer(truth, was, size);
    let mut next = page.leads_on(was, was, PATIENCE);
    for _ in 0..ahead {
        let Some(position) = next else { break };
        let following = answer(truth, &position, size);
        next = following.leads_on(&position, was, PATIENCE);
        page = page.followed_by(following);
    }
    page
}

/// What REST answers: the rows from the position on, at most so many.
fn answer(truth: &[Trade], from: &Watermark, size: usize) -> Page {
    let at_or_after = truth.iter().position(|trade| from.ask_from() <= trade.traded_at).unwrap_or(truth.len());
    let after = from.ask_after().and_then(|last| truth.iter().position(|trade| trade.id == *last));
    let first = after.map_or(at_or_after, |last| last + 1);
    let trades: Vec<Trade> = truth[first..].iter().take(size).cloned().collect();
    let latest_row_at = trades.last().map(|trade| trade.traded_at);
    let is_full = trades.len() == size;
    Page { trades, latest_row_at, is_full, ..Page::empty_at(EpochMs::new(PRESENT)) }
}

fn mark(second: i64) -> Mark {
    Mark::at_or_before(EpochMs::new(second * 1_000))
}
