//! The numbers of trades made by hand among those that the source has numbered.

use std::collections::HashMap;

use tape::{Ticker, TradeId};

use crate::dialect::Dialect;
use crate::dialect::numbering::{Numbering, Series};
use crate::true_trade::TrueTrade;

/// How far each series is.
#[derive(Debug)]
pub struct Counters {
    numbering: Option<Numbering>,
    next: HashMap<Series, u64>,
    by_hand: HashMap<Series, u64>,
}

impl Counters {
    /// The counters of a dialect; none where trades keep their ids.
    pub fn of(dialect: Dialect) -> Self {
        Self { numbering: dialect.numbering(), next: HashMap::new(), by_hand: HashMap::new() }
    }

    /// Moves a trade of the source up by as many as were made by hand before it.
    pub fn number(&mut self, trade: TrueTrade) -> TrueTrade {
        let Some((series, place)) = self.place_of(&trade) else { return trade };
        let by_hand = self.by_hand.get(&series).copied().unwrap_or(0);
        if by_hand == 0 {
            return trade;
        }
        match TradeId::new(&series.id(place + by_hand).to_string()) {
            Ok(id) => trade.under(id),
            Err(_) => trade,
        }
    }

    /// Takes notice of a trade.
    pub fn note(&mut self, trade: &TrueTrade) {
        if let Some((series, place)) = self.place_of(trade) {
            let next = self.next.entry(series).or_default();
            *next = (*next).max(place + 1);
        }
    }

    /// The id of a trade made by hand.
    pub fn next_by_hand(&mut self, ticker: &Ticker) -> Option<String> {
        let series = self.numbering?.series_of(ticker);
        let place = self.next.get(&series).copied().unwrap_or(0);
        let id = series.id(place).to_string();
        *self.by_hand.entry(series).or_default() += 1;
        Some(id)
    }

    fn place_of(&self, trade: &TrueTrade) -> Option<(Series, u64)> {
        let series = self.numbering?.series_of(&trade.ticker);
        let place = series.place(trade.number()?);
        Some((series, place))
    }
}
