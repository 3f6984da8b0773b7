//! Rows turned into one array per column, as `unnest` takes them: sorted by
//! key, so that two writers never wait for each other in a circle, and each
//! key once, so that no statement meets the same row twice.

use postgres_types::Type;
use tape::{EpochMs, Suspicion, Ticker, Trade, TradeId};

use crate::copying::Column;
use crate::numeric::NumericUnit;

/// Names of trades.
pub(crate) struct KeyColumns<'a> {
    pub(crate) tickers: Vec<&'a str>,
    pub(crate) ids: Vec<&'a str>,
}

impl<'a> KeyColumns<'a> {
    pub(crate) fn new(keys: &'a [(Ticker, TradeId)]) -> Self {
        Self::of(keys.iter().map(|(ticker, id)| (ticker, id)))
    }

    pub(crate) fn of(keys: impl Iterator<Item = (&'a Ticker, &'a TradeId)>) -> Self {
        let mut keys: Vec<(&str, &str)> = keys.map(|(ticker, id)| (ticker.as_str(), id.as_str())).collect();
        keys.sort_unstable();
        keys.dedup();
        let (tickers, ids) = keys.into_iter().unzip();
        Self { tickers, ids }
    }
}

/// A trade, when it was heard, and what is held against it.
pub(crate) type TradeRow<'a> = (&'a Trade, Option<EpochMs>, Option<Suspicion>);

/// Trades, when each was heard, if it was, and what is held against it. Of two
/// with one name the first counts.
#[derive(Default)]
pub(crate) struct TradeColumns<'a> {
    pub(crate) tickers: Vec<&'a str>,
    pub(crate) ids: Vec<&'a str>,
    pub(crate) traded_at: Vec<i64>,
    pub(crate) prices: Vec<NumericUnit>,
    pub(crate) quantities: Vec<NumericUnit>,
    pub(crate) received_at: Vec<Option<i64>>,
    pub(crate) suspicions: Vec<Option<&'static str>>,
}

impl<'a> TradeColumns<'a> {
    pub(crate) fn new(trades: impl Iterator<Item = TradeRow<'a>>) -> Self {
        Self::of_sorted(&sorted(trades))
    }

    /// The columns of [`sorted`] trades, or of some of them.
    pub(crate) fn of_sorted(trades: &[TradeRow<'a>]) -> Self {
        let mut columns = Self::default();
        for (trade, received_at, suspicion) in trades.iter().copied() {
            columns.tickers.push(trade.ticker.as_str());
            columns.ids.push(trade.id.as_str());
            columns.traded_at.push(trade.traded_at.ms());
            columns.prices.push(trade.price.into());
            columns.quantities.push(trade.quantity.into());
            columns.received_at.push(received_at.map(EpochMs::ms));
            columns.suspicions.push(suspicion.map(Suspicion::as_str));
        }
        columns
    }

    /// The columns that every trade has, from the exchange to whether it is validated.
    pub(crate) fn of_every_trade<'c>(&'c self, venue: &'c String, is_validated: &'c bool) -> Vec<Column<'c>> {
        vec![
            Column::same(Type::TEXT, venue),
            Column::each(Type::TEXT, &self.tickers),
            Column::each(Type::TEXT, &self.ids),
            Column::each(Type::INT8, &self.traded_at),
            Column::each(Type::NUMERIC, &self.prices),
            Column::each(Type::NUMERIC, &self.quantities),
            Column::same(Type::BOOL, is_validated),
        ]
    }
}

/// Trades sorted by key, each key once.
pub(crate) fn sorted<'a>(trades: impl Iterator<Item = TradeRow<'a>>) -> Vec<TradeRow<'a>> {
    let mut trades: Vec<TradeRow<'a>> = trades.collect();
    // Stable, so that the first of two with one name stays the first.
    trades.sort_by_key(|(trade, ..)| (&trade.ticker, &trade.id));
    trades.dedup_by_key(|(trade, ..)| (&trade.ticker, &trade.id));
    trades
}
