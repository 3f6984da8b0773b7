//! What must hold for whatever comes in from outside: one target per decoder
//! or parser, each held against a reading of its own.
//!
//! A target takes bytes and panics when a property fails. `bin/fuzz` hunts for
//! such bytes, guided by coverage; an ordinary test replays the kept seeds and
//! mutates them, wherever there is no C++ compiler.

pub mod mutation;
pub mod oracle;
pub mod seeds;
pub mod target;

pub use target::{TARGETS, Target};
