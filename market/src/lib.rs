//! How a market is heard (WebSocket) and asked (REST).
//!
//! An adapter turns one market's frames and rows into [`tape`] trades and
//! rejections and knows how to put the question; [`socket`] and [`rest`] do
//! the rest alike for all of them. Nothing here knows SQL or averages, reads
//! the wall clock, or lets a number pass through a float.

pub mod adapter;
pub mod generic;
pub mod said;

pub mod field;

pub mod socket;

pub mod rest;

pub mod backoff;
pub mod clock;
pub mod endpoint;
pub mod headers;
mod tls;

pub use adapter::{Market, NotAPage, UnknownMarket};
pub use backoff::Backoff;
pub use clock::Clock;
pub use endpoint::{EndpointError, rest_url, socket_url};
pub use rest::{Answer, PageError, RateBudget, RestClient, RestSettings};
pub use said::{Decoded, Refusal, Row, Said};
pub use socket::{Disconnect, Socket, SocketSettings, SocketStats};
