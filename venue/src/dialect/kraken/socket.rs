//! Kraken's second socket: one answer for each symbol, a snapshot of fifty trades
//! for who asks, a heartbeat when nothing else is said.

use std::time::Duration;

use serde_json::{Value, json};

use super::SNAPSHOT;
use crate::dialect::conversation::Conversation;
use crate::dialect::desk::Desk;
use crate::dialect::manners::Manners;
use crate::dialect::said::frame_of_many;
use crate::dialect::stamp::rfc3339_of;

const KEEPALIVE: Duration = Duration::from_secs(60);
const SNAPSHOT_ROWS: usize = 50;
const HEARTBEAT_MS: i64 = 1_000;

/// One connection.
#[derive(Debug)]
pub struct Books {
    keepalive_ms: i64,
    heard_at: i64,
}

impl Books {
    /// A new connection.
    pub fn new(manners: &Manners) -> Self {
        let keepalive_ms = i64::try_from(manners.keepalive(KEEPALIVE).as_millis()).unwrap_or(i64::MAX);
        Self { keepalive_ms, heard_at: 0 }
    }

    fn subscribe(request: &Value, desk: &mut Desk<'_>) {
        let params = &request["params"];
        let symbols = params["symbol"].as_array().filter(|symbols| !symbols.is_empty());
        let is_trade = params["channel"] == "trade";
        let (Some(symbols), true, true) = (symbols, is_trade, params.get("depth").is_none()) else {
            return malformed(request, desk);
        };
        let wants_snapshot = params["snapshot"].as_bool().unwrap_or(true);
        for symbol in symbols {
            let symbol = symbol.as_str().unwrap_or_default();
            let Some(ticker) = desk.ticker(symbol) else {
                let reply = format!(
                    "{{\"error\":{},\"method\":\"subscribe\",\"success\":false,\"symbol\":{},{}}}",
                    Value::from(format!("Currency pair not supported {symbol}")),
                    Value::from(symbol),
                    times(request, desk)
                );
                desk.reply(reply);
                continue;
            };
            let result = format!("{{\"channel\":\"trade\",\"snapshot\":{wants_snapshot},\"symbol\":\"{symbol}\"}}");
            desk.reply(format!(
                "{{\"method\":\"subscribe\",\"result\":{result},\"success\":true,{}}}",
                times(request, desk)
            ));
            desk.subscribe(&ticker, 0);
            let newest = if wants_snapshot { desk.newest(&ticker, SNAPSHOT_ROWS) } else { Vec::new() };
            if !newest.is_empty() {
                let text = frame_of_many(desk.dialect(), SNAPSHOT, &newest, desk.now());
                desk.tell_again(&newest, &text);
            }
        }
    }

    fn unsubscribe(request: &Value, desk: &mut Desk<'_>) {
        let params = &request["params"];
        let (Some(symbols), true) = (params["symbol"].as_array(), params["channel"] == "trade") else {
            return malformed(request, desk);
        };
        for symbol in symbols {
            let symbol = symbol.as_str().unwrap_or_default();
            let is_gone = desk.ticker(symbol).is_some_and(|ticker| desk.unsubscribe(&ticker, 0));
            let times = times(request, desk);
            desk.reply(if is_gone {
                format!(
                    "{{\"method\":\"unsubscribe\",\"result\":{{\"channel\":\"trade\",\"symbol\":\"{symbol}\"}},\
                     \"success\":true,{times}}}"
                )
            } else {
                format!(
                    "{{\"error\":\"Subscription Not Found\",\"method\":\"unsubscribe\",\"success\":false,\
                     \"symbol\":{},{times}}}",
                    Value::from(symbol)
                )
            });
        }
    }
}

fn malformed(request: &Value, desk: &mut Desk<'_>) {
    let times = times(request, desk);
    desk.reply(format!("{{\"error\":\"Malformed request\",\"method\":\"error\",\"success\":false,{times}}}"));
}

/// When a request came and was answered, and the number it came under.
fn times(request: &Value, desk: &Desk<'_>) -> String {
    let now = rfc3339_of(desk.now());
    let times = format!("\"time_in\":\"{now}\",\"time_out\":\"{now}\"");
    match request.get("req_id").filter(|req_id| req_id.is_u64()) {
        Some(req_id) => format!("{times},\"req_id\":{req_id}"),
        None => times,
    }
}

impl Conversation for Books {
    fn begin(&mut self, desk: &mut Desk<'_>) {
        self.heard_at = desk.now().ms();
        // A number that no signed integer of 64 bits holds.
        let connection = 13_834_774_380_200_032_777 + desk.connection();
        desk.reply(format!(
            "{{\"channel\":\"status\",\"data\":[{{\"api_version\":\"v2\",\"connection_id\":{connection},\
             \"system\":\"online\",\"version\":\"2.0.0\"}}],\"type\":\"update\"}}"
        ));
    }

    fn hear(&mut self, text: &str, desk: &mut Desk<'_>) {
        self.heard_at = desk.now().ms();
        let request: Value = serde_json::from_str(text).unwrap_or(json!({}));
        match request["method"].as_str().unwrap_or_default() {
            "subscribe" => Self::subscribe(&request, desk),
            "unsubscribe" => Self::unsubscribe(&request, desk),
            "ping" => {
                let now = rfc3339_of(desk.now());
                let req_id = request.get("req_id").filter(|req_id| req_id.is_u64());
                let req_id = req_id.map(|req_id| format!("\"req_id\":{req_id},")).unwrap_or_default();
                desk.reply(format!("{{\"method\":\"pong\",{req_id}\"time_in\":\"{now}\",\"time_out\":\"{now}\"}}"));
            }
            _ => malformed(&request, desk),
        }
    }

    fn hear_ping(&mut self, desk: &mut Desk<'_>) {
        self.heard_at = desk.now().ms();
    }

    fn every(&self) -> Duration {
        Duration::from_millis((self.keepalive_ms / 10).clamp(10, 250).unsigned_abs())
    }

    fn tick(&mut self, desk: &mut Desk<'_>) {
        let now = desk.now().ms();
        let said_at = desk.said_at().ms();
        if !desk.subscriptions().is_empty() {
            if said_at.saturating_add(HEARTBEAT_MS) <= now {
                desk.reply("{\"channel\":\"heartbeat\"}");
            }
        } else if self.heard_at.max(said_at).saturating_add(self.keepalive_ms) <= now {
            desk.cut();
        }
    }
}
