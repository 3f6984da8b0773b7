//! Cuts a file into pieces of whole lines. Gzip and zstd are told by the first
//! bytes, whatever the file is called.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::row::BadRow;

/// About so many bytes are a piece: enough that handing it over costs nothing,
/// and little enough to stay near the processor.
pub const PIECE_BYTES: usize = 1 << 20;

/// No line of a tape is longer.
pub const LINE_BYTES_MOST: usize = 64 * 1024;

/// A file, piece by piece.
pub struct Pieces {
    file: Box<dyn Read + Send>,
    /// The beginning of the line that the last piece would have cut.
    begun: Vec<u8>,
}

/// Why there is no next piece.
#[derive(Debug)]
pub enum Torn {
    /// The file cannot be read further.
    Unreadable(io::Error),
    /// A line has no end.
    BadRow(BadRow),
}

impl Pieces {
    /// Opens a file. How much of it was read is counted in `read`, compressed or not.
    ///
    /// # Errors
    /// When it cannot be opened or its beginning not be read.
    pub fn open(path: &Path, read: Arc<AtomicU64>) -> io::Result<Self> {
        let mut file = BufReader::new(Counted { file: File::open(path)?, read });
        let first = file.fill_buf()?;
        let file: Box<dyn Read + Send> = if first.starts_with(&[0x1f, 0x8b]) {
            Box::new(flate2::bufread::MultiGzDecoder::new(file))
        } else if first.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            Box::new(zstd::stream::read::Decoder::with_buffer(file)?)
        } else {
            Box::new(file)
        };
        Ok(Self { file, begun: Vec::new() })
    }

    /// Fills a buffer with the next lines, all but the file's last one ended by a
    /// line feed. Returns false when nothing is left.
    ///
    /// # Errors
    /// When the file cannot be read or a line does not end.
    pub fn next_into(&mut self, buffer: &mut Vec<u8>) -> Result<bool, Torn> {
        if self.begun.len() > LINE_BYTES_MOST {
            return Err(Torn::BadRow(BadRow::TooLong(LINE_BYTES_MOST)));
        }
        let begun = self.begun.len();
        // A buffer that comes back is nearly as long, and only what is missing is filled with zeros.
        buffer.resize(begun + PIECE_BYTES, 0);
        buffer[..begun].copy_from_slice(&self.begun);
        self.begun.clear();
        let count = fill(&mut self.file, &mut buffer[begun..]).map_err(Torn::Unreadable)?;
        buffer.truncate(begun + count);
        let is_end = count < PIECE_BYTES;
        let whole_until = memchr::memrchr(b'\n', buffer).map_or(0, |last| last + 1);
        let is_too_long = buffer.len() - whole_until > LINE_BYTES_MOST;
        if is_too_long && whole_until == 0 {
            return Err(Torn::BadRow(BadRow::TooLong(LINE_BYTES_MOST)));
        }
        // A line that is too long is told of when its turn comes.
        if is_too_long || !is_end {
            self.begun.extend_from_slice(&buffer[whole_until..]);
            buffer.truncate(whole_until);
        }
        Ok(!buffer.is_empty())
    }
}

/// Reads as much as there is room for, and returns how much that was: less only at the end.
fn fill(file: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < room.len() {
        match file.read(&mut room[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
