//! The newest answers, kept at hand. What was told once is never taken back:
//! an older answer does not replace a newer one, wherever either came from.
//!
//! Whether they may be told without asking Postgres is a matter of trust,
//! which ends by itself unless it is renewed.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use store::answers::{Standing, Taken};
use tape::{EpochMs, Ticker};

use crate::told::{Told, Version};

/// How long the memory is trusted after it was known to be right.
pub const TRUST: Duration = Duration::from_secs(1);

/// For how long an answer that was told is held on to although Postgres now
/// says an older one: a crash may have lost what was committed but not
/// flushed, and the worker makes it anew. After that Postgres is believed.
pub const DOUBT: Duration = Duration::from_secs(10);

/// The most tickers that are kept at hand.
pub const TICKERS_KEPT: usize = 100_000;

/// The newest answers, by ticker and venue.
#[derive(Debug)]
pub struct Memory {
    slots: RwLock<HashMap<Ticker, Vec<Arc<Slot>>>>,
    tickers_kept: usize,
    began: Instant,
    /// In milliseconds since `began`.
    trusted_until: AtomicU64,
}

/// What is known of one ticker of one venue.
#[derive(Debug)]
pub struct Slot {
    venue: String,
    held: RwLock<Option<Held>>,
    /// The newest mark and watermark that any answer spoke of, in milliseconds.
    seen_mark: AtomicI64,
    seen_until: AtomicI64,
}

#[derive(Debug)]
struct Held {
    told: Arc<Told>,
    taken: Taken,
    /// Since when Postgres has said an older one, and nothing else.
    doubted_since: Option<Instant>,
}

/// An answer as it was read.
#[derive(Debug)]
pub struct Read {
    /// The answer.
    pub told: Told,
    /// The snapshot it was read from.
    pub taken: Taken,
    /// When it was asked for.
    pub asked_at: Instant,
}

impl Default for Memory {
    fn default() -> Self {
        Self::keeping(TICKERS_KEPT)
    }
}

impl Memory {
    /// An empty memory for so many tickers.
    pub fn keeping(tickers: usize) -> Self {
        let (slots, trusted_until) = (RwLock::default(), AtomicU64::new(0));
        Self { slots, tickers_kept: tickers, began: Instant::now(), trusted_until }
    }

    /// Whether what is held may be told without asking.
    pub fn is_trusted(&self) -> bool {
        self.since_began(Instant::now()) < self.trusted_until.load(Ordering::Acquire)
    }

    /// Trusts what is held for a while from an instant at which it was right.
    pub fn trust(&self, right_at: Instant) {
        self.trusted_until.store(self.since_began(right_at + TRUST), Ordering::Release);
    }

    /// Trusts no more. Snapshots taken from now on may be of a server that
    /// counts anew.
    pub fn distrust(&self) {
        self.trusted_until.store(0, Ordering::Release);
        for slot in self.slots.read().expect("nothing panics while holding it").values().flatten() {
            if let Some(held) = slot.held.write().expect("nothing panics while holding it").as_mut() {
                held.taken = Taken::NEVER;
            }
        }
    }

    /// What is held of a ticker, unless Postgres has to be asked: while it is
    /// not trusted, not known, not of one venue only, or when somebody has been
    /// told of something newer.
    pub fn find(&self, venue: Option<&str>, ticker: &Ticker) -> Option<Arc<Told>> {
        if !self.is_trusted() {
            return None;
        }
        let slots = self.slots.read().expect("nothing panics while holding it");
        let is_meant = |slot: &&Arc<Slot>| venue.is_none_or(|venue| slot.venue.eq_ignore_ascii_case(venue));
        let mut meant = slots.get(ticker)?.iter().filter(is_meant);
        let (slot, None) = (meant.next()?, meant.next()) else { return None };
        slot.told_if_newest()
    }

    /// Notes how far a ticker was said to be known: nothing older is told from here.
    pub fn saw(&self, standing: &Standing) {
        let slots = self.slots.read().expect("nothing panics while holding it");
        let Some(slots) = slots.get(&standing.ticker) else { return };
        if let Some(slot) = slots.iter().find(|slot| slot.venue == standing.venue) {
            slot.saw(standing);
        }
    }

    /// Takes in what was read. Returns what is to be told: that, or the newer
    /// one that is held.
    pub fn admit(&self, read: Read) -> Arc<Told> {
        let Some(slot) = self.slot_of(read.told.standing()) else { return Arc::new(read.told) };
        slot.admit(read).told
    }

