//! Made tapes: the same from the same plan on every machine, in whole numbers
//! only, and shaped like a market. A few tickers make most of the trades, they
//! come in bursts, one in seven shares the millisecond of the one before, prices
//! walk, quantities span six orders of magnitude, and ids count up per ticker,
//! so that tickers share ids.

use std::io::Write;

/// 2023-11-14T22:13:20Z: where made tapes begin.
pub const BEGINS_AT_MS: i64 = 1_700_000_000_000;

/// A unit of quantities: one in 10^8.
pub const QUANTITY_DECIMALS: u32 = 8;

/// The first tickers, their first price as digits, and its decimals. Whoever
/// comes after them resembles one of them.
const KNOWN: [(&str, u64, u32); 20] = [
    ("BTC", 6_132_044, 2),
    ("ETH", 298_811, 2),
    ("SOL", 143_092, 3),
    ("XRP", 51_877, 5),
    ("DOGE", 118_204, 6),
    ("BNB", 57_166, 2),
    ("ADA", 44_120, 5),
    ("AVAX", 341_907, 4),
    ("LINK", 139_944, 4),
    ("DOT", 651_208, 5),
    ("LTC", 80_377, 3),
    ("TRX", 1_098_821, 7),
    ("POL", 6_713, 4),
    ("UNI", 941_633, 5),
    ("ATOM", 8_129, 3),
    ("SHIB", 2_377, 8),
    ("NEAR", 632_517, 5),
    ("PEPE", 871, 8),
    ("FIL", 56_991, 4),
    ("APT", 866_012, 5),
];

/// What a tape is made from.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many trades.
    pub trades: u64,
    /// How many tickers.
    pub tickers: usize,
    /// How many seconds they are spread over.
    pub seconds: i64,
    /// What chance follows from.
    pub seed: u64,
}

/// One trade of a made tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Which ticker, counted from 0.
    pub ticker: usize,
    /// When it was made.
    pub traded_at_ms: i64,
    /// The digits of its price.
    pub price: u64,
    /// How many of them are decimals.
    pub price_decimals: u32,
    /// Its quantity in units of 10^-8.
    pub quantity: u64,
    /// Its id, unique within the ticker.
    pub id: u64,
}

impl Made {
    /// The price as a market prints it.
    pub fn price_text(&self) -> String {
        decimal(self.price, self.price_decimals)
    }

    /// The quantity as a market prints it.
    pub fn quantity_text(&self) -> String {
        decimal(self.quantity, QUANTITY_DECIMALS)
    }
}

/// The name of a ticker.
pub fn ticker_name(ticker: usize) -> String {
    KNOWN.get(ticker).map_or_else(|| format!("T{ticker:05}"), |known| known.0.to_owned())
}

/// The id before the first one of a ticker.
pub fn before_ids(ticker: usize) -> u64 {
    1_000_000 * (ticker as u64 % 5 + 1)
}

fn decimal(units: u64, decimals: u32) -> String {
    let one = 10u64.pow(decimals);
    format!("{}.{:0width$}", units / one, units % one, width = decimals as usize)
}

/// Chance that follows from a seed (splitmix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Everything that follows from a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        // The bias is below 2^-32 for every limit used here.
        self.next() % limit
    }
}

/// Makes a tape, trade by trade, in order of time.
pub struct Tape {
    plan: Plan,
    chance: Chance,
    /// The cumulated weights of tickers, and of seconds.
    shares: Vec<u64>,
    weights: Vec<u64>,
    prices: Vec<u64>,
    made: Vec<u64>,
    second: usize,
    /// The trades of the current second, last first.
    ready: Vec<Made>,
    told: u64,
}

