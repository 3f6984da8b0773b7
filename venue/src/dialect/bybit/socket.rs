//! Bybit's topics: at most ten in a request, one answer for each request, and a
//! ping of the listener's own from time to time.

use std::time::Duration;

use serde_json::{Value, json};
use tape::Ticker;

use crate::dialect::conversation::Conversation;
use crate::dialect::desk::Desk;
use crate::dialect::manners::Manners;
use crate::dialect::stamp::identifier;

const MOST_ARGS: usize = 10;
const MOST_CHARACTERS: usize = 21_000;
const KEEPALIVE: Duration = Duration::from_secs(600);

/// One connection.
#[derive(Debug)]
pub struct Topics {
    keepalive_ms: i64,
    heard_at: i64,
    characters: usize,
    conn_id: String,
}

impl Topics {
    /// A new connection.
    pub fn new(manners: &Manners) -> Self {
        let keepalive = manners.keepalive(KEEPALIVE);
        let keepalive_ms = i64::try_from(keepalive.as_millis()).unwrap_or(i64::MAX);
        Self { keepalive_ms, heard_at: i64::MAX, characters: 0, conn_id: String::new() }
    }

    fn reply(&self, success: bool, message: &str, request: &Value, op: &str, desk: &mut Desk<'_>) {
        let mut reply =
            format!("{{\"success\":{success},\"ret_msg\":{},\"conn_id\":\"{}\",", Value::from(message), self.conn_id);
        if let Some(req_id) = request.get("req_id").filter(|req_id| req_id.is_string() && op != "ping") {
            reply.push_str(&format!("\"req_id\":{req_id},"));
        }
        desk.reply(format!("{reply}\"op\":{}}}", Value::from(op)));
    }

    /// The tickers of a request.
    fn topics(request: &Value, desk: &Desk<'_>) -> Result<Vec<Ticker>, String> {
        let args = request["args"].as_array().filter(|args| !args.is_empty());
        let args = args.ok_or_else(|| "error:args is empty".to_owned())?;
        if MOST_ARGS < args.len() {
            return Err(format!("error:args size >{MOST_ARGS}"));
        }
        let topic = |arg: &Value| {
            let symbol = arg.as_str().and_then(|arg| arg.strip_prefix("publicTrade."));
            let ticker = symbol.and_then(|symbol| desk.ticker(symbol));
            ticker.ok_or_else(|| format!("Invalid symbol :[{}]", arg.as_str().unwrap_or_default()))
        };
        args.iter().map(topic).collect()
    }
}

impl Conversation for Topics {
    fn begin(&mut self, desk: &mut Desk<'_>) {
        self.heard_at = desk.now().ms();
        let number = identifier(&format!("bybit {}", desk.connection()));
        self.conn_id = format!("{number:016x}-{:x}", desk.connection());
    }

    fn hear(&mut self, text: &str, desk: &mut Desk<'_>) {
        self.heard_at = desk.now().ms();
        let Ok(request) = serde_json::from_str::<Value>(text) else {
            return self.reply(false, "error:request is not JSON", &json!({}), "", desk);
        };
        match request["op"].as_str().unwrap_or_default() {
            "ping" => self.reply(true, "pong", &request, "ping", desk),
            op @ ("subscribe" | "unsubscribe") => match Self::topics(&request, desk) {
                // One bad topic spoils its whole request.
                Err(message) => self.reply(false, &message, &request, op, desk),
                Ok(tickers) => {
                    if op == "subscribe" {
                        self.characters += request["args"].to_string().len();
                        if MOST_CHARACTERS < self.characters {
                            return self.reply(false, "error:args too long", &request, op, desk);
                        }
                    }
                    self.reply(true, op, &request, op, desk);
                    for ticker in &tickers {
                        if op == "subscribe" {
                            desk.subscribe(ticker, 0);
                        } else {
                            desk.unsubscribe(ticker, 0);
                        }
                    }
                }
            },
            _ => self.reply(false, "error:invalid op", &request, "", desk),
        }
    }

    fn hear_ping(&mut self, desk: &mut Desk<'_>) {
        self.heard_at = desk.now().ms();
    }

    fn every(&self) -> Duration {
        Duration::from_millis((self.keepalive_ms / 10).clamp(10, 1_000).unsigned_abs())
    }

    fn tick(&mut self, desk: &mut Desk<'_>) {
        if self.heard_at.saturating_add(self.keepalive_ms) <= desk.now().ms() {
            desk.cut();
        }
    }
}
