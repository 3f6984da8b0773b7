//! OKX spot: every single trade, channel `trades-all` on the business socket
//! and `history-trades` by REST.
//!
//! Source: OKX v5 documentation (WebSocket: connect, subscribe, notification,
//! all trades channel; REST: trades history; error codes). Trades are numbered
//! per instrument without holes. The better known channel `trades` tells
//! aggregates under the number of their last trade, so it is not used, and an
//! aggregate that comes all the same is refused. Final rests on ids: a trade is
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

/// OKX spot.
pub struct Okx;

impl Adapter for Okx {
    fn name(&self) -> &'static str {
        "okx"
    }

    fn symbol(&self, ticker: &str) -> String {
        ticker.replace('/', "-").to_uppercase()
    }

    fn socket_terms(&self) -> SocketTerms {
        SocketTerms {
            url: "wss://ws.okx.com:8443/ws/v5/business",
            // All arguments of a connection together may have 64 KB, and in an hour it takes 480
            // requests: so many that tickers may be added one by one all day.
            tickers_per_connection: 100,
            pause_between: Duration::from_millis(200),
            // Half a minute without anything ends a connection.
            keep_alive: KeepAlive::Say { text: "ping", every: Duration::from_secs(20) },
            lives_for: None,
            needs_tickers: true,
        }
    }

    fn subscription(&self, symbols: &Symbols) -> Vec<String> {
        frame::subscription(symbols)
    }

    fn decode(&self, frame: &str, conversation: &mut Conversation, each: &mut dyn FnMut(Decoded)) -> Notice {
        frame::decode(frame, conversation, each)
    }

    fn rest_terms(&self) -> RestTerms {
        RestTerms {
            url: "https://www.okx.com",
            page_limit: 100,
            // Half of twenty in two seconds.
            weight_per_second: 5,
            page_weight: 1,
            pause_between: Duration::ZERO,
            settle_delay: Duration::from_secs(5),
            // The window in which questions are counted.
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
