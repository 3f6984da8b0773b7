//! From a seed to everything a run is made of.

use std::collections::BTreeSet;
use std::str::FromStr;

use worker::Config;

use crate::chance::Chance;

/// When every run begins: 2023-11-14T22:13:20Z.
pub const BEGINS_AT: i64 = 1_700_000_000_000;

macro_rules! parts {
    ($($part:ident $name:literal $meaning:literal,)*) => {
        /// What can be left out of a run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Part {
            $(#[doc = $meaning] $part,)*
        }

        impl Part {
            /// Every part.
            pub const ALL: &[Self] = &[$(Self::$part,)*];

            /// Its name on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$part => $name,)* }
            }
        }
    };
}

parts! {
    Drop "drop" "Frames that never come.",
    Duplicate "duplicate" "Frames that come again.",
    Delay "delay" "Frames that come late and in another order.",
    Alter "alter" "Frames with another price, quantity or time.",
    Phantom "phantom" "Frames of trades that never were.",
    Future "future" "Frames from the far future or the far past.",
    Malformed "malformed" "Frames that are no trades.",
    Cut "cut" "Connections that are cut.",
    RestLag "rest-lag" "REST that knows a trade only a while later.",
    RestTrouble "rest-trouble" "REST that fails or answers late.",
    RefusedRows "refused-rows" "REST pages with rows that are no trades.",
    ChangesOfMind "changes-of-mind" "REST that tells settled trades otherwise than it did.",
    Crash "crash" "Workers killed at any step.",
    SecondWorker "second-worker" "A second worker at once, and leaders deposed without their knowledge.",
    StoreTrouble "store-trouble" "Statements and commits that fail, some with an unknown outcome.",
    StoreLate "store-late" "Statements that take long.",
    ServerCrash "server-crash" "A database that is killed and loses what was not flushed.",
    Bursts "bursts" "Many trades in one millisecond.",
    SmallLimits "small-limits" "Tiny pages, batches and queues.",
}

impl FromStr for Part {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let names: Vec<&str> = Self::ALL.iter().map(|part| part.as_str()).collect();
        let found = Self::ALL.iter().copied().find(|part| part.as_str() == name);
        found.ok_or_else(|| format!("no part is called {name:?}; known are {}", names.join(", ")))
    }
}

/// Which run: a seed, and what is left out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The seed.
    pub seed: u64,
    /// What is left out.
    pub without: BTreeSet<Part>,
    /// Tickers at most.
    pub tickers: Option<usize>,
    /// Seconds of market instead of what the seed says.
    pub seconds: Option<i64>,
}

impl Plan {
    /// All of a seed.
    pub fn of(seed: u64) -> Self {
        Self { seed, without: BTreeSet::new(), tickers: None, seconds: None }
    }

    /// The command that repeats the run.
    pub fn command(&self) -> String {
        let mut command = format!("cargo run -p simulation -- --replay {}", self.seed);
        let without: Vec<&str> = self.without.iter().map(|part| part.as_str()).collect();
        if !without.is_empty() {
            command += &format!(" --without {}", without.join(","));
        }
        if let Some(tickers) = self.tickers {
            command += &format!(" --tickers {tickers}");
        }
        if let Some(seconds) = self.seconds {
            command += &format!(" --seconds {seconds}");
        }
        command
    }
}

/// Everything that is drawn before a run begins.
#[derive(Debug)]
pub struct Scenario {
    /// What it was drawn from.
    pub plan: Plan,
    /// How long the market trades while anything may go wrong, in seconds.
    pub seconds: i64,
    /// How long it traded before the first worker started, in seconds.
    pub past_seconds: i64,
    /// How many tickers trade.
    pub tickers: usize,
    /// Workers started at once.
    pub workers: usize,
    /// How far each worker's clock is from the market's, in milliseconds.
    pub skews_ms: Vec<i64>,
    /// The worker's settings.
    pub config: Config,
    /// Whether REST can page inside a millisecond.
    pub pages_by_id: bool,
    /// Whether the market tells its present to the second only.
    pub tells_seconds_only: bool,
    /// How often in a thousand a store statement fails.
    pub store_fails: i64,
    /// How often in a thousand a store statement takes long.
    pub store_is_late: i64,
    /// How many times workers are killed, about.
    pub crashes: i64,
    /// Moments at which the leader's lock is lost without its knowledge.
    pub depositions: Vec<i64>,
    /// Moments at which the database is killed.
    pub server_crashes: Vec<i64>,
    /// Moments from which on the market changes its mind about a trade.
    pub changes_of_mind: Vec<i64>,
}

