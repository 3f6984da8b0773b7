//! A simulated worker process: the production engine, and around it the same
//! loops as in the worker's session and reconciler, on simulated time.

mod auditor;
mod desk;
mod inbox;
mod life;
mod reconciler;

pub use inbox::{Inbox, Sockets, is_named};
pub use life::{Process, live};
