//! One connection, from the handshake to its end. It never outlives its session.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tape::{EpochMs, Heard, Rejection};
use tokio::net::TcpStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::vigil::{Duty, Vigil};
use super::{Disconnect, Socket};
use crate::headers::retry_after;
use crate::said::{Refusal, shortened};
use crate::{Decoded, Said};

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long anything of ours may take to be sent. Frames of ours are tiny:
/// only a peer that stopped reading makes one wait.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a goodbye may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(300);

/// The longest a refused handshake can keep us away.
const RETRY_AFTER_CAP: Duration = Duration::from_secs(300);

/// We only ever send pings, pongs and subscriptions; a peer that does not take them gets no more.
const WRITE_LIMIT: usize = 256 * 1024;

/// How a session ended.
pub(super) struct Ended {
    pub reason: Disconnect,
    /// What the other side or the system said about it.
    pub detail: Option<String>,
    /// Whether the connection had been of use.
    pub was_good: bool,
    /// How long the market asked us to stay away.
    pub retry_after: Option<Duration>,
}

/// Why the loop over a connection was left.
type End = (Disconnect, Option<String>);

/// Connects, listens, and leaves nothing behind.
pub(super) async fn run(socket: &mut Socket, shutdown: &CancellationToken) -> Ended {
    let connecting = timeout(socket.settings.connect_timeout, connect(socket));
    let connected = tokio::select! {
        connected = connecting => connected,
        () = shutdown.cancelled() => return ended((Disconnect::Stopped, None)),
    };
    let mut stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let retry_after = handshake_retry_after(&error, (socket.clock)());
            return Ended { retry_after, ..ended((Disconnect::Unreachable, Some(error.to_string()))) };
        }
        Err(_) => return ended((Disconnect::Unreachable, Some("no handshake in time".to_owned()))),
    };
    socket.stats.count_connect();
    info!(market = %socket.market, url = %socket.settings.url, "hearing {}", socket.settings.url);

    let connected_at = Instant::now();
    let trades_before = socket.stats.trades();
    let end = hear(socket, &mut stream, shutdown).await;
    // Best effort: a peer that does not take a goodbye is left without one. The
    // stream's own `close` would not answer the other side's goodbye, the sink's does.
    let _ = timeout(GOODBYE_TIMEOUT, SinkExt::close(&mut stream)).await;

    let brought_trades = trades_before < socket.stats.trades();
    let was_good = brought_trades || socket.settings.good_after <= connected_at.elapsed();
    Ended { was_good, ..ended(end) }
}

fn ended((reason, detail): End) -> Ended {
    Ended { reason, detail, was_good: false, retry_after: None }
}

async fn connect(socket: &Socket) -> Result<Stream, Error> {
    let limit = Some(socket.settings.message_limit);
    let config = WebSocketConfig::default()
        .max_message_size(limit)
        .max_frame_size(limit)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_LIMIT);
    let (stream, _) = connect_async_with_config(socket.settings.url.as_str(), Some(config), true).await?;
    Ok(stream)
}

fn handshake_retry_after(error: &Error, now: EpochMs) -> Option<Duration> {
    match error {
        Error::Http(response) => retry_after(response.headers(), now, RETRY_AFTER_CAP),
        _ => None,
    }
}

async fn hear(socket: &mut Socket, stream: &mut Stream, shutdown: &CancellationToken) -> End {
    let mut vigil = Vigil::new(&socket.settings, Instant::now());
    if let Err(end) = subscribe(socket, stream).await {
        return end;
    }
    loop {
        let until = match vigil.duty(Instant::now()) {
            Duty::GiveUp(reason) => return (reason, None),
            Duty::Ping => {
                if let Err(end) = send(stream, Message::Ping(Bytes::new())).await {
                    return end;
                }
                vigil.asked();
                continue;
            }
            Duty::WaitUntil(until) => until,
        };
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return (Disconnect::Stopped, None),
            message = stream.next() => {
                if let Err(end) = take(socket, &mut vigil, message) {
                    return end;
                }
            }
            () = tickers_changed(&mut socket.tickers) => {
                if let Err(end) = subscribe(socket, stream).await {
                    return end;
                }
            }
            () = sleep_until(until) => {}
        }
    }
}

