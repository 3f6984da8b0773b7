//! What the worker does with a heard trade in memory, with the worker's own
//! types and without its database: the copies of a trade are told by its id, a
//! new one is judged and counted in its ticker's book, and every mark is said
//! of every ticker.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;

use tape::book::Said;
use tape::{
    Arrival, Book, EpochMs, Heard, Mark, Price, Quantity, Suspects, Ticker, Trade, TradeId, Unfinished, Watermark,
};

use crate::made::{self, Arrived, BEGINS_AT_MS};

/// How long after it a mark is said: nothing comes later than this.
const LATE_MS: i64 = 5_000;

/// The books of some tickers, and the ids they have heard.
pub struct Engine {
    books: BTreeMap<Ticker, Book>,
    known: HashSet<(Ticker, TradeId)>,
    said: Mark,
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

fn ticker(number: usize) -> Ticker {
    Ticker::new(&made::ticker_name(number)).expect("a made name is a ticker")
}

impl Engine {
    /// Empty windows of so many seconds for so many tickers.
    pub fn new(tickers: usize, seconds: i64) -> Self {
        let said = Mark::at_or_before(EpochMs::new(BEGINS_AT_MS));
        let watermark = Watermark::Through(EpochMs::new(BEGINS_AT_MS));
        let book = |_| Book::rebuild(watermark.clone(), seconds, said, &[], Unfinished::default());
        let books = (0..tickers).map(|number| (ticker(number), book(number))).collect();
        Self { books, known: HashSet::new(), said }
    }

    /// Takes in what was heard, in order, and says every mark of so many
    /// seconds once nothing late can change it.
    pub fn take_all(&mut self, heard: &[Heard], seconds: i64, mut say: impl FnMut(&Ticker, Said)) {
        for heard in heard {
            let sure = Mark::at_or_before(heard.received_at.minus_ms(LATE_MS + 1));
            if self.said < sure {
                self.say_until(sure, &mut say);
            }
            self.take(heard);
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

    fn take(&mut self, heard: &Heard) {
        let Heard { trade, .. } = heard;
        let Some(book) = self.books.get_mut(&trade.ticker) else { return };
        if !self.known.insert((trade.ticker.clone(), trade.id.clone())) {
            return;
        }
        if Arrival::of(trade, None, book.watermark().settled_until()) == Arrival::New {
            let suspicion = book.suspicion_of(heard, Suspects::USUAL);
            book.hear(trade, suspicion);
        }
    }

    fn say_until(&mut self, mark: Mark, say: &mut impl FnMut(&Ticker, Said)) {
        while self.said < mark {
            self.said = self.said.next();
            for (ticker, book) in &mut self.books {
                if let Some(said) = book.provisional_at(self.said) {
                    say(ticker, said);
                }
            }
        }
    }
}
