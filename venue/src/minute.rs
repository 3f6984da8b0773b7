//! One minute of one ticker. It follows from the seed, the ticker and the minute's
//! number alone, and is made trade by trade: all of a busy one at once would hold up
//! whoever shares the processor.

use std::vec;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use tape::EpochMs;

use crate::chance;
use crate::dialect::numbering::Numbering;
use crate::profile::{Notation, Pace, Profile, QUIET_CYCLE};
use crate::true_trade::TrueTrade;

/// Its length.
pub const MINUTE_MS: i64 = 60_000;

/// No minute of a ticker has more trades: ids of one minute must not reach the next.
const TRADES_A_MINUTE: usize = 1_000_000;

/// 2024-01-01: where the counters of exchanges begin that number without holes.
const FIRST_MINUTE: i64 = 28_401_120;

const DAY: i64 = 1_440;

/// What is still to be made of a ticker's minute. The seed and the profile, alike for
/// all minutes, stay with the market, which has thousands of these.
#[derive(Debug)]
pub struct Minute {
    number: i64,
    rng: ChaCha8Rng,
    /// When within the minute, in milliseconds, in order.
    offsets: vec::IntoIter<u16>,
    index: u64,
}

impl Minute {
    /// All of a minute of a ticker.
    pub fn new(seed: u64, profile: &Profile, number: i64, numbering: Option<Numbering>) -> Self {
        let name: [&[u8]; 3] = [b"minute", profile.ticker.as_str().as_bytes(), &number.to_le_bytes()];
        let mut rng = chance::stream(seed, &name);
        let count = match numbering {
            None => count_in(profile.pace, number, &mut rng).min(TRADES_A_MINUTE),
            Some(_) => {
                let before = counted_before(seed, profile, number);
                counted_before(seed, profile, number + 1).saturating_sub(before) as usize
            }
        };
        let mut offsets = Vec::with_capacity(count);
        while offsets.len() < count {
            let offset = rng.random_range(0..MINUTE_MS);
            let crowd = if rng.random_ratio(1, 80) { rng.random_range(12..=60) } else { rng.random_range(1..=3) };
            let crowd = crowd.min(count - offsets.len());
            offsets.extend(std::iter::repeat_n(offset as u16, crowd));
        }
        offsets.sort_unstable();
        Self { number, rng, offsets: offsets.into_iter(), index: 0 }
    }

    /// When its next trade is made.
    pub fn next_at(&self) -> Option<EpochMs> {
        let offset = self.offsets.as_slice().first()?;
        Some(EpochMs::new(self.number * MINUTE_MS + i64::from(*offset)))
    }

    /// Its next trade, with the seed and the profile it was begun with.
    pub fn next(&mut self, seed: u64, profile: &Profile) -> Option<TrueTrade> {
        let at = self.next_at()?.ms();
        self.offsets.next();
        let price = price_at(seed, profile, at) + self.rng.random_range(-3..=3);
        let trade = TrueTrade::new(
            profile.ticker.as_str(),
            at,
            &decimal(price.max(1).unsigned_abs(), profile.price_decimals),
            &quantity(profile, &mut self.rng),
            &id_of(self.number, self.index),
        );
        self.index += 1;
        trade.ok()
    }
}

/// How many trades a ticker had before a minute, where trades are counted: known
/// for any minute at once, without making those before it.
pub fn counted_before(seed: u64, profile: &Profile, minute: i64) -> u64 {
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
