//! Coinbase's channels: subscribe within five seconds, hear the last match first,
//! and a heartbeat a second for each product that asks for one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tape::Ticker;

use super::{LAST, sequence};
use crate::dialect::Tongue;
use crate::dialect::conversation::Conversation;
use crate::dialect::desk::Desk;
use crate::dialect::manners::Manners;
use crate::dialect::said::frame_of_many;
use crate::dialect::stamp::rfc3339_of;

const SUBSCRIBE_WITHIN: Duration = Duration::from_secs(5);
const HEARTBEAT_MS: i64 = 1_000;
const CHANNELS: [&str; 2] = ["matches", "heartbeat"];

/// One connection.
#[derive(Debug)]
pub struct Channels {
    deadline_ms: i64,
    connected_at: i64,
    beat_at: i64,
    /// The products of each channel.
    subscribed: BTreeMap<&'static str, Vec<Ticker>>,
    has_subscribed: bool,
}

impl Channels {
    /// A new connection.
    pub fn new(manners: &Manners) -> Self {
        let deadline_ms = i64::try_from(manners.keepalive(SUBSCRIBE_WITHIN).as_millis()).unwrap_or(i64::MAX);
        Self { deadline_ms, connected_at: 0, beat_at: 0, subscribed: BTreeMap::new(), has_subscribed: false }
    }

    /// What a request names: channels with their products.
    fn named(request: &Value, desk: &Desk<'_>) -> Result<Vec<(&'static str, Ticker)>, String> {
        let shared = &request["product_ids"];
        let channels = request["channels"].as_array().filter(|channels| !channels.is_empty());
        let channels = channels.ok_or_else(|| "channels must be a non-empty array".to_owned())?;
        let mut named = Vec::new();
        for channel in channels {
            let name = channel.as_str().or_else(|| channel["name"].as_str()).unwrap_or_default();
            let own = channel.get("product_ids").unwrap_or(shared);
            let known = CHANNELS.into_iter().find(|known| *known == name);
            let known = known.ok_or_else(|| format!("{name} is not a valid channel"))?;
            let products = own.as_array().filter(|products| !products.is_empty());
            for product in products.ok_or_else(|| format!("no products are given for {name}"))? {
                let symbol = product.as_str().unwrap_or_default();
                let ticker = desk.ticker(symbol).ok_or_else(|| format!("{symbol} is not a valid product"))?;
                named.push((known, ticker));
            }
        }
        Ok(named)
    }

    fn subscribe(&mut self, named: &[(&'static str, Ticker)], desk: &mut Desk<'_>) {
        self.has_subscribed = true;
        let mut is_first = true;
        let mut last_matches = Vec::new();
        for (channel, ticker) in named {
            let products = self.subscribed.entry(channel).or_default();
            if products.contains(ticker) {
                continue;
            }
            products.push(ticker.clone());
            if *channel == "matches" {
                last_matches.push(ticker.clone());
            }
        }
        // In a recording, some last matches came before the list of subscriptions.
        for ticker in &last_matches {
            tell_last_match(ticker, desk);
            if is_first {
                self.tell_subscriptions(desk);
            }
            is_first = false;
            desk.subscribe(ticker, 0);
        }
        if is_first {
            self.tell_subscriptions(desk);
        }
    }

    fn unsubscribe(&mut self, request: &Value, desk: &mut Desk<'_>) -> Result<(), String> {
        let names_products = request["product_ids"].is_array();
        let whole_channels: Vec<&str> = if names_products {
            Vec::new()
        } else {
            let names = request["channels"].as_array().into_iter().flatten();
            names.filter_map(Value::as_str).collect()
        };
        let named = if whole_channels.is_empty() { Self::named(request, desk)? } else { Vec::new() };
        for (channel, products) in &mut self.subscribed {
            products.retain(|ticker| {
                let goes = whole_channels.contains(channel) || named.contains(&(*channel, ticker.clone()));
                if goes && *channel == "matches" {
                    desk.unsubscribe(ticker, 0);
                }
                !goes
            });
        }
        self.subscribed.retain(|_, products| !products.is_empty());
        self.tell_subscriptions(desk);
        Ok(())
    }

    fn tell_subscriptions(&self, desk: &mut Desk<'_>) {
        let channels: Vec<Value> = self
            .subscribed
            .iter()
            .map(|(name, products)| {
                let products: Vec<String> = products.iter().map(|ticker| super::Coinbase.symbol(ticker)).collect();
                json!({ "name": name, "product_ids": products })
            })
            .collect();
        desk.reply(format!("{{\"type\":\"subscriptions\",\"channels\":{}}}", Value::from(channels)));
    }
}

fn tell_last_match(ticker: &Ticker, desk: &mut Desk<'_>) {
    let last = desk.newest(ticker, 1);
    if !last.is_empty() {
        let text = frame_of_many(desk.dialect(), LAST, &last, desk.now());
        desk.tell_again(&last, &text);
    }
}

fn error(message: &str, reason: Option<String>) -> String {
    match reason {
        Some(reason) => json!({ "type": "error", "message": message, "reason": reason }).to_string(),
        None => json!({ "type": "error", "message": message }).to_string(),
    }
}

impl Conversation for Channels {
    fn begin(&mut self, desk: &mut Desk<'_>) {
        self.connected_at = desk.now().ms();
        self.beat_at = self.connected_at;
    }

    fn hear(&mut self, text: &str, desk: &mut Desk<'_>) {
        let Ok(request) = serde_json::from_str::<Value>(text) else {
            return desk.reply(error("Malformed JSON", None));
        };
        let refusal = match request["type"].as_str().unwrap_or_default() {
            "subscribe" => match Self::named(&request, desk) {
                Ok(named) => {
                    self.subscribe(&named, desk);
                    return;
                }
                Err(reason) => error("Failed to subscribe", Some(reason)),
            },
            "unsubscribe" => match self.unsubscribe(&request, desk) {
                Ok(()) => return,
                Err(reason) => error("Failed to unsubscribe", Some(reason)),
            },
            other => error("Invalid message", Some(format!("{other} is not a valid type"))),
        };
        desk.reply(refusal);
    }

    fn every(&self) -> Duration {
        Duration::from_millis((self.deadline_ms / 10).clamp(10, 250).unsigned_abs())
    }

    fn tick(&mut self, desk: &mut Desk<'_>) {
        let now = desk.now().ms();
        if !self.has_subscribed && self.connected_at + self.deadline_ms <= now {
            return desk.cut();
        }
        if now < self.beat_at + HEARTBEAT_MS {
            return;
        }
        self.beat_at = now;
        for ticker in self.subscribed.get("heartbeat").cloned().unwrap_or_default() {
            let last = desk.newest(&ticker, 1);
            let last_id = last.first().and_then(|trade| trade.number()).unwrap_or(0);
            desk.reply(format!(
                "{{\"type\":\"heartbeat\",\"sequence\":{},\"last_trade_id\":{last_id},\"product_id\":\"{}\",\"time\":\"{}\"}}",
                last.first().map_or(0, |trade| sequence(trade) + 3),
                super::Coinbase.symbol(&ticker),
                rfc3339_of(desk.now()),
            ));
        }
    }
}