    /// Takes in all that was read from one snapshot, and everything there was
    /// if `is_all`. Returns how many held answers are newer than what was read.
    /// A ticker without a figure has a place too: named without an exchange it
    /// is not that of another one alone.
    pub fn admit_many(&self, reads: Vec<Read>, names: &[&Standing], taken: Taken, is_all: bool) -> usize {
        let mut contradicted = 0;
        for read in reads {
            let Some(slot) = self.slot_of(read.told.standing()) else { continue };
            contradicted += usize::from(slot.admit(read).is_doubted);
        }
        for standing in names {
            self.slot_of(standing);
        }
        if is_all {
            self.forget_all_but(names, taken);
        }
        contradicted
    }

    /// How many tickers are kept.
    pub fn tickers(&self) -> usize {
        self.slots.read().expect("nothing panics while holding it").values().map(Vec::len).sum()
    }

    fn since_began(&self, instant: Instant) -> u64 {
        u64::try_from(instant.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX)
    }

    /// The slot of a ticker, made if there is room for it.
    fn slot_of(&self, standing: &Standing) -> Option<Arc<Slot>> {
        let find = |slots: &HashMap<Ticker, Vec<Arc<Slot>>>| {
            slots.get(&standing.ticker)?.iter().find(|slot| slot.venue == standing.venue).cloned()
        };
        if let Some(slot) = find(&self.slots.read().expect("nothing panics while holding it")) {
            return Some(slot);
        }
        let mut slots = self.slots.write().expect("nothing panics while holding it");
        if let Some(slot) = find(&slots) {
            return Some(slot);
        }
        if slots.len() >= self.tickers_kept {
            return None;
        }
        let slot = Arc::new(Slot::new(&standing.venue));
        slots.entry(standing.ticker.clone()).or_default().push(Arc::clone(&slot));
        Some(slot)
    }

    /// Forgets the tickers that a snapshot of all did not have. One that was
    /// read from a later snapshot stays.
    fn forget_all_but(&self, names: &[&Standing], taken: Taken) {
        let names: HashSet<(&str, &str)> =
            names.iter().map(|standing| (standing.venue.as_str(), standing.ticker.as_str())).collect();
        let mut slots = self.slots.write().expect("nothing panics while holding it");
        slots.retain(|ticker, of_ticker| {
            of_ticker
                .retain(|slot| names.contains(&(slot.venue.as_str(), ticker.as_str())) || slot.is_read_after(taken));
            !of_ticker.is_empty()
        });
    }
}

/// What became of an answer that was read.
struct Admitted {
    told: Arc<Told>,
    is_doubted: bool,
}

impl Slot {
    fn new(venue: &str) -> Self {
        let never = || AtomicI64::new(i64::MIN);
        Self { venue: venue.to_owned(), held: RwLock::default(), seen_mark: never(), seen_until: never() }
    }

    fn told_if_newest(&self) -> Option<Arc<Told>> {
        let held = self.held.read().expect("nothing panics while holding it");
        let told = &held.as_ref()?.told;
        let is_newest = told.version().mark().ms() >= self.seen_mark.load(Ordering::Acquire)
            && told.standing().settled_until.ms() >= self.seen_until.load(Ordering::Acquire);
        is_newest.then(|| Arc::clone(told))
    }

    fn saw(&self, standing: &Standing) {
        self.seen_mark.fetch_max(standing.newest_mark.map_or(i64::MIN, EpochMs::ms), Ordering::AcqRel);
        self.seen_until.fetch_max(standing.settled_until.ms(), Ordering::AcqRel);
    }

    fn is_read_after(&self, taken: Taken) -> bool {
        let held = self.held.read().expect("nothing panics while holding it");
        held.as_ref().is_some_and(|held| held.taken > taken)
    }

    fn admit(&self, Read { told, taken, asked_at }: Read) -> Admitted {
        let version: (Version, Taken) = (told.version(), taken);
        let mut held = self.held.write().expect("nothing panics while holding it");
        if let Some(held) = held.as_mut()
            && version < (held.told.version(), held.taken)
        {
            // Merely overtaken, or gone from the tables? Only what is asked
            // long after the first doubt cannot have been overtaken.
            let doubted_since = *held.doubted_since.get_or_insert_with(Instant::now);
            if asked_at < doubted_since + DOUBT {
                return Admitted { told: Arc::clone(&held.told), is_doubted: version.0 < held.told.version() };
            }
            self.seen_mark.store(i64::MIN, Ordering::Release);
            self.seen_until.store(i64::MIN, Ordering::Release);
        }
        let told = Arc::new(told);
        *held = Some(Held { told: Arc::clone(&told), taken, doubted_since: None });
        Admitted { told, is_doubted: false }
    }
}
