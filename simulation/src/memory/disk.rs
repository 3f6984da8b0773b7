//! What is committed, table by table, and what a transaction wants to change.

use std::collections::{BTreeMap, BTreeSet};

use store::{Appended, Chained, Refused};
use tape::bound::{Class, Coverage, ErrorBin, Hour, Outcomes, Statement};
use tape::{
    EpochMs, Fault, Finding, Head, Interval, Mark, Price, Quantity, Sums, Suspicion, Ticker, TimeToFinal, TradeId,
    Vwap, Watermark,
};

/// A row of `transactions` or, always with a time of hearing, of `unplaced_trades`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeRow {
    /// `ts`.
    pub at: EpochMs,
    /// `price`.
    pub price: Price,
    /// `quantity`.
    pub quantity: Quantity,
    /// `is_validated`.
    pub is_validated: bool,
    /// `received_at`.
    pub received_at: Option<EpochMs>,
    /// `suspicion`.
    pub suspicion: Option<Suspicion>,
}

/// A row of `tickers_validation_timestamp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TickerRow {
    /// `validated_until` and `position_tradeid`.
    pub watermark: Watermark,
    /// `tape_from`.
    pub tape_from: EpochMs,
    /// `market_time`.
    pub market_time: Option<EpochMs>,
    /// `checked_at`.
    pub checked_at: Option<EpochMs>,
    /// `time_to_final_p50_ms`, `time_to_final_p99_ms`, `time_to_final_marks`.
    pub time_to_final: Option<TimeToFinal>,
}

/// A row of `vwap_history`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureRow {
    /// `price`.
    pub price: Option<Vwap>,
    /// `trades`, `volume`, `notional`.
    pub sums: Sums,
    /// `confirmed_trades`.
    pub confirmed_trades: u64,
    /// `quarantined_trades`.
    pub quarantined_trades: u64,
    /// `provisional_price`, `provisional_trades`.
    pub provisional: Option<(Option<Vwap>, u64)>,
    /// `calculated_at`.
    pub calculated_at: EpochMs,
    /// `final_at`; `is_validated` when there is one.
    pub final_at: Option<EpochMs>,
    /// `entry`, `link`, `final_watermark`.
    pub chained: Option<Chained>,
    /// `revision`.
    pub revision: u32,
    /// `provisional_tail_ms`, `provisional_class`, `provisional_bound_bps`, `provisional_unsaid`.
    pub bound: Option<Statement>,
}

/// A row of `restatements`, beside its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestatementRow {
    /// `reason`.
    pub reason: String,
    /// `old_trades`, `old_volume`, `old_notional`.
    pub old: Sums,
    /// `new_trades`, `new_volume`, `new_notional`.
    pub new: Sums,
    /// `entry`, `link`, `previous_link` and both second digests.
    pub appended: Option<Appended>,
    /// `restated_at`.
    pub restated_at: EpochMs,
}

/// A row of `trade_corrections`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectionRow {
    /// Kind and both sides.
    pub finding: Finding,
    /// `restated`.
    pub restated: u64,
    /// `found_at`.
    pub found_at: EpochMs,
}

/// A row of `latest_vwap_history`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestRow {
    /// `ts`.
    pub mark: Mark,
    /// `trades`, `volume`, `notional`.
    pub sums: Sums,
    /// `confirmed_trades`.
    pub confirmed_trades: u64,
    /// `quarantined_trades`.
    pub quarantined_trades: u64,
    /// `is_validated`.
    pub is_final: bool,
    /// `calculated_at`.
    pub calculated_at: EpochMs,
    /// `bound_tail_ms`, `bound_bps`, `bound_unsaid`, `bound_marks`, `bound_marks_needed`, `bound_level`.
    pub bound: Option<Statement>,
    /// `bound_coverage`; `bound_kept` and `bound_broken`: those of the last figure with a bound.
    pub day: Option<(Coverage, Outcomes)>,
}

