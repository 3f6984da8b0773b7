//! The books of all tickers of a venue: found at once, however many they are,
//! and walked through in the order of their tickers.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use crate::{Book, Heard, Ticker};

/// Of so many trades the books are prefetched together.
pub const PREFETCHED: usize = 32;

/// While a book is walked through, that so many places behind it is prefetched.
const AHEAD: usize = 12;

/// And of that so many places behind it what it leads to.
const NEXT_AHEAD: usize = 6;

/// Every ticker's book.
#[derive(Debug, Clone, Default)]
pub struct Books {
    sorted: Vec<(Ticker, Book)>,
    /// Where each of them stands. Tickers come from outside: the hash is seeded
    /// at random, and never told.
    places: HashMap<Ticker, usize, RandomState>,
}

impl Books {
    /// Adds a ticker's book, or replaces it. That may move all others: tickers
    /// are seldom new.
    pub fn insert(&mut self, ticker: Ticker, book: Book) {
        match self.sorted.binary_search_by(|own| own.0.cmp(&ticker)) {
            Ok(place) => self.sorted[place].1 = book,
            Err(place) => {
                self.sorted.insert(place, (ticker, book));
                for (place, (ticker, _)) in self.sorted.iter().enumerate().skip(place) {
                    self.places.insert(ticker.clone(), place);
                }
            }
        }
    }

    /// The book of a ticker.
    pub fn get(&self, ticker: &Ticker) -> Option<&Book> {
        self.place(ticker).map(|place| &self.sorted[place].1)
    }

    /// The book of a ticker, to be changed.
    pub fn get_mut(&mut self, ticker: &Ticker) -> Option<&mut Book> {
        self.place(ticker).map(|place| &mut self.sorted[place].1)
    }

    /// Where the book of a ticker stands in the order of tickers, until another is added.
    #[inline]
    pub fn place(&self, ticker: &Ticker) -> Option<usize> {
        self.places.get(ticker).copied()
    }

    /// Where the books of heard trades stand, in the order of the trades, until
    /// another is added; each prefetched: sought one after the other each would
    /// be waited for alone, here they come together.
    pub fn places(&self, heard: &[Heard], places: &mut Vec<Option<usize>>) {
        places.clear();
        for heard in heard {
            let place = self.place(&heard.trade.ticker);
            self.prefetch_at(place, Book::prefetch_hearing);
            places.push(place);
        }
    }

    /// Prefetches what the trades at those places need of what their books lead to.
    pub fn prefetch_next(&self, heard: &[Heard], places: &[Option<usize>]) {
        for (heard, place) in heard.iter().zip(places) {
            self.prefetch_at(*place, |book| book.prefetch_heard(heard.trade.traded_at));
        }
    }

    /// Takes in heard trades that nobody knew, each beyond the watermark of its
    /// ticker; those of tickers without a book are left out.
    pub fn hear(&mut self, heard: &[Heard]) {
        let mut places = Vec::with_capacity(PREFETCHED);
        for some in heard.chunks(PREFETCHED) {
            self.places(some, &mut places);
            self.prefetch_next(some, &places);
            for (heard, place) in some.iter().zip(&places) {
                if let Some(book) = place.and_then(|place| self.at_mut(place)) {
                    book.hear(&heard.trade, heard.suspicion);
                }
            }
        }
    }

    #[inline(always)]
    fn prefetch_at(&self, place: Option<usize>, needed: impl Fn(&Book)) {
        if let Some((_, book)) = place.and_then(|place| self.sorted.get(place)) {
            needed(book);
        }
    }

    /// The book at a place, to be changed.
    #[inline]
    pub fn at_mut(&mut self, place: usize) -> Option<&mut Book> {
        self.sorted.get_mut(place).map(|(_, book)| book)
    }

    /// Whether a ticker has a book.
    pub fn contains_key(&self, ticker: &Ticker) -> bool {
        self.places.contains_key(ticker)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// All of them, in the order of their tickers.
    pub fn iter(&self) -> impl Iterator<Item = (&Ticker, &Book)> {
        self.sorted.iter().map(|(ticker, book)| (ticker, book))
    }

    /// All of them, to be changed, in the order of their tickers.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Ticker, &mut Book)> {
        self.range_mut(0..self.len())
    }

