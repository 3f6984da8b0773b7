//! Thousands of seeds, and what a failing one prints.

mod replay;
mod seeds;
