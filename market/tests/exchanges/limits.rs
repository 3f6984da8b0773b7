//! Following 200 tickers keeps to what each exchange documents.

use market::{Market, Symbols};
use serde_json::Value;
use tape::Ticker;

use crate::market;

/// Tickers as long as any of ours may be on a real market.
fn tickers(count: usize) -> Vec<Ticker> {
    (0..count).map(|number| Ticker::new(&format!("{number:0>5}LONGNAME/USDT")).expect("a ticker")).collect()
}

/// What is said on each connection when so many tickers are followed.
fn said(market: Market, count: usize) -> Vec<Vec<String>> {
    let adapter = market.adapter();
    let per_connection = adapter.socket_terms().tickers_per_connection;
    let of = |chunk: &[Ticker]| adapter.subscription(&Symbols::of(chunk, |ticker| adapter.symbol(ticker)));
    tickers(count).chunks(per_connection).map(of).collect()
}

fn list<'a>(message: &'a Value, pointer: &str) -> &'a Vec<Value> {
    message.pointer(pointer).and_then(Value::as_array).expect("a list")
}

/// Checks the messages of each connection, and that every ticker is asked for once.
fn check(name: &str, args_at: Option<&str>, args_most: usize, seconds_most: f64) -> Vec<Vec<String>> {
    let (market, connections) = (market(name), said(market(name), 200));
    let mut args_in_all = 0;
    for messages in &connections {
        let pauses = u32::try_from(messages.len() - 1).expect("few");
        let took = market.adapter().socket_terms().pause_between * pauses;
        assert!(took.as_secs_f64() <= seconds_most, "{name}: {took:?} for {} messages", messages.len());
        for message in messages {
            let message: Value = serde_json::from_str(message).expect("JSON");
            let args = args_at.map_or(1, |pointer| list(&message, pointer).len());
            assert!(0 < args && args <= args_most, "{name}: {args} in one message");
            args_in_all += args;
        }
    }
    assert_eq!(args_in_all, 200, "{name}");
    connections
}

#[test]
fn binance_takes_five_messages_a_second_and_1024_streams_a_connection() {
    let connections = check("binance", Some("/params"), 1_024, 5.0);

    let terms = market("binance").adapter().socket_terms();
    assert!(terms.tickers_per_connection <= 1_024);
    // One place of five is left for pongs each second.
    assert!(0.25 <= terms.pause_between.as_secs_f64());
    assert!(connections.iter().flatten().count() <= 5);
}

#[test]
fn bybit_takes_ten_topics_a_message_and_21_000_characters_a_connection() {
    let market = market("bybit");
    let most = market.adapter().socket_terms().tickers_per_connection;
    check("bybit", Some("/args"), 10, 5.0);

    let longest = format!("publicTrade.{}", "X".repeat(32));
    assert!((longest.len() + 1) * most <= 21_000, "{most} tickers of the longest name");
    for messages in said(market, 2 * most) {
        let characters: usize = messages
            .iter()
            .map(|message| serde_json::from_str::<Value>(message).expect("JSON"))
            .flat_map(|message| list(&message, "/args").clone())
            .map(|topic| topic.as_str().expect("text").len())
            .sum();
        assert!(characters <= 21_000, "{characters}");
    }
}

#[test]
fn coinbase_hears_the_first_message_within_five_seconds_and_at_most_ten_a_second() {
    let connections = check("coinbase", Some("/product_ids"), 100, 5.0);

    assert!(0.1 <= market("coinbase").adapter().socket_terms().pause_between.as_secs_f64());
    // Eight connections a second are allowed.
    assert!(connections.len() <= 8);
}

#[test]
fn kraken_is_asked_in_few_messages() {
    let connections = check("kraken", Some("/params/symbol"), 100, 5.0);

    assert!(connections.iter().all(|messages| messages.len() <= 5));
    for message in connections.iter().flatten() {
        assert!(message.contains(r#""snapshot":false"#), "{message}");
    }
}

#[test]
fn okx_takes_480_requests_an_hour_and_64_kb_of_arguments_a_connection() {
    let connections = check("okx", Some("/args"), 100, 5.0);

    for messages in &connections {
        let bytes: usize = messages.iter().map(String::len).sum();
        assert!(bytes <= 64 * 1_024, "{bytes}");
        // All is said anew when tickers change: once a minute would be allowed.
        assert!(messages.len() * 60 <= 480, "{}", messages.len());
    }
    // Three connections a second are allowed.
    assert!(connections.len() <= 3);
}

#[test]
fn bitstamp_takes_one_channel_a_message_and_1024_a_connection() {
    let connections = check("bitstamp", None, 1, 5.0);

    assert!(connections.iter().all(|messages| messages.len() <= 1_024));
    assert!(connections[0][0].contains("live_trades_00000longnameusdt"), "{}", connections[0][0]);
}

#[test]
fn questions_keep_to_half_of_what_each_exchange_allows() {
    // Weight allowed in a second, by its documentation.
    let allowed =
        [("binance", 100.0), ("bybit", 120.0), ("coinbase", 10.0), ("okx", 10.0), ("bitstamp", 10_000.0 / 600.0)];
    for (name, allowed) in allowed {
        let terms = market(name).adapter().rest_terms();
        assert!(f64::from(terms.weight_per_second) <= allowed / 2.0, "{name}");
    }
    // One a second about each pair, whoever asks.
    assert!(1.0 <= market("kraken").adapter().rest_terms().pause_between.as_secs_f64());
}
