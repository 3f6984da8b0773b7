//! What tests stand on: a throw-away database, a cluster that may be killed,
//! waiting for a state, and short names for trades.
//!
//! Nothing here is shipped. Whatever goes wrong in it panics: it only ever
//! runs inside a test.

mod binaries;
mod cluster;
mod port;
mod shared;

mod database;
mod own;

mod builders;
mod waiting;

pub use builders::{at, heard, id, price, quantity, ticker, trade};
pub use cluster::{Cluster, FOR_TESTS};
pub use database::{TestDatabase, database};
pub use own::{OwnCluster, own_cluster};
pub use port::free_port;
pub use waiting::eventually;
