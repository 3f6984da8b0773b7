//! A generated market: every minute of every ticker follows from the seed and
//! from the minute's number alone. A venue started again with the same seed so
//! has the same past, as a market does that went on while nobody could reach it.

use std::collections::VecDeque;

use rand::{Rng, RngExt};
use tape::{EpochMs, Ticker};

use crate::chance;
use crate::dialect::numbering::Numbering;
use crate::making::{Made, Making};
use crate::profile::{Notation, Pace, Profile, QUIET_CYCLE};
use crate::true_trade::TrueTrade;

const MINUTE_MS: i64 = 60_000;

/// No minute of a ticker has more trades: ids of one minute must not reach the next.
const TRADES_A_MINUTE: usize = 1_000_000;

/// 2024-01-01: where the counters of exchanges begin that number without holes.
const FIRST_MINUTE: i64 = 28_401_120;

const DAY: i64 = 1_440;

/// Makes the trades of a market, minute by minute.
#[derive(Debug)]
pub struct Generator {
    seed: u64,
    profiles: Vec<Profile>,
    making: Making,
    ready: VecDeque<Made>,
    next_minute: i64,
    from: EpochMs,
}

impl Generator {
    /// A market whose first trade is at `from` or later.
    pub fn new(seed: u64, profiles: Vec<Profile>, from: EpochMs) -> Self {
        Self::made_as(Making::default(), seed, profiles, from)
    }

    /// The same, with an exchange's ids and disorder.
    pub fn made_as(making: Making, seed: u64, profiles: Vec<Profile>, from: EpochMs) -> Self {
        let next_minute = from.ms().div_euclid(MINUTE_MS);
        Self { seed, profiles, making, ready: VecDeque::new(), next_minute, from }
    }

    /// The tickers.
    pub fn tickers(&self) -> impl Iterator<Item = &Ticker> {
        self.profiles.iter().map(|profile| &profile.ticker)
    }

    /// The next trade, if it was made by now.
    pub fn due(&mut self, now: EpochMs) -> Option<TrueTrade> {
        while self.ready.is_empty() && self.next_minute * MINUTE_MS <= now.ms() {
            self.load_minute();
        }
        let is_due = self.ready.front().is_some_and(|made| made.at <= now);
        if is_due { self.ready.pop_front().map(|made| made.trade) } else { None }
    }

    /// When there may next be a trade.
    pub fn next_at(&self) -> EpochMs {
        match self.ready.front() {
            Some(made) => made.at,
            None => EpochMs::new(self.next_minute * MINUTE_MS),
        }
    }

    fn load_minute(&mut self) {
        let mut trades = Vec::new();
        for profile in &self.profiles {
            trades.extend(minute_of(self.seed, profile, self.next_minute, self.making.numbering));
        }
        trades.sort_by_key(|trade| trade.traded_at);
        let before = self.making.numbering.map(|numbering| self.made_before(numbering));
        let mut made = self.making.make(self.seed, trades, before.unwrap_or_default());
        made.retain(|made| self.from <= made.at);
        self.ready.extend(made);
        self.next_minute += 1;
    }

    /// How many trades each series had before the next minute.
    fn made_before(&self, numbering: Numbering) -> Vec<(crate::dialect::numbering::Series, u64)> {
        let of = |profile: &Profile| {
            (numbering.series_of(&profile.ticker), counted_before(self.seed, profile, self.next_minute))
        };
        self.profiles.iter().map(of).collect()
    }
}

/// How many trades a ticker had before a minute, where trades are counted: known
/// for any minute at once, without making those before it.
fn counted_before(seed: u64, profile: &Profile, minute: i64) -> u64 {
    let minutes = (minute - FIRST_MINUTE).max(0);
    let ticker = profile.ticker.as_str().as_bytes();
    let noise = |at: i64, below: u64| chance::hash(seed, &[b"count", ticker, &at.to_le_bytes()]) % below.max(1);
    match profile.pace {
        Pace::Lively { per_minute } => {
            let a_day = (per_minute * DAY as f64).round() as u128;
            let even = (a_day * minutes.unsigned_abs() as u128 / DAY as u128) as u64;
            even + noise(minutes, (per_minute / 2.0).floor() as u64 + 1)
        }
        Pace::Quiet => {
            let lively_minutes = (minutes + QUIET_CYCLE - 1) / QUIET_CYCLE;
            lively_minutes.unsigned_abs() * 4 + noise(lively_minutes, 3)
        }
    }
}

