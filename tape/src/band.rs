//! What was normal lately: the ends of a ticker's confirmed prices, its largest
//! confirmed quantity, and how early its trades are heard by our clock.
//!
//! Only confirmed trades make a band, so no lie can widen or narrow it. They
//! are kept minute by minute, so that a band costs the same however many
//! trades it was made of.

use std::collections::VecDeque;

use crate::prefetch::prefetch;
use crate::{EpochMs, Price, Quantity};

/// Over how many minutes of market a band reaches.
pub const BAND_MINUTES: i64 = 10;

const MINUTE_MS: i64 = 60_000;

/// The ends of some confirmed trades, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extremes {
    /// How many trades.
    pub trades: u64,
    /// The lowest price.
    pub lowest: Price,
    /// The highest price.
    pub highest: Price,
    /// The largest quantity.
    pub largest: Quantity,
    /// By how many milliseconds the earliest of the heard ones was heard before
    /// it was made: positive only when our clock is behind the market's. None
    /// when the socket brought none of them.
    pub earliest_ms: Option<i64>,
}

impl Extremes {
    /// The ends of one trade, and when it was heard, if it was.
    pub fn of(price: Price, quantity: Quantity, traded_at: EpochMs, received_at: Option<EpochMs>) -> Self {
        let earliest_ms = received_at.map(|received_at| traded_at.ms_since(received_at));
        Self { trades: 1, lowest: price, highest: price, largest: quantity, earliest_ms }
    }

    /// The ends of these trades and others together.
    pub fn and(self, other: Self) -> Self {
        Self {
            trades: self.trades + other.trades,
            lowest: self.lowest.min(other.lowest),
            highest: self.highest.max(other.highest),
            largest: self.largest.max(other.largest),
            // No hearing is less than any hearing.
            earliest_ms: self.earliest_ms.max(other.earliest_ms),
        }
    }
}

/// The ends of the trades confirmed in the last minutes of the tape.
#[derive(Debug, Clone, Default)]
pub struct Band {
    /// The minutes with trades, oldest first, by number.
    minutes: VecDeque<(i64, Extremes)>,
    all: Option<Extremes>,
}

impl Band {
    /// Takes in confirmed trades of one minute. Those that came too late for
    /// the band are left out.
    pub fn add(&mut self, at: EpochMs, extremes: Extremes) {
        let minute = minute_of(at);
        let is_too_old = self.minutes.back().is_some_and(|(newest, _)| minute <= newest - BAND_MINUTES);
        if is_too_old {
            return;
        }
        match self.minutes.binary_search_by_key(&minute, |it| it.0) {
            Ok(index) => self.minutes[index].1 = self.minutes[index].1.and(extremes),
            Err(index) => self.minutes.insert(index, (minute, extremes)),
        }
        self.all = Some(self.all.map_or(extremes, |all| all.and(extremes)));
        self.advance_to(at);
    }

    /// Lets go of the minutes that are too old at an instant of the market.
    pub fn advance_to(&mut self, at: EpochMs) {
        let gone = self.minutes.partition_point(|(minute, _)| *minute <= minute_of(at) - BAND_MINUTES);
        if gone == 0 {
            return;
        }
        self.minutes.drain(..gone);
        self.all = self.minutes.iter().map(|(_, extremes)| *extremes).reduce(Extremes::and);
    }

    /// The ends of everything in it; none when it is empty.
    pub fn extremes(&self) -> Option<Extremes> {
        self.all
    }

    /// Prefetches the ends of everything in it.
    #[inline(always)]
    pub(crate) fn prefetch(&self) {
        prefetch(&self.all);
    }

    /// How far back trades must be known to make it anew at an instant.
    pub fn reaches_back_to(at: EpochMs) -> EpochMs {
        EpochMs::new((minute_of(at) - BAND_MINUTES + 1) * MINUTE_MS - 1)
    }
}

fn minute_of(at: EpochMs) -> i64 {
    at.ms().div_euclid(MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn extremes(at: i64, price: u32, heard_after: Option<i64>) -> Extremes {
        let price = Price::parse(&price.to_string()).expect("price");
        let quantity = Quantity::parse(&price.to_string()).expect("quantity");
        Extremes::of(price, quantity, EpochMs::new(at), heard_after.map(|after| EpochMs::new(at + after)))
    }

    #[test]
    fn a_band_forgets_what_is_ten_minutes_old_and_nothing_younger() {
        let mut band = Band::default();
        band.add(EpochMs::new(59_999), extremes(59_999, 7, None));
        band.add(EpochMs::new(60_000), extremes(60_000, 5, None));

        band.advance_to(EpochMs::new(599_999));
        assert_eq!(band.extremes().expect("two").trades, 2);
        band.advance_to(EpochMs::new(600_000));
        assert_eq!(band.extremes().expect("one").highest.to_string(), "5");
        band.advance_to(EpochMs::new(660_000));
        assert_eq!(band.extremes(), None);
    }

    #[test]
    fn a_band_made_anew_needs_the_first_millisecond_of_its_oldest_minute_and_none_before() {
        let reach = |at: i64| Band::reaches_back_to(EpochMs::new(at)).ms();

        assert_eq!([599_999, 600_000, 659_999, 660_000].map(reach), [-1, 59_999, 59_999, 119_999]);
    }

    #[test]
    fn how_early_trades_are_heard_is_learned_from_those_that_were_heard() {
        let mut band = Band::default();
        band.add(EpochMs::new(1), extremes(1, 1, None));
        assert_eq!(band.extremes().expect("one").earliest_ms, None);

        band.add(EpochMs::new(2), extremes(2, 1, Some(40)));
        band.add(EpochMs::new(3), extremes(3, 1, Some(-1_200)));
        assert_eq!(band.extremes().expect("three").earliest_ms, Some(1_200));
    }

    proptest! {
        #[test]
        fn a_band_has_the_ends_of_a_plain_scan_and_is_the_same_when_made_anew(
            trades in prop::collection::vec((0i64..3_000_000, 1u32..1_000, prop::option::of(-2_000i64..2_000)), 1..60),
        ) {
            let mut sorted = trades;
            sorted.sort_by_key(|trade| trade.0);
            let mut band = Band::default();
            for (index, (at, price, after)) in sorted.iter().enumerate() {
                let now = EpochMs::new(*at);
                band.add(now, extremes(*at, *price, *after));

                let reach = Band::reaches_back_to(now);
                let held: Vec<_> = sorted[..=index].iter().filter(|trade| reach.ms() < trade.0).collect();
                let all = band.extremes().expect("at least this one");
                prop_assert_eq!(all.trades, held.len() as u64);
                prop_assert_eq!(all.lowest.to_string(), held.iter().map(|it| it.1).min().unwrap().to_string());
                prop_assert_eq!(all.highest.to_string(), held.iter().map(|it| it.1).max().unwrap().to_string());
                prop_assert_eq!(all.earliest_ms, held.iter().filter_map(|it| it.2.map(|after| -after)).max());

                let mut anew = Band::default();
                for (at, price, after) in held {
                    anew.add(EpochMs::new(*at), extremes(*at, *price, *after));
                }
                prop_assert_eq!(anew.extremes(), band.extremes());
                prop_assert!(band.minutes.len() <= BAND_MINUTES as usize);
            }
        }
    }
}
