//! Thousands of seeds, what a failing one prints, and whether the tables in
//! memory are what Postgres is.

mod differential;
mod engine;
mod replay;
mod seeds;
mod tickers;
