//! Binance spot: `@trade` and `@aggTrade` by socket, `historicalTrades`, `trades`
//! and `aggTrades` by REST. Each aggregate holds one trade, under an id of a
//! series of its own.

mod rest;
mod socket;

use std::time::Duration;

use tape::{EpochMs, Ticker};

use super::conversation::Conversation;
use super::desk::RestDesk;
use super::digits::padded;
use super::manners::Manners;
use super::numbering::Numbering;
use super::question::{Answer, Question, Refused};
use super::quota::{Charge, Measure, Quota};
use super::row::{Role, Row};
use super::stamp::{Taker, nanos};
use super::{Channel, Tongue, pair};
use crate::true_trade::TrueTrade;

/// Binance spot.
#[derive(Debug)]
pub struct Binance;

/// Channels are sums of these: aggregated, wrapped with the stream's name, in microseconds.
const AGGREGATED: Channel = 1;
const WRAPPED: Channel = 2;
const MICROSECONDS: Channel = 4;

/// Aggregates are numbered so far below their only trade.
const BELOW: u64 = 5_000_000_000;

const QUOTAS: [Quota; 3] = [
    Quota { name: "REQUEST_WEIGHT a minute", most: 6_000, window_ms: 60_000, measure: Measure::Clock },
    Quota { name: "RAW_REQUESTS in 5 minutes", most: 61_000, window_ms: 300_000, measure: Measure::Clock },
    Quota { name: "connections in 5 minutes", most: 300, window_ms: 300_000, measure: Measure::Sliding },
];

impl Tongue for Binance {
    fn name(&self) -> &'static str {
        "binance"
    }

    fn symbol(&self, ticker: &Ticker) -> String {
        pair::joined(ticker, "")
    }

    fn numbering(&self) -> Option<Numbering> {
        Some(Numbering::Dense)
    }

    fn row(&self, channel: Channel, trade: &TrueTrade, now: EpochMs) -> Row {
        let is_micro = channel & MICROSECONDS != 0;
        let event_time = if is_micro { now.ms().saturating_mul(1_000) } else { now.ms() };
        let is_aggregated = channel & AGGREGATED != 0;
        let row = Row::default()
            .text(Role::Other, "e", if is_aggregated { "aggTrade" } else { "trade" })
            .raw(Role::Other, "E", event_time)
            .text(Role::Ticker, "s", self.symbol(&trade.ticker))
            .raw(Role::Id, if is_aggregated { "a" } else { "t" }, id_in(is_aggregated, trade))
            .text(Role::Price, "p", padded(&trade.plain_price(), 8))
            .text(Role::Quantity, "q", padded(&trade.plain_quantity(), 8));
        let row = if is_aggregated {
            row.raw(Role::Other, "f", trade.id.as_str()).raw(Role::Other, "l", trade.id.as_str())
        } else {
            row
        };
        row.raw(Role::Time, "T", time_in(is_micro, trade)).raw(Role::Other, "m", Taker::of(trade).say(false, true)).raw(
            Role::Other,
            "M",
            true,
        )
    }

    fn envelope(&self, channel: Channel, ticker: &Ticker, rows: &str, _: EpochMs) -> String {
        if channel & WRAPPED == 0 {
            return rows.to_owned();
        }
        let symbol = self.symbol(ticker).to_lowercase();
        let stream = if channel & AGGREGATED != 0 { "aggTrade" } else { "trade" };
        format!("{{\"stream\":\"{symbol}@{stream}\",\"data\":{rows}}}")
    }

    fn conversation(&self, question: &Question, manners: &Manners) -> Option<Box<dyn Conversation>> {
        socket::Streams::at(question, manners).map(|streams| Box::new(streams) as Box<dyn Conversation>)
    }

    fn quotas(&self) -> &'static [Quota] {
        &QUOTAS
    }

    fn charges(&self, question: &Question) -> Vec<Charge> {
        vec![Charge::shared(0, rest::weight(&question.path)), Charge::shared(1, 1)]
    }

    fn door_charge(&self) -> Option<Charge> {
        Some(Charge::shared(2, 1))
    }

    fn ban(&self) -> Option<(u32, Duration)> {
        Some((10, Duration::from_secs(120)))
    }

    fn answer(&self, question: &Question, desk: &mut RestDesk<'_>) -> Option<Answer> {
        rest::answer(question, desk)
    }

    fn refuse(&self, refused: &Refused, now: EpochMs) -> Answer {
        rest::refuse(refused, now)
    }

    fn errors(&self) -> &'static [&'static str] {
        &rest::ERRORS
    }

    fn sign(&self, answer: &mut Answer, used: &[u64], _: EpochMs) {
        let weight = used.first().copied().unwrap_or(0).to_string();
        for name in ["x-mbx-used-weight", "x-mbx-used-weight-1m"] {
            answer.headers.push((name, weight.clone()));
        }
    }

    fn paths(&self) -> &'static str {
        "\
  WS   /ws  /ws/<stream>  /stream?streams=<a>/<b>   btcusdt@trade, btcusdt@aggTrade
  GET  /api/v3/historicalTrades?symbol=&fromId=&limit=   /api/v3/trades   /api/v3/aggTrades
  GET  /api/v3/exchangeInfo   /api/v3/time   /api/v3/ping
"
    }
}

fn id_in(is_aggregated: bool, trade: &TrueTrade) -> String {
    match trade.number() {
        Some(number) if is_aggregated => number.saturating_sub(BELOW).to_string(),
        _ => trade.id.to_string(),
    }
}

fn time_in(is_micro: bool, trade: &TrueTrade) -> i64 {
    if is_micro { nanos(trade) / 1_000 } else { trade.traded_at.ms() }
}
