//! `GET /stream`: the fast channel. A conversation is held over the bare
//! connection, because a cut must deliver what was written before and then end
//! without the close frame that every polite library sends.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Bytes, Message};

use super::problem;
use crate::listeners::Ear;
use crate::shared::Shared;

/// How many frames are written before the connection is flushed.
const BATCH: usize = 256;

/// Nothing a listener has to say is longer.
const LISTENER_SPEAKS_AT_MOST: usize = 64 * 1024;

/// How long a connection that ended may take to deliver what was sent before.
const LAST_WORDS: Duration = Duration::from_secs(2);

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Lets a listener in. It hears every frame sent after it reads this answer.
pub async fn stream(State(shared): State<Arc<Shared>>, mut request: Request) -> Response {
    let Some(accept) = accept_key(request.headers()) else {
        let message = "this is a WebSocket: connect to ws://…/stream, version 13";
        let refusal = problem(StatusCode::UPGRADE_REQUIRED, message);
        return ([(UPGRADE, "websocket")], refusal).into_response();
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let ear = shared.market().join();
    let seat = Seat { shared: shared.clone(), id: ear.id };
    shared.conversations.spawn(attend(upgrade, ear, seat));
    let headers = [(UPGRADE, "websocket"), (CONNECTION, "upgrade"), (SEC_WEBSOCKET_ACCEPT, accept.as_str())];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// The answer to a proper handshake.
fn accept_key(headers: &HeaderMap) -> Option<String> {
    let has = |name: HeaderName, word: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(word))
    };
    let is_handshake = has(CONNECTION, "upgrade") && has(UPGRADE, "websocket") && has(SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|_| is_handshake)?;
    Some(derive_accept_key(key.as_bytes()))
}

/// A listener's place, given up when the conversation is over, however it ends.
struct Seat {
    shared: Arc<Shared>,
    id: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.shared.market().leave(self.id);
    }
}

async fn attend(upgrade: OnUpgrade, mut ear: Ear, seat: Seat) {
    let ended = ear.ended.clone();
    let too_long_after_its_end = async {
        ended.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        outcome = converse(upgrade, &mut ear, &seat.shared) => {
            if let Err(error) = outcome {
                tracing::debug!(listener = seat.id, %error, "a listener was lost");
            }
        }
        () = too_long_after_its_end => {}
        () = seat.shared.stop.cancelled() => {}
    }
}

async fn converse(upgrade: OnUpgrade, ear: &mut Ear, shared: &Shared) -> anyhow::Result<()> {
    let ping_every = shared.ping_every;
    let io = TokioIo::new(upgrade.await?);
    let limits = WebSocketConfig::default()
        .max_message_size(Some(LISTENER_SPEAKS_AT_MOST))
        .max_frame_size(Some(LISTENER_SPEAKS_AT_MOST));
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await;
    let mut pings = tokio::time::interval_at(tokio::time::Instant::now() + ping_every, ping_every);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        tokio::select! {
            count = ear.frames.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return end_abruptly(socket).await;
                }
                // Frames are queued under this lock and entered in the ledgers before it is
                // given back: none leaves before the ledgers know of it.
                drop(shared.market());
                for frame in batch.drain(..) {
                    socket.feed(Message::Text(frame)).await?;
                }
                socket.flush().await?;
            }
            heard = socket.next() => {
                if is_over(heard)? {
                    return Ok(());
                }
            }
            _ = pings.tick() => socket.send(Message::Ping(Bytes::new())).await?,
        }
    }
}

/// Whether the listener left. What it says is of no interest.
fn is_over(heard: Option<Result<Message, tungstenite::Error>>) -> Result<bool, tungstenite::Error> {
    match heard {
        None => Ok(true),
        Some(message) => Ok(message?.is_close()),
    }
}

/// Ends the connection as a failing network would: everything written arrives,
/// then the stream is over, with no close frame. What the listener still sends is
/// read and dropped, for closing over unread bytes would destroy bytes in flight.
async fn end_abruptly(mut socket: Socket) -> anyhow::Result<()> {
    socket.flush().await?;
    let io = socket.get_mut();
    io.shutdown().await?;
    let mut unread = [0; 1024];
    while io.read(&mut unread).await? > 0 {}
    Ok(())
}
