//! The api as a client sees it: every question and every error, asked of a
//! running server on a database of its own.

mod chained;
mod consolidated;
mod consolidated_newest;
mod running;
mod seeded;
mod writing;

mod examples;

mod finality;
mod health;
mod historical;
mod latest;
mod memory;
mod quality;
mod receipt;
mod remembering;
mod series;
mod tickers;

mod bounds;
mod document;
mod errors;
mod http;
mod outage;

mod tape_reference;
