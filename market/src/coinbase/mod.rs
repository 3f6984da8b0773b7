//! Coinbase Exchange: `matches` and `heartbeat` on the socket, and by REST the
//! trades of a product, newest first, a page before any id.
//!
//! Source: the documentation of Coinbase Exchange (docs.cdp.coinbase.com/exchange:
//! WebSocket channels, rate limits, get product trades). Trades are numbered per
//! product without holes, and the documentation itself says that `matches` may
//! drop some, to be fetched by their numbers. So final rests on ids: a trade is
//! confirmed when every id before it was, and a moment when REST told a trade a
//! second after it, or its newest page, asked for a settle delay later, ended
//! with the last id known.

mod frame;
mod history;

use std::time::Duration;

use crate::adapter::Adapter;
use crate::conversation::{Conversation, KeepAlive, Notice, SocketTerms, Symbols};
use crate::reading::{Reads, RestTerms, Trouble};
use crate::said::Decoded;

/// Coinbase Exchange.
pub struct Coinbase;

impl Adapter for Coinbase {
    fn name(&self) -> &'static str {
        "coinbase"
    }

    fn symbol(&self, ticker: &str) -> String {
        ticker.replace('/', "-").to_uppercase()
    }

    fn socket_terms(&self) -> SocketTerms {
        SocketTerms {
            url: "wss://ws-feed.exchange.coinbase.com",
            // No limit is documented; few products per connection are advised.
            tickers_per_connection: 100,
            // Between the ten and the hundred messages a second that are documented; the
            // first must come within five seconds of connecting.
            pause_between: Duration::from_millis(200),
            // Heartbeats come every second.
            keep_alive: KeepAlive::Ping,
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
            url: "https://api.exchange.coinbase.com",
            page_limit: 1_000,
            // Half of ten a second.
            weight_per_second: 5,
            page_weight: 1,
            pause_between: Duration::ZERO,
            settle_delay: Duration::from_secs(5),
            // Nothing is said about how long.
            pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(300),
        }
    }

    fn reads(&self) -> Reads {
        Reads::ById(&history::History)
    }

    fn trouble(&self, status: u16, body: &str) -> Option<Trouble> {
        history::trouble(status, body)
    }
}
