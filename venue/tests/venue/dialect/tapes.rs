//! Recorded tapes in every dialect, and the bounds of what one connection may hear.

use std::io::Write;

use serde_json::json;
use venue::{Dialect, VenueConfig};

use super::reading::{Talker, body, truth, whole};
use crate::support::{get, start};

fn tape() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    let rows: String =
        (0..50).map(|n| format!("BTCUSDT,{},0.5,{}.5,x{n}\n", 1_723_161_255_000_i64 + n * 37, 100 + n)).collect();
    write!(file, "ticker,ts,quantity,price,tradeid\n{rows}").expect("writes");
    file
}

#[tokio::test]
async fn a_tape_is_a_pair_with_ids_given_anew_in_every_dialect() {
    let tape = tape();
    for dialect in Dialect::ALL.into_iter().filter(|dialect| !dialect.is_generic()) {
        let running = start(VenueConfig::recorded(tape.path()).speaking(dialect)).await;
        let truth = truth(&running, "BTC/USDT");
        assert_eq!(truth.len(), 50, "{dialect:?}");
        let prices: Vec<String> = truth.values().map(|trade| trade.price.to_string()).collect();
        assert_eq!((prices[0].as_str(), prices[49].as_str()), ("100.5", "149.5"), "ids rise in the order of the tape");
    }
    let okx = start(VenueConfig::recorded(tape.path()).speaking(Dialect::parse("okx").expect("a dialect"))).await;
    let page = body(&okx, "/api/v5/market/trades?instId=BTC-USDT").await;
    assert_eq!(page["data"].as_array().map(Vec::len), Some(50));
    let time = get(&okx, "/api/v5/public/time").await;
    assert_eq!(whole(&time.json()["data"][0]["ts"]), 1_723_161_255_000 + 49 * 37 + 60_000, "the present stands");
}

#[tokio::test]
async fn a_connection_hears_at_most_1024_streams_of_binance_and_as_many_channels_of_bitstamp() {
    let tickers: Vec<String> = (0..1_025).map(|n| format!("C{n}/USDT")).collect();
    let tickers: Vec<&str> = tickers.iter().map(String::as_str).collect();
    for name in ["binance", "bitstamp"] {
        let config = VenueConfig::scripted(&tickers).speaking(Dialect::parse(name).expect("a dialect"));
        let running = start(config).await;
        let mut talker = Talker::at(&running, if name == "binance" { "/ws" } else { "/" }).await;
        if name == "binance" {
            let streams = |count: usize| (0..count).map(|n| format!("c{n}usdt@trade")).collect::<Vec<_>>();
            talker.say(&json!({ "method": "SUBSCRIBE", "params": streams(1_024), "id": 1 }).to_string()).await;
            assert_eq!(talker.json().await["result"], json!(null));
            talker.say(&json!({ "method": "SUBSCRIBE", "params": streams(1_025), "id": 2 }).to_string()).await;
            assert_eq!(talker.end().await, Some(1008));
        } else {
            for n in 0..1_024 {
                talker
                    .say(
                        &json!({ "event": "bts:subscribe", "data": { "channel": format!("live_trades_c{n}usdt") } })
                            .to_string(),
                    )
                    .await;
                assert_eq!(talker.json().await["event"], "bts:subscription_succeeded");
            }
            talker.try_say(r#"{"event":"bts:subscribe","data":{"channel":"live_trades_c1024usdt"}}"#).await;
            assert_eq!(talker.end().await, None, "without a word");
        }
    }
}
