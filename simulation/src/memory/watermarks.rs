//! How far each ticker is confirmed.

use store::{Advance, StoreError, TickerState};
use tape::{EpochMs, Ticker};

use super::checks;
use super::disk::{Disk, TickerRow};
use super::server::refused;
use super::txn::Txn;
use super::view::View;

impl Txn {
    pub(super) async fn watermarks_advance(&self, advances: &[Advance], checked_at: EpochMs) -> Result<(), StoreError> {
        self.step("watermarks_advance", advances.len()).await?;
        let mut advances: Vec<&Advance> = advances.iter().collect();
        advances.sort_by(|a, b| a.ticker.cmp(&b.ticker));
        let is_step_back = |advance: &&&Advance| advance.from != advance.to && !advance.from.is_before(&advance.to);
        if let Some(Advance { ticker, from, to, .. }) = advances.iter().find(is_step_back) {
            self.fail();
            return Err(refused("moving watermarks", format!("{ticker} would go back from {from:?} to {to:?}")));
        }
        let (state, mut writes) = self.sight();
        let mut view = View { held: &state.disk.tickers, own: &mut writes.tickers };
        for Advance { ticker, from, to, market_time, time_to_final } in advances {
            let Some(held) = view.get(ticker).filter(|held| held.watermark == *from).cloned() else {
                self.fail();
                return Err(StoreError::Conflict { ticker: ticker.clone(), expected: from.clone() });
            };
            let (watermark, market_time, checked_at) = (to.clone(), Some(*market_time), Some(checked_at));
            self.checks("moving watermarks", checks::time_to_final(*time_to_final))?;
            let time_to_final = time_to_final.or(held.time_to_final);
            view.put(ticker.clone(), TickerRow { watermark, market_time, checked_at, time_to_final, ..held });
        }
        Ok(())
    }
}

/// How far each ticker is confirmed.
pub(super) fn states(disk: &Disk) -> Vec<TickerState> {
    let state = |(ticker, row): (&Ticker, &TickerRow)| TickerState {
        ticker: ticker.clone(),
        watermark: row.watermark.clone(),
        tape_from: row.tape_from,
        market_time: row.market_time,
    };
    disk.tickers.iter().map(state).collect()
}
