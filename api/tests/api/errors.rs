//! What is refused, on every question alike.

use reqwest::Method;
use testkit::{TestDatabase, database};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::running::Running;
use crate::seeded::{NOW, market};

const QUESTIONS: [&str; 5] = ["/latest", "/historical", "/vwap", "/quality", "/tickers"];

async fn server() -> (TestDatabase, Running) {
    let database = database().await;
    market(&database).await;
    let api = Running::standing_at(&database, NOW);
    (database, api)
}

#[tokio::test]
async fn a_bad_query_is_refused_by_name_on_every_question() {
    let (_database, api) = server().await;
    for path in QUESTIONS.into_iter().chain(["/health", "/health/livez", "/health/readyz"]) {
        for (query, status, code) in [
            ("colour=red", 400, "unknown_parameter"),
            ("exchang=generic", 400, "unknown_parameter"),
            ("%00=1", 400, "unknown_parameter"),
            ("%", 400, "malformed_query"),
            ("a=%zz", 400, "malformed_query"),
            ("a=%ff%fe", 400, "malformed_query"),
        ] {
            assert_eq!(api.problem(&format!("{path}?{query}")).await, (status, code.to_owned()), "{path}?{query}");
        }
        assert_eq!(api.problem(&format!("{path}?x={}", "9".repeat(5_000))).await, (414, "query_too_long".to_owned()));
    }
    for path in QUESTIONS {
        for (query, code) in [
            ("exchange=generic&exchange=generic", "duplicate_parameter"),
            ("exchange=", "empty_parameter"),
            ("exchange", "empty_parameter"),
        ] {
            assert_eq!(api.problem(&format!("{path}?{query}")).await, (400, code.to_owned()), "{path}?{query}");
        }
    }
}

#[tokio::test]
async fn no_value_of_any_parameter_is_answered_with_a_fault_of_ours() {
    let (_database, api) = server().await;
    let values = [
        "%00",
        "a%00b",
        "%0a",
        "'%3B%20drop%20table%20transactions--",
        "%F0%9F%92%A9",
        "-1",
        "0",
        "1e309",
        "NaN",
        "null",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "99999999999999999999999999999999",
        "1684083600000.5",
        "%2B5",
        "0x10",
        "%20",
        "..%2F..%2Fetc",
        "9999-12-31T23:59:59Z",
        "0000-01-01T00:00:00Z",
        "5m",
        "1d",
    ];
    for path in QUESTIONS {
        for name in ["ticker", "exchange", "ts", "interval", "from", "to", "step", "limit", "cursor"] {
            for value in values {
                let required = if name == "ticker" { "" } else { "&ticker=BTC" };
                let moment = if path == "/historical" && name != "ts" { "&ts=1684083590000" } else { "" };
                let query = format!("{path}?{name}={value}{required}{moment}");
                let answer = api.get(&query).await;
                let status = answer.status.as_u16();
                assert!([200, 400, 404].contains(&status), "{query}: {status} {}", answer.text());
                if status != 200 {
                    answer.problem();
                }
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_path_lists_the_known_ones() {
    let (_database, api) = server().await;
    for path in [
        "/nothing",
        "/latest/",
        "/LATEST",
        "/latest/BTC",
        "/%00",
        "/%zz",
        "/swagger-ui/nothing.js",
        "/swagger-ui/..%2f..%2fetc%2fpasswd",
    ] {
        assert_eq!(api.problem(path).await, (404, "unknown_path".to_owned()), "{path}");
    }
    assert!(api.get("/nothing").await.text().contains("/historical"));
}

#[tokio::test]
async fn only_reading_is_possible() {
    let (_database, api) = server().await;
    for path in QUESTIONS.into_iter().chain(["/", "/health", "/swagger-ui/", "/swagger.json"]) {
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let answer = api.send(method, path, &[]).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.problem()["code"]),
                (405, &"method_not_allowed".into()),
                "{path}"
            );
            assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
        }
    }
}

/// Sends bytes and reads what comes back until the server closes or a whole answer is there.
async fn raw(api: &Running, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(api.address()).await.expect("it listens");
    // The server may refuse, and close, before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let reading = async {
        let mut chunk = [0; 4_096];
        while let Ok(read) = stream.read(&mut chunk).await {
            answer.extend_from_slice(&chunk[..read]);
            if read == 0 || answer.windows(4).any(|end| end == b"\r\n\r\n") {
                return;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(15), reading).await.expect("it answers or closes");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_is_not_http_is_refused_and_the_next_client_is_served() {
    let (_database, api) = server().await;
    let huge = format!("GET /latest?ticker={} HTTP/1.1\r\nHost: x\r\n\r\n", "A".repeat(300_000));
    let many = format!("GET /latest HTTP/1.1\r\nHost: x\r\n{}\r\n", "X-Header: y\r\n".repeat(20_000));
    for request in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /latest?ticker=\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /latest?ticker=a b HTTP/1.1\r\nHost: x\r\n\r\n",
        huge.as_bytes(),
        many.as_bytes(),
    ] {
        let answer = raw(&api, request).await;
        let is_refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(is_refused, "{:?}: {answer}", String::from_utf8_lossy(&request[..request.len().min(60)]));
    }
    assert_eq!(api.get("/latest?ticker=BTC").await.status, 200);
}

#[tokio::test]
async fn a_client_that_never_finishes_its_request_is_shown_out() {
    let (_database, api) = server().await;

    let answer = raw(&api, b"GET /latest?ticker=BTC HTTP/1.1\r\nHost:").await;

    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}
