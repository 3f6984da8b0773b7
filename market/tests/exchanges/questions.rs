//! How the questions of each exchange are put.

use market::reading::{About, ById, ByOverlap, Reads};
use market::{Anchor, rest_url};
use tape::EpochMs;

use crate::{market, ticker};

fn by_id(name: &str) -> &'static dyn ById {
    match market(name).adapter().reads() {
        Reads::ById(by_id) => by_id,
        _ => panic!("{name} is read by ids"),
    }
}

fn by_overlap(name: &str) -> &'static dyn ByOverlap {
    match market(name).adapter().reads() {
        Reads::ByOverlap(by_overlap) => by_overlap,
        _ => panic!("{name} is read by overlap"),
    }
}

/// The questions after an anchor in every way, for the newest, before an id, and for a moment.
fn questions(name: &str, of: &str) -> Vec<String> {
    let base = rest_url("http://127.0.0.1:1/x/").expect("a url");
    let (ticker, anchor) = (ticker(of), Anchor { id: 41, traded_at: EpochMs::new(1_700_000_000_123) });
    let about = About { base: &base, ticker: &ticker, page_limit: 100 };
    let by_id = by_id(name);
    let mut questions: Vec<_> = (0..9).map_while(|way| by_id.after(about, anchor, way)).collect();
    questions.extend(by_id.older(about, None));
    questions.extend(by_id.older(about, Some(7)));
    questions.extend(by_id.seek(about, EpochMs::new(1_700_000_000_000)));
    questions.into_iter().map(|question| question.url.as_str().replace("http://127.0.0.1:1/x/", "")).collect()
}

#[test]
fn binance_is_asked_from_the_anchor_on_and_finds_a_moment_by_its_aggregates() {
    let expected = [
        "api/v3/historicalTrades?symbol=BTCUSDT&limit=100&fromId=41",
        "api/v3/historicalTrades?symbol=BTCUSDT&limit=100",
        "api/v3/aggTrades?symbol=BTCUSDT&startTime=1700000000000&limit=1000",
    ];
    assert_eq!(questions("binance", "BTC/USDT"), expected);
}

#[test]
fn coinbase_is_asked_for_the_page_before_the_id_a_page_ahead() {
    let expected = [
        "products/BTC-USD/trades?limit=100&after=142",
        "products/BTC-USD/trades?limit=100",
        "products/BTC-USD/trades?limit=100&after=7",
    ];
    assert_eq!(questions("coinbase", "BTC/USD"), expected);
}

#[test]
fn kraken_is_asked_from_a_second_before_the_anchor_then_from_its_millisecond_then_from_earlier() {
    let expected = [
        "0/public/Trades?pair=XBTUSD&count=100&since=1699999999123000000",
        "0/public/Trades?pair=XBTUSD&count=100&since=1700000000122999999",
        "0/public/Trades?pair=XBTUSD&count=100&since=1699999990123000000",
        "0/public/Trades?pair=XBTUSD&count=100",
        "0/public/Trades?pair=XBTUSD&count=100&since=1699999999999999999",
    ];
    assert_eq!(questions("kraken", "BTC/USD"), expected);
    assert!(questions("kraken", "DOGE/BTC")[0].contains("pair=XDGXBT"));
    assert!(questions("kraken", "eth/eur")[0].contains("pair=ETHEUR"));
}

#[test]
fn okx_is_asked_for_the_page_before_the_id_a_page_ahead_and_for_what_is_before_a_moment() {
    let expected = [
        "api/v5/market/history-trades?instId=BTC-USDT&type=1&limit=100&after=142",
        "api/v5/market/history-trades?instId=BTC-USDT&type=1&limit=100",
        "api/v5/market/history-trades?instId=BTC-USDT&type=1&limit=100&after=7",
        "api/v5/market/history-trades?instId=BTC-USDT&type=2&limit=100&after=1700000000000",
    ];
    assert_eq!(questions("okx", "BTC/USDT"), expected);
}

#[test]
fn bitstamp_is_asked_for_a_minute_then_an_hour_then_a_day() {
    let (base, ticker) = (rest_url("http://127.0.0.1:1").expect("a url"), ticker("BTC/USD"));
    let urls: Vec<String> = (0..9)
        .map_while(|way| by_overlap("bitstamp").newest(&base, &ticker, way))
        .map(|question| question.url.path().to_owned() + "?" + question.url.query().unwrap_or_default())
        .collect();

    let of = |span: &str| format!("/api/v2/transactions/btcusd/?time={span}");
    assert_eq!(urls, [of("minute"), of("hour"), of("day")]);
}
