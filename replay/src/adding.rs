//! Adds up a piece of a tape: the hot path, where every byte of a file passes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use tape::{Ids, Mark, Sums, Ticker, TradeId};

use crate::header::Columns;
use crate::row::{BadRow, Row, fields};
use crate::seconds::Seconds;
use crate::separators::Separators;

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
    pub fn of(text: &[u8], columns: Columns, is_known: impl Fn(&Ticker, &str) -> bool) -> Result<Self, Bad> {
        let text = std::str::from_utf8(text).map_err(|error| not_text(text, error.valid_up_to()))?;
        let mut adding = Adding { added: Self::default(), places: Places::default(), columns, is_known };
        let bad = |adding: &Adding<_>, row| Bad { line: adding.added.lines, row };
        if text.contains('"') {
            for line in text.split_terminator('\n') {
                adding.quoted_line(without_return(line)).map_err(|row| bad(&adding, row))?;
                adding.added.lines += 1;
            }
            return Ok(adding.added);
        }
        let mut fields = Vec::with_capacity(columns.count);
        let (mut field_from, mut line_from) = (0, 0);
        for end in Separators::of(text.as_bytes()).chain([text.len()]) {
            let is_line = text.as_bytes().get(end) != Some(&b',');
            if !is_line {
                fields.push(&text[field_from..end]);
                field_from = end + 1;
                continue;
            }
            if line_from < text.len() {
                let last = without_return(&text[field_from..end]);
                let is_blank = fields.is_empty() && last.is_empty();
                fields.push(last);
                if !is_blank {
                    adding.row(&fields).map_err(|row| bad(&adding, row))?;
                }
                adding.added.lines += 1;
            }
            fields.clear();
            (field_from, line_from) = (end + 1, end + 1);
        }
        Ok(adding.added)
    }
}

struct Adding<F> {
    added: Added,
    places: Places,
    columns: Columns,
    is_known: F,
}

impl<F: Fn(&Ticker, &str) -> bool> Adding<F> {
    fn quoted_line(&mut self, line: &str) -> Result<(), BadRow> {
        if line.is_empty() {
            return Ok(());
        }
        let fields = fields(line).ok_or(BadRow::Quotes)?;
        self.row(&fields.iter().map(Cow::as_ref).collect::<Vec<_>>())
    }

    fn row(&mut self, fields: &[&str]) -> Result<(), BadRow> {
        let Row { ticker, traded_at, price, quantity, id } = Row::read(fields, self.columns)?;
        let place = self.place(ticker)?;
        let own = &mut self.added.tickers[place];
        self.added.rows += 1;
        TradeId::check(id)?;
        if (self.is_known)(&own.ticker, id) || !own.ids.insert(id) {
            self.added.repeats += 1;
            return Ok(());
        }
        own.seconds.add(Mark::at_or_after(traded_at), Sums::of(price, quantity));
        Ok(())
    }

    fn place(&mut self, ticker: &str) -> Result<usize, BadRow> {
        if let Some(place) = self.places.get(ticker) {
            return Ok(*place);
        }
        let place = self.added.tickers.len();
        let ids = Ids::default();
        self.added.tickers.push(AddedTicker { ticker: Ticker::new(ticker)?, seconds: Seconds::default(), ids });
        self.places.insert(ticker.into(), place);
        Ok(place)
    }
}

fn without_return(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

fn not_text(text: &[u8], at: usize) -> Bad {
    Bad { line: memchr::memchr_iter(b'\n', &text[..at]).count() as u64, row: BadRow::NotText }
}

/// Where each ticker stands.
type Places = HashMap<Box<str>, usize, BuildHasherDefault<Short>>;

/// Hashes a few bytes quickly (FNV-1a): a ticker per row, and whoever makes a
/// file whose tickers collide slows down nobody but himself.
struct Short(u64);

impl Default for Short {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Short {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
