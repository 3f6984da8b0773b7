//! Recorded tapes: CSV files of trades, plain, gzip or zstd. Columns are found
//! by name; whatever is wrong is reported with its file and line.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use tape::{EpochMs, Rejection};

use crate::ration::Ration;
use crate::true_trade::TrueTrade;

/// The columns a tape must have; others are ignored.
const COLUMNS: [&str; 5] = ["ticker", "ts", "quantity", "price", "tradeid"];

/// No row takes more than this, in bytes, with what is read ahead of it.
const ROW_BYTES: usize = 64 * 1024;

/// The whole content of a recorded tape.
#[derive(Debug)]
pub struct TapeFile {
    /// Its distinct trades in time order; those of one millisecond in the file's order.
    pub trades: Vec<TrueTrade>,
    /// How many rows the file has.
    pub rows: u64,
    /// How many rows repeat the ticker and id of an earlier one.
    pub repeats: u64,
}

/// Why a file is not a tape.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The file cannot be read at all.
    #[error("could not read the tape {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The header lacks a column.
    #[error("{}: no column named {column}; a tape needs ticker, ts, quantity, price and tradeid", path.display())]
    NoColumn {
        /// Which file.
        path: PathBuf,
        /// Which column.
        column: &'static str,
    },
    /// A row is not CSV, or the compressed data ends or breaks here.
    #[error("{}:{line}: not a row of the tape", path.display())]
    BadRow {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// Why.
        #[source]
        source: csv::Error,
    },
    /// The time of a row is no number of milliseconds.
    #[error("{}:{line}: ts must be epoch milliseconds, not {found:?}", path.display())]
    BadTime {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// What stood there.
        found: String,
    },
    /// A row is no trade.
    #[error("{}:{line}: {source}", path.display())]
    BadTrade {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// Why.
        source: Rejection,
    },
    /// There is no row.
    #[error("{}: the tape has no trades", path.display())]
    Empty {
        /// Which file.
        path: PathBuf,
    },
}

impl TapeFile {
    /// Reads a whole tape.
    ///
    /// # Errors
    /// [`TapeError`] naming the file, the line and what is wrong.
    pub fn read(path: &Path) -> Result<Self, TapeError> {
        let unreadable = |source| TapeError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        Self::read_bytes(BufReader::new(file), path)
    }

    /// Reads a whole tape from its bytes; `path` is what errors call it.
    ///
    /// # Errors
    /// [`TapeError`] naming the file, the line and what is wrong.
    pub fn read_bytes<'bytes>(bytes: impl BufRead + 'bytes, path: &Path) -> Result<Self, TapeError> {
        let unreadable = |source| TapeError::Unreadable { path: path.to_owned(), source };
        Self::read_from(decompressed(bytes).map_err(unreadable)?, path)
    }

    fn read_from(reader: impl Read, path: &Path) -> Result<Self, TapeError> {
        let ration = Ration::default();
        ration.grant(ROW_BYTES);
        let mut csv = csv::ReaderBuilder::new().from_reader(ration.limit(reader));
        let header = csv.headers().map_err(|source| bad_row(path, source, 1))?.clone();
        let mut columns = [0; COLUMNS.len()];
        for (position, column) in columns.iter_mut().zip(COLUMNS) {
            *position = header
                .iter()
                .position(|name| name.trim_start_matches('\u{feff}') == column)
                .ok_or_else(|| TapeError::NoColumn { path: path.to_owned(), column })?;
        }

        let mut known = HashSet::new();
        let mut tape = Self { trades: Vec::new(), rows: 0, repeats: 0 };
        let mut row = csv::StringRecord::new();
        loop {
            let line = csv.position().line();
            ration.grant(ROW_BYTES);
            if !csv.read_record(&mut row).map_err(|source| bad_row(path, source, line))? {
                break;
            }
            let line = row.position().map_or(line, csv::Position::line);
            tape.rows += 1;
            let trade = read_trade(&row, columns, path, line)?;
            if known.insert((trade.ticker.clone(), trade.id.clone())) {
                tape.trades.push(trade);
            } else {
                tape.repeats += 1;
            }
        }
        if tape.trades.is_empty() {
            return Err(TapeError::Empty { path: path.to_owned() });
        }
        // A stable sort: trades of one millisecond keep the order of the file.
        tape.trades.sort_by_key(|trade| trade.traded_at);
        Ok(tape)
    }

    /// The tickers, in alphabetical order.
    pub fn tickers(&self) -> Vec<tape::Ticker> {
        let tickers: std::collections::BTreeSet<_> = self.trades.iter().map(|trade| &trade.ticker).collect();
        tickers.into_iter().cloned().collect()
    }

    /// The time of the first trade.
    pub fn first_at(&self) -> EpochMs {
        self.trades.first().map_or(EpochMs::new(0), |trade| trade.traded_at)
    }

    /// The time of the last trade.
    pub fn last_at(&self) -> EpochMs {
        self.trades.last().map_or(EpochMs::new(0), |trade| trade.traded_at)
    }

    /// What the tape holds, as a JSON object.
    pub fn description(&self) -> serde_json::Value {
        let tickers: Vec<_> = self.tickers().iter().map(|ticker| ticker.as_str().to_owned()).collect();
        serde_json::json!({
            "tickers": tickers,
            "rows": self.rows,
            "trades": self.trades.len(),
            "repeats": self.repeats,
            "first_ts": self.first_at().ms(),
            "last_ts": self.last_at().ms(),
        })
    }
}