/// Comes back when there are other tickers to listen for; never, once nobody can change them.
async fn tickers_changed(tickers: &mut watch::Receiver<Vec<tape::Ticker>>) {
    if tickers.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn subscribe(socket: &mut Socket, stream: &mut Stream) -> Result<(), End> {
    let messages = socket.market.subscription(&socket.tickers.borrow_and_update());
    for message in messages {
        send(stream, Message::text(message)).await?;
    }
    Ok(())
}

async fn send(stream: &mut Stream, message: Message) -> Result<(), End> {
    match timeout(SEND_TIMEOUT, stream.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err((Disconnect::Cut, Some(error.to_string()))),
        Err(_) => Err((Disconnect::Cut, Some("the other side takes nothing".to_owned()))),
    }
}

/// Takes in whatever the stream gave. Pings are answered by the stream itself.
fn take(socket: &Socket, vigil: &mut Vigil, message: Option<tungstenite::Result<Message>>) -> Result<(), End> {
    let now = Instant::now();
    let received_at = (socket.clock)();
    match message {
        None => return Err((Disconnect::Closed, None)),
        Some(Err(error)) => {
            let (end, rejection) = judge(&error);
            if let Some(rejection) = rejection {
                say(socket, Err(Refusal::of(rejection)), "", received_at)?;
            }
            return Err(end);
        }
        Some(Ok(Message::Close(frame))) => {
            return Err((Disconnect::Closed, frame.map(|frame| frame.to_string())));
        }
        Some(Ok(Message::Text(text))) => {
            socket.stats.count_frame(received_at);
            let mut outcome = Ok(());
            socket.market.decode(&text, |decoded| {
                if decoded.is_ok() {
                    vigil.heard_trade(now);
                }
                if outcome.is_ok() {
                    outcome = say(socket, decoded, &text, received_at);
                }
            });
            outcome?;
        }
        Some(Ok(Message::Binary(bytes))) => {
            socket.stats.count_frame(received_at);
            let rejection = Rejection::Malformed("a binary frame".to_owned());
            say(socket, Err(Refusal::of(rejection)), &String::from_utf8_lossy(&bytes), received_at)?;
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
    }
    vigil.heard_anything(now);
    Ok(())
}

/// Hands on what was said, unless there is no room: the reader never waits.
fn say(socket: &Socket, decoded: Decoded, frame: &str, received_at: EpochMs) -> Result<(), End> {
    let said = match decoded {
        Ok(trade) => {
            socket.stats.count_trade(received_at);
            Said::Trade(Heard { trade, received_at, suspicion: None })
        }
        Err(Refusal { rejection, ticker, .. }) => {
            socket.stats.count_rejected(rejection.kind());
            Said::Rejected { rejection, ticker, frame: shortened(frame), received_at }
        }
    };
    match socket.said.try_send(said) {
        Ok(()) => Ok(()),
        Err(TrySendError::Full(_)) => {
            let dropped = socket.stats.count_dropped();
            if dropped.is_power_of_two() {
                warn!(market = %socket.market, dropped, "the queue is full, {dropped} messages dropped so far");
            }
            Ok(())
        }
        Err(TrySendError::Closed(_)) => Err((Disconnect::Stopped, Some("nobody receives any more".to_owned()))),
    }
}

/// Why a stream failed, and whether what failed was something the market said.
fn judge(error: &Error) -> (End, Option<Rejection>) {
    let (reason, rejection) = match error {
        Error::Capacity(CapacityError::MessageTooLong { size, .. }) => {
            (Disconnect::Oversized, Some(Rejection::Oversized { bytes: *size }))
        }
        Error::Utf8(_) => {
            (Disconnect::Garbled, Some(Rejection::Malformed("a text frame that is not UTF-8".to_owned())))
        }
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => (Disconnect::Cut, None),
        Error::Protocol(_) | Error::AttackAttempt | Error::Capacity(_) => (Disconnect::Garbled, None),
        Error::ConnectionClosed | Error::AlreadyClosed => (Disconnect::Closed, None),
        _ => (Disconnect::Cut, None),
    };
    ((reason, Some(error.to_string())), rejection)
}
