//! Bitstamp's channels: one in each request, and 1,024 at most.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tape::EpochMs;

use crate::dialect::conversation::Conversation;
use crate::dialect::desk::Desk;

const MOST_CHANNELS: usize = 1_024;

/// One connection.
#[derive(Debug, Default)]
pub struct Channels(BTreeSet<String>);

impl Channels {
    fn subscribe(&mut self, channel: &str, desk: &mut Desk<'_>) {
        let ticker = channel.strip_prefix("live_trades_").and_then(|symbol| desk.ticker(symbol));
        let Some(ticker) = ticker else { return refuse("Bad subscription string.", desk) };
        self.0.insert(channel.to_owned());
        if MOST_CHANNELS < self.0.len() {
            return desk.cut();
        }
        desk.reply(answer("bts:subscription_succeeded", channel));
        desk.subscribe(&ticker, 0);
    }

    fn unsubscribe(&mut self, channel: &str, desk: &mut Desk<'_>) {
        if !self.0.remove(channel) {
            return refuse("Bad subscription string.", desk);
        }
        let ticker = channel.strip_prefix("live_trades_").and_then(|symbol| desk.ticker(symbol));
        if let Some(ticker) = ticker {
            desk.unsubscribe(&ticker, 0);
        }
        desk.reply(answer("bts:unsubscription_succeeded", channel));
    }
}

fn answer(event: &str, channel: &str) -> String {
    format!("{{\"event\":\"{event}\",\"channel\":{},\"data\":{{}}}}", Value::from(channel))
}

fn refuse(message: &str, desk: &mut Desk<'_>) {
    desk.reply(
        json!({ "event": "bts:error", "channel": "", "data": { "code": null, "message": message } }).to_string(),
    );
}

impl Conversation for Channels {
    fn hear(&mut self, text: &str, desk: &mut Desk<'_>) {
        let Ok(request) = serde_json::from_str::<Value>(text) else {
            return refuse("Incorrect JSON format.", desk);
        };
        let channel = request["data"]["channel"].as_str().unwrap_or_default();
        match request["event"].as_str().unwrap_or_default() {
            "bts:subscribe" => self.subscribe(channel, desk),
            "bts:unsubscribe" => self.unsubscribe(channel, desk),
            "bts:heartbeat" => {
                desk.reply("{\"event\":\"bts:heartbeat\",\"channel\":\"\",\"data\":{\"status\":\"success\"}}");
            }
            _ => refuse("Bad event.", desk),
        }
    }

    fn every(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn announce_the_end(&mut self, _: EpochMs, desk: &mut Desk<'_>) {
        desk.reply("{\"event\":\"bts:request_reconnect\",\"channel\":\"\",\"data\":\"\"}");
    }
}
