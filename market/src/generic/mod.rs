//! The generic protocol: what a market must speak to be followed without an
//! adapter of its own.
//!
//! The socket sends everything it has, one JSON object a frame; REST answers
//! a JSON array of the same objects, ascending by `ts`, from `startTime` on.

mod wire;

use std::time::Duration;

use serde_json::value::RawValue;
use tape::{Rejection, Ticker, Watermark};
use url::Url;

use crate::adapter::{Adapter, NotAPage};
use crate::conversation::{Conversation, KeepAlive, Notice, SocketTerms, Symbols};
use crate::reading::{ByTime, Reads, RestTerms};
use crate::said::{Decoded, Refusal, Row};

/// The generic protocol.
pub struct Generic;

impl Adapter for Generic {
    fn name(&self) -> &'static str {
        "generic"
    }

    fn symbol(&self, ticker: &str) -> String {
        ticker.to_owned()
    }

    fn socket_terms(&self) -> SocketTerms {
        SocketTerms {
            url: "ws://127.0.0.1:61792/stream",
            tickers_per_connection: usize::MAX,
            pause_between: Duration::ZERO,
            keep_alive: KeepAlive::Ping,
            lives_for: None,
            needs_tickers: false,
        }
    }

    /// Nothing needs to be said: the socket sends all tickers to everyone.
    fn subscription(&self, _symbols: &Symbols) -> Vec<String> {
        Vec::new()
    }

    fn decode(&self, frame: &str, _conversation: &mut Conversation, each: &mut dyn FnMut(Decoded)) -> Notice {
        each(decode(frame));
        Notice::None
    }

    fn rest_terms(&self) -> RestTerms {
        RestTerms {
            url: "http://127.0.0.1:61792/trades",
            page_limit: 100,
            weight_per_second: 500,
            page_weight: 1,
            pause_between: Duration::ZERO,
            settle_delay: Duration::from_secs(2),
            pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
        }
    }

    fn reads(&self) -> Reads {
        Reads::ByTime(&Generic)
    }
}

impl ByTime for Generic {
    fn page_url(&self, base: &Url, ticker: &Ticker, watermark: &Watermark) -> Url {
        page_url(base, ticker, watermark)
    }

    fn rows<'b>(&self, body: &'b str) -> Result<Vec<Row<'b>>, NotAPage> {
        decode_page(body)
    }
}

/// Reads one frame.
///
/// # Errors
/// A [`Refusal`] when the frame is not a trade that can be held.
pub fn decode(frame: &str) -> Decoded {
    let is_blank = frame.starts_with(|first: char| first.is_ascii_whitespace()) && frame.trim_ascii().is_empty();
    if is_blank || frame.is_empty() {
        return Err(Refusal::of(Rejection::Malformed("an empty frame".to_owned())));
    }
    wire::decode(frame)
}

/// Where to ask for the page that follows a watermark.
pub fn page_url(base: &Url, ticker: &Ticker, watermark: &Watermark) -> Url {
    let mut url = base.clone();
    let start_time = watermark.ask_from().ms().to_string();
    let mut query = url.query_pairs_mut();
    query.append_pair("ticker", ticker.as_str()).append_pair("startTime", &start_time);
    if let Some(last) = watermark.ask_after() {
        query.append_pair("afterId", last.as_str());
    }
    drop(query);
    url
}

/// Reads the rows of a page.
///
/// # Errors
/// [`NotAPage`] when the body is not a JSON array from its first byte to its last.
pub fn decode_page(body: &str) -> Result<Vec<Row<'_>>, NotAPage> {
    let rows: Vec<&RawValue> = serde_json::from_str(body).map_err(|error| NotAPage(error.to_string()))?;
    let row = |raw: &'_ RawValue| -> Decoded { wire::decode(raw.get()) };
    Ok(rows.into_iter().map(|raw| Row { decoded: row(raw), text: raw.get() }).collect())
}

#[cfg(test)]
mod tests {
    use tape::{EpochMs, TradeId};

    use super::*;

    fn url_of(watermark: &Watermark) -> String {
        let base = Url::parse("http://127.0.0.1:1/trades?key=k").expect("url");
        let ticker = Ticker::new("XRP/ETH").expect("ticker");
        page_url(&base, &ticker, watermark).to_string()
    }

    #[test]
    fn a_page_is_asked_for_from_right_after_a_finished_millisecond() {
        let url = url_of(&Watermark::Through(EpochMs::new(999)));

        assert_eq!(url, "http://127.0.0.1:1/trades?key=k&ticker=XRP%2FETH&startTime=1000");
    }

    #[test]
    fn within_a_millisecond_the_page_is_asked_for_after_the_last_id_read() {
        let last = TradeId::new("a&b=ü").expect("id");

        let url = url_of(&Watermark::Within { at: EpochMs::new(1_000), last });

        assert!(url.ends_with("&startTime=1000&afterId=a%26b%3D%C3%BC"), "{url}");
    }
}