/// The trades of one ticker in one minute, in time order.
fn minute_of(seed: u64, profile: &Profile, minute: i64, numbering: Option<Numbering>) -> Vec<TrueTrade> {
    let ticker = profile.ticker.as_str();
    let mut rng = chance::stream(seed, &[b"minute", ticker.as_bytes(), &minute.to_le_bytes()]);
    let count = match numbering {
        None => count_in(profile.pace, minute, &mut rng).min(TRADES_A_MINUTE),
        Some(_) => {
            let before = counted_before(seed, profile, minute);
            counted_before(seed, profile, minute + 1).saturating_sub(before) as usize
        }
    };
    let mut offsets = Vec::with_capacity(count);
    while offsets.len() < count {
        let offset = rng.random_range(0..MINUTE_MS);
        let crowd = if rng.random_ratio(1, 80) { rng.random_range(12..=60) } else { rng.random_range(1..=3) };
        let crowd = crowd.min(count - offsets.len());
        offsets.extend(std::iter::repeat_n(offset, crowd));
    }
    offsets.sort_unstable();

    let mut trades = Vec::with_capacity(count);
    for (index, offset) in offsets.into_iter().enumerate() {
        let at = minute * MINUTE_MS + offset;
        let price = price_at(seed, profile, at) + rng.random_range(-3..=3);
        let trade = TrueTrade::new(
            ticker,
            at,
            &decimal(price.max(1).unsigned_abs(), profile.price_decimals),
            &quantity(profile, &mut rng),
            &id_of(minute, index as u64),
        );
        trades.extend(trade);
    }
    trades
}

fn count_in(pace: Pace, minute: i64, rng: &mut impl Rng) -> usize {
    match pace {
        Pace::Lively { per_minute } => {
            let expected = per_minute * rng.random_range(0.5..1.5);
            let whole = expected.floor();
            let one_more = rng.random_bool((expected - whole).clamp(0.0, 1.0));
            whole as usize + usize::from(one_more)
        }
        Pace::Quiet if minute % QUIET_CYCLE == 0 => rng.random_range(2..=6),
        Pace::Quiet => 0,
    }
}

/// The price around which a ticker trades at an instant, in units of its last
/// decimal: waves of hashed noise, from a minute to half a day long.
fn price_at(seed: u64, profile: &Profile, at: i64) -> i64 {
    const WAVES: [(i64, i64); 4] =
        [(MINUTE_MS, 600), (8 * MINUTE_MS, 2_500), (64 * MINUTE_MS, 8_000), (720 * MINUTE_MS, 30_000)];
    let mut millionths: i64 = 1_000_000;
    for (length, height) in WAVES {
        let (knot, offset) = (at.div_euclid(length), at.rem_euclid(length));
        let noise = |knot: i64| {
            let name: [&[u8]; 4] =
                [b"price", profile.ticker.as_str().as_bytes(), &length.to_le_bytes(), &knot.to_le_bytes()];
            (chance::hash(seed, &name) % 2001) as i64 - 1000
        };
        let level = (noise(knot) * (length - offset) + noise(knot + 1) * offset) / length;
        millionths += height * level / 1000;
    }
    profile.base_price * millionths / 1_000_000
}

fn quantity(profile: &Profile, rng: &mut impl Rng) -> String {
    let boost = match rng.random_range(0..400) {
        0 => 100,
        1..20 => 10,
        _ => 1,
    };
    let plain = decimal(rng.random_range(1..=profile.usual_quantity) * boost, profile.quantity_decimals);
    match (profile.notation, rng.random_range(0..3)) {
        (Notation::Exponent, 0) => format!("{}E-7", rng.random_range(1..=9)),
        (Notation::Exponent, 1) => {
            format!("{}.{}E+{}", rng.random_range(1..=9), rng.random_range(1..=9), rng.random_range(1..=6))
        }
        _ => plain,
    }
}

/// The id of the `index`-th trade of a minute: unique within a ticker, with gaps,
/// not in time order, and the same for every ticker of the market.
fn id_of(minute: i64, index: u64) -> String {
    let hash = |part: u64| chance::hash(0, &[b"id", &minute.to_le_bytes(), &part.to_le_bytes()]);
    let slot = index ^ (hash(u64::MAX) % 8);
    (minute.unsigned_abs() * 10_000_000 + slot * 3 + hash(slot) % 3).to_string()
}

fn decimal(units: u64, decimals: u32) -> String {
    let width = decimals as usize + 1;
    let digits = format!("{units:0>width$}");
    let (whole, fraction) = digits.split_at(digits.len() - decimals as usize);
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
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
