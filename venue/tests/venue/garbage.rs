//! Bad input of every kind gets a clear refusal, and the venue goes on.

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use venue::{Running, VenueConfig};

use crate::support::{DEADLINE, Listener, get, post, start, trade};

async fn venue() -> Running {
    let running = start(VenueConfig::scripted(&["BTC"])).await;
    running.publish(trade("a", 1_000));
    running
}

#[tokio::test]
async fn a_bad_question_is_refused_with_a_sentence() {
    let running = venue().await;
    for (path, status, word) in [
        ("/trades", 400, "ticker"),
        ("/trades?ticker=", 400, "ticker"),
        ("/trades?ticker=DOGE", 404, "DOGE"),
        ("/trades?ticker=B%20T", 400, "not a ticker"),
        ("/trades?ticker=%FF%FE", 400, "not a ticker"),
        ("/trades?ticker=BTC&startTime=yesterday", 400, "startTime"),
        ("/trades?ticker=BTC&startTime=1.5", 400, "startTime"),
        ("/trades?ticker=BTC&startTime=99999999999999999999999", 400, "startTime"),
        ("/trades?ticker=BTC&startTime=0&afterId=a%20b", 400, "afterId"),
        ("/truth/trades?ticker=DOGE", 404, "DOGE"),
        ("/truth/trades?from=noon", 400, "from"),
        ("/truth/window?ts=1", 400, "ticker"),
        ("/truth/window?ticker=BTC&interval=5x", 400, "interval"),
        ("/truth/window?ticker=BTC&interval=0", 400, "interval"),
        ("/truth/summary?ticker=DOGE", 404, "DOGE"),
        ("/nowhere", 404, "/nowhere"),
        ("/control/cut", 405, "GET"),
        ("/stream", 426, "WebSocket"),
    ] {
        let answer = get(&running, path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        let sentence = answer.json()["error"].as_str().map(str::to_owned).expect("a sentence");
        assert!(sentence.contains(word), "{path}: {sentence}");
    }
}

#[tokio::test]
async fn extreme_but_well_formed_questions_are_answered() {
    let running = venue().await;
    for path in [
        "/trades?ticker=BTC&startTime=-9223372036854775808",
        "/trades?ticker=BTC&startTime=9223372036854775807",
        "/trades?ticker=BTC&startTime=0&startTime=1&limit=7&unknown=%00",
        "/truth/trades?from=9223372036854775807&to=-9223372036854775808",
        "/truth/window?ticker=BTC&ts=9223372036854775807&interval=1",
        "/truth/window?ticker=BTC&ts=-9223372036854775808&interval=9223372036854775807",
        "/truth/faults?ticker=BTC",
        "/truth/tickers",
        "/",
    ] {
        assert_eq!(get(&running, path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_bad_command_is_refused_and_changes_nothing() {
    let running = venue().await;
    for (path, body, word) in [
        ("/control/rest", "", "mode"),
        ("/control/rest", "not json", "JSON"),
        ("/control/rest", "[]", "JSON"),
        ("/control/rest", r#"{"mode":"dance"}"#, "rate_limit"),
        ("/control/rest", r#"{"mode":"fail","for_ms":"1s"}"#, "for_ms"),
        ("/control/rest", r#"{"mode":"fail","for_ms":-1}"#, "for_ms"),
        ("/control/rest", r#"{"mode":"fail","for_minutes":1}"#, "for_minutes"),
        ("/control/faults", r#"{"drop":2}"#, "drop"),
        ("/control/faults", r#"{"drop":"many"}"#, "drop"),
        ("/control/faults", r#"{"lies":0.5}"#, "lies"),
        ("/control/faults", r#"{"all":0.5}"#, "add up"),
        ("/control/silence", r#"{"for_ms":1.5}"#, "for_ms"),
    ] {
        let answer = post(&running, path, body).await;
        assert_eq!(answer.status, 400, "{path} {body}: {}", answer.body);
        let sentence = answer.json()["error"].as_str().map(str::to_owned).expect("a sentence");
        assert!(sentence.contains(word), "{path} {body}: {sentence}");
    }
    assert_eq!(get(&running, "/trades?ticker=BTC").await.ids(), ["a"]);
    assert_eq!(running.state().cuts, 0);
}

#[tokio::test]
async fn bytes_that_are_no_http_disturb_nobody() {
    let running = venue().await;
    let mut listener = Listener::connect(&running).await;
    for garbage in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        b"GET\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\r\n\r\n",
        b"GET /trades?ticker=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /control/faults HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        b"GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut connection = TcpStream::connect(running.addr()).await.expect("connects");
        connection.write_all(garbage).await.expect("writes");
        connection.shutdown().await.expect("ends");
        let mut answer = Vec::new();
        let read = tokio::time::timeout(DEADLINE, connection.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the venue ends the conversation about {garbage:?}");
    }

    let made = running.make_trade("BTC", "1", "1").expect("a trade");
    assert_eq!(listener.text().await, made.json());
}

#[tokio::test]
async fn help_lists_every_endpoint_and_the_state_as_json() {
    let running = venue().await;
    let help = get(&running, "/").await.body;
    for path in [
        "/stream",
        "/trades",
        "/truth/tickers",
        "/truth/deliveries",
        "/truth/faults",
        "/truth/summary",
        "/truth/window",
    ] {
        assert!(help.contains(path), "{path}");
    }
    for path in ["/control/rest", "/control/faults", "/control/silence", "/control/cut"] {
        assert!(help.contains(path), "{path}");
    }
    let (_, state) = help.split_once("\nstate\n").expect("the state");
    let state: Value = serde_json::from_str(state).expect("JSON");
    assert_eq!(state["market"]["trades"], serde_json::json!(1));
}
