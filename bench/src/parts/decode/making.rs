//! What a trade costs when its texts are already cut out of the frame: decimals,
//! id, ticker and time, read and checked. No decoder takes less than the fastest
//! parser and this together, unless it does in one what they do one by one.

use std::hint::black_box;

use anyhow::Context as _;
use tape::{EpochMs, Price, Quantity, Ticker, Trade, TradeId};

use super::frames::{Frames, name};
use crate::made::Made;
use crate::processor;

/// The texts of a trade.
pub struct Cut {
    ticker: String,
    id: String,
    traded_at: String,
    price: String,
    quantity: String,
}

/// The texts of every trade of the frames.
pub fn cut(frames: &Frames) -> Vec<Cut> {
    let cut = |made: &Made| Cut {
        ticker: name(made.ticker),
        id: made.id.to_string(),
        traded_at: made.traded_at_ms.to_string(),
        price: made.price_text(),
        quantity: made.quantity_text(),
    };
    frames.framed.iter().flat_map(|framed| &framed.made).map(cut).collect()
}

/// What so many passes over all of them take of a processor, in seconds.
///
/// # Errors
/// When one is no trade.
pub fn timed(passes: usize, cuts: &[Cut]) -> anyhow::Result<f64> {
    let began = processor::own_seconds()?;
    for _ in 0..passes {
        for cut in cuts {
            black_box(black_box(cut).trade()?);
        }
    }
    Ok(processor::own_seconds()? - began)
}

impl Cut {
    fn trade(&self) -> anyhow::Result<Trade> {
        Ok(Trade {
            ticker: Ticker::new(&self.ticker)?,
            id: TradeId::new(&self.id)?,
            traded_at: EpochMs::new(self.traded_at.parse().context("no number")?),
            price: Price::parse(&self.price)?,
            quantity: Quantity::parse(&self.quantity)?,
        })
    }
}
