//! OKX v5: `trades` on the public socket, `trades-all` on the business one, trades
//! newest first by REST. Each message of `trades` stands for one trade.

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
use super::stamp::Taker;
use super::{Channel, Tongue, pair};
use crate::true_trade::TrueTrade;

/// OKX v5.
#[derive(Debug)]
pub struct Okx;

/// The channel of single trades, which is the first here because lies are noted in its form.
const ALL: Channel = 0;
/// The channel of aggregates.
const AGGREGATED: Channel = 1;

const QUOTAS: [Quota; 3] = [
    Quota { name: "requests in 2 seconds", most: 100, window_ms: 2_000, measure: Measure::Sliding },
    Quota { name: "history-trades in 2 seconds", most: 20, window_ms: 2_000, measure: Measure::Sliding },
    Quota { name: "connections a second", most: 3, window_ms: 1_000, measure: Measure::Sliding },
];

impl Tongue for Okx {
    fn name(&self) -> &'static str {
        "okx"
    }

    fn symbol(&self, ticker: &Ticker) -> String {
        pair::joined(ticker, "-")
    }

    fn numbering(&self) -> Option<Numbering> {
        Some(Numbering::Dense)
    }

    fn row(&self, channel: Channel, trade: &TrueTrade, _: EpochMs) -> Row {
        let row = Row::default()
            .text(Role::Ticker, "instId", self.symbol(&trade.ticker))
            .text(Role::Id, "tradeId", trade.id.as_str())
            .text(Role::Price, "px", trade.plain_price())
            .text(Role::Quantity, "sz", trade.plain_quantity())
            .text(Role::Other, "side", side(trade));
        let at = trade.traded_at.to_string();
        if channel == AGGREGATED {
            row.text(Role::Time, "ts", at).text(Role::Other, "count", "1").text(Role::Other, "source", "0").raw(
                Role::Other,
                "seqId",
                trade.number().unwrap_or(0) % 1_000_000_000,
            )
        } else {
            row.text(Role::Other, "source", "0").text(Role::Time, "ts", at)
        }
    }

    fn envelope(&self, channel: Channel, ticker: &Ticker, rows: &str, _: EpochMs) -> String {
        let (name, symbol) = (socket::name_of(channel), self.symbol(ticker));
        format!("{{\"arg\":{{\"channel\":\"{name}\",\"instId\":\"{symbol}\"}},\"data\":[{rows}]}}")
    }

    fn conversation(&self, question: &Question, manners: &Manners) -> Option<Box<dyn Conversation>> {
        let is_business = match question.path.as_str() {
            "/ws/v5/public" => false,
            "/ws/v5/business" => true,
            _ => return None,
        };
        Some(Box::new(socket::Args::new(is_business, manners)))
    }

    fn quotas(&self) -> &'static [Quota] {
        &QUOTAS
    }

    fn charges(&self, question: &Question) -> Vec<Charge> {
        let quota = usize::from(question.path == "/api/v5/market/history-trades");
        vec![Charge::of(quota, question.path.clone(), 1)]
    }

    fn door_charge(&self) -> Option<Charge> {
        Some(Charge::shared(2, 1))
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
  WS   /ws/v5/public     trades            /ws/v5/business   trades-all
  GET  /api/v5/market/history-trades?instId=&type=1|2&after=&before=&limit=   newest first
  GET  /api/v5/market/trades?instId=&limit=
  GET  /api/v5/public/instruments?instType=SPOT   /api/v5/public/time
"
    }
}

fn side(trade: &TrueTrade) -> &'static str {
    Taker::of(trade).say("buy", "sell")
}
