//! How an answer looks: routes, OpenAPI, and the shape of every answer and error.
//!
//! It knows Postgres through `store` and the words of `tape`. It contains no
//! SQL, no sums and no market; it meets the worker only in the database.

pub mod config;

pub mod clock;
pub mod telemetry;

pub mod problem;

pub mod instant;
pub mod parameters;

pub mod desk;
pub mod metrics;
pub mod respond;

pub mod expected;

pub mod bound;
pub mod figure;

pub mod consolidated;
pub mod floors;
pub mod part_answer;

pub mod following;
pub mod memory;
pub mod told;

pub mod health;
pub mod historical;
pub mod latest;
pub mod lookups;
pub mod tickers;

pub mod grid;
pub mod series;
pub mod series_answer;

pub mod quality;
pub mod quality_answer;
pub mod suspects_answer;

pub mod receipt;
pub mod receipt_answer;
pub mod restatements;

pub mod document;
pub mod examples;
pub mod middleware;
pub mod quick;
pub mod routes;
pub mod server;

pub use clock::Clock;
pub use config::Config;
pub use server::run;
