//! Frames of every format, as the practice market words them, and what was put
//! into each, in whole numbers.

use anyhow::{Context as _, ensure};
use market::{Market, Said};
use tape::{EpochMs, Heard, Ticker};
use venue::TrueTrade;
use venue::dialect::Dialect;
use venue::dialect::said::frame_of_many;

use crate::made::{Made, Plan, QUANTITY_DECIMALS, Tape, ticker_name};

const TICKERS: usize = 20;

/// Ids as long as an exchange's own: what is added to the counted ones.
const IDS_FROM: &[(&str, u64)] = &[
    ("binance", 5_000_000_000),
    ("bitstamp", 540_000_000),
    ("bybit", 2_290_000_000_000_000_000),
    ("coinbase", 800_000_000),
    ("kraken", 80_000_000),
    ("okx", 700_000_000),
];

/// A frame, and what is in it.
pub struct Framed {
    /// The frame.
    pub text: String,
    /// Its trades.
    pub made: Vec<Made>,
}

/// Frames of one format.
pub struct Frames {
    /// Whose format it is.
    pub market: Market,
    /// How many trades each holds.
    pub trades_a_frame: usize,
    /// Everything that is traded.
    pub tickers: Vec<Ticker>,
    /// The frames, all different.
    pub framed: Vec<Framed>,
}

/// How many trades a frame is to hold: one, and where a market sends several at once, ten as well.
pub fn trades_a_frame(market: Market) -> &'static [usize] {
    match market.as_str() {
        "bybit" | "kraken" | "okx" => &[1, 10],
        _ => &[1],
    }
}

impl Frames {
    /// So many frames of so many trades of one ticker each.
    ///
    /// # Errors
    /// When the practice market does not speak the format.
    pub fn new(market: Market, frames: usize, trades_a_frame: usize) -> anyhow::Result<Self> {
        let dialect = Dialect::parse(market.as_str()).with_context(|| format!("nobody speaks {market}"))?;
        let from = IDS_FROM.iter().find(|(name, _)| *name == market.as_str()).map_or(0, |(_, from)| *from);
        let tickers = (0..TICKERS).map(|number| Ticker::new(&name(number))).collect::<Result<Vec<_>, _>>()?;
        // Of the less busy tickers, a remainder stays.
        let trades = (frames + TICKERS) * trades_a_frame;
        let plan = Plan { trades: trades as u64, tickers: TICKERS, seconds: 600, seed: 5 };
        let mut gathered: Vec<Vec<Made>> = vec![Vec::new(); TICKERS];
        let mut framed = Vec::with_capacity(frames);
        for made in Tape::new(plan) {
            let gathered = &mut gathered[made.ticker];
            gathered.push(Made { id: from + made.id, ..made });
            if gathered.len() == trades_a_frame {
                let made = std::mem::take(gathered);
                let told = made.iter().map(true_trade).collect::<anyhow::Result<Vec<_>>>()?;
                let now = EpochMs::new(made[0].traded_at_ms).plus_ms(3);
                framed.push(Framed { text: frame_of_many(dialect, 0, &told, now), made });
            }
        }
        framed.truncate(frames);
        Ok(Self { market, trades_a_frame, tickers, framed })
    }

    /// Holds what was understood of a trade against what was put in, digit by digit.
    ///
    /// # Errors
    /// When it is something else.
    pub fn hold(&self, said: &Said, made: &Made, text: &str) -> anyhow::Result<()> {
        let Said::Trade(Heard { trade, .. }) = said else { anyhow::bail!("{text} was refused") };
        let grain = self.market.time_grain_ms();
        let agrees = trade.ticker.as_str() == name(made.ticker)
            && trade.id.as_str() == made.id.to_string()
            && trade.traded_at.ms() == made.traded_at_ms / grain * grain
            && trade.price.units() == u128::from(made.price) * 10u128.pow(18 - made.price_decimals)
            && trade.quantity.units() == u128::from(made.quantity) * 10u128.pow(18 - QUANTITY_DECIMALS);
        ensure!(agrees, "{text} was made of {made:?} and read as {trade:?}");
        Ok(())
    }
}

/// What a ticker is called.
pub fn name(ticker: usize) -> String {
    format!("{}/USDT", ticker_name(ticker))
}

fn true_trade(made: &Made) -> anyhow::Result<TrueTrade> {
    let (price, quantity, id) = (made.price_text(), made.quantity_text(), made.id.to_string());
    TrueTrade::new(&name(made.ticker), made.traded_at_ms, &price, &quantity, &id).context("a made trade is a trade")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_as_many_different_frames_as_are_asked_for() {
        for market in Market::all() {
            for trades_a_frame in trades_a_frame(market) {
                let mut frames = Frames::new(market, 300, *trades_a_frame).expect("frames").framed;
                assert!(frames.iter().all(|framed| framed.made.len() == *trades_a_frame), "{market}");
                frames.sort_by(|a, b| a.text.cmp(&b.text));
                frames.dedup_by(|a, b| a.text == b.text);
                assert_eq!(frames.len(), 300, "{market}");
            }
        }
    }

    #[test]
    fn a_wrong_digit_is_noticed() {
        let frames = Frames::new(Market::GENERIC, 1, 1).expect("a frame");
        let Framed { text, made } = &frames.framed[0];
        let trade = market::generic::decode(text).expect("a trade");
        let said = |trade| Said::Trade(Heard { trade, received_at: EpochMs::new(0), suspicion: None });

        assert!(frames.hold(&said(trade.clone()), &made[0], text).is_ok());
        for wrong in [
            Made { price: made[0].price + 1, ..made[0] },
            Made { quantity: made[0].quantity + 1, ..made[0] },
            Made { id: made[0].id + 1, ..made[0] },
            Made { traded_at_ms: made[0].traded_at_ms + 1, ..made[0] },
            Made { ticker: made[0].ticker + 1, ..made[0] },
        ] {
            assert!(frames.hold(&said(trade.clone()), &wrong, text).is_err(), "{wrong:?}");
        }
    }
}
