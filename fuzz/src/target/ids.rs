//! Tickers, trade ids, and the question put to a market with them.

use tape::{EpochMs, Ticker, TradeId, Watermark};
use url::Url;

use crate::oracle::{name, query};

pub(super) const WORDS: &[&str] =
    &["BTC", "XRP/ETH", "abc-1", "&", "=", "#", "%2F", "\u{a0}", "\u{2028}", "\u{85}", "é", " "];

pub(super) fn check(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let ticker = Ticker::new(text);
    assert_eq!(ticker.is_ok(), name::is_ticker(text), "{text:?} as a ticker: {ticker:?}");
    let id = TradeId::new(text);
    assert_eq!(id.is_ok(), name::is_trade_id(text), "{text:?} as an id: {id:?}");
    for refused in [ticker.as_ref().err(), id.as_ref().err()].into_iter().flatten() {
        assert!(refused.to_string().len() < 1_000, "{refused}");
    }
    if let Ok(ticker) = ticker {
        assert_eq!((ticker.as_str(), ticker.to_string().as_str()), (text, text));
        asked(&ticker, TradeId::new("1").expect("an id"));
    }
    if let Ok(id) = id {
        assert_eq!((id.as_str(), id.to_string().as_str()), (text, text));
        asked(&Ticker::new("BTC").expect("a ticker"), id);
    }
}

/// The market must understand exactly what was meant.
fn asked(ticker: &Ticker, last: TradeId) {
    let base = Url::parse("http://127.0.0.1:1/trades?key=k").expect("a url");
    let watermark = Watermark::Within { at: EpochMs::new(1_000), last: last.clone() };
    let url = market::generic::page_url(&base, ticker, &watermark);
    let pairs = query::pairs(url.query().expect("a query")).unwrap_or_else(|| panic!("{url} is not encoded"));
    let expected = [("key", "k"), ("ticker", ticker.as_str()), ("startTime", "1000"), ("afterId", last.as_str())];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(pairs, expected, "{url}");
}
