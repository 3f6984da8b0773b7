//! A file to replay, and what came out.

use std::io::Write as _;
use std::sync::Arc;

use replay::{Limits, Replay, ReplayError, Summary};
use tape::EpochMs;
use tempfile::NamedTempFile;

pub const HEADER: &str = "ticker,ts,quantity,price,tradeid\n";

pub fn file(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(content.as_ref()).expect("writes");
    file
}

/// Replays some bytes with windows of so many seconds; the error names the file `tape.csv`.
pub fn replay(content: impl AsRef<[u8]>, seconds: i64) -> Result<(String, Summary), String> {
    replay_within(content, seconds, since_1970())
}

/// The usual limits, for tapes whose times are small numbers.
pub fn since_1970() -> Limits {
    Limits { earliest: EpochMs::new(0), ..Limits::default() }
}

pub fn replay_within(content: impl AsRef<[u8]>, seconds: i64, limits: Limits) -> Result<(String, Summary), String> {
    let file = file(content);
    let mut out = Vec::new();
    let replay = Replay { seconds, cores: 3, limits };
    match replay.run(file.path(), &mut out, &Arc::default()) {
        Ok(summary) => Ok((String::from_utf8(out).expect("text"), summary)),
        Err(error) => {
            assert!(out.is_empty(), "nothing is written of a file that cannot be read");
            Err(shown(&error).replace(&file.path().display().to_string(), "tape.csv"))
        }
    }
}

fn shown(error: &ReplayError) -> String {
    error.to_string()
}
