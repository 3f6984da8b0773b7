//! What the worker does with a heard trade in memory, with the worker's own
//! types and without its database: the copies of a trade are told by its id, a
//! new one is judged and counted in its ticker's book, and every mark is said
//! of every ticker.

use std::io::Write;

use tape::book::Said;
use tape::books::PREFETCHED;
use tape::ids::Named;
use tape::prefetch::prefetch;
use tape::{
    Arrival, Book, Books, Bucket, EpochMs, Heard, Ids, Mark, Price, Quantity, Rolling, Sums, Suspects, Ticker, Trade,
    TradeId, Unfinished, Watermark,
};

use super::scaling::TRADES_PER_MARK;
use crate::made::{self, Arrived, BEGINS_AT_MS};

/// How long after it a mark is said: nothing comes later than this.
const LATE_MS: i64 = 5_000;

/// What was heard of a ticker in the minute before its tape: as many trades as follow.
const TRADES_BEFORE: u64 = 60 * TRADES_PER_MARK;

/// The books of some tickers, and the ids they have heard.
pub struct Engine {
    books: Books,
    /// By the places of the books.
    recent: Vec<Recent>,
    said: Mark,
}

/// The ids of one ticker's last minutes. In production the database's unique
/// key knows them.
#[derive(Default, Clone)]
#[repr(C, align(64))]
struct Recent {
    until: Option<EpochMs>,
    ids: Ids,
    before: Ids,
}

impl Recent {
    /// Ids are remembered for so long at least, and twice as long at most.
    const REMEMBERED_MS: i64 = 60_000;

    /// The ids of a ticker that were heard in the minute before its tape.
    fn filled(ticker: usize) -> Self {
        let next = made::before_ids(ticker) + 1;
        let mut ids = Ids::default();
        for number in next - TRADES_BEFORE..next {
            ids.insert_named(Named::Number(number));
        }
        Self { until: Some(EpochMs::new(BEGINS_AT_MS + Self::REMEMBERED_MS)), ids, before: Ids::default() }
    }

    fn insert(&mut self, id: &str, at: EpochMs) -> bool {
        if self.until.is_none_or(|until| until < at) {
            self.before = std::mem::take(&mut self.ids);
            self.until = Some(at.plus_ms(Self::REMEMBERED_MS));
        }
        !self.before.contains(id) && self.ids.insert(id)
    }

    fn prefetch(&self) {
        prefetch(&self.until);
        self.before.prefetch();
    }

    fn prefetch_next(&self) {
        self.before.prefetch_next();
        self.ids.prefetch_next();
    }
}

/// Arrivals as the decoder hands them over.
pub fn heard(arrivals: &[Arrived]) -> Vec<Heard> {
    let tickers: Vec<Ticker> = (0..=arrivals.iter().map(|it| it.made.ticker).max().unwrap_or(0)).map(ticker).collect();
    let heard = |Arrived { at_ms, made }: &Arrived| Heard {
        trade: Trade {
            ticker: tickers[made.ticker].clone(),
            id: TradeId::new(&made.id.to_string()).expect("digits are an id"),
            traded_at: EpochMs::new(made.traded_at_ms),
            price: Price::parse(&made.price_text()).expect("a made price is held"),
            quantity: Quantity::parse(&made.quantity_text()).expect("a made quantity is held"),
        },
        received_at: EpochMs::new(*at_ms),
        suspicion: None,
    };
    arrivals.iter().map(heard).collect()
}

/// A second in which one trade was heard.
fn bucket(second: Mark) -> Bucket {
    let heard = Sums::of(Price::parse("27000.12").expect("a price"), Quantity::parse("0.5").expect("a quantity"));
    Bucket { second, confirmed: Sums::EMPTY, heard, quarantined: Sums::EMPTY, extremes: None }
}

/// A mark, counted from the beginning of the tape.
pub fn mark_at(second: i64) -> Mark {
    Mark::at_or_before(EpochMs::new(BEGINS_AT_MS)).minus_seconds(-second)
}

