//! Bitstamp: `live_trades_<pair>` on the socket, and by REST the transactions of
//! the last minute, hour or day, with times in whole seconds.
//!
//! Source: third parties mostly, since the official page was not found whole:
//! ccxt, bmoscon/cryptofeed, JKorf/Bitstamp.Net, hummingbot, gocryptotrader. Ids
//! are one rising counter of the whole exchange, so they have holes within a
//! pair, and final rests on overlap: an answer of REST that reaches back to what
//! is confirmed, by its span or by its ids, has left none out. What is older
//! than a day cannot be asked for, and is named as incomplete. Where the socket
//! told a trade too, its milliseconds are kept; else the second it is told in.

mod frame;
mod history;

use std::time::Duration;

use crate::adapter::Adapter;
use crate::conversation::{Conversation, KeepAlive, Notice, SocketTerms, Symbols};
use crate::reading::{Reads, RestTerms, Trouble};
use crate::said::Decoded;

/// Bitstamp.
pub struct Bitstamp;

impl Adapter for Bitstamp {
    fn name(&self) -> &'static str {
        "bitstamp"
    }

    fn symbol(&self, ticker: &str) -> String {
        ticker.replace('/', "").to_lowercase()
    }

    fn socket_terms(&self) -> SocketTerms {
        SocketTerms {
            url: "wss://ws.bitstamp.net",
            // 1,024 channels are allowed; each is a message of its own.
            tickers_per_connection: 100,
            pause_between: Duration::from_millis(50),
            keep_alive: KeepAlive::Say { text: r#"{"event":"bts:heartbeat"}"#, every: Duration::from_secs(30) },
            // Some say that a connection may live 90 days.
            lives_for: Some(Duration::from_secs(30 * 86_400)),
            needs_tickers: true,
        }
    }

    fn subscription(&self, symbols: &Symbols) -> Vec<String> {
        frame::subscription(symbols)
    }

    fn decode(&self, frame: &str, conversation: &mut Conversation, each: &mut dyn FnMut(Decoded)) -> Notice {
        frame::decode(frame, &conversation.symbols, each)
    }

    fn rest_terms(&self) -> RestTerms {
        RestTerms {
            url: "https://www.bitstamp.net",
            // It gives all there is of a span, however much.
            page_limit: 10_000,
            // Half of 10,000 in ten minutes.
            weight_per_second: 8,
            page_weight: 1,
            pause_between: Duration::ZERO,
            settle_delay: Duration::from_secs(5),
            pause: Duration::from_secs(10),
            longest_pause: Duration::from_secs(600),
        }
    }

    fn reads(&self) -> Reads {
        Reads::ByOverlap(&history::History)
    }

    fn trouble(&self, status: u16, body: &str) -> Option<Trouble> {
        history::trouble(status, body)
    }
}
