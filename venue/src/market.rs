//! The market itself: what was really traded, what is said about it and to whom.
//!
//! Everything happens under one lock and at an instant that is handed in, so
//! that the truth, the frames and the ledger can never disagree.

mod counters;
mod dialect;
mod telling;
mod truth;

use std::collections::{BTreeMap, HashMap};

use tape::{EpochMs, Rejection, Ticker, TradeId};

use crate::book::{Book, Delivery, Entry};
use crate::dialect::Dialect;
use crate::fault::FaultRates;
use crate::held::HeldFrames;
use crate::ledger::Ledger;
use crate::ledger_file::{LedgerFile, Remembered, Told};
use crate::listeners::{Ear, Listeners};
use crate::revision::{MOST_REVISIONS, Revised, Revision, RevisionError};
use crate::source::Source;
use crate::true_trade::TrueTrade;

use counters::Counters;
use telling::Together;

pub use dialect::Visible;
pub use truth::{Page, State};

/// About how many trades are handed out at once when the listeners set the pace.
const POUR: usize = 256;

/// Where the market's present is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// It moves with the clock.
    Moving,
    /// It stands still.
    Standing(EpochMs),
}

/// The bounds and habits of a market.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    /// What all chance follows from.
    pub seed: u64,
    /// How the socket lies.
    pub faults: FaultRates,
    /// How long one silence lasts, in milliseconds.
    pub silence_ms: i64,
    /// How long after it happened REST knows a trade, in milliseconds.
    pub lag_ms: i64,
    /// How many trades of a ticker, and how many faults, are remembered.
    pub keep: usize,
    /// How many frames may wait for one listener.
    pub queue: usize,
    /// Which language is spoken.
    pub dialect: Dialect,
    /// How far behind its making a trade's time may be, in milliseconds.
    pub disorder_ms: i64,
}

/// A market: its truth, its listeners and its lies.
#[derive(Debug)]
pub struct Market {
    habits: Habits,
    present: Present,
    source: Source,
    books: BTreeMap<Ticker, Book>,
    ledger: Ledger,
    /// The ledgers on disk, if they are kept there.
    on_disk: Option<LedgerFile>,
    /// What was told of trades that are still to be placed in the past.
    told_before: HashMap<(Ticker, TradeId), Told>,
    held: HeldFrames,
    listeners: Listeners,
    /// What is told in one message, before it is sent.
    together: Option<Together>,
    counters: Counters,
    silent_until_ms: i64,
    /// Up to where REST has promised that nothing new will appear.
    promised_until: EpochMs,
    made_by_hand: u64,
    frames: u64,
    silences: u64,
    cuts: u64,
    revisions: u64,
}

impl Market {
    /// A market of these tickers, without trades.
    pub fn new(habits: Habits, source: Source, tickers: impl IntoIterator<Item = Ticker>) -> Self {
        let books = tickers.into_iter().map(|ticker| (ticker, new_book(&habits))).collect();
        Self {
            habits,
            present: Present::Moving,
            source,
            books,
            ledger: Ledger::new(habits.keep),
            on_disk: None,
            told_before: HashMap::new(),
            held: HeldFrames::default(),
            listeners: Listeners::new(habits.queue),
            together: None,
            counters: Counters::of(habits.dialect),
            silent_until_ms: i64::MIN,
            promised_until: EpochMs::new(i64::MIN),
            made_by_hand: 0,
            frames: 0,
            silences: 0,
            cuts: 0,
            revisions: 0,
        }
    }

    /// Goes on with the ledgers of an earlier process, and keeps them on disk.
    pub fn keep_on_disk(&mut self, file: LedgerFile, remembered: Remembered) {
        for fault in remembered.faults {
            self.ledger.add(fault);
        }
        self.told_before = remembered.told;
        self.on_disk = Some(file);
    }

    /// Lets everything happen that was due before the market opened: a past
    /// that REST knows and no listener heard.
    pub fn open(&mut self, now: EpochMs) {
        while let Some(trade) = self.source.due(now.minus_ms(1)) {
            let trade = self.counters.number(trade);
            self.place_in_the_past(trade);
        }
        // What is of a time before this past is forgotten with it.
        self.told_before = HashMap::new();
    }

    /// Lets everything happen that is due by now.
    pub fn advance(&mut self, now: EpochMs) {
        self.release_held(now);
        if self.present == Present::Moving {
            while let Some(trade) = self.source.due(now) {
                let trade = self.counters.number(trade);
                self.bring_with_others(trade, now);
            }
        }
        self.send_together(now);
    }

    /// Lets a replay that is paced by its listeners go on, stamped now.
    pub fn pour(&mut self, now: EpochMs) {
        if self.source.is_paced_by_listeners() && self.listeners.are_keeping_up() {
            let stamp = self.earliest_new(now);
            for trade in self.source.take(POUR, stamp) {
                let trade = self.counters.number(trade);
                self.bring_with_others(trade, now);
            }
            self.send_together(now);
        }
    }

    /// When something is due next; `None` when nothing ever is by itself.
    pub fn next_at(&self, now: EpochMs) -> Option<EpochMs> {
        let source = match self.present {
            Present::Moving if self.source.is_paced_by_listeners() => Some(now.plus_ms(1)),
            Present::Moving => self.source.next_at(),
            Present::Standing(_) => None,
        };
        let held = self.held.next_at().map(EpochMs::new);
        source.into_iter().chain(held).min()
    }

