//! Coinbase Exchange: `matches` and `heartbeat` by socket, trades newest first by
//! REST, where `after` leads to older ones.

mod rest;
mod socket;

use tape::{EpochMs, Ticker};

use super::conversation::Conversation;
use super::desk::RestDesk;
use super::manners::Manners;
use super::numbering::Numbering;
use super::question::{Answer, Question, Refused};
use super::quota::{Charge, Measure, Quota};
use super::row::{Role, Row};
use super::stamp::{Taker, identifier, rfc3339_micros};
use super::{Channel, Tongue, pair};
use crate::true_trade::TrueTrade;

/// Coinbase Exchange.
#[derive(Debug)]
pub struct Coinbase;

/// The newest past trade, told first.
const LAST: Channel = 1;

const QUOTAS: [Quota; 2] = [
    Quota { name: "requests a second", most: 10, window_ms: 1_000, measure: Measure::Bucket { holds: 15 } },
    Quota { name: "connections a second", most: 8, window_ms: 1_000, measure: Measure::Bucket { holds: 20 } },
];

impl Tongue for Coinbase {
    fn name(&self) -> &'static str {
        "coinbase"
    }

    fn symbol(&self, ticker: &Ticker) -> String {
        pair::joined(ticker, "-")
    }

    fn numbering(&self) -> Option<Numbering> {
        Some(Numbering::Dense)
    }

    fn row(&self, channel: Channel, trade: &TrueTrade, _: EpochMs) -> Row {
        Row::default()
            .text(Role::Other, "type", if channel == LAST { "last_match" } else { "match" })
            .raw(Role::Id, "trade_id", trade.id.as_str())
            .text(Role::Other, "maker_order_id", order("maker", trade))
            .text(Role::Other, "taker_order_id", order("taker", trade))
            .text(Role::Other, "side", maker_side(trade))
            .text(Role::Quantity, "size", trade.plain_quantity())
            .text(Role::Price, "price", trade.plain_price())
            .text(Role::Ticker, "product_id", self.symbol(&trade.ticker))
            .raw(Role::Other, "sequence", sequence(trade))
            .text(Role::Time, "time", trimmed_time(trade))
    }

    fn envelope(&self, _: Channel, _: &Ticker, rows: &str, _: EpochMs) -> String {
        rows.to_owned()
    }

    fn conversation(&self, question: &Question, manners: &Manners) -> Option<Box<dyn Conversation>> {
        (question.path == "/").then(|| Box::new(socket::Channels::new(manners)) as Box<dyn Conversation>)
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
  WS   /                                             matches, heartbeat
  GET  /products/<id>/trades?after=&before=&limit=   newest first
  GET  /products   /products/<id>   /currencies   /time
"
    }
}

/// The maker's side: the other one's than the taker's.
fn maker_side(trade: &TrueTrade) -> &'static str {
    Taker::of(trade).say("sell", "buy")
}

/// The number of the match among all messages about its product.
fn sequence(trade: &TrueTrade) -> u64 {
    trade.number().unwrap_or(0).saturating_mul(7) % 1_000_000_000_000
}

/// RFC 3339 without the zeros that end it.
fn trimmed_time(trade: &TrueTrade) -> String {
    let time = rfc3339_micros(trade);
    let digits = time.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
    format!("{digits}Z")
}

fn order(whose: &str, trade: &TrueTrade) -> String {
    let [first, second] = ["a", "b"].map(|half| identifier(&format!("{whose}{half} {} {}", trade.ticker, trade.id)));
    let (first, second) = (format!("{first:016x}"), format!("{second:016x}"));
    format!("{}-{}-4{}-9{}-{}", &first[..8], &first[8..12], &first[13..], &second[1..4], &second[4..])
}
