//! Asks a market: about one ticker at a time, under deadlines, limits and a
//! rate that all tickers share.

mod answer;
mod ask;
mod budget;
mod by_id;
mod by_overlap;
mod client;
mod error;
mod harvest;
mod pace;
mod reader;
mod seek;
mod settings;
mod trail;

pub use answer::{Answer, Request};
pub use ask::{Ask, Told};
pub use budget::{NoTurn, RateBudget};
pub use client::{ClientError, RestClient};
pub use error::PageError;
pub use reader::{Asked, Reader};
pub use settings::RestSettings;

/// Rows of one answer from which on more are asked for later: beyond that a
/// transaction gains nothing by its size.
const ROWS_TOGETHER: usize = 5_000;
