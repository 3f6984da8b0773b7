//! Bitstamp: `live_trades` by socket, and the last minute, hour or day by REST,
//! in whole seconds.

mod rest;
mod socket;

use tape::{EpochMs, Ticker};

use super::conversation::Conversation;
use super::desk::RestDesk;
use super::digits::{java, trimmed};
use super::manners::Manners;
use super::numbering::Numbering;
use super::question::{Answer, Question, Refused};
use super::quota::{Charge, Measure, Quota};
use super::row::{Role, Row};
use super::stamp::{Taker, identifier};
use super::{Channel, Tongue, pair};
use crate::true_trade::TrueTrade;

/// Bitstamp.
#[derive(Debug)]
pub struct Bitstamp;

const QUOTAS: [Quota; 2] = [
    Quota { name: "requests a second", most: 400, window_ms: 1_000, measure: Measure::Sliding },
    Quota { name: "requests in 10 minutes", most: 10_000, window_ms: 600_000, measure: Measure::Sliding },
];

impl Tongue for Bitstamp {
    fn name(&self) -> &'static str {
        "bitstamp"
    }

    fn symbol(&self, ticker: &Ticker) -> String {
        pair::joined(ticker, "").to_lowercase()
    }

    fn numbering(&self) -> Option<Numbering> {
        Some(Numbering::Shared)
    }

    fn row(&self, _: Channel, trade: &TrueTrade, _: EpochMs) -> Row {
        let (price, quantity) = (trade.plain_price(), trade.plain_quantity());
        let ms = trade.traded_at.ms();
        Row::default()
            .raw(Role::Id, "id", trade.id.as_str())
            .text(Role::Time, "timestamp", ms.div_euclid(1_000).to_string())
            .raw(Role::Quantity, "amount", java(trimmed(&quantity)))
            .text(Role::Quantity, "amount_str", java(&quantity))
            .raw(Role::Price, "price", java(trimmed(&price)))
            .text(Role::Price, "price_str", java(&price))
            .raw(Role::Other, "type", kind(trade))
            .text(Role::Time, "microtimestamp", ms.saturating_mul(1_000).to_string())
            .raw(Role::Other, "buy_order_id", order("buy", trade))
            .raw(Role::Other, "sell_order_id", order("sell", trade))
    }

    fn envelope(&self, _: Channel, ticker: &Ticker, rows: &str, _: EpochMs) -> String {
        let symbol = self.symbol(ticker);
        format!("{{\"data\":{rows},\"channel\":\"live_trades_{symbol}\",\"event\":\"trade\"}}")
    }

    fn conversation(&self, question: &Question, _: &Manners) -> Option<Box<dyn Conversation>> {
        (question.path == "/").then(|| Box::new(socket::Channels::default()) as Box<dyn Conversation>)
    }

    fn quotas(&self) -> &'static [Quota] {
        &QUOTAS
    }

    fn charges(&self, _: &Question) -> Vec<Charge> {
        vec![Charge::shared(0, 1), Charge::shared(1, 1)]
    }

    fn answer(&self, question: &Question, desk: &mut RestDesk<'_>) -> Option<Answer> {
        rest::answer(question, desk)
    }

    fn refuse(&self, refused: &Refused, _: EpochMs) -> Answer {
        rest::refuse(refused)
    }

    fn errors(&self) -> &'static [&'static str] {
        &rest::ERRORS
    }

    fn paths(&self) -> &'static str {
        "\
  WS   /                                               live_trades_btcusdt
  GET  /api/v2/transactions/<pair>/?time=minute|hour|day   newest first, whole seconds
  GET  /api/v2/markets/   /api/v2/trading-pairs-info/
"
    }
}

/// 0 for a taker that buys, 1 for one that sells.
fn kind(trade: &TrueTrade) -> u8 {
    Taker::of(trade).say(0, 1)
}

fn order(whose: &str, trade: &TrueTrade) -> u64 {
    1_982_000_000_000_000 + identifier(&format!("{whose} {} {}", trade.ticker, trade.id)) % 100_000_000_000
}
