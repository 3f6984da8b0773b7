//! Bybit v5 spot: `publicTrade` by socket, several trades in one message, and
//! the last sixty by REST, where there is no way to ask for older ones.

mod rest;
mod socket;

use std::time::Duration;

use tape::{EpochMs, Ticker};

use super::conversation::Conversation;
use super::desk::RestDesk;
use super::manners::Manners;
use super::numbering::Numbering;
use super::question::{Answer, Question, Refused};
use super::quota::{Charge, Measure, Quota};
use super::row::{Role, Row};
use super::stamp::Taker;
use super::{Channel, Tongue, pair};
use crate::true_trade::TrueTrade;

/// Bybit v5 spot.
#[derive(Debug)]
pub struct Bybit;

const QUOTAS: [Quota; 2] = [
    Quota { name: "requests in 5 seconds", most: 600, window_ms: 5_000, measure: Measure::Sliding },
    Quota { name: "connections in 5 minutes", most: 500, window_ms: 300_000, measure: Measure::Sliding },
];

impl Tongue for Bybit {
    fn name(&self) -> &'static str {
        "bybit"
    }

    fn symbol(&self, ticker: &Ticker) -> String {
        pair::joined(ticker, "")
    }

    fn numbering(&self) -> Option<Numbering> {
        Some(Numbering::Partitioned)
    }

    fn rows_a_message(&self) -> usize {
        1_024
    }

    fn row(&self, _: Channel, trade: &TrueTrade, _: EpochMs) -> Row {
        Row::default()
            .text(Role::Id, "i", trade.id.as_str())
            .raw(Role::Time, "T", trade.traded_at)
            .text(Role::Price, "p", trade.plain_price())
            .text(Role::Quantity, "v", trade.plain_quantity())
            .text(Role::Other, "S", Taker::of(trade).say("Buy", "Sell"))
            .raw(Role::Other, "seq", sequence(trade))
            .text(Role::Ticker, "s", self.symbol(&trade.ticker))
            .raw(Role::Other, "BT", false)
            .raw(Role::Other, "RPI", false)
    }

    fn envelope(&self, _: Channel, ticker: &Ticker, rows: &str, now: EpochMs) -> String {
        let symbol = self.symbol(ticker);
        format!("{{\"topic\":\"publicTrade.{symbol}\",\"ts\":{now},\"type\":\"snapshot\",\"data\":[{rows}]}}")
    }

    fn conversation(&self, question: &Question, manners: &Manners) -> Option<Box<dyn Conversation>> {
        (question.path == "/v5/public/spot").then(|| Box::new(socket::Topics::new(manners)) as Box<dyn Conversation>)
    }

    fn quotas(&self) -> &'static [Quota] {
        &QUOTAS
    }

    fn charges(&self, _: &Question) -> Vec<Charge> {
        vec![Charge::shared(0, 1)]
    }

    fn door_charge(&self) -> Option<Charge> {
        Some(Charge::shared(1, 1))
    }

    fn ban(&self) -> Option<(u32, Duration)> {
        Some((0, Duration::from_secs(600)))
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

    fn paths(&self) -> &'static str {
        "\
  WS   /v5/public/spot                               publicTrade.BTCUSDT
  GET  /v5/market/recent-trade?category=spot&symbol=&limit=
  GET  /v5/market/instruments-info?category=spot   /v5/market/time
"
    }
}

/// The cross sequence: it rises with the id, and trades of one order may share it.
fn sequence(trade: &TrueTrade) -> u64 {
    trade.number().unwrap_or(0) % 1_000_000_000_000 / 4 + 100_000_000_000
}
