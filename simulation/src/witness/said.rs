//! Provisional figures are what the tables hold at that moment, by a plain
//! scan in big integers: memory has neither forgotten nor invented anything.

use num_bigint::BigUint;
use tape::{EpochMs, Ticker};

use crate::memory::disk::{Disk, FigureRow, TradeRow};

/// A scan costs as much as a window has trades: one in so many marks is scanned.
pub const SCANNED_EVERY_S: i64 = 3;

/// What the tables hold of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    trades: u64,
    confirmed: u64,
    quarantined: u64,
    /// In 10^-18.
    volume: BigUint,
    /// In 10^-36.
    notional: BigUint,
}

impl Held {
    /// Of the trades in `(opens_after, closes_at]`, suspects are only counted.
    pub fn of(disk: &Disk, ticker: &Ticker, opens_after: EpochMs, closes_at: EpochMs) -> Self {
        let mut held = Self::default();
        for (_, row) in disk.trades_after(ticker, opens_after).take_while(|(_, row)| row.at <= closes_at) {
            held.add(row);
        }
        held
    }

    fn add(&mut self, row: &TradeRow) {
        if row.suspicion.is_some() {
            self.quarantined += 1;
            return;
        }
        self.trades += 1;
        self.confirmed += u64::from(row.is_validated);
        let quantity = BigUint::from(row.quantity.units());
        self.notional += row.price.units() * &quantity;
        self.volume += quantity;
    }

    /// Whether a provisional figure says just this.
    pub fn is_said_by(&self, figure: &FigureRow) -> bool {
        let big = |bytes: [u8; 32]| BigUint::from_bytes_be(&bytes);
        (self.trades, self.confirmed, self.quarantined)
            == (figure.sums.trades, figure.confirmed_trades, figure.quarantined_trades)
            && self.volume == big(figure.sums.volume.units().to_be_bytes())
            && self.notional == big(figure.sums.notional.units().to_be_bytes())
    }
}
