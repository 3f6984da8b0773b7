//! Replays of small files, of large ones in many pieces, of broken ones, and of
//! recorded tapes, held against big integers.

mod oracle;
mod stage;

mod exactness;
mod recorded;
mod wrong_files;