/// A row of `feed_faults`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRow {
    /// Kind, both sides and when it came.
    pub fault: Fault,
    /// `found_at`.
    pub found_at: EpochMs,
}

/// A row of `incidents`, beside its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentRow {
    /// `to_ts`.
    pub to: EpochMs,
    /// `detail`.
    pub detail: String,
    /// `found_at`.
    pub found_at: EpochMs,
}

/// The name of a trade.
pub type TradeName = (Ticker, TradeId);

macro_rules! tables {
    ($($table:ident: $key:ty => $row:ty,)*) => {
        /// Everything that is committed.
        #[derive(Debug, Default)]
        pub struct Disk {
            $(#[doc = concat!("The table of ", stringify!($table), ".")] pub $table: BTreeMap<$key, $row>,)*
            /// The index `transactions_window`.
            pub trades_by_time: BTreeSet<(Ticker, EpochMs, TradeId)>,
        }

        /// Rows that are to be written, or to be gone.
        #[derive(Debug, Default)]
        pub struct Writes {
            $(#[doc = concat!("Changes of ", stringify!($table), ".")] pub $table: BTreeMap<$key, Option<$row>>,)*
        }

        impl Disk {
            /// Changes everything at once, and returns what undoes it.
            pub fn apply(&mut self, writes: Writes) -> Writes {
                self.index(&writes);
                Writes { $($table: swap(&mut self.$table, writes.$table),)* }
            }

            /// Shows every row of every table, in an order that depends on nothing but the rows.
            pub fn each_row(&self, mut each: impl FnMut(&'static str, &dyn std::fmt::Debug)) {
                $(self.$table.iter().for_each(|row| each(stringify!($table), &row));)*
            }
        }
    };
}

tables! {
    trades: TradeName => TradeRow,
    unplaced: TradeName => TradeRow,
    tickers: Ticker => TickerRow,
    figures: (Ticker, Interval, Mark) => FigureRow,
    latest: (Ticker, Interval) => LatestRow,
    chain_heads: (Ticker, Interval) => Head,
    faults: (TradeName, u64) => FaultRow,
    counts: (String, EpochMs, String) => i64,
    rejections: u64 => Refused,
    restatements: (Ticker, Interval, Mark, u32) => RestatementRow,
    corrections: u64 => CorrectionRow,
    bound_evidence: (Ticker, Interval, Hour, Class, ErrorBin) => u32,
    bound_outcomes: (Ticker, Interval, Hour, Class) => (Outcomes, i64),
    incidents: (Ticker, String, EpochMs) => IncidentRow,
}

impl Disk {
    fn index(&mut self, writes: &Writes) {
        for ((ticker, id), row) in &writes.trades {
            if let Some(was) = self.trades.get(&(ticker.clone(), id.clone())) {
                self.trades_by_time.remove(&(ticker.clone(), was.at, id.clone()));
            }
            if let Some(row) = row {
                self.trades_by_time.insert((ticker.clone(), row.at, id.clone()));
            }
        }
    }

    /// The trades of a ticker after an instant, by time.
    pub fn trades_after<'a>(
        &'a self,
        ticker: &'a Ticker,
        after: EpochMs,
    ) -> impl Iterator<Item = (&'a TradeId, &'a TradeRow)> {
        let least = TradeId::new("!").expect("no id sorts before it");
        let from = (ticker.clone(), after.plus_ms(1), least);
        let own = self.trades_by_time.range(from..).take_while(move |key| key.0 == *ticker);
        own.map(|(ticker, _, id)| (id, &self.trades[&(ticker.clone(), id.clone())]))
    }
}

fn swap<K: Ord + Clone, R>(table: &mut BTreeMap<K, R>, writes: BTreeMap<K, Option<R>>) -> BTreeMap<K, Option<R>> {
    let mut undo = BTreeMap::new();
    for (key, row) in writes {
        let was = match row {
            Some(row) => table.insert(key.clone(), row),
            None => table.remove(&key),
        };
        undo.insert(key, was);
    }
    undo
}
