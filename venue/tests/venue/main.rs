//! The venue as its listeners and askers see it: through real sockets.

mod dialect;
mod faults;
mod garbage;
mod generated;
mod ledger;
mod paging;
mod program;
mod recorded;
mod replay;
mod rest;
mod revising;
mod stopping;
mod support;
mod suspects;
