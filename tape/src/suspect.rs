//! Heard trades that cannot be right: they are kept, and count in no
//! provisional figure until REST has spoken.

use ethnum::U256;

use crate::{Band, EpochMs, Trade};

/// So many confirmed trades must be in a band before it accuses anyone.
pub const BAND_TRADES_LEAST: u64 = 20;

/// A band whose ticker is confirmed no further than so long before a trade
/// says nothing about it: prices have had time to move away.
pub const BAND_AGE_MOST_MS: i64 = 60_000;

/// Why a heard trade cannot be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Suspicion {
    /// It was heard before it was made, by more than clocks explain.
    Future,
    /// Its price lies far outside those confirmed lately.
    Price,
    /// Its quantity is many times the largest confirmed lately.
    Quantity,
    /// REST has spoken already and said otherwise: it confirmed the id with
    /// other values, or everything up to the claimed time without it.
    Contradicted,
}

impl Suspicion {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::Future, Self::Price, Self::Quantity, Self::Contradicted];

    /// The kind's name in tables and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Future => "future",
            Self::Price => "price",
            Self::Quantity => "quantity",
            Self::Contradicted => "contradicted",
        }
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How far a trade may go before it is suspected. None suspects nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Suspects {
    /// How long before it was made a trade may be heard, beyond what the
    /// band's own trades were, in ms.
    pub future_ms: Option<i64>,
    /// How far outside the band a price may lie, in basis points, beyond the
    /// band's own width.
    pub price_band_bps: Option<u32>,
    /// How many times the band's largest quantity a quantity may be.
    pub quantity_factor: Option<u32>,
}

impl Suspects {
    /// What is held against trades unless something else is asked for. Chosen
    /// by what it makes of real tapes: see docs/suspects.md.
    pub const USUAL: Self = Self { future_ms: Some(250), price_band_bps: Some(100), quantity_factor: Some(10) };

    /// What is held against a heard trade that claims a time beyond
    /// `settled_until`, the instant up to which its ticker is confirmed.
    pub fn judge(self, trade: &Trade, received_at: EpochMs, band: &Band, settled_until: EpochMs) -> Option<Suspicion> {
        let band = band.extremes().filter(|band| BAND_TRADES_LEAST <= band.trades)?;
        if let (Some(tolerance_ms), Some(earliest_ms)) = (self.future_ms, band.earliest_ms) {
            let lead_ms = trade.traded_at.ms_since(received_at);
            if earliest_ms.max(0).saturating_add(tolerance_ms) < lead_ms {
                return Some(Suspicion::Future);
            }
        }
        if BAND_AGE_MOST_MS < trade.traded_at.ms_since(settled_until) {
            return None;
        }
        let (lowest, highest) = (band.lowest.units(), band.highest.units());
        if self.price_band_bps.is_some_and(|floor_bps| is_outside(trade.price.units(), lowest, highest, floor_bps)) {
            return Some(Suspicion::Price);
        }
        let is_too_large = |factor: u32| {
            let most = band.largest.units().saturating_mul(u128::from(factor));
            most < trade.quantity.units()
        };
        self.quantity_factor.is_some_and(is_too_large).then_some(Suspicion::Quantity)
    }
}