/// A window of so many seconds that closes where the tape begins, with the same
/// sums in each of its seconds and in so many that follow.
pub fn rolling(seconds: i64, following: i64, sums: Sums) -> Rolling {
    let mut rolling = Rolling::new(seconds, mark_at(0));
    (1 - seconds..=following).for_each(|second| rolling.add(mark_at(second).at(), sums));
    rolling
}

fn ticker(number: usize) -> Ticker {
    Ticker::new(&made::ticker_name(number)).expect("a made name is a ticker")
}

impl Engine {
    /// Windows of so many seconds for so many tickers, in which every second up
    /// to the beginning of the tape has one old trade, and ids of the minute
    /// before it; or none of both.
    pub fn new(tickers: usize, seconds: i64, is_filled: bool) -> Self {
        let said = Mark::at_or_before(EpochMs::new(BEGINS_AT_MS));
        let watermark = Watermark::Through(EpochMs::new(BEGINS_AT_MS));
        let old =
            if is_filled { (0..seconds).rev().map(|ago| bucket(said.minus_seconds(ago))).collect() } else { vec![] };
        let mut books = Books::default();
        for number in 0..tickers {
            let book = Book::rebuild(watermark.clone(), seconds, said, &old, Unfinished::default());
            books.insert(ticker(number), book);
        }
        let mut recent = vec![Recent::default(); books.len()];
        for number in (0..tickers).filter(|_| is_filled) {
            let place = books.place(&ticker(number)).expect("it was inserted");
            recent[place] = Recent::filled(number);
        }
        Self { books, recent, said }
    }

    /// Takes in what was heard, in order, and says every mark of so many
    /// seconds once nothing late can change it.
    pub fn take_all(&mut self, heard: &[Heard], seconds: i64, mut say: impl FnMut(&Ticker, Said)) {
        let mut places = Vec::with_capacity(PREFETCHED);
        for some in heard.chunks(PREFETCHED) {
            self.books.places(some, &mut places);
            places.iter().flatten().for_each(|place| self.recent[*place].prefetch());
            self.books.prefetch_next(some, &places);
            places.iter().flatten().for_each(|place| self.recent[*place].prefetch_next());
            for (heard, place) in some.iter().zip(&places) {
                let sure = Mark::at_or_before(heard.received_at.minus_ms(LATE_MS + 1));
                if self.said < sure {
                    self.say_until(sure, &mut say);
                }
                if let Some(place) = place {
                    self.take(heard, *place);
                }
            }
        }
        let last = Mark::at_or_before(EpochMs::new(BEGINS_AT_MS)).minus_seconds(-seconds);
        self.say_until(last, &mut say);
    }

    /// Does so, and writes each figure as text.
    ///
    /// # Errors
    /// Whatever the writer says.
    pub fn write_all(&mut self, heard: &[Heard], seconds: i64, out: &mut impl Write) -> std::io::Result<()> {
        let mut written = Ok(());
        self.take_all(heard, seconds, |ticker, said| {
            if let (Ok(()), Some(price)) = (&written, said.sums.vwap()) {
                written = writeln!(out, "{ticker},{},{price}", said.mark);
            }
        });
        written?;
        out.flush()
    }

    fn take(&mut self, heard: &Heard, place: usize) {
        let Heard { trade, .. } = heard;
        if !self.recent[place].insert(trade.id.as_str(), trade.traded_at) {
            return;
        }
        let Some(book) = self.books.at_mut(place) else { return };
        if Arrival::of(trade, None, book.watermark().settled_until()) == Arrival::New {
            let suspicion = book.suspicion_of(heard, Suspects::USUAL);
            book.hear(trade, suspicion);
        }
    }

    fn say_until(&mut self, mark: Mark, say: &mut impl FnMut(&Ticker, Said)) {
        while self.said < mark {
            self.said = self.said.next();
            for (ticker, book) in self.books.iter_mut() {
                if let Some(said) = book.provisional_at(self.said) {
                    say(ticker, said);
                }
            }
        }
    }
}
