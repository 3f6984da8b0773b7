//! Who does what: one reads, every core adds up, one puts together in the order
//! of the file; then every core writes figures, and one hands them out in order.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tape::{EpochMs, Mark, Sums, Ticker};

use crate::adding::{Added, Bad};
use crate::error::ReplayError;
use crate::header::Columns;
use crate::marks;
use crate::pieces::{Pieces, Torn};
use crate::total::Total;

/// Blocks of text that may wait to be written, per ticker that is being worked on.
const BLOCKS_WAITING: usize = 64;

/// What a replay may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many tickers a tape may have.
    pub tickers: usize,
    /// How many seconds with trades, over all tickers; each takes about 100 bytes.
    pub seconds: usize,
    /// No trade may be older: a time in seconds, taken for milliseconds, is one of 1970.
    pub earliest: EpochMs,
}

impl Default for Limits {
    fn default() -> Self {
        Self { tickers: 100_000, seconds: 50_000_000, earliest: EpochMs::new(100_000_000_000) }
    }
}

/// How a tape is replayed.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// How many seconds a window has.
    pub seconds: i64,
    /// How many cores may work on it.
    pub cores: usize,
    /// What it may take.
    pub limits: Limits,
}

/// What was replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// How many rows the file has.
    pub rows: u64,
    /// How many of them repeat the ticker and id of an earlier one, and do not count.
    pub repeats: u64,
    /// How many tickers there are.
    pub tickers: usize,
    /// How many figures were written.
    pub marks: u64,
}

/// The sums of a ticker's seconds, in their order.
type Sorted = (Ticker, Vec<(Mark, Sums)>);

/// A piece, by its place in the file, or why there is none.
struct Read {
    number: u64,
    text: Result<Vec<u8>, Torn>,
}

/// A piece that was added up; they are done in whatever order.
struct Done {
    number: u64,
    text: Vec<u8>,
    added: Result<Added, Stopped>,
}

/// Why a piece could not be added up.
enum Stopped {
    Torn(Torn),
    Bad(Bad),
}

impl Replay {
    /// Replays a file. How many of its bytes have been read is kept in `read`.
    ///
    /// # Errors
    /// [`ReplayError`] naming the file, the line and what is wrong; some marks
    /// may have been written only when it is that they could not be.
    pub fn run(&self, path: &Path, out: &mut impl Write, read: &Arc<AtomicU64>) -> Result<Summary, ReplayError> {
        let total = self.add_up(path, read)?;
        let (rows, repeats, tickers) = (total.rows, total.repeats, total.tickers());
        if rows == 0 {
            return Err(ReplayError::Empty { path: path.to_owned() });
        }
        let seconds: Vec<Sorted> =
            total.into_seconds().into_iter().map(|(ticker, seconds)| (ticker, seconds.into_sorted())).collect();
        let mut first_marks = seconds.iter().filter_map(|(ticker, sorted)| Some((ticker, sorted.first()?.0)));
        if let Some((ticker, mark)) = first_marks.find(|(_, mark)| mark.at() < self.limits.earliest) {
            let (path, ticker) = (path.to_owned(), ticker.clone());
            return Err(ReplayError::TooEarly { path, ticker, ts: mark.at() });
        }
        let marks = self.write_marks(seconds, out).map_err(ReplayError::Unwritable)?;
        Ok(Summary { rows, repeats, tickers, marks })
    }

    fn add_up(&self, path: &Path, read: &Arc<AtomicU64>) -> Result<Total, ReplayError> {
        let unreadable = |source| ReplayError::Unreadable { path: path.to_owned(), source };
        let mut pieces = Pieces::open(path, Arc::clone(read)).map_err(unreadable)?;
        let mut first = Vec::new();
        let mut together = Together { path: path.to_owned(), limits: self.limits, total: Total::default() };
        pieces.next_into(&mut first).map_err(|torn| together.stop(Stopped::Torn(torn)))?;
        let header_end = memchr::memchr(b'\n', &first).map_or(first.len(), |end| end + 1);
        let header = String::from_utf8_lossy(&first[..header_end]).trim_end().to_owned();
        let columns =
            Columns::read(&header).map_err(|column| ReplayError::NoColumn { path: path.to_owned(), column })?;
        first.drain(..header_end);
        together.total.lines = 1;

        // So many pieces are read, added up or waiting for their turn at once.
        let in_flight = 2 * self.cores + 2;
        let (buffers, empty) = sync_channel(in_flight);
        let (read, to_add) = sync_channel(in_flight);
        let (added, done) = sync_channel(in_flight);
        for _ in 1..in_flight {
            buffers.send(Vec::new()).expect("there is room for all");
        }
        let to_add = Mutex::new(to_add);
        thread::scope(|scope| {
            scope.spawn(move || read_all(pieces, first, &empty, &read));
            for _ in 0..self.cores.max(1) {
                let (added, to_add) = (added.clone(), &to_add);
                scope.spawn(move || add_all(to_add, &added, columns));
            }
            drop(added);
            // Whoever still reads or adds up when this ends early finds nobody there, and ends too.
            together.take_all(done, buffers, columns)
        })?;
        Ok(together.total)
    }