fn read_trade(
    row: &csv::StringRecord,
    columns: [usize; COLUMNS.len()],
    path: &Path,
    line: u64,
) -> Result<TrueTrade, TapeError> {
    let [ticker, ts, quantity, price, id] = columns.map(|column| row.get(column).unwrap_or_default());
    let traded_at_ms = ts
        .parse()
        .ok()
        .filter(|ms| (1..EpochMs::MAX.ms()).contains(ms))
        .ok_or_else(|| TapeError::BadTime { path: path.to_owned(), line, found: ts.chars().take(40).collect() })?;
    TrueTrade::new(ticker, traded_at_ms, price, quantity, id).map_err(|source| TapeError::BadTrade {
        path: path.to_owned(),
        line,
        source,
    })
}

fn bad_row(path: &Path, source: csv::Error, line: u64) -> TapeError {
    let line = source.position().map_or(line, csv::Position::line);
    TapeError::BadRow { path: path.to_owned(), line, source }
}

/// The plain bytes of a file, told by its first bytes whatever its name.
fn decompressed<'bytes>(mut file: impl BufRead + 'bytes) -> std::io::Result<Box<dyn Read + 'bytes>> {
    let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let is_zstd = file.fill_buf()?.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    Ok(if is_gzip {
        Box::new(flate2::bufread::MultiGzDecoder::new(file))
    } else if is_zstd {
        Box::new(zstd::stream::read::Decoder::with_buffer(file)?)
    } else {
        Box::new(file)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(text: &str) -> Result<TapeFile, String> {
        TapeFile::read_from(text.as_bytes(), Path::new("some.csv")).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_are_found_by_name_and_rows_put_in_time_order() {
        let tape = read("recv,tradeid,price,quantity,ts,ticker\n1,a,2.50,2E-7,9,BTC\n2,b,3,1,7,BTC\n3,c,3,1,9,BTC\n")
            .expect("a tape");

        let ids: String = tape.trades.iter().map(|trade| trade.id.as_str()).collect();
        assert_eq!(ids, "bac");
        assert_eq!(tape.trades[1].quantity(), "2E-7");
        assert_eq!((tape.first_at().ms(), tape.last_at().ms()), (7, 9));
    }

    #[test]
    fn an_exact_repeat_counts_once_and_the_same_id_of_another_ticker_is_another_trade() {
        let tape = read("ticker,ts,quantity,price,tradeid\nA,1,1,1,x\nA,1,1,1,x\nB,1,1,1,x\n").expect("a tape");

        assert_eq!((tape.rows, tape.trades.len(), tape.repeats), (3, 2, 1));
        assert_eq!(tape.description()["tickers"], serde_json::json!(["A", "B"]));
    }

    #[test]
    fn what_is_wrong_is_named_with_file_and_line() {
        let header = "ticker,ts,quantity,price,tradeid\n";
        for (rows, complaint) in [
            ("A,,1,1,x\n", "some.csv:2: ts must be epoch milliseconds, not \"\""),
            ("A,1723161255342000000,1,1,x\n", "some.csv:2: ts must be epoch milliseconds, not \"1723161255342000000\""),
            ("A,1,1,1,x\nA,2,0,1,y\n", "some.csv:3: quantity is not positive: 0"),
            ("A,1,1,abc,x\n", "some.csv:2: price has the wrong type: abc"),
            ("A,1,1,1\n", "some.csv:2: not a row of the tape"),
            ("", "some.csv: the tape has no trades"),
        ] {
            assert_eq!(read(&format!("{header}{rows}")).expect_err("no tape"), complaint);
        }
        assert!(read("ticker,ts,price,tradeid\n").expect_err("no tape").contains("no column named quantity"));
    }

    #[test]
    fn compressed_tapes_are_told_by_their_content() {
        let text = b"ticker,ts,quantity,price,tradeid\nA,1,1,1,x\n";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).expect("compresses");
        let zstd = zstd::encode_all(&text[..], 1).expect("compresses");
        for content in [text.to_vec(), gzip.finish().expect("compresses"), zstd] {
            let mut file = tempfile::NamedTempFile::new().expect("a file");
            file.write_all(&content).expect("writes");

            assert_eq!(TapeFile::read(file.path()).expect("a tape").rows, 1);
        }
    }

    #[test]
    fn a_row_without_end_is_refused_before_it_fills_the_memory() {
        let header = "ticker,ts,quantity,price,tradeid\n";
        let endless = || std::io::repeat(b'7').take(1 << 40);
        let row = || header.as_bytes().chain(&b"A,1,1,1,"[..]).chain(endless());
        let quoted_lines = || header.as_bytes().chain(&b"A,1,1,1,\""[..]).chain(std::io::repeat(b'\n').take(1 << 40));
        for error in [
            TapeFile::read_from(endless(), Path::new("some.csv")),
            TapeFile::read_from(row(), Path::new("some.csv")),
            TapeFile::read_from(quoted_lines(), Path::new("some.csv")),
        ] {
            assert!(matches!(error, Err(TapeError::BadRow { .. })), "{error:?}");
        }
    }

    #[test]
    fn a_compressed_tape_that_ends_early_is_refused() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(b"ticker,ts,quantity,price,tradeid\nA,1,1,1,x\n").expect("compresses");
        let whole = gzip.finish().expect("compresses");
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(&whole[..whole.len() - 12]).expect("writes");

        assert!(TapeFile::read(file.path()).is_err());
    }
}
