//! A generated market: every minute of every ticker follows from the seed and
//! from the minute's number alone. A venue started again with the same seed so
//! has the same past, as a market does that went on while nobody could reach it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tape::{EpochMs, Ticker};

use crate::dialect::numbering::{Numbering, Series};
use crate::making::{Made, Maker, Making};
use crate::minute::{MINUTE_MS, Minute, counted_before};
use crate::profile::Profile;
use crate::true_trade::TrueTrade;

/// Makes the trades of a market, one after the other.
#[derive(Debug)]
pub struct Generator {
    seed: u64,
    profiles: Vec<Profile>,
    making: Making,
    going: Going,
    /// The next minute of the first tickers; those of the others are begun while
    /// this minute goes on.
    ahead: Vec<Minute>,
    next_minute: i64,
    from: EpochMs,
}

/// A minute of the market.
#[derive(Debug)]
struct Going {
    minutes: Vec<Minute>,
    /// When each of them goes on. Of several at once the first is first.
    order: BinaryHeap<Reverse<(EpochMs, usize)>>,
    maker: Maker,
}

impl Generator {
    /// A market whose first trade is at `from` or later.
    pub fn new(seed: u64, profiles: Vec<Profile>, from: EpochMs) -> Self {
        Self::made_as(Making::default(), seed, profiles, from)
    }

    /// The same, with an exchange's ids and disorder.
    pub fn made_as(making: Making, seed: u64, profiles: Vec<Profile>, from: EpochMs) -> Self {
        let next_minute = from.ms().div_euclid(MINUTE_MS);
        let going = Going::of(Vec::new(), making.begin(seed, Vec::new()));
        Self { seed, profiles, making, going, ahead: Vec::new(), next_minute, from }
    }

    /// The tickers.
    pub fn tickers(&self) -> impl Iterator<Item = &Ticker> {
        self.profiles.iter().map(|profile| &profile.ticker)
    }

    /// The next trade, if it was made by now.
    pub fn due(&mut self, now: EpochMs) -> Option<TrueTrade> {
        while self.going.next_at().is_none() && self.next_minute * MINUTE_MS <= now.ms() {
            self.begin_minute();
        }
        while self.going.next_at().is_some_and(|at| at <= now) {
            if let Some(made) = self.going.next(self.seed, &self.profiles) {
                return Some(made.trade);
            }
        }
        self.look_ahead(now);
        None
    }

    /// When there may next be a trade.
    pub fn next_at(&self) -> EpochMs {
        self.going.next_at().unwrap_or(EpochMs::new(self.next_minute * MINUTE_MS))
    }

    /// Begins with as many tickers' next minute as this minute is over; half a second late,
    /// since those who listen have most to do at whole seconds.
    fn look_ahead(&mut self, now: EpochMs) {
        let left_ms = (self.next_minute * MINUTE_MS + 500 - now.ms()).clamp(0, MINUTE_MS);
        let wanted = self.profiles.len() - self.profiles.len() * left_ms.unsigned_abs() as usize / MINUTE_MS as usize;
        while self.ahead.len() < wanted {
            self.ahead.push(self.next_minute_of(&self.profiles[self.ahead.len()]));
        }
    }

    fn next_minute_of(&self, profile: &Profile) -> Minute {
        Minute::new(self.seed, profile, self.next_minute, self.making.numbering)
    }

    fn begin_minute(&mut self) {
        let mut minutes = std::mem::take(&mut self.ahead);
        minutes.extend(self.profiles[minutes.len()..].iter().map(|profile| self.next_minute_of(profile)));
        let before = self.making.numbering.map(|numbering| self.made_before(numbering));
        self.going = Going::of(minutes, self.making.begin(self.seed, before.unwrap_or_default()));
        self.next_minute += 1;
        while self.going.next_at().is_some_and(|at| at < self.from) {
            self.going.next(self.seed, &self.profiles);
        }
    }

    /// How many trades each series had before the next minute.
    fn made_before(&self, numbering: Numbering) -> Vec<(Series, u64)> {
        let of = |profile: &Profile| {
            (numbering.series_of(&profile.ticker), counted_before(self.seed, profile, self.next_minute))
        };
        self.profiles.iter().map(of).collect()
    }
}

impl Going {
    fn of(minutes: Vec<Minute>, maker: Maker) -> Self {
        let times = minutes.iter().enumerate().filter_map(|(index, minute)| Some(Reverse((minute.next_at()?, index))));
        Self { order: times.collect(), minutes, maker }
    }

    fn next_at(&self) -> Option<EpochMs> {
        self.order.peek().map(|Reverse((at, _))| *at)
    }