/// Whether a price lies outside `[lowest / (1 + x), highest × (1 + x)]`, where
/// `x` is the floor and the band's own width, `(highest − lowest) / lowest`.
fn is_outside(price: u128, lowest: u128, highest: u128, floor_bps: u32) -> bool {
    const WHOLE_BPS: U256 = U256::new(10_000);
    let (price, lowest, highest) = (U256::new(price), U256::new(lowest), U256::new(highest));
    // 1 + x as a fraction. Prices are below 2^107 units and the floor below
    // 2^32, so that each product stays below 2^250.
    let whole = lowest * WHOLE_BPS;
    let widened = whole + lowest * U256::from(floor_bps) + (highest - lowest) * WHOLE_BPS;
    price * widened < lowest * whole || highest * widened < price * whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Extremes, Price, Quantity, Ticker, TradeId};

    const NOW: EpochMs = EpochMs::new(1_000_000);
    const SETTLED: EpochMs = EpochMs::new(997_000);

    fn trade(traded_at: i64, price: &str, quantity: &str) -> Trade {
        Trade {
            ticker: Ticker::new("BTC").expect("ticker"),
            id: TradeId::new("1").expect("id"),
            traded_at: EpochMs::new(traded_at),
            price: Price::parse(price).expect("price"),
            quantity: Quantity::parse(quantity).expect("quantity"),
        }
    }

    /// Prices 100 and 101, quantities up to 2, heard 20 ms after they were made.
    fn band(trades: u64) -> Band {
        let mut band = Band::default();
        for number in 0..trades {
            let (price, quantity) = if number % 2 == 0 { ("100", "2") } else { ("101", "1.5") };
            let trade = trade(SETTLED.ms(), price, quantity);
            let received_at = Some(SETTLED.plus_ms(20));
            band.add(SETTLED, Extremes::of(trade.price, trade.quantity, SETTLED, received_at));
        }
        band
    }

    fn judge(trade: &Trade) -> Option<Suspicion> {
        Suspects::USUAL.judge(trade, NOW, &band(20), SETTLED)
    }

    #[test]
    fn a_price_may_lie_a_floor_and_the_bands_width_outside_and_no_further() {
        // 1 % of floor and 1 % of width on either side: 101 × 1.02 and 100 ÷ 1.02.
        for (price, suspicion) in [
            ("103.02", None),
            ("103.020000000000000001", Some(Suspicion::Price)),
            ("98.039215686274509804", None),
            ("98.039215686274509803", Some(Suspicion::Price)),
            ("1000", Some(Suspicion::Price)),
            ("0.000000000000000001", Some(Suspicion::Price)),
            ("99999999999999", Some(Suspicion::Price)),
        ] {
            assert_eq!(judge(&trade(999_990, price, "1")), suspicion, "{price}");
        }
    }

    #[test]
    fn a_price_just_as_far_below_as_it_may_be_is_not_suspected() {
        let mut band = Band::default();
        let steady = trade(SETTLED.ms(), "102", "1");
        for _ in 0..20 {
            band.add(SETTLED, Extremes::of(steady.price, steady.quantity, SETTLED, None));
        }
        // 2 % of floor and a band without width: 102 ÷ 1.02 is 100.
        let suspects = Suspects { price_band_bps: Some(200), ..Suspects::USUAL };
        let judge = |price| suspects.judge(&trade(999_990, price, "1"), NOW, &band, SETTLED);

        assert_eq!(judge("100"), None);
        assert_eq!(judge("99.999999999999999999"), Some(Suspicion::Price));
    }

    #[test]
    fn a_quantity_may_be_ten_times_the_largest_and_no_more() {
        assert_eq!(judge(&trade(999_990, "100", "20")), None);
        assert_eq!(judge(&trade(999_990, "100", "20.000000000000000001")), Some(Suspicion::Quantity));
        assert_eq!(judge(&trade(999_990, "100", "9999999999999999")), Some(Suspicion::Quantity));
        let strictest = Suspects { quantity_factor: Some(u32::MAX), ..Suspects::USUAL };
        assert_eq!(strictest.judge(&trade(999_990, "100", "1e15"), NOW, &band(20), SETTLED), Some(Suspicion::Quantity));
    }

    #[test]
    fn a_trade_heard_before_it_was_made_is_suspected_beyond_the_tolerance() {
        assert_eq!(judge(&trade(NOW.ms() + 250, "100", "1")), None);
        assert_eq!(judge(&trade(NOW.ms() + 251, "100", "1")), Some(Suspicion::Future));
    }

    #[test]
    fn a_clock_of_ours_that_is_slow_makes_no_trade_a_suspect() {
        let mut band = band(20);
        let slow = Extremes { earliest_ms: Some(1_276), ..band.extremes().expect("trades") };
        band.add(SETTLED, slow);
        let judge = |ahead: i64| Suspects::USUAL.judge(&trade(NOW.ms() + ahead, "100", "1"), NOW, &band, SETTLED);

        assert_eq!(judge(1_526), None);
        assert_eq!(judge(1_527), Some(Suspicion::Future));
    }

    #[test]
    fn nobody_is_accused_by_too_few_trades_or_by_an_outdated_band() {
        let absurd = trade(NOW.ms(), "1000", "1");

        assert_eq!(Suspects::USUAL.judge(&absurd, NOW, &band(19), SETTLED), None);
        assert_eq!(Suspects::USUAL.judge(&absurd, NOW, &band(20), SETTLED), Some(Suspicion::Price));
        let outdated = NOW.minus_ms(BAND_AGE_MOST_MS);
        assert_eq!(Suspects::USUAL.judge(&absurd, NOW, &band(20), outdated), Some(Suspicion::Price));
        assert_eq!(Suspects::USUAL.judge(&absurd, NOW, &band(20), outdated.minus_ms(1)), None);
    }

    #[test]
    fn a_filter_that_is_off_suspects_nobody() {
        assert_eq!(Suspects::default().judge(&trade(NOW.ms() + 5_000, "1000", "1e9"), NOW, &band(20), SETTLED), None);
    }

    #[test]
    fn a_kind_is_read_back_from_its_name() {
        for kind in Suspicion::ALL {
            assert_eq!(Suspicion::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(Suspicion::parse("absurd"), None);
    }

    proptest! {
        #[test]
        fn what_lies_within_the_confirmed_prices_and_quantities_is_never_suspected(
            prices in prop::collection::vec(1u64..u64::MAX, 20..40),
            at in 0usize..20,
            floor in 0u32..10_000,
        ) {
            let mut band = Band::default();
            let of = |units: u64| {
                trade(SETTLED.ms(), &format!("{units}e-18"), &format!("{units}e-18"))
            };
            for units in &prices {
                let it = of(*units);
                band.add(SETTLED, Extremes::of(it.price, it.quantity, SETTLED, None));
            }
            let suspects = Suspects { future_ms: Some(0), price_band_bps: Some(floor), quantity_factor: Some(1) };
            prop_assert_eq!(suspects.judge(&of(prices[at]), NOW, &band, SETTLED), None);
        }
    }
}
