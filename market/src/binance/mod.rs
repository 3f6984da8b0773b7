//! Binance spot: every single trade, `<symbol>@trade` on the socket and
//! `historicalTrades` by REST; both count trades per symbol, without holes.
//!
//! Source: binance/binance-spot-api-docs, `web-socket-streams.md`, `rest-api.md`
//! and `errors.md`. Final rests on ids: a trade is confirmed when every id
//! before it was, and a moment when REST told a trade a second after it, or had
//! no more to tell a settle delay later.

mod frame;
mod history;

use std::time::Duration;

use crate::adapter::Adapter;
use crate::conversation::{Conversation, KeepAlive, Notice, SocketTerms, Symbols};
use crate::reading::{Reads, RestTerms, Trouble};
use crate::said::Decoded;

/// Binance spot.
pub struct Binance;

impl Adapter for Binance {
    fn name(&self) -> &'static str {
        "binance"
    }

    fn symbol(&self, ticker: &str) -> String {
        ticker.replace('/', "").to_uppercase()
    }

    fn socket_terms(&self) -> SocketTerms {
        SocketTerms {
            url: "wss://stream.binance.com:9443/ws",
            // 1,024 streams are allowed.
            tickers_per_connection: 500,
            // Five messages a second are allowed, pongs counted.
            pause_between: Duration::from_millis(500),
            // The server pings every 20 s.
            keep_alive: KeepAlive::Ping,
            // The server ends a connection after 24 h.
            lives_for: Some(Duration::from_secs(23 * 3_600)),
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
            url: "https://api.binance.com",
            page_limit: 1_000,
            // Half of 6,000 a minute.
            weight_per_second: 50,
            page_weight: history::TRADES_WEIGHT,
            pause_between: Duration::ZERO,
            settle_delay: Duration::from_secs(5),
            pause: Duration::from_secs(10),
            // Bans last up to three days.
            longest_pause: Duration::from_secs(3 * 86_400),
        }
    }

    fn reads(&self) -> Reads {
        Reads::ById(&history::History)
    }

    fn trouble(&self, status: u16, body: &str) -> Option<Trouble> {
        history::trouble(status, body)
    }
}