    /// The next trade; none where it cannot be one.
    fn next(&mut self, seed: u64, profiles: &[Profile]) -> Option<Made> {
        let Reverse((_, index)) = self.order.pop()?;
        let minute = &mut self.minutes[index];
        let trade = minute.next(seed, &profiles[index]);
        self.order.extend(minute.next_at().map(|at| Reverse((at, index))));
        trade.map(|trade| self.maker.make(trade))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::profile::DEFAULT_TICKERS;

    const FROM: EpochMs = EpochMs::new(1_700_000_000_000);

    fn market(seed: u64, from: EpochMs, until: EpochMs) -> Vec<TrueTrade> {
        let tickers = DEFAULT_TICKERS.map(|text| Ticker::new(text).expect("a ticker"));
        let profiles = Profile::of_market(&tickers, &tickers[4..], 20.0);
        let mut generator = Generator::new(seed, profiles, from);
        std::iter::from_fn(|| generator.due(until)).collect()
    }

    fn hour() -> Vec<TrueTrade> {
        market(7, FROM, FROM.plus_ms(3_600_000))
    }

    #[test]
    fn the_seed_and_the_time_make_the_market_whenever_it_was_started() {
        let whole = hour();
        let later = FROM.plus_ms(1_234_567);
        let rest: Vec<_> = whole.iter().filter(|trade| later <= trade.traded_at).cloned().collect();

        assert_eq!(market(7, later, FROM.plus_ms(3_600_000)), rest);
        assert_ne!(market(8, FROM, FROM.plus_ms(3_600_000)), whole);
    }

    #[test]
    fn the_next_minute_is_begun_little_by_little_and_is_the_same_as_begun_at_once() {
        let tickers: Vec<Ticker> = (0..60).map(|n| Ticker::new(&format!("T{n}")).expect("a ticker")).collect();
        let profiles = || Profile::of_market(&tickers, &[], 100.0);
        let mut generator = Generator::new(7, profiles(), FROM);
        let mut trades = Vec::new();
        for ms in 0..60_000 {
            let now = FROM.plus_ms(ms);
            let (before, next_minute) = (generator.ahead.len(), generator.next_minute);
            trades.extend(std::iter::from_fn(|| generator.due(now)));
            if generator.next_minute == next_minute && ms > 0 {
                assert!(generator.ahead.len() - before <= 1, "at {ms}");
            } else {
                assert_eq!(before, if ms > 0 { tickers.len() } else { 0 }, "at {ms}");
            }
        }

        let mut at_once = Generator::new(7, profiles(), FROM);
        assert_eq!(std::iter::from_fn(|| at_once.due(FROM.plus_ms(59_999))).collect::<Vec<_>>(), trades);
    }

    #[test]
    fn numbers_and_disorder_too_are_the_same_whenever_it_was_started() {
        let tickers = DEFAULT_TICKERS.map(|text| Ticker::new(text).expect("a ticker"));
        let begin = EpochMs::new(1_750_000_000_000);
        let later = begin.plus_ms(1_234_567);
        for numbering in [Numbering::Dense, Numbering::Partitioned, Numbering::Shared] {
            let making = Making { numbering: Some(numbering), disorder: 0.2 };
            let since = |from| {
                let profiles = Profile::of_market(&tickers, &tickers[4..], 20.0);
                let mut generator = Generator::made_as(making, 7, profiles, from);
                let mut made = Vec::new();
                while generator.next_at() < begin.plus_ms(1_800_000) {
                    let at = generator.next_at();
                    made.extend(generator.due(at).map(|trade| (at, trade)));
                }
                made
            };
            let rest: Vec<_> = since(begin).into_iter().filter(|(at, _)| later <= *at).collect();
            assert!(500 < rest.len(), "{}", rest.len());
            assert!(since(later) == rest, "{numbering:?}");
        }
    }

    #[test]
    fn it_trades_about_as_often_as_asked_in_time_order() {
        let trades = hour();

        assert!((60_000..84_000).contains(&trades.len()), "{}", trades.len());
        assert!(trades.is_sorted_by_key(|trade| trade.traded_at));
    }

    #[test]
    fn dozens_of_trades_share_a_millisecond_now_and_then() {
        let mut crowds: HashMap<(Ticker, EpochMs), u32> = HashMap::new();
        for trade in hour() {
            *crowds.entry((trade.ticker, trade.traded_at)).or_default() += 1;
        }

        assert!(crowds.values().filter(|crowd| **crowd >= 24).count() > 20);
    }

    #[test]
    fn the_quiet_ticker_is_silent_for_minutes_and_then_trades() {
        let times: Vec<_> =
            hour().into_iter().filter(|trade| trade.ticker.as_str() == "XMR").map(|trade| trade.traded_at).collect();

        assert!(times.len() >= 20);
        assert!(times.windows(2).any(|pair| pair[1].ms_since(pair[0]) > 120_000));
    }

    #[test]
    fn ids_are_unique_in_a_ticker_shared_between_tickers_gapped_and_out_of_order() {
        let trades = hour();
        let ids = |ticker: &str| -> Vec<u64> {
            let of_ticker = trades.iter().filter(|trade| trade.ticker.as_str() == ticker);
            of_ticker.map(|trade| trade.id.as_str().parse().expect("a number")).collect()
        };
        let (btc, eth) = (ids("BTC"), ids("ETH"));
        let distinct: HashSet<_> = btc.iter().collect();

        assert_eq!(distinct.len(), btc.len());
        assert!(eth.iter().filter(|id| distinct.contains(id)).count() > eth.len() / 2);
        assert!(!btc.is_sorted());
        assert!(btc.windows(2).filter(|pair| pair[0] + 1 != pair[1]).count() > btc.len() / 2);
    }

    #[test]
    fn prices_keep_their_digits_and_walk_without_leaping() {
        let trades = hour();
        for (ticker, decimals) in [("BTC", 2), ("SHIB", 10)] {
            let prices: Vec<i128> = trades
                .iter()
                .filter(|trade| trade.ticker.as_str() == ticker)
                .map(|trade| {
                    let (_, fraction) = trade.price().split_once('.').expect("decimals");
                    assert_eq!(fraction.len(), decimals);
                    trade.price().replace('.', "").parse().expect("digits")
                })
                .collect();
            assert!(prices.windows(2).all(|pair| (pair[0] - pair[1]).abs() * 100 < pair[0]));
            assert!(prices.iter().collect::<HashSet<_>>().len() > 20);
        }
        assert!(trades.iter().any(|trade| trade.quantity().ends_with("E-7")));
        assert!(trades.iter().any(|trade| trade.quantity().contains("E+")));
    }
}