impl Tape {
    /// The tape of a plan.
    pub fn new(plan: Plan) -> Self {
        let mut chance = Chance::new(plan.seed);
        let shares = cumulated((1..=plan.tickers as u64).map(|rank| 1_000_000 / rank + 1));
        let mut burst = 0;
        let weights = cumulated((0..plan.seconds.unsigned_abs()).map(|_| {
            // A burst begins every five minutes or so, and lasts some seconds.
            if burst == 0 && chance.below(300) == 0 {
                burst = 1 + chance.below(12);
            }
            let is_burst = burst > 0;
            burst = burst.saturating_sub(1);
            if is_burst { 400 + chance.below(2_000) } else { 60 + chance.below(80) }
        }));
        let prices = (0..plan.tickers).map(|ticker| KNOWN[ticker % KNOWN.len()].1).collect();
        let made = vec![0; plan.tickers];
        Self { plan, chance, shares, weights, prices, made, second: 0, ready: Vec::new(), told: 0 }
    }

    fn make_second(&mut self) {
        let until = *self.weights.last().unwrap_or(&1);
        let share = u128::from(self.weights[self.second]) * u128::from(self.plan.trades) / u128::from(until);
        let count = u64::try_from(share).unwrap_or(self.plan.trades) - self.told;
        self.told += count;
        let opens_at = BEGINS_AT_MS + 1000 * i64::try_from(self.second).unwrap_or(i64::MAX);
        let mut times: Vec<i64> = (0..count).map(|_| opens_at + 1 + self.below(1000)).collect();
        times.sort_unstable();
        for index in 1..times.len() {
            if self.chance.below(7) == 0 {
                times[index] = times[index - 1];
            }
        }
        self.ready = times.into_iter().map(|traded_at_ms| self.trade_at(traded_at_ms)).collect();
        self.ready.reverse();
        self.second += 1;
    }

    fn trade_at(&mut self, traded_at_ms: i64) -> Made {
        let drawn = self.chance.below(*self.shares.last().unwrap_or(&1));
        let ticker = self.shares.partition_point(|share| *share <= drawn);
        let (_, first_price, price_decimals) = KNOWN[ticker % KNOWN.len()];
        let step = (first_price / 20_000).max(1);
        let price = &mut self.prices[ticker];
        match self.chance.below(8) {
            0 => *price += step,
            1 => *price = price.saturating_sub(step).max(1),
            _ => {}
        }
        self.made[ticker] += 1;
        let price = *price;
        let id = before_ids(ticker) + self.made[ticker];
        let digits = 10u64.pow(4 + u32::try_from(self.chance.below(7)).unwrap_or(0));
        let quantity = 1 + self.chance.below(digits);
        Made { ticker, traded_at_ms, price, price_decimals, quantity, id }
    }

    fn below(&mut self, limit: u64) -> i64 {
        i64::try_from(self.chance.below(limit)).unwrap_or(0)
    }
}

impl Iterator for Tape {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        while self.ready.is_empty() && self.second < self.weights.len() {
            self.make_second();
        }
        self.ready.pop()
    }
}

fn cumulated(weights: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut sum = 0;
    weights
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect()
}

/// A tape that breaks running sums in floats: now and then a block of 9·10^9
/// units and more, then minutes of trades of 10^-8 units and little more.
pub fn adversarial(plan: Plan) -> impl Iterator<Item = Made> {
    Tape::new(plan).enumerate().map(|(index, made)| {
        let quantity = if index % 4_997 == 0 { 900_000_000_012_345_678 } else { 1 + made.quantity % 10_000 };
        Made { quantity, ..made }
    })
}

/// One copy of a trade, as a socket brings it.
#[derive(Debug, Clone, Copy)]
pub struct Arrived {
    /// When it came.
    pub at_ms: i64,
    /// What came.
    pub made: Made,
}

