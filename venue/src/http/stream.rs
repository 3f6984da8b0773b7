//! The fast channel, `GET /stream` in the generic protocol. A conversation is held over the bare
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
use tape::EpochMs;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};

use super::problem;
use crate::clock;
use crate::dialect::conversation::{Conversation, Hearer};
use crate::dialect::desk::Desk;
use crate::listeners::{Ear, Farewell};
use crate::market::Market;
use crate::shared::Shared;

/// How many frames are written before the connection is flushed.
const BATCH: usize = 256;

/// Nothing a listener has to say is longer.
const LISTENER_SPEAKS_AT_MOST: usize = 64 * 1024;

/// How long a connection that ended may take to deliver what was sent before.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// No conversation looks at the clock more often.
const SHORTEST_TICK: Duration = Duration::from_millis(10);

/// The code of the close frame of an exchange that restarts.
const GOING_AWAY: u16 = 1001;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Lets a listener in. It hears every frame sent after it reads this answer.
pub async fn stream(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let hearer = Hearer { ping_every: shared.ping_every };
    let ear = |market: &mut Market| market.join();
    listen(&shared, request, Box::new(hearer), ear)
}

/// Whether a request wants to become a WebSocket.
pub fn is_handshake(headers: &HeaderMap) -> bool {
    accept_key(headers).is_some()
}

/// Lets a listener in who subscribes to what it wants to hear.
pub fn listen_to_subscribe(shared: &Arc<Shared>, request: Request, conversation: Box<dyn Conversation>) -> Response {
    listen(shared, request, conversation, Market::join_to_subscribe)
}

fn listen(
    shared: &Arc<Shared>,
    mut request: Request,
    conversation: Box<dyn Conversation>,
    join: impl Fn(&mut Market) -> Ear,
) -> Response {
    let Some(accept) = accept_key(request.headers()) else {
        let message = "this is a WebSocket: connect to ws://…/stream, version 13";
        let refusal = problem(StatusCode::UPGRADE_REQUIRED, message);
        return ([(UPGRADE, "websocket")], refusal).into_response();
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let ear = join(&mut shared.market());
    let seat = Seat { shared: shared.clone(), id: ear.id };
    shared.conversations.spawn(attend(upgrade, ear, conversation, seat));
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

async fn attend(upgrade: OnUpgrade, mut ear: Ear, conversation: Box<dyn Conversation>, seat: Seat) {
    let ended = ear.ended.clone();
    let too_long_after_its_end = async {
        ended.cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    };
    tokio::select! {
        outcome = converse(upgrade, &mut ear, conversation, &seat.shared) => {
            if let Err(error) = outcome {
                tracing::debug!(listener = seat.id, %error, "a listener was lost");
            }
        }
        () = too_long_after_its_end => {}
        () = seat.shared.stop.cancelled() => {}
    }
}

async fn converse(
    upgrade: OnUpgrade,
    ear: &mut Ear,
    mut conversation: Box<dyn Conversation>,
    shared: &Shared,
) -> anyhow::Result<()> {
    let mut ends = shared.ends_announced();
    let io = TokioIo::new(upgrade.await?);
    let limits = WebSocketConfig::default()
        .max_message_size(Some(LISTENER_SPEAKS_AT_MOST))
        .max_frame_size(Some(LISTENER_SPEAKS_AT_MOST));
    let mut socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(limits)).await;
    let every = conversation.every().max(SHORTEST_TICK);
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    let mut batch = Vec::with_capacity(BATCH);
    let mut end = None;
    at_the_desk(shared, ear, |desk| conversation.begin(desk));
    loop {
        let pings = tokio::select! {
            count = ear.frames.recv_many(&mut batch, BATCH) => {
                if count == 0 {
                    return part(socket, ear.farewell()).await;
                }
                // Frames are queued under this lock and entered in the ledgers before it is
                // given back: none leaves before the ledgers know of it.
                drop(shared.market());
                for frame in batch.drain(..) {
                    socket.feed(Message::Text(frame)).await?;
                }
                socket.flush().await?;
                ear.note_said(clock::now());
                Vec::new()
            }
            heard = socket.next() => match noted(heard.transpose()?, shared, ear) {
                None | Some(Message::Close(_)) => return Ok(()),
                Some(Message::Text(text)) => at_the_desk(shared, ear, |desk| conversation.hear(&text, desk)),
                Some(Message::Binary(bytes)) => {
                    let text = String::from_utf8_lossy(&bytes);
                    at_the_desk(shared, ear, |desk| conversation.hear(&text, desk))
                }
                Some(Message::Ping(_)) => at_the_desk(shared, ear, |desk| conversation.hear_ping(desk)),
                Some(Message::Pong(payload)) => {
                    at_the_desk(shared, ear, |desk| conversation.hear_pong(&payload, desk))
                }
                Some(Message::Frame(_)) => Vec::new(),
            },
            _ = ticks.tick() => at_the_desk(shared, ear, |desk| conversation.tick(desk)),
            Ok(()) = ends.changed() => {
                end = *ends.borrow_and_update();
                match end {
                    Some(at) => at_the_desk(shared, ear, |desk| conversation.announce_the_end(at, desk)),
                    None => Vec::new(),
                }
            }
            () = sleep_until(end) => {
                end = None;
                at_the_desk(shared, ear, |desk| desk.close(GOING_AWAY, "going away"))
            }
        };
        for payload in pings {
            socket.send(Message::Ping(payload.into())).await?;
        }
    }
}

/// Counts what a listener says.
fn noted(heard: Option<Message>, shared: &Shared, ear: &Ear) -> Option<Message> {
    if heard.is_some() {
        shared.market().audience_mut().hear_from(ear.id, clock::now());
    }
    heard
}

/// Lets a conversation act on the market, and returns the pings it wants sent.
fn at_the_desk(shared: &Shared, ear: &Ear, act: impl FnOnce(&mut Desk<'_>)) -> Vec<Vec<u8>> {
    let mut market = shared.market();
    let mut desk = Desk::new(&mut market, ear, clock::now());
    act(&mut desk);
    desk.pings
}

async fn sleep_until(end: Option<EpochMs>) {
    match end {
        Some(at) => {
            let ms = at.ms_since(clock::now()).max(0).unsigned_abs();
            tokio::time::sleep(Duration::from_millis(ms)).await;
        }
        None => std::future::pending().await,
    }
}

/// Ends the connection, politely if there is something to say.
async fn part(mut socket: Socket, farewell: Option<Farewell>) -> anyhow::Result<()> {
    let Some(farewell) = farewell else {
        return end_abruptly(socket).await;
    };
    let frame = CloseFrame { code: CloseCode::from(farewell.code), reason: farewell.reason.into() };
    socket.close(Some(frame)).await?;
    while let Some(Ok(_)) = socket.next().await {}
    Ok(())
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
