//! Binance's streams: named in the address or subscribed to, at most 1,024 and at
//! most five messages a second; the server pings, and a listener that does not
//! answer is cut.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use tape::{EpochMs, Ticker};

use super::{AGGREGATED, MICROSECONDS, WRAPPED};
use crate::dialect::Channel;
use crate::dialect::conversation::Conversation;
use crate::dialect::desk::Desk;
use crate::dialect::manners::Manners;
use crate::dialect::question::Question;

const MOST_STREAMS: usize = 1_024;
const MESSAGES_A_SECOND: usize = 5;
const KEEPALIVE: Duration = Duration::from_secs(60);
const POLICY_VIOLATION: u16 = 1008;

/// One connection.
#[derive(Debug)]
pub struct Streams {
    named_in_address: Vec<String>,
    streams: BTreeSet<String>,
    is_wrapped: bool,
    is_micro: bool,
    keepalive_ms: i64,
    pinged: Option<(Vec<u8>, i64)>,
    last_ping_at: i64,
    spoken: VecDeque<i64>,
}

impl Streams {
    /// A connection to one of the addresses.
    pub fn at(question: &Question, manners: &Manners) -> Option<Self> {
        let path = question.path.trim_end_matches('/');
        let (named, is_wrapped) = match path {
            "/ws" => (String::new(), false),
            "/stream" => (question.text("streams").unwrap_or_default().to_owned(), true),
            _ => (path.strip_prefix("/ws/")?.to_owned(), false),
        };
        let named_in_address = named.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let keepalive = manners.keepalive(KEEPALIVE);
        Some(Self {
            named_in_address,
            streams: BTreeSet::new(),
            is_wrapped,
            is_micro: question.text("timeUnit").is_some_and(|unit| unit.eq_ignore_ascii_case("microsecond")),
            keepalive_ms: i64::try_from(keepalive.as_millis()).unwrap_or(i64::MAX),
            pinged: None,
            last_ping_at: i64::MIN,
            spoken: VecDeque::new(),
        })
    }

    /// Counts a message of any kind; whether it is one too many.
    fn is_too_loud(&mut self, desk: &mut Desk<'_>) -> bool {
        let now = desk.now().ms();
        while self.spoken.front().is_some_and(|at| *at <= now - 1_000) {
            self.spoken.pop_front();
        }
        self.spoken.push_back(now);
        let is_too_loud = MESSAGES_A_SECOND < self.spoken.len();
        if is_too_loud {
            desk.close(POLICY_VIOLATION, "Too many requests");
        }
        is_too_loud
    }

    fn add(&mut self, name: &str, desk: &mut Desk<'_>) {
        self.streams.insert(name.to_owned());
        if let Some((ticker, kind)) = stream_of(name, desk) {
            desk.subscribe(&ticker, self.channel(kind));
        }
    }

    fn remove(&mut self, name: &str, desk: &mut Desk<'_>) {
        self.streams.remove(name);
        if let Some((ticker, kind)) = stream_of(name, desk) {
            desk.unsubscribe(&ticker, self.channel(kind));
        }
    }

    fn channel(&self, kind: Channel) -> Channel {
        let wrapped = if self.is_wrapped { WRAPPED } else { 0 };
        kind | wrapped | if self.is_micro { MICROSECONDS } else { 0 }
    }

    /// Whether what is sent is wrapped with its stream's name.
    fn wrap(&mut self, is_wrapped: bool, desk: &mut Desk<'_>) {
        let streams: Vec<String> = self.streams.iter().cloned().collect();
        for name in &streams {
            self.remove(name, desk);
        }
        self.is_wrapped = is_wrapped;
        for name in &streams {
            self.add(name, desk);
        }
    }

    fn obey(&mut self, request: &Request, desk: &mut Desk<'_>) -> Result<Value, (u8, String)> {
        let invalid = |what: &str| (2, format!("Invalid request: {what}"));
        match request.method.as_str() {
            "SUBSCRIBE" | "UNSUBSCRIBE" => {
                let names: Option<Vec<&str>> = request.params.iter().map(Value::as_str).collect();
                let names = names.ok_or_else(|| invalid("parameters must be an array of strings"))?;
                if request.method == "UNSUBSCRIBE" {
                    names.iter().for_each(|name| self.remove(name, desk));
                    return Ok(Value::Null);
                }
                let new = names.iter().filter(|name| !self.streams.contains(**name)).count();
                if MOST_STREAMS < self.streams.len() + new {
                    desk.close(POLICY_VIOLATION, "Too many streams");
                    return Err(invalid("too many parameters"));
                }
                names.iter().for_each(|name| self.add(name, desk));
                Ok(Value::Null)
            }
            "LIST_SUBSCRIPTIONS" => Ok(json!(self.streams)),
            "SET_PROPERTY" => match (request.params.first().and_then(Value::as_str), request.params.get(1)) {
                (Some("combined"), Some(Value::Bool(is_wrapped))) => {
                    self.wrap(*is_wrapped, desk);
                    Ok(Value::Null)
                }
                (Some("combined"), _) => Err((1, "Invalid value type: expected Boolean".to_owned())),
                _ => Err((0, "Unknown property".to_owned())),
            },
            "GET_PROPERTY" => match request.params.first().and_then(Value::as_str) {
                Some("combined") => Ok(json!(self.is_wrapped)),
                _ => Err((0, "Unknown property".to_owned())),
            },
            other => Err(invalid(&format!(
                "unknown variant {other}, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, \
                 `SET_PROPERTY`, `GET_PROPERTY` at line 1 column {}",
                request.column
            ))),
        }
    }
}