impl Scenario {
    /// Draws everything.
    ///
    /// # Panics
    /// When the settings drawn are none the worker accepts: a mistake of this file.
    pub fn of(plan: &Plan) -> Self {
        let mut chance = Chance::of(plan.seed, "scenario");
        let drawn_seconds = match chance.between(0, 99) {
            0..=74 => chance.between(20, 150),
            75..=97 => chance.between(150, 700),
            _ => chance.between(700, 7_200),
        };
        let drawn_tickers = *chance.pick(&[1, 1, 2, 2, 3, 4]);
        let past_seconds = *chance.pick(&[0, 0, 30, 400]);
        let workers = 1 + usize::from(chance.per_mille(400));
        let skews_ms = vec![chance.between(-1_500, 1_500), chance.between(-1_500, 1_500)];
        let (pages_by_id, tells_seconds_only) = (chance.per_mille(750), chance.per_mille(300));
        let (fails, late, crashes) =
            (*chance.pick(&[0, 0, 1, 5]), *chance.pick(&[0, 0, 2, 20]), *chance.pick(&[0, 1, 2, 6]));
        let (deposed, server_killed) = (chance.between(0, 3), *chance.pick(&[0, 0, 1, 2]));
        let changes = *Chance::of(plan.seed, "changes").pick(&[0, 0, 1, 3, 6]);
        let config_chance = Chance::of(plan.seed, "settings");

        let has = |part| !plan.without.contains(&part);
        let seconds = plan.seconds.unwrap_or(drawn_seconds);
        let tickers = plan.tickers.unwrap_or(drawn_tickers).min(drawn_tickers);
        let has_two = has(Part::SecondWorker);
        let moments = |part: &str, count: i64| -> Vec<i64> {
            let mut chance = Chance::of(plan.seed, part);
            (0..count).map(|_| BEGINS_AT + chance.between(0, seconds * 1_000)).collect()
        };
        Self {
            plan: plan.clone(),
            seconds,
            past_seconds,
            tickers,
            workers: if has_two { workers } else { 1 },
            skews_ms,
            config: settings(config_chance, tickers, past_seconds, has(Part::SmallLimits)),
            pages_by_id,
            tells_seconds_only,
            store_fails: if has(Part::StoreTrouble) { fails } else { 0 },
            store_is_late: if has(Part::StoreLate) { late } else { 0 },
            crashes: if has(Part::Crash) { crashes } else { 0 },
            depositions: moments("depositions", if has_two { deposed } else { 0 }),
            changes_of_mind: moments("changes", if has(Part::ChangesOfMind) { changes } else { 0 }),
            server_crashes: moments("server", if has(Part::ServerCrash) { server_killed } else { 0 }),
        }
    }

    /// When the faults end.
    pub fn calm_from(&self) -> i64 {
        BEGINS_AT + self.seconds * 1_000
    }
}

/// The name of a ticker by its number.
pub fn ticker_name(number: usize) -> String {
    format!("T{number}")
}

/// Settings as in production, with the limits sometimes so small that they are met.
fn settings(mut chance: Chance, tickers: usize, past_seconds: i64, has_small_limits: bool) -> Config {
    let interval = *chance.pick(&["5m", "5m", "5m", "60s", "7s"]);
    let poll_every = *chance.pick(&["1s", "1s", "1s", "200ms", "3s"]);
    let page_limit = *chance.pick(&[100, 100, 1, 3, 7]);
    let batch_limit = *chance.pick(&[5_000, 5_000, 3, 40]);
    let queue_limit = *chance.pick(&[50_000, 50_000, 5, 60]);
    let names: Vec<String> = (0..tickers).map(ticker_name).collect();
    let followed = *chance.pick(&[0, 1, tickers]);
    let max_tickers = *chance.pick(&[1_000, 1_000, 1_000, 2]);
    let backfill = if past_seconds > 0 && chance.per_mille(600) { format!("-{past_seconds}s") } else { "now".into() };
    let audit_every = *chance.pick(&["2s", "1s", "1s", "500ms"]);
    let limit = |usual: i64, drawn: i64| if has_small_limits { drawn } else { usual }.to_string();
    let vars = [
        ("INTERVAL", interval.to_owned()),
        ("POLL_EVERY", poll_every.to_owned()),
        ("PAGE_LIMIT", limit(100, page_limit)),
        ("BATCH_LIMIT", limit(5_000, batch_limit)),
        ("QUEUE_LIMIT", limit(50_000, queue_limit)),
        ("MAX_TICKERS", limit(1_000, max_tickers)),
        ("TICKERS", names[..followed.min(tickers)].join(",")),
        ("BACKFILL_FROM", backfill),
        ("AUDIT_EVERY", audit_every.to_owned()),
    ];
    let vars = vars.into_iter().map(|(name, value)| (name.to_owned(), value));
    Config::from_vars(vars).expect("settings the worker accepts")
}
