//! Asks a market: one page of one ticker at a time, under deadlines, limits
//! and a rate that all tickers share.

mod answer;
mod budget;
mod client;
mod error;
mod settings;

pub use answer::{Answer, Question};
pub use budget::{NoTurn, RateBudget};
pub use client::{ClientError, RestClient};
pub use error::PageError;
pub use settings::RestSettings;
