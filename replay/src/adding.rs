//! Adds up a piece of a tape: the hot path, where every byte of a file passes.

use std::borrow::Cow;

use tape::ids::Named;
use tape::{Ids, Mark, Sums, Tally, Ticker, TradeId};

use crate::header::Columns;
use crate::places::{Name, Places};
use crate::plain::{Plain, PlainRows};
use crate::row::{BadRow, Row, fields};
use crate::seconds::Seconds;

/// What some lines of a tape come to.
#[derive(Debug, Default)]
pub struct Added {
    /// Each ticker's part, in the order they were met.
    pub tickers: Vec<AddedTicker>,
    /// How many lines they were, empty ones included.
    pub lines: u64,
    /// How many rows.
    pub rows: u64,
    /// How many of them repeat the ticker and id of an earlier one.
    pub repeats: u64,
}

/// One ticker's part.
#[derive(Debug)]
pub struct AddedTicker {
    /// Which ticker.
    pub ticker: Ticker,
    /// Its sums by second.
    pub seconds: Seconds,
    /// Which trades are in them.
    pub ids: Ids,
}

/// What is wrong, and in which of the lines, counted from 0.
#[derive(Debug)]
pub struct Bad {
    /// Which line.
    pub line: u64,
    /// What is wrong with it.
    pub row: BadRow,
}

impl Added {
    /// Adds up whole lines. Of trades with one id the first counts, and none
    /// that `is_known` already.
    ///
    /// # Errors
    /// The first line that is no row.
    pub fn of(text: &[u8], columns: Columns, is_known: impl Fn(&Ticker, Named<'_>) -> bool) -> Result<Self, Bad> {
        let plain_rows = PlainRows::of(columns);
        let mut adding = Adding { parts: Vec::new(), places: Places::default(), rows: 0, repeats: 0, is_known };
        let (mut at, mut lines) = (0, 0);
        while at < text.len() {
            at = match plain_rows.read(text, at).and_then(|row| adding.plain(row)) {
                Some(next) => next,
                None => {
                    let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |length| at + length);
                    adding.line(&text[at..end], columns).map_err(|row| Bad { line: lines, row })?;
                    end + 1
                }
            };
            lines += 1;
        }
        let Adding { parts, rows, repeats, .. } = adding;
        let tickers = parts.into_iter().map(Part::ended).collect();
        Ok(Self { tickers, lines, rows, repeats })
    }
}

/// One ticker's part while it grows.
#[derive(Debug)]
struct Part {
    added: AddedTicker,
    /// The second of its latest row, and what was added of it since that came.
    second: Mark,
    tally: Tally,
}

impl Part {
    fn new(ticker: Ticker, second: Mark) -> Self {
        let added = AddedTicker { ticker, seconds: Seconds::default(), ids: Ids::default() };
        Self { added, second, tally: Tally::default() }
    }

    #[inline(always)]
    fn tally_of(&mut self, second: Mark) -> &mut Tally {
        if self.second != second {
            self.end_second();
            self.second = second;
        }
        &mut self.tally
    }

    fn end_second(&mut self) {
        let sums = self.tally.take();
        if !sums.is_empty() {
            self.added.seconds.add(self.second, sums);
        }
    }

    fn ended(mut self) -> AddedTicker {
        self.end_second();
        self.added
    }
}

struct Adding<F> {
    parts: Vec<Part>,
    places: Places,
    rows: u64,
    repeats: u64,
    is_known: F,
}

impl<F: Fn(&Ticker, Named<'_>) -> bool> Adding<F> {
    /// Adds a row, if its ticker was met before, and returns where the next line begins.
    #[inline(always)]
    fn plain(&mut self, row: Plain<'_>) -> Option<usize> {
        let Plain { ticker, traded_at, price, quantity, id, next } = row;
        let place = self.places.get(ticker)?;
        if self.is_first(place, id) {
            self.parts[place].tally_of(Mark::at_or_after(traded_at)).add(price, quantity);
        }
        Some(next)
    }

    /// Adds a line of any kind.
    #[cold]
    fn line(&mut self, line: &[u8], columns: Columns) -> Result<(), BadRow> {
        let line = std::str::from_utf8(line).map_err(|_| BadRow::NotText)?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Ok(());
        }
        let fields = fields(line).ok_or(BadRow::Quotes)?;
        let fields: Vec<&str> = fields.iter().map(Cow::as_ref).collect();
        let Row { ticker, traded_at, price, quantity, id } = Row::read(&fields, columns)?;
        let second = Mark::at_or_after(traded_at);
        let place = self.place(ticker, second)?;
        TradeId::check(id)?;
        if self.is_first(place, Named::of(id)) {
            self.parts[place].tally_of(second).add_sums(Sums::of(price, quantity));
        }
        Ok(())
    }

    /// Counts a row, and whether its trade counts.
    #[inline(always)]
    fn is_first(&mut self, place: usize, id: Named<'_>) -> bool {
        let AddedTicker { ticker, ids, .. } = &mut self.parts[place].added;
        let is_first = !(self.is_known)(ticker, id) && ids.insert_named(id);
        self.rows += 1;
        self.repeats += u64::from(!is_first);
        is_first
    }

    fn place(&mut self, ticker: &str, second: Mark) -> Result<usize, BadRow> {
        if let Some(place) = self.places.get(Name::of(ticker.as_bytes())) {
            return Ok(place);
        }
        let place = self.parts.len();
        self.parts.push(Part::new(Ticker::new(ticker)?, second));
        self.places.insert(ticker.as_bytes(), place);
        Ok(place)
    }
}