    fn write_marks(&self, tickers: Vec<Sorted>, out: &mut impl Write) -> std::io::Result<u64> {
        let ends = tickers.iter().filter_map(|(_, sorted)| sorted.last());
        let Some(last) = ends.map(|(mark, _)| *mark).max() else { return Ok(0) };
        out.write_all(marks::HEADER.as_bytes())?;
        let (senders, receivers): (Vec<_>, Vec<_>) =
            tickers.iter().map(|_| sync_channel::<Vec<u8>>(BLOCKS_WAITING)).unzip();
        let work: Vec<_> =
            tickers.into_iter().zip(senders).map(|(ticker, sender)| Mutex::new(Some((ticker, sender)))).collect();
        let (next, written) = (AtomicUsize::new(0), AtomicU64::new(0));
        let write_next = || {
            while let Some(work) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
                let taken = work.lock().unwrap_or_else(PoisonError::into_inner).take();
                let Some(((ticker, sorted), sender)) = taken else { return };
                let count = marks::write(&ticker, &sorted, self.seconds, last, |block| sender.send(block).is_ok());
                written.fetch_add(count, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..self.cores.max(1) {
                scope.spawn(write_next);
            }
            // In order; when writing fails, the channels go, and with them the work.
            receivers.into_iter().try_for_each(|blocks| blocks.iter().try_for_each(|block| out.write_all(&block)))
        })?;
        out.flush()?;
        Ok(written.into_inner())
    }
}

/// Reads piece after piece into buffers that come back empty.
fn read_all(mut pieces: Pieces, first: Vec<u8>, empty: &Receiver<Vec<u8>>, read: &SyncSender<Read>) {
    if read.send(Read { number: 0, text: Ok(first) }).is_err() {
        return;
    }
    for number in 1.. {
        let Ok(mut buffer) = empty.recv() else { return };
        let text = match pieces.next_into(&mut buffer) {
            Ok(true) => Ok(buffer),
            Ok(false) => return,
            Err(torn) => Err(torn),
        };
        let is_last = text.is_err();
        if read.send(Read { number, text }).is_err() || is_last {
            return;
        }
    }
}

/// Adds up whatever piece is next, until there are no more.
fn add_all(to_add: &Mutex<Receiver<Read>>, added: &SyncSender<Done>, columns: Columns) {
    loop {
        let next = to_add.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Read { number, text }) = next else { return };
        let done = match text {
            Ok(text) => {
                let added = Added::of(&text, columns, |_, _| false).map_err(Stopped::Bad);
                Done { number, text, added }
            }
            Err(torn) => Done { number, text: Vec::new(), added: Err(Stopped::Torn(torn)) },
        };
        if added.send(done).is_err() {
            return;
        }
    }
}

/// Puts the pieces together in the order of the file.
struct Together {
    path: PathBuf,
    limits: Limits,
    total: Total,
}

impl Together {
    fn take_all(
        &mut self,
        done: Receiver<Done>,
        buffers: SyncSender<Vec<u8>>,
        columns: Columns,
    ) -> Result<(), ReplayError> {
        let mut next = 0;
        let mut waiting = BTreeMap::new();
        for piece in done {
            waiting.insert(piece.number, piece);
            while let Some(Done { text, added, .. }) = waiting.remove(&next) {
                self.take(&text, added, columns)?;
                next += 1;
                // Nobody reads any more when the file has ended.
                let _ = buffers.try_send(text);
            }
        }
        Ok(())
    }

    fn take(&mut self, text: &[u8], added: Result<Added, Stopped>, columns: Columns) -> Result<(), ReplayError> {
        let mut added = added.map_err(|stopped| self.stop(stopped))?;
        if self.total.repeats_in(&added) {
            // Seldom: it is added up again, without what is known by now.
            let again = Added::of(text, columns, |ticker, id| self.total.knows(ticker, id));
            added = again.map_err(|bad| self.stop(Stopped::Bad(bad)))?;
        }
        self.total.absorb(added);
        let (path, line) = (self.path.clone(), self.total.lines);
        if self.total.tickers() > self.limits.tickers {
            return Err(ReplayError::TooLarge { path, line, limit: self.limits.tickers, what: "tickers" });
        }
        if self.total.held() > self.limits.seconds {
            return Err(ReplayError::TooLarge { path, line, limit: self.limits.seconds, what: "seconds with trades" });
        }
        Ok(())
    }

    fn stop(&self, stopped: Stopped) -> ReplayError {
        let path = self.path.clone();
        let next_line = self.total.lines + 1;
        match stopped {
            Stopped::Torn(Torn::Unreadable(source)) => ReplayError::Unreadable { path, source },
            Stopped::Torn(Torn::BadRow(source)) => ReplayError::BadRow { path, line: next_line, source },
            Stopped::Bad(Bad { line, row }) => ReplayError::BadRow { path, line: next_line + line, source: row },
        }
    }
}
