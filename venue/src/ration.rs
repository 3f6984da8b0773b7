//! A reader that gives no more bytes than it was granted: what a small
//! compressed file unfolds into must not fill the memory.

use std::cell::Cell;
use std::io::Read;
use std::rc::Rc;

/// How many bytes may still be read; its clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ration(Rc<Cell<usize>>);

impl Ration {
    /// Grants so many bytes from now on, whatever was left.
    pub fn grant(&self, bytes: usize) {
        self.0.set(bytes);
    }

    /// Puts a reader on this ration.
    pub fn limit<R: Read>(&self, reader: R) -> impl Read + use<R> {
        Rationed { ration: self.clone(), reader }
    }
}

struct Rationed<R> {
    ration: Ration,
    reader: R,
}

impl<R: Read> Read for Rationed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.ration.0.get();
        if left == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, "it is longer than any row"));
        }
        let most = buffer.len().min(left);
        let count = self.reader.read(&mut buffer[..most])?;
        self.ration.0.set(left - count);
        Ok(count)
    }
}
