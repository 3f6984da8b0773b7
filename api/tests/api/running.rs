//! A server on a free port, and a client that reads JSON.

use std::net::TcpListener;
use std::time::Duration;

use api::{Clock, Config};
use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use testkit::TestDatabase;
use tokio_util::sync::CancellationToken;

const PATIENCE: Duration = Duration::from_secs(20);

/// A running server, stopped when dropped.
pub struct Running {
    base: String,
    client: reqwest::Client,
    shutdown: CancellationToken,
    pub server: Option<tokio::task::JoinHandle<anyhow::Result<()>>>,
}

/// An answer, read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Running {
    /// Answers for a database at a present that stands still.
    pub fn standing_at(database: &TestDatabase, now_ms: i64) -> Self {
        Self::start(&[("PG_STRING", &database.url())], Clock::StandingAt(testkit::at(now_ms)))
    }

    /// Answers with the given variables.
    pub fn start(vars: &[(&str, &str)], clock: Clock) -> Self {
        // Reading over https is never asked for here, but the client wants to be able to.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let config = Config::from_vars([("HTTP_WORKERS".to_owned(), "1".to_owned())].into_iter().chain(vars));
        let config = config.expect("the variables are right");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let base = format!("http://{}", listener.local_addr().expect("it is bound"));
        let shutdown = CancellationToken::new();
        let token = shutdown.clone();
        let server = tokio::spawn(async move { api::run(listener, &config, clock, token).await });
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client");
        Self { base, client, shutdown, server: Some(server) }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        self.base.strip_prefix("http://").expect("it was put there")
    }

    /// Tells it to stop.
    pub fn stop(&self) {
        self.shutdown.cancel();
    }

    /// Asks for a path and query.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[]).await
    }

    /// Asks, and expects an answer of status 200.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Asks, and expects a problem: its status and code.
    pub async fn problem(&self, path: &str) -> (u16, String) {
        let answer = self.get(path).await;
        let (status, problem) = (answer.status.as_u16(), answer.problem());
        (status, problem["code"].as_str().expect("a code").to_owned())
    }

    /// Asks in any way.
    pub async fn send(&self, method: Method, path: &str, headers: &[(HeaderName, &str)]) -> Answer {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let response = request.send().await.unwrap_or_else(|error| panic!("{path}: {error:?}"));
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.expect("the body ends").to_vec();
        Answer { status, headers, body }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.cancel();
    }
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as a problem that says what RFC 9457 asks for.
    pub fn problem(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        let code = problem["code"].as_str().expect("a code");
        assert_eq!(problem["type"], format!("urn:truetape:problem:{code}"), "{problem}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.ends_with(['.', '?'])), "{problem}");
        let is_worth_waiting = self.status == 503 || problem["expected_at"].is_i64();
        assert_eq!(self.header("retry-after").is_some(), is_worth_waiting, "{problem}");
        problem
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
