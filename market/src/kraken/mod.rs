//! Kraken spot: channel `trade` of WebSocket v2, and by REST `Trades` from a
//! nanosecond on.
//!
//! Source: docs.kraken.com (WebSocket v2: trade, status, heartbeat, ping; REST:
//! get recent trades, rate limits) and support articles 206548367 and 218198197.
//! Trades are numbered per book without holes. Users have seen the socket drop
//! all but the first of several trades made at one instant (krakenfx/api-go 36)
//! while REST had them all. So final rests on ids: a trade is confirmed when
//! every id before it was, and a moment when REST told a trade a second after
//! it, or, asked a settle delay later, ended with the last id known.

mod frame;
mod history;

use std::time::Duration;

use crate::adapter::Adapter;
use crate::conversation::{Conversation, KeepAlive, Notice, SocketTerms, Symbols};
use crate::reading::{Reads, RestTerms, Trouble};
use crate::said::Decoded;

/// Kraken spot.
pub struct Kraken;

impl Adapter for Kraken {
    fn name(&self) -> &'static str {
        "kraken"
    }

    fn symbol(&self, ticker: &str) -> String {
        ticker.to_uppercase()
    }

    fn socket_terms(&self) -> SocketTerms {
        SocketTerms {
            url: "wss://ws.kraken.com/v2",
            // No limit is documented.
            tickers_per_connection: 100,
            pause_between: Duration::from_millis(200),
            // A minute without anything ends a connection.
            keep_alive: KeepAlive::Say { text: r#"{"method":"ping"}"#, every: Duration::from_secs(20) },
            lives_for: None,
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
            url: "https://api.kraken.com",
            page_limit: 1_000,
            // The limit is one a second for each pair, and the pause keeps to it.
            weight_per_second: 5,
            page_weight: 1,
            pause_between: Duration::from_millis(1_200),
            settle_delay: Duration::from_secs(5),
            pause: Duration::from_secs(5),
            // Its firewall keeps an address out for ten minutes.
            longest_pause: Duration::from_secs(900),
        }
    }

    fn reads(&self) -> Reads {
        Reads::ById(&history::History)
    }

    fn trouble(&self, status: u16, body: &str) -> Option<Trouble> {
        history::trouble(status, body)
    }
}
