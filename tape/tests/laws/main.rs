//! The laws of the tape, each held against a plain scan in integers that knows
//! nothing of the code under test.

mod oracle;
mod reading;

mod finals;
mod prices;
mod watermarks;
mod windows;
