//! OKX's sockets: an answer for each argument, the latest past trade first, and a
//! word of `ping` from who would otherwise be silent for thirty seconds.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tape::{EpochMs, Ticker};

use super::{AGGREGATED, ALL};
use crate::dialect::Channel;
use crate::dialect::conversation::Conversation;
use crate::dialect::desk::Desk;
use crate::dialect::manners::Manners;
use crate::dialect::said::frame_of_many;
use crate::dialect::stamp::identifier;

const KEEPALIVE: Duration = Duration::from_secs(30);
const REQUESTS_AN_HOUR: usize = 480;
const HOUR_MS: i64 = 3_600_000;
const MOST_BYTES: usize = 64 * 1024;
const NO_DATA: u16 = 4004;
const TOO_LONG: u16 = 1009;

/// One connection.
#[derive(Debug)]
pub struct Args {
    is_business: bool,
    wants_login: bool,
    keepalive_ms: i64,
    most_requests: usize,
    heard_at: i64,
    requests: VecDeque<i64>,
    bytes: usize,
    conn_id: String,
}

/// The name of a channel.
pub fn name_of(channel: Channel) -> &'static str {
    if channel == AGGREGATED { "trades" } else { "trades-all" }
}

impl Args {
    /// A new connection to one of the two addresses.
    pub fn new(is_business: bool, manners: &Manners) -> Self {
        let percent = usize::try_from(manners.limit_percent.unwrap_or(100)).unwrap_or(100);
        Self {
            is_business,
            wants_login: manners.quirks.wants_login,
            keepalive_ms: i64::try_from(manners.keepalive(KEEPALIVE).as_millis()).unwrap_or(i64::MAX),
            most_requests: (REQUESTS_AN_HOUR * percent / 100).max(1),
            heard_at: 0,
            requests: VecDeque::new(),
            bytes: 0,
            conn_id: String::new(),
        }
    }

    fn is_too_often(&mut self, now_ms: i64) -> bool {
        while self.requests.front().is_some_and(|at| *at <= now_ms - HOUR_MS) {
            self.requests.pop_front();
        }
        let is_too_often = self.most_requests <= self.requests.len();
        if !is_too_often {
            self.requests.push_back(now_ms);
        }
        is_too_often
    }

    fn obey(&mut self, request: &Value, is_subscribing: bool, text: &str, desk: &mut Desk<'_>) {
        let Some(args) = request["args"].as_array().filter(|args| !args.is_empty()) else {
            return self.refuse("60012", &format!("Invalid request: {text}"), request, desk);
        };
        if self.is_too_often(desk.now().ms()) {
            return self.refuse("60014", "Requests too frequent", request, desk);
        }
        self.bytes += if is_subscribing { request["args"].to_string().len() } else { 0 };
        if MOST_BYTES < self.bytes {
            return desk.close(TOO_LONG, "Request message exceeds the maximum frame length");
        }
        for arg in args {
            match self.channel_of(arg, desk) {
                Ok((ticker, channel)) => self.change(arg, &ticker, channel, is_subscribing, request, desk),
                Err((code, message)) => self.refuse(code, &message, request, desk),
            }
        }
    }

    fn channel_of(&self, arg: &Value, desk: &Desk<'_>) -> Result<(Ticker, Channel), (&'static str, String)> {
        let (name, symbol) = (arg["channel"].as_str().unwrap_or_default(), arg["instId"].as_str().unwrap_or_default());
        let nothing = || {
            let message = format!(
                "Wrong URL or channel:{name},instId:{symbol} doesn't exist. Please use the correct URL, channel and \
                 parameters referring to API document."
            );
            ("60018", message)
        };
        let channel = match name {
            "trades" if !self.is_business => AGGREGATED,
            "trades-all" if self.is_business && self.wants_login => return Err(("60011", "Please log in".to_owned())),
            "trades-all" if self.is_business => ALL,
            "trades-all" => {
                return Err(("64002", "This channel is not supported by \"/public\" URL".to_owned()));
            }
            "trades" => return Err(("64001", "This channel is not supported by \"/business\" URL".to_owned())),
            _ => return Err(nothing()),
        };
        desk.ticker(symbol).map(|ticker| (ticker, channel)).ok_or_else(nothing)
    }

    fn change(
        &self,
        arg: &Value,
        ticker: &Ticker,
        channel: Channel,
        is_subscribing: bool,
        request: &Value,
        desk: &mut Desk<'_>,
    ) {
        let event = if is_subscribing { "subscribe" } else { "unsubscribe" };
        let (name, symbol) = (name_of(channel), arg["instId"].as_str().unwrap_or_default());
        desk.reply(format!(
            "{{{}\"event\":\"{event}\",\"arg\":{{\"channel\":\"{name}\",\"instId\":\"{symbol}\"}},\"connId\":\"{}\"}}",
            id_of(request),
            self.conn_id
        ));
        if !is_subscribing {
            desk.unsubscribe(ticker, channel);
            return;
        }
        let last = desk.newest(ticker, 1);
        if !last.is_empty() {
            let text = frame_of_many(desk.dialect(), channel, &last, desk.now());
            desk.tell_again(&last, &text);
        }
        desk.subscribe(ticker, channel);
    }

    fn refuse(&self, code: &str, message: &str, request: &Value, desk: &mut Desk<'_>) {
        desk.reply(format!(
            "{{{}\"event\":\"error\",\"code\":\"{code}\",\"msg\":{},\"connId\":\"{}\"}}",
            id_of(request),
            Value::from(message),
            self.conn_id
        ));
    }
}

fn id_of(request: &Value) -> String {
    request["id"].as_str().map(|id| format!("\"id\":{},", Value::from(id))).unwrap_or_default()
}

impl Conversation for Args {
    fn begin(&mut self, desk: &mut Desk<'_>) {
        self.heard_at = desk.now().ms();
        self.conn_id = format!("{:08x}", identifier(&format!("okx {}", desk.connection())) as u32);
    }

    fn hear(&mut self, text: &str, desk: &mut Desk<'_>) {
        self.heard_at = desk.now().ms();
        if text == "ping" {
            return desk.reply("pong");
        }
        let Ok(request) = serde_json::from_str::<Value>(text) else {
            return self.refuse("60012", &format!("Invalid request: {text}"), &json!({}), desk);
        };
        match request["op"].as_str().unwrap_or_default() {
            "subscribe" => self.obey(&request, true, text, desk),
            "unsubscribe" => self.obey(&request, false, text, desk),
            _ => self.refuse("60012", &format!("Invalid request: {text}"), &request, desk),
        }
    }

    fn every(&self) -> Duration {
        Duration::from_millis((self.keepalive_ms / 10).clamp(10, 1_000).unsigned_abs())
    }

    fn tick(&mut self, desk: &mut Desk<'_>) {
        if self.heard_at.max(desk.said_at().ms()).saturating_add(self.keepalive_ms) <= desk.now().ms() {
            desk.close(NO_DATA, "No data received in 30s.");
        }
    }

    fn announce_the_end(&mut self, _: EpochMs, desk: &mut Desk<'_>) {
        desk.reply(format!(
            "{{\"event\":\"notice\",\"code\":\"64008\",\"msg\":\"The connection will soon be closed for a service \
             upgrade. Please reconnect.\",\"connId\":\"{}\"}}",
            self.conn_id
        ));
    }
}