    /// Those at some places, to be changed, in the order of their tickers;
    /// prefetched for what is said of the next mark.
    pub fn range_mut(&mut self, places: Range<usize>) -> impl Iterator<Item = (&Ticker, &mut Book)> {
        let end = places.end.min(self.sorted.len());
        let mut left = &mut self.sorted[places.start.min(end)..end];
        std::iter::from_fn(move || {
            let ((ticker, book), behind) = std::mem::take(&mut left).split_first_mut()?;
            behind.get(AHEAD).into_iter().for_each(|(_, book)| book.prefetch_saying());
            behind.get(NEXT_AHEAD).into_iter().for_each(|(_, book)| book.prefetch_said());
            left = behind;
            Some((&*ticker, book))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reconcile::tests::trade;
    use crate::{EpochMs, Mark, Trade, Unfinished, Watermark};

    fn book(settled_until: i64) -> Book {
        let watermark = Watermark::Through(EpochMs::new(settled_until));
        Book::rebuild(watermark, 300, Mark::at_or_before(EpochMs::new(0)), &[], Unfinished::default())
    }

    #[test]
    fn each_ticker_finds_its_own_book_and_all_are_walked_through_in_order() {
        let ticker = |name: &str| Ticker::new(name).expect("ticker");
        let settled = |book: &Book| book.watermark().settled_until().ms();
        let mut books = Books::default();
        assert!(books.is_empty());
        for (name, settled_until) in [("M", 1), ("Z", 2), ("A", 3), ("N", 4), ("Z", 5)] {
            books.insert(ticker(name), book(settled_until));
        }
        *books.get_mut(&ticker("N")).expect("it is there") = book(6);

        for (name, settled_until) in [("M", Some(1)), ("Z", Some(5)), ("A", Some(3)), ("N", Some(6)), ("B", None)] {
            assert_eq!(books.get(&ticker(name)).map(settled), settled_until);
            assert_eq!(books.contains_key(&ticker(name)), settled_until.is_some());
            let place = books.place(&ticker(name));
            assert_eq!(place.and_then(|place| books.at_mut(place)).map(|book| settled(book)), settled_until);
        }
        let walked: Vec<_> = books.iter().map(|(ticker, book)| (ticker.as_str(), settled(book))).collect();
        assert_eq!(walked, [("A", 3), ("M", 1), ("N", 6), ("Z", 5)]);
        assert_eq!((books.len(), books.is_empty()), (4, false));
        assert_eq!(books.iter_mut().map(|(ticker, _)| ticker.to_string()).collect::<String>(), "AMNZ");
        for (places, some) in [(0..2, "AM"), (1..3, "MN"), (3..9, "Z"), (4..9, ""), (7..9, "")] {
            let walked: String = books.range_mut(places).map(|(ticker, _)| ticker.to_string()).collect();
            assert_eq!(walked, some);
        }
    }

    #[test]
    fn heard_trades_count_in_the_books_of_their_tickers_however_many_come_together() {
        let mut books = Books::default();
        for name in ["A", "M"] {
            books.insert(Ticker::new(name).expect("ticker"), book(0));
        }
        let heard: Vec<Heard> = (1..=100)
            .map(|number| {
                let name = ["A", "M", "A", "unknown"][number % 4];
                let (id, at) = (number.to_string(), i64::try_from(number).expect("few"));
                let trade = Trade { ticker: Ticker::new(name).expect("ticker"), ..trade(&id, at, "1") };
                Heard { trade, received_at: EpochMs::new(at), suspicion: None }
            })
            .collect();

        books.hear(&heard);

        let mark = Mark::at_or_before(EpochMs::new(1_000));
        let counted: Vec<u64> =
            books.iter_mut().map(|(_, book)| book.provisional_at(mark).expect("provisional").sums.trades).collect();
        assert_eq!(counted, [50, 25]);
    }
}
