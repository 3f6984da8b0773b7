//! One connection, from the handshake to its end. It never outlives its session.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tape::{EpochMs, Heard, Rejection};
use tokio::net::TcpStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Bytes, Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use super::overlap::{Overlap, Predecessor};
use super::vigil::{Duty, Vigil};
use super::{Disconnect, Socket};
use crate::conversation::{Conversation, KeepAlive, Notice, Symbols};
use crate::headers::retry_after;
use crate::said::{Refusal, shortened};
use crate::{Decoded, Said};

pub(super) type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// How long anything of ours may take to be sent. Frames of ours are tiny:
/// only a peer that stopped reading makes one wait.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a goodbye may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(300);

/// The longest a refused handshake can keep us away.
const RETRY_AFTER_CAP: Duration = Duration::from_secs(300);

/// We only ever send pings, pongs and subscriptions; a peer that does not take them gets no more.
const WRITE_LIMIT: usize = 256 * 1024;

/// One more try to hear the market.
pub(super) struct Attempt {
    /// After how long it begins.
    pub after: Duration,
    /// How long it may take to its first trade.
    pub first_trade_within: Duration,
}

/// How a session ended.
pub(super) struct Ended {
    pub reason: Disconnect,
    /// What the other side or the system said about it.
    pub detail: Option<String>,
    /// Whether the connection itself had brought trades.
    pub brought_trades: bool,
    /// Whether it had lasted: one that did not is not replaced at once, whatever the market asks for.
    pub was_lasting: bool,
    /// How long the market asked us to stay away.
    pub retry_after: Option<Duration>,
    /// The connection that is still open and that another is to replace.
    pub leaves: Overlap,
}

/// Why the loop over a connection was left.
type End = (Disconnect, Option<String>);

/// Connects after a while and listens, to the old connection as well, until this one is of use.
pub(super) async fn run(
    socket: &mut Socket,
    mut overlap: Overlap,
    attempt: Attempt,
    shutdown: &CancellationToken,
) -> Ended {
    let mut stream = match connect_beside(socket, &mut overlap, attempt.after, shutdown).await {
        Ok(stream) => stream,
        Err(ended) => return Ended { leaves: overlap, ..ended },
    };
    socket.stats.count_connect();
    info!(market = %socket.market, url = %socket.settings.url, "hearing {}", socket.settings.url);

    let connected_at = Instant::now();
    let mut talk = Talk::begin(socket, attempt.first_trade_within);
    overlap.begins(connected_at);
    let end = hear(socket, &mut stream, &mut talk, &mut overlap, shutdown).await;
    let was_lasting = socket.settings.good_after <= connected_at.elapsed();
    let brought_trades = talk.vigil.has_heard_a_trade();
    let leaves = match end.0 {
        Disconnect::Planned => {
            if let Some(old) = overlap.leave(Instant::now()) {
                say_goodbye(old).await;
            }
            Overlap::beside(Predecessor { stream, conversation: talk.conversation })
        }
        Disconnect::Stopped => {
            if let Some(old) = overlap.leave(Instant::now()) {
                say_goodbye(old).await;
            }
            say_goodbye(stream).await;
            Overlap::default()
        }
        // The old one is still there, and better than none.
        _ => {
            say_goodbye(stream).await;
            overlap.going_on()
        }
    };
    Ended { brought_trades, was_lasting, leaves, ..ended(end) }
}

/// Best effort: a peer that does not take a goodbye is left without one. The
/// stream's own `close` would not answer the other side's goodbye, the sink's does.
async fn say_goodbye(mut stream: Stream) {
    let _ = timeout(GOODBYE_TIMEOUT, SinkExt::close(&mut stream)).await;
}

/// Connects after a while, and hears the old connection meanwhile.
async fn connect_beside(
    socket: &mut Socket,
    overlap: &mut Overlap,
    delay: Duration,
    shutdown: &CancellationToken,
) -> Result<Stream, Ended> {
    let (url, limit, longest) =
        (socket.settings.url.clone(), socket.settings.message_limit, socket.settings.connect_timeout);
    let connecting = async {
        sleep(delay).await;
        timeout(longest, connect(url, limit)).await
    };
    tokio::pin!(connecting);
    loop {
        tokio::select! {
            connected = &mut connecting => return match connected {
                Ok(Ok(stream)) => Ok(stream),
                Ok(Err(error)) => {
                    let retry_after = handshake_retry_after(&error, (socket.clock)());
                    Err(Ended { retry_after, ..ended((Disconnect::Unreachable, Some(error.to_string()))) })
                }
                Err(_) => Err(ended((Disconnect::Unreachable, Some("no handshake in time".to_owned())))),
            },
            message = overlap.next() => hear_old(socket, overlap, message).map_err(ended)?,
            () = shutdown.cancelled() => return Err(ended((Disconnect::Stopped, None))),
        }
    }
}

fn ended((reason, detail): End) -> Ended {
    Ended { reason, detail, brought_trades: false, was_lasting: false, retry_after: None, leaves: Overlap::default() }
}

async fn connect(url: Url, limit: usize) -> Result<Stream, Error> {
    let limit = Some(limit);
    let config = WebSocketConfig::default()
        .max_message_size(limit)
        .max_frame_size(limit)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_LIMIT);
    let (stream, _) = connect_async_with_config(url.as_str(), Some(config), true).await?;
    Ok(stream)
}

fn handshake_retry_after(error: &Error, now: EpochMs) -> Option<Duration> {
    match error {
        Error::Http(response) => retry_after(response.headers(), now, RETRY_AFTER_CAP),
        _ => None,
    }
}

/// What is said on one connection: by us in turn, by the market at any time.
struct Talk {
    conversation: Conversation,
    vigil: Vigil,
    to_say: VecDeque<String>,
    say_at: Instant,
}

