//! A WebSocket server whose every move is made by the test itself.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use market::{Market, Said, Socket, SocketSettings, SocketStats};
use tape::Ticker;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

use crate::{clock, soon};

/// A listener on a port of its own, and one who tries to hear it.
pub struct Hearing {
    pub listener: TcpListener,
    pub stats: Arc<SocketStats>,
    pub said: mpsc::Receiver<Said>,
    pub tickers: Option<watch::Sender<Vec<Ticker>>>,
    pub shutdown: CancellationToken,
    pub task: JoinHandle<()>,
}

impl Hearing {
    /// Starts hearing with quick reconnects, a queue of `capacity`, and settings as the test wants them.
    pub async fn start(capacity: usize, adjust: impl FnOnce(&mut SocketSettings)) -> Self {
        Self::counted_in(Arc::default(), capacity, adjust).await
    }

    /// The same, counted together with others.
    pub async fn counted_in(
        stats: Arc<SocketStats>,
        capacity: usize,
        adjust: impl FnOnce(&mut SocketSettings),
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let url = market::socket_url(&format!("ws://{address}/stream")).expect("a url");
        let mut settings = SocketSettings::new(url);
        settings.first_delay = Duration::from_millis(5);
        settings.longest_delay = Duration::from_millis(50);
        adjust(&mut settings);

        let (tickers, watched) = watch::channel(Vec::new());
        let (sender, said) = mpsc::channel(capacity);
        let shutdown = CancellationToken::new();
        let socket = Socket {
            market: Market::GENERIC,
            settings,
            tickers: watched,
            said: sender,
            stats: Arc::clone(&stats),
            clock: clock(),
        };
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { socket.listen(&stop).await });
        Self { listener, stats, said, tickers: Some(tickers), shutdown, task }
    }

    /// The next connection, before any handshake.
    pub async fn accept_tcp(&self) -> TcpStream {
        soon(self.listener.accept()).await.expect("a connection").0
    }

    /// The next connection, after the handshake.
    pub async fn accept(&self) -> Peer {
        let tcp = self.accept_tcp().await;
        Peer { stream: soon(tokio_tungstenite::accept_async(tcp)).await.expect("a handshake") }
    }

    /// What is heard next.
    pub async fn next(&mut self) -> Said {
        soon(self.said.recv()).await.expect("still listening")
    }

    /// The id of the trade that is heard next.
    pub async fn next_id(&mut self) -> String {
        match self.next().await {
            Said::Trade(heard) => heard.trade.id.to_string(),
            rejected @ Said::Rejected { .. } => panic!("not a trade: {rejected:?}"),
        }
    }

    /// Tells it to stop and waits until it has.
    pub async fn stop(self) {
        self.shutdown.cancel();
        soon(self.task).await.expect("no panic");
    }
}

/// The market's end of a connection.
pub struct Peer {
    pub stream: WebSocketStream<TcpStream>,
}

impl Peer {
    pub async fn send(&mut self, message: impl Into<Message>) {
        soon(self.stream.send(message.into())).await.expect("sent");
    }

    /// Cuts the connection without a word.
    pub fn cut(self) {
        self.stream.get_ref().set_zero_linger().expect("linger");
    }

    /// What the other side sends next; `None` when it is gone.
    pub async fn receive(&mut self) -> Option<Message> {
        soon(self.stream.next()).await.and_then(Result::ok)
    }

    /// Waits until the other side is gone.
    pub async fn wait_until_left(&mut self) {
        while self.receive().await.is_some() {}
    }
}
