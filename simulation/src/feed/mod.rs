//! The simulated market: what was truly traded, what the socket makes of it,
//! and what REST answers.

mod lies;
mod rest;
mod truth;

pub use lies::{Frame, Injected, Lies};
pub use rest::Rest;
pub use truth::{TrueTrade, Truth};