impl Talk {
    fn begin(socket: &mut Socket, first_trade_within: Duration) -> Self {
        let now = Instant::now();
        let terms = socket.market.adapter().socket_terms();
        let says_every = match terms.keep_alive {
            KeepAlive::Ping => None,
            KeepAlive::Say { every, .. } => Some(every),
        };
        // Spread, so that connections made together do not end together.
        let life = socket.settings.lives_for.map(|life| life.mul_f64(rand::random_range(0.95..1.0)));
        let vigil = Vigil::new(&socket.settings, now)
            .waiting_for_the_first(first_trade_within)
            .saying_every(says_every, now)
            .living_for(life, now);
        let mut talk = Self { conversation: Conversation::default(), vigil, to_say: VecDeque::new(), say_at: now };
        talk.subscribe(socket);
        talk
    }

    fn subscribe(&mut self, socket: &mut Socket) {
        let adapter = socket.market.adapter();
        let symbols = Symbols::of(&socket.tickers.borrow_and_update(), |ticker| adapter.symbol(ticker));
        self.to_say = adapter.subscription(&symbols).into();
        self.conversation = Conversation::about(symbols);
    }
}

async fn hear(
    socket: &mut Socket,
    stream: &mut Stream,
    talk: &mut Talk,
    overlap: &mut Overlap,
    shutdown: &CancellationToken,
) -> End {
    loop {
        let now = Instant::now();
        if let Some(old) = overlap.end_what_is_over(now) {
            say_goodbye(old).await;
        }
        let until = match act(socket, stream, talk, now).await {
            Ok(until) => overlap.due_at().map_or(until, |due| due.min(until)),
            Err(end) => return end,
        };
        let heard = tokio::select! {
            biased;
            () = shutdown.cancelled() => return (Disconnect::Stopped, None),
            message = stream.next() => match take(socket, &mut talk.conversation, Some(&mut talk.vigil), overlap, message) {
                Ok(Notice::Leave) => return (Disconnect::Planned, Some("the market asked for it".to_owned())),
                heard => heard.map(|_| ()),
            },
            message = overlap.next() => hear_old(socket, overlap, message),
            () = tickers_changed(&mut socket.tickers) => {
                talk.subscribe(socket);
                Ok(())
            }
            () = sleep_until(until) => Ok(()),
        };
        if let Err(end) = heard {
            return end;
        }
    }
}

/// Says what is due. Gives the instant before which nothing else is.
async fn act(socket: &Socket, stream: &mut Stream, talk: &mut Talk, now: Instant) -> Result<Instant, End> {
    let terms = socket.market.adapter().socket_terms();
    if talk.say_at <= now
        && let Some(message) = talk.to_say.pop_front()
    {
        talk.say_at = now + terms.pause_between;
        send(stream, Message::text(message)).await?;
        return Ok(now);
    }
    let until = match talk.vigil.duty(now) {
        Duty::GiveUp(reason) => return Err((reason, None)),
        Duty::Leave => return Err((Disconnect::Planned, Some("it has lived long enough".to_owned()))),
        Duty::Ping => {
            send(stream, Message::Ping(Bytes::new())).await?;
            talk.vigil.asked();
            now
        }
        Duty::Say => {
            if let KeepAlive::Say { text, .. } = terms.keep_alive {
                send(stream, Message::text(text)).await?;
            }
            talk.vigil.said(now);
            now
        }
        Duty::WaitUntil(until) => until,
    };
    Ok(if talk.to_say.is_empty() { until } else { until.min(talk.say_at) })
}

/// Takes in what the old connection gave. Its end ends nothing but itself.
fn hear_old(socket: &Socket, overlap: &mut Overlap, message: Option<tungstenite::Result<Message>>) -> Result<(), End> {
    let Some(mut conversation) = overlap.conversation().map(std::mem::take) else { return Ok(()) };
    let heard = take(socket, &mut conversation, None, overlap, message);
    if let Some(own) = overlap.conversation() {
        *own = conversation;
    }
    match heard {
        Err((Disconnect::Stopped, why)) => Err((Disconnect::Stopped, why)),
        Err(_) => {
            overlap.leave(Instant::now());
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// Comes back when there are other tickers to listen for; never, once nobody can change them.
async fn tickers_changed(tickers: &mut watch::Receiver<Vec<tape::Ticker>>) {
    if tickers.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn send(stream: &mut Stream, message: Message) -> Result<(), End> {
    match timeout(SEND_TIMEOUT, stream.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err((Disconnect::Cut, Some(error.to_string()))),
        Err(_) => Err((Disconnect::Cut, Some("the other side takes nothing".to_owned()))),
    }
}

/// Takes in whatever the stream gave. Pings are answered by the stream itself.
fn take(
    socket: &Socket,
    conversation: &mut Conversation,
    mut vigil: Option<&mut Vigil>,
    overlap: &mut Overlap,
    message: Option<tungstenite::Result<Message>>,
) -> Result<Notice, End> {
    let now = Instant::now();
    let received_at = (socket.clock)();
    let mut notice = Notice::None;
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
            notice = socket.market.adapter().decode(&text, conversation, &mut |decoded| {
                if decoded.is_ok()
                    && let Some(vigil) = vigil.as_deref_mut()
                {
                    vigil.heard_trade(now);
                }
                let is_known = decoded.as_ref().is_ok_and(|trade| overlap.is_known(trade));
                if outcome.is_ok() && !is_known {
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
    if let Some(vigil) = vigil {
        vigil.heard_anything(now);
    }
    if let Notice::Refused(words) = &notice {
        let words = shortened(words);
        warn!(market = %socket.market, words, "{} refused what was asked of its socket: {words}", socket.market);
    }
    Ok(notice)
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
