//! Bybit spot: `publicTrade.<symbol>` on the socket, and by REST the last 60
//! trades, without any way to ask for earlier ones.
//!
//! Source: bybit-exchange/docs v5, `websocket/public/trade.mdx`,
//! `market/recent-trade.mdx`, `rate-limit.mdx`. Ids are one rising counter with
//! holes per symbol, so final rests on overlap: two successive answers of REST
//! that share a trade have left none out between them. Where more than 60
//! trades pass between two answers the span is named as incomplete.

mod frame;
mod history;

use std::time::Duration;

use crate::adapter::Adapter;
use crate::conversation::{Conversation, KeepAlive, Notice, SocketTerms, Symbols};
use crate::reading::{Reads, RestTerms, Trouble};
use crate::said::Decoded;

/// Bybit spot.
pub struct Bybit;

impl Adapter for Bybit {
    fn name(&self) -> &'static str {
        "bybit"
    }

    fn symbol(&self, ticker: &str) -> String {
        ticker.replace('/', "").to_uppercase()
    }

    fn socket_terms(&self) -> SocketTerms {
        SocketTerms {
            url: "wss://stream.bybit.com/v5/public/spot",
            // All topics of a connection together may have 21,000 characters, a topic of a
            // ticker of ours at most 44.
            tickers_per_connection: 400,
            pause_between: Duration::from_millis(100),
            keep_alive: KeepAlive::Say { text: r#"{"op":"ping"}"#, every: Duration::from_secs(20) },
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
            url: "https://api.bybit.com",
            page_limit: 60,
            // Half of 600 in five seconds.
            weight_per_second: 60,
            page_weight: 1,
            pause_between: Duration::ZERO,
            settle_delay: Duration::from_secs(5),
            pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(3_600),
        }
    }

    fn reads(&self) -> Reads {
        Reads::ByOverlap(&history::History)
    }

    fn trouble(&self, status: u16, body: &str) -> Option<Trouble> {
        history::trouble(status, body)
    }

    fn reset_header(&self) -> Option<&'static str> {
        Some("x-bapi-limit-reset-timestamp")
    }
}