    /// A trade made by hand now, under the next id, reported like any other.
    ///
    /// # Errors
    /// Whatever makes it no trade.
    pub fn make(&mut self, ticker: &str, price: &str, quantity: &str, now: EpochMs) -> Result<TrueTrade, Rejection> {
        self.advance(now);
        self.made_by_hand += 1;
        let asked = Ticker::new(ticker)?;
        let id = self.counters.next_by_hand(&asked).unwrap_or_else(|| format!("hand-{}", self.made_by_hand));
        let stamp = self.earliest_new(self.present_at(now));
        let trade = TrueTrade::new(ticker, stamp.ms(), price, quantity, &id)?;
        self.bring(trade.clone(), now);
        Ok(trade)
    }

    /// A true trade from before the socket; `false` when its id is taken.
    pub fn place_in_the_past(&mut self, trade: TrueTrade) -> bool {
        self.counters.note(&trade);
        let mut entry = Entry::new(trade, Delivery::Past);
        let key = (entry.trade.ticker.clone(), entry.trade.id.clone());
        if let Some(told) = self.told_before.remove(&key) {
            Told { delivery: entry.delivery, is_late: entry.is_late, copies: entry.copies } = told;
        }
        self.book_mut(&key.0).insert(entry)
    }

    /// A true trade that REST tells and the socket never mentions; `false` when
    /// its id is taken.
    pub fn tell_rest_only(&mut self, trade: TrueTrade) -> bool {
        self.counters.note(&trade);
        self.book_mut(&trade.ticker.clone()).insert(Entry::new(trade, Delivery::RestOnly))
    }

    /// Gives a trade other values, as a venue does that repairs its history.
    pub fn correct(&mut self, trade: TrueTrade) -> bool {
        self.book_mut(&trade.ticker).correct(trade)
    }

    /// Takes a trade out of the truth, as a venue does that busts it.
    pub fn retract(&mut self, ticker: &Ticker, id: &TradeId) -> bool {
        self.books.get_mut(ticker).is_some_and(|book| book.retract(id))
    }

    /// Changes its mind about its past. The socket does not speak of it.
    ///
    /// # Errors
    /// [`RevisionError`] when the change cannot be; nothing changes then.
    pub fn revise(&mut self, revision: Revision, now: EpochMs) -> Result<Revised, RevisionError> {
        if MOST_REVISIONS <= self.revisions {
            return Err(RevisionError::TooMany);
        }
        let Revision { ticker, id, change } = revision;
        let book = self.books.get_mut(&ticker);
        let was = book.and_then(|book| book.entry_mut(&id)).map(|entry| entry.trade.clone());
        let becomes = change.apply(&ticker, &id, was.as_ref())?;
        let is_numbered = becomes.as_ref().is_none_or(|trade| trade.number().is_some());
        if self.habits.dialect.numbering().is_some() && !is_numbered {
            return Err(RevisionError::NoNumber { id });
        }
        if let Some(trade) = &becomes {
            let after = self.forgotten_until(&ticker).unwrap_or(EpochMs::new(i64::MIN));
            let (traded_at, until) = (trade.traded_at, self.present_at(now));
            if traded_at <= after || until < traded_at {
                return Err(RevisionError::NotThePast { traded_at, after, until });
            }
        }
        match (&was, &becomes) {
            (_, None) => self.retract(&ticker, &id),
            (Some(_), Some(trade)) => self.correct(trade.clone()),
            (None, Some(trade)) => self.tell_rest_only(trade.clone()),
        };
        self.revisions += 1;
        Ok(Revised { was, now: becomes })
    }

    /// Where the present is now.
    pub fn present_at(&self, now: EpochMs) -> EpochMs {
        match self.present {
            Present::Moving => now,
            Present::Standing(at) => at,
        }
    }

    /// Sets the present or lets it move again.
    pub fn set_present(&mut self, present: Present) {
        self.present = present;
    }

    /// Whether the present moves.
    pub fn present(&self) -> Present {
        self.present
    }

    /// Changes how the socket lies from now on.
    pub fn set_faults(&mut self, faults: FaultRates) {
        self.habits.faults = faults;
    }

    /// How the socket lies.
    pub fn faults(&self) -> FaultRates {
        self.habits.faults
    }

    /// Lets a listener in, who hears everything.
    pub fn join(&mut self) -> Ear {
        self.listeners.join()
    }

    /// Lets a listener in, who hears what they subscribe to.
    pub fn join_to_subscribe(&mut self) -> Ear {
        self.listeners.join_to_subscribe()
    }

    /// Forgets a listener that left.
    pub fn leave(&mut self, id: u64) {
        self.listeners.leave(id);
    }

    /// How many listeners are connected.
    pub fn listeners(&self) -> usize {
        self.listeners.len()
    }

    /// Who is connected.
    pub fn audience(&self) -> &Listeners {
        &self.listeners
    }

    /// Who is connected, to change what they hear.
    pub fn audience_mut(&mut self) -> &mut Listeners {
        &mut self.listeners
    }

    /// The earliest time a new trade may have without breaking REST's promise.
    fn earliest_new(&self, now: EpochMs) -> EpochMs {
        now.max(self.promised_until.plus_ms(1))
    }

    fn book_mut(&mut self, ticker: &Ticker) -> &mut Book {
        let habits = self.habits;
        self.books.entry(ticker.clone()).or_insert_with(|| new_book(&habits))
    }
}

fn new_book(habits: &Habits) -> Book {
    let is_numbered = habits.dialect.numbering().is_some();
    if is_numbered { Book::numbered(habits.keep) } else { Book::new(habits.keep) }
}
