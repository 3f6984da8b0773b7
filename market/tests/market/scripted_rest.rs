//! An HTTP server that answers with the very bytes a test gives it.

use market::{Clock, Market, RestClient, RestSettings};
use tape::{EpochMs, Ticker, Watermark};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::soon;

/// A listener on a port of its own, and one who asks it.
pub struct Asking {
    pub listener: TcpListener,
    pub client: RestClient,
}

impl Asking {
    pub async fn start(clock: Clock, adjust: impl FnOnce(&mut RestSettings)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let base_url = market::rest_url(&format!("http://{address}/trades")).expect("a url");
        let mut settings = RestSettings::new(Market::GENERIC);
        adjust(&mut settings);
        let client = RestClient::new(Market::GENERIC, base_url, settings, clock).expect("a client");
        Self { listener, client }
    }

    /// Takes the next request in and gives its head and the connection.
    pub async fn accept(&self) -> (String, TcpStream) {
        let (mut tcp, _) = soon(self.listener.accept()).await.expect("a connection");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(soon(tcp.read_u8()).await.expect("a whole request"));
        }
        (String::from_utf8(head).expect("text"), tcp)
    }

    /// Answers the next request with these bytes, hangs up, and gives the request's head.
    pub async fn answer(&self, bytes: impl AsRef<[u8]>) -> String {
        let (head, mut tcp) = self.accept().await;
        soon(tcp.write_all(bytes.as_ref())).await.expect("sent");
        soon(tcp.shutdown()).await.expect("hung up");
        head
    }
}

/// A whole answer; every line of `headers` ends with a line break.
pub fn reply(status: &str, headers: &str, body: &str) -> String {
    let headers = headers.replace('\n', "\r\n");
    format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// An answer with these rows and no clock of its own.
pub fn rows(rows: &[String]) -> String {
    reply("200 OK", "Content-Type: application/json\n", &format!("[{}]", rows.join(",")))
}

pub fn btc() -> Ticker {
    Ticker::new("BTC").expect("ticker")
}

pub fn through(ms: i64) -> Watermark {
    Watermark::Through(EpochMs::new(ms))
}