/// The tape as it is heard: one trade in a hundred up to five seconds late, one
/// in two hundred twice.
pub fn arrivals(tape: impl Iterator<Item = Made>, seed: u64) -> Vec<Arrived> {
    let mut chance = Chance::new(seed);
    let mut up_to_5_s = move || 1 + i64::try_from(chance.below(5_000)).unwrap_or(0);
    let mut dice = Chance::new(!seed);
    let mut arrivals = Vec::new();
    for made in tape {
        let late_ms = if dice.below(100) == 0 { up_to_5_s() } else { 0 };
        let at_ms = made.traded_at_ms + late_ms;
        arrivals.push(Arrived { at_ms, made });
        if dice.below(200) == 0 {
            // Both copies stay within five seconds of the trade.
            let again_ms = (up_to_5_s() - late_ms).max(0);
            arrivals.push(Arrived { at_ms: at_ms + again_ms, made });
        }
    }
    arrivals.sort_by_key(|arrived| arrived.at_ms);
    arrivals
}

/// Writes a tape as CSV, in the columns every tape of ours has.
///
/// # Errors
/// Whatever the writer says.
pub fn write_csv(tape: impl Iterator<Item = Made>, mut to: impl Write) -> std::io::Result<()> {
    to.write_all(b"ticker,ts,quantity,price,tradeid\n")?;
    for made in tape {
        let (name, quantity, price) = (ticker_name(made.ticker), made.quantity_text(), made.price_text());
        writeln!(to, "{name},{},{quantity},{price},{}", made.traded_at_ms, made.id)?;
    }
    to.flush()
}

/// Writes arrivals as CSV, the time they came in front.
///
/// # Errors
/// Whatever the writer says.
pub fn write_arrivals(arrivals: &[Arrived], mut to: impl Write) -> std::io::Result<()> {
    to.write_all(b"arr,ticker,ts,quantity,price,tradeid\n")?;
    for Arrived { at_ms, made } in arrivals {
        let (name, quantity, price) = (ticker_name(made.ticker), made.quantity_text(), made.price_text());
        writeln!(to, "{at_ms},{name},{},{quantity},{price},{}", made.traded_at_ms, made.id)?;
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const PLAN: Plan = Plan { trades: 20_000, tickers: 20, seconds: 600, seed: 1 };

    #[test]
    fn a_plan_makes_as_many_trades_as_it_says_in_order_of_time_and_each_id_once() {
        let tape: Vec<Made> = Tape::new(PLAN).collect();

        assert_eq!(tape.len(), 20_000);
        assert!(tape.is_sorted_by_key(|made| made.traded_at_ms));
        let inside = BEGINS_AT_MS + 1..=BEGINS_AT_MS + 600_000;
        assert!(tape.iter().all(|made| inside.contains(&made.traded_at_ms)));
        assert_eq!(tape.iter().map(|made| (made.ticker, made.id)).collect::<HashSet<_>>().len(), 20_000);
        assert_eq!(tape.iter().map(|made| made.ticker).collect::<HashSet<_>>().len(), 20);
    }

    #[test]
    fn the_same_plan_makes_the_same_tape_and_another_seed_another() {
        let first = |plan| Tape::new(plan).take(1_000).collect::<Vec<_>>();

        assert_eq!(first(PLAN), first(PLAN));
        assert_ne!(first(PLAN), first(Plan { seed: 2, ..PLAN }));
    }

    #[test]
    fn about_one_in_a_hundred_arrives_late_and_one_in_two_hundred_twice_within_five_seconds() {
        let arrivals = arrivals(Tape::new(PLAN), 7);

        let late = arrivals.iter().filter(|it| it.made.traded_at_ms < it.at_ms).count();
        let twice = arrivals.len() - 20_000;
        assert!((200..400).contains(&late) && (60..140).contains(&twice), "{late} late, {twice} twice");
        assert!(arrivals.iter().all(|it| it.at_ms - it.made.traded_at_ms <= 5_000));
        assert!(arrivals.is_sorted_by_key(|it| it.at_ms));
    }

    #[test]
    fn decimals_are_printed_in_full() {
        let made = Made { ticker: 0, traded_at_ms: 0, price: 5, price_decimals: 2, quantity: 123_456_789, id: 1 };

        assert_eq!((made.price_text(), made.quantity_text()), ("0.05".to_owned(), "1.23456789".to_owned()));
    }
}
