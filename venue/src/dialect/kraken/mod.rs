//! Kraken spot: the `trade` channel of the socket's second version, in batches and
//! with JSON numbers, and `Trades` by REST, paged by a time.

mod rest;
mod socket;
mod symbols;

use std::time::Duration;

use tape::{EpochMs, Ticker};

use super::conversation::Conversation;
use super::desk::RestDesk;
use super::manners::Manners;
use super::numbering::Numbering;
use super::question::{Answer, Question, Refused};
use super::quota::{Charge, Measure, Quota};
use super::row::{Role, Row};
use super::stamp::{Taker, identifier, rfc3339_micros};
use super::{Channel, Tongue};
use crate::true_trade::TrueTrade;

/// Kraken spot.
#[derive(Debug)]
pub struct Kraken;

/// The newest trades, told first.
const SNAPSHOT: Channel = 1;

const QUOTAS: [Quota; 2] = [
    Quota { name: "Trades a second and pair", most: 1, window_ms: 1_000, measure: Measure::Bucket { holds: 3 } },
    Quota { name: "connections in 10 minutes", most: 150, window_ms: 600_000, measure: Measure::Sliding },
];

impl Tongue for Kraken {
    fn name(&self) -> &'static str {
        "kraken"
    }

    fn symbol(&self, ticker: &Ticker) -> String {
        ticker.as_str().to_owned()
    }

    fn numbering(&self) -> Option<Numbering> {
        Some(Numbering::Dense)
    }

    fn rows_a_message(&self) -> usize {
        100
    }

    fn row(&self, _: Channel, trade: &TrueTrade, _: EpochMs) -> Row {
        Row::default()
            .text(Role::Ticker, "symbol", self.symbol(&trade.ticker))
            .text(Role::Other, "side", Taker::of(trade).say("buy", "sell"))
            .raw(Role::Price, "price", trade.plain_price())
            .raw(Role::Quantity, "qty", trade.plain_quantity())
            .text(Role::Other, "ord_type", order_type(trade).0)
            .raw(Role::Id, "trade_id", trade.id.as_str())
            .text(Role::Time, "timestamp", rfc3339_micros(trade))
    }

    fn envelope(&self, channel: Channel, _: &Ticker, rows: &str, _: EpochMs) -> String {
        let kind = if channel == SNAPSHOT { "snapshot" } else { "update" };
        format!("{{\"channel\":\"trade\",\"type\":\"{kind}\",\"data\":[{rows}]}}")
    }

    fn conversation(&self, question: &Question, manners: &Manners) -> Option<Box<dyn Conversation>> {
        (question.path == "/v2").then(|| Box::new(socket::Books::new(manners)) as Box<dyn Conversation>)
    }

    fn quotas(&self) -> &'static [Quota] {
        &QUOTAS
    }

    fn charges(&self, question: &Question) -> Vec<Charge> {
        let is_counted = question.path == "/0/public/Trades";
        is_counted.then(|| Charge::of(0, question.text("pair").unwrap_or_default(), 1)).into_iter().collect()
    }

    fn door_charge(&self) -> Option<Charge> {
        Some(Charge::shared(1, 1))
    }

    fn ban(&self) -> Option<(u32, Duration)> {
        Some((5, Duration::from_secs(10)))
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
  WS   /v2                                         trade, with snapshot or without
  GET  /0/public/Trades?pair=&since=&count=        oldest first, since exclusive unless --quirk since=inclusive
  GET  /0/public/AssetPairs   /0/public/Assets   /0/public/Time   /0/public/SystemStatus
"
    }
}

/// Market or limit, in words and by letter.
fn order_type(trade: &TrueTrade) -> (&'static str, &'static str) {
    let is_market = identifier(&format!("order {} {}", trade.ticker, trade.id)).is_multiple_of(2);
    if is_market { ("market", "m") } else { ("limit", "l") }
}
