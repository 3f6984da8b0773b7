//! The whole of it: the real programs through a minute of storm.

mod programs;
mod storm;
