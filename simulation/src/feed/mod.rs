//! The simulated market: what was truly traded, what the socket makes of it,
//! what REST answers, and what it answers otherwise later.

mod lies;
mod mind;
mod rest;
mod truth;

pub use lies::{Frame, Injected, Lies};
pub use mind::{Mind, Present};
pub use rest::Rest;
pub use truth::{TrueTrade, Truth};