/// A request of the listener, as far as it has the right form.
struct Request {
    method: String,
    params: Vec<Value>,
    id: Option<Value>,
    column: usize,
}

impl Request {
    fn read(text: &str) -> Result<Self, (u8, String)> {
        let value: Value = serde_json::from_str(text).map_err(|error| (3, format!("Invalid JSON: {error}")))?;
        let invalid = |what: &str| (2, format!("Invalid request: {what} at line 1 column {}", text.len()));
        let method = value["method"].as_str().ok_or_else(|| invalid("missing field `method`"))?;
        let id = value.get("id").cloned();
        if id.as_ref().is_some_and(|id| !(id.is_i64() || id.is_u64() || id.is_string() || id.is_null())) {
            return Err(invalid("request ID must be an unsigned integer"));
        }
        let params = match value.get("params") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(params)) => params.clone(),
            Some(_) => return Err(invalid("invalid type for `params`, expected a sequence")),
        };
        let column = text.find(method).map_or(text.len(), |at| at + method.len() + 1);
        Ok(Self { method: method.to_owned(), params, id, column })
    }
}

/// The ticker and the kind of a stream; none for a name of nothing, which is silent.
fn stream_of(name: &str, desk: &Desk<'_>) -> Option<(Ticker, Channel)> {
    let (symbol, kind) = name.split_once('@')?;
    let kind = match kind {
        "trade" => 0,
        "aggTrade" => AGGREGATED,
        _ => return None,
    };
    let is_lower = symbol == symbol.to_lowercase();
    let ticker = desk.ticker(&symbol.to_uppercase()).filter(|_| is_lower)?;
    Some((ticker, kind))
}

impl Conversation for Streams {
    fn begin(&mut self, desk: &mut Desk<'_>) {
        self.last_ping_at = desk.now().ms();
        let named = std::mem::take(&mut self.named_in_address);
        if MOST_STREAMS < named.len() {
            desk.close(POLICY_VIOLATION, "Too many streams");
            return;
        }
        for name in named {
            self.add(&name, desk);
        }
    }

    fn hear(&mut self, text: &str, desk: &mut Desk<'_>) {
        if self.is_too_loud(desk) {
            return;
        }
        let request = match Request::read(text) {
            Ok(request) => request,
            Err((code, message)) => return desk.reply(json!({ "code": code, "msg": message }).to_string()),
        };
        let reply = match self.obey(&request, desk) {
            Ok(result) => format!("{{\"result\":{result},\"id\":{}}}", request.id.unwrap_or(Value::Null)),
            Err((code, message)) => match request.id {
                Some(id) => format!("{{\"code\":{code},\"msg\":{},\"id\":{id}}}", Value::from(message)),
                None => format!("{{\"code\":{code},\"msg\":{}}}", Value::from(message)),
            },
        };
        desk.reply(reply);
    }

    fn hear_ping(&mut self, desk: &mut Desk<'_>) {
        self.is_too_loud(desk);
    }

    fn hear_pong(&mut self, payload: &[u8], desk: &mut Desk<'_>) {
        if self.pinged.as_ref().is_some_and(|(sent, _)| sent == payload) {
            self.pinged = None;
        }
        self.is_too_loud(desk);
    }

    fn every(&self) -> Duration {
        Duration::from_millis((self.keepalive_ms / 12).clamp(10, 1_000).unsigned_abs())
    }

    fn tick(&mut self, desk: &mut Desk<'_>) {
        let now = desk.now().ms();
        match &self.pinged {
            Some((_, at)) if at + self.keepalive_ms <= now => desk.cut(),
            None if self.last_ping_at + self.keepalive_ms / 3 <= now => {
                let payload = now.to_string().into_bytes();
                self.last_ping_at = now;
                self.pinged = Some((payload.clone(), now));
                desk.ping(payload);
            }
            _ => {}
        }
    }

    fn announce_the_end(&mut self, _: EpochMs, desk: &mut Desk<'_>) {
        let event = format!("{{\"e\":\"serverShutdown\",\"E\":{}}}", desk.now().ms());
        if self.is_wrapped {
            desk.reply(format!("{{\"stream\":\"!serverShutdown\",\"data\":{event}}}"));
        } else {
            desk.reply(event);
        }
    }
}
