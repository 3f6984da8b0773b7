//! A simulated worker process: the production engine, and around it the same
//! loops as in the worker's session and reconciler, on simulated time.

mod desk;
mod inbox;
mod life;
mod reconciler;

pub use inbox::{Inbox, Sockets};
pub use life::{Process, live};
