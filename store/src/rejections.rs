//! The latest of what was refused, as it came, as far as a table can hold it.

use tape::{EpochMs, RejectionKind, Ticker};

use crate::txn::WriteTxn;
use crate::{Store, StoreError};

/// How many refused frames and rows are kept per venue.
pub const REJECTIONS_KEPT: i64 = 10_000;

/// How much of a frame is kept, in bytes: what the table allows.
const FRAME_LIMIT: usize = 4_096;

/// How much of a reason is kept, in bytes.
const REASON_LIMIT: usize = 512;

/// Which way something came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// The fast one.
    Socket,
    /// The true one.
    Rest,
}

impl Channel {
    /// The channel's name in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Socket => "socket",
            Self::Rest => "rest",
        }
    }
}

/// A frame or row that is no trade we hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which way it came.
    pub channel: Channel,
    /// Whose trade it claims to be, as far as that can be read.
    pub ticker: Option<Ticker>,
    /// What it is counted under.
    pub kind: RejectionKind,
    /// Why it was refused.
    pub reason: String,
    /// What came. Any text at all; shortened to what the table takes.
    pub frame: String,
    /// When it came, by our clock.
    pub received_at: EpochMs,
}

impl WriteTxn {
    /// Keeps refused frames and rows.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn rejections_insert(&self, refused: &[Refused]) -> Result<(), StoreError> {
        if refused.is_empty() {
            return Ok(());
        }
        let tickers: Vec<&str> =
            refused.iter().map(|it| it.ticker.as_ref().map_or("", |ticker| ticker.as_str())).collect();
        let channels: Vec<&str> = refused.iter().map(|it| it.channel.as_str()).collect();
        let kinds: Vec<&str> = refused.iter().map(|it| it.kind.as_str()).collect();
        let reasons: Vec<String> = refused.iter().map(|it| storable(&it.reason, REASON_LIMIT)).collect();
        let frames: Vec<String> = refused.iter().map(|it| storable(&it.frame, FRAME_LIMIT)).collect();
        let received_at: Vec<i64> = refused.iter().map(|it| it.received_at.ms()).collect();
        let sql = include_str!("../sql/rejections_insert.sql");
        self.session.execute(sql, &[&self.venue, &tickers, &channels, &kinds, &reasons, &frames, &received_at]).await?;
        Ok(())
    }
}

impl Store {
    /// Lets go of all but the latest refused frames and rows, a bounded number at a time.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn rejections_trim(&self, venue: &str) -> Result<u64, StoreError> {
        let session = self.session().await?;
        session.execute(include_str!("../sql/rejections_trim.sql"), &[&venue, &REJECTIONS_KEPT]).await
    }
}

/// The text as Postgres takes it: without NUL, and no longer than `limit` bytes.
fn storable(text: &str, limit: usize) -> String {
    let mut kept = String::with_capacity(text.len().min(limit));
    for character in text.chars() {
        let character = if character == '\0' { '\u{2400}' } else { character };
        if kept.len() + character.len_utf8() > limit {
            break;
        }
        kept.push(character);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_after_nul_was_replaced() {
        assert_eq!(storable("aä", 2), "a");
        assert_eq!(storable("aä", 3), "aä");
        assert_eq!(storable("\0", 3), "\u{2400}");
        assert_eq!(storable("\0", 2), "");
    }
}
