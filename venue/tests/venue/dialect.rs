//! The dialects, held against the truth by readings of their own.

pub mod reading;

mod binance;
mod bitstamp;
mod bybit;
mod coinbase;
mod kraken;
mod lies;
mod manners;
mod okx;
mod tapes;
