//! How a market is heard (WebSocket) and asked (REST).
//!
//! An adapter turns one market's frames and rows into [`tape`] trades and
//! rejections and knows how to put the question; [`socket`] and [`rest`] do
//! the rest alike for all of them. Nothing here knows SQL or averages, reads
//! the wall clock, or lets a number pass through a float. Without the feature
//! `channels` only the adapters are built.

pub mod adapter;
pub mod conversation;
pub mod reading;
pub mod said;

pub mod binance;
pub mod bitstamp;
pub mod bybit;
pub mod coinbase;
pub mod generic;
pub mod kraken;
pub mod okx;

pub mod field;
mod plain;
pub mod raw;
pub mod stamp;

#[cfg(feature = "channels")]
pub mod socket;

#[cfg(feature = "channels")]
pub mod rest;

#[cfg(feature = "channels")]
pub mod backoff;
pub mod clock;
pub mod endpoint;
#[cfg(feature = "channels")]
pub mod headers;
#[cfg(feature = "channels")]
mod tls;

pub use adapter::{Adapter, Market, NotAPage, UnknownMarket};
#[cfg(feature = "channels")]
pub use backoff::Backoff;
pub use clock::Clock;
pub use conversation::{Conversation, KeepAlive, Notice, SocketTerms, Symbols};
pub use endpoint::{EndpointError, rest_url, socket_url};
pub use reading::{Anchor, Gap, Reads, RestTerms};
#[cfg(feature = "channels")]
pub use rest::{Answer, Ask, Asked, PageError, RateBudget, Reader, RestClient, RestSettings, Told};
pub use said::{Decoded, Refusal, Row, Said};
#[cfg(feature = "channels")]
pub use socket::{Disconnect, Socket, SocketSettings, SocketStats};
