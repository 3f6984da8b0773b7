//! The whole way from a lying socket and a true REST channel to final figures,
//! against a practice venue and a real Postgres.

mod bench_of_truth;
mod six;
mod stage;

mod bounds;
mod chain;
mod consolidated;
mod convergence;
mod exchange_backfill;
mod exchange_crowds;
mod exchange_errors;
mod exchange_lag;
mod exchange_limits;
mod exchange_tickers;
mod exchanges;
mod following;
mod leading;
mod paging;
mod processes;
mod quiet;
mod rest_trouble;
mod restating;
mod store_trouble;
mod suspects;
mod tapes;
mod the_door;
mod verifying;
