//! Exchanges in memory: they hold the truth, answer as the real ones are documented
//! to, and are followed until everything is confirmed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use market::headers::MarketTime;
use market::reading::Question;
use market::{Anchor, Ask, Asked, Gap, PageError, Reader, Told, rest_url};
use tape::{EpochMs, Known, Page, Patience, Price, Quantity, Standing, Ticker, Trade, TradeId, Watermark};

use crate::{market, ticker};

/// When the simulated markets began: a whole second.
pub const START: i64 = 1_700_000_000_000;

/// How long after a moment REST is believed to know it.
pub const SETTLE_DELAY: i64 = 5_000;

/// One true trade, and when REST begins to tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct True {
    pub id: u64,
    pub ns: i64,
    pub told_at: i64,
}

impl True {
    pub fn new(id: u64, ms: i64) -> Self {
        Self { id, ns: ms * 1_000_000, told_at: ms }
    }

    pub fn ms(&self) -> i64 {
        self.ns.div_euclid(1_000_000)
    }

    fn price(&self) -> String {
        format!("{}.{:04}", 100 + self.id % 7, self.id % 9_973)
    }

    fn quantity(&self) -> String {
        format!("0.{:05}1", self.id % 10_007)
    }
}

/// How an exchange treats what its documentation leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// The usual.
    Usual,
    /// Kraken: `since` is exclusive, and no page ends within an instant.
    NeverCut,
    /// Kraken: `since` is inclusive.
    Inclusive,
    /// Coinbase, OKX: an `after` beyond the newest id is refused.
    RefusesAhead,
    /// Coinbase, OKX: an `after` beyond the newest id is answered with nothing.
    EmptyAhead,
}

/// The state of a simulated exchange.
pub struct State {
    pub now: i64,
    pub truth: Vec<True>,
    /// Answers are as old as this, where an old copy answers.
    pub behind: i64,
    pub asked: Vec<String>,
    pub thoughts: usize,
}

/// A simulated exchange.
#[derive(Clone)]
pub struct Sim {
    pub exchange: &'static str,
    pub manner: Manner,
    pub state: Arc<Mutex<State>>,
}

impl Sim {
    pub fn new(exchange: &'static str, manner: Manner, truth: Vec<True>) -> Self {
        let state = State { now: START, truth, behind: 0, asked: Vec::new(), thoughts: 0 };
        Self { exchange, manner, state: Arc::new(Mutex::new(state)) }
    }

    pub fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.state.lock().expect("nobody panicked"))
    }

    fn answer(&self, question: &Question) -> Result<String, (u16, String)> {
        let state = self.state.lock().expect("nobody panicked");
        let now = state.now - state.behind;
        let mut told: Vec<True> = state.truth.iter().copied().filter(|one| one.told_at <= now).collect();
        told.sort_by_key(|one| one.id);
        let query: BTreeMap<String, String> = question.url.query_pairs().into_owned().collect();
        let number = |key: &str| query.get(key).map(|text| text.parse::<i64>().expect("a number"));
        let limit =
            number("limit").or(number("count")).map_or(usize::MAX, |limit| usize::try_from(limit).expect("a size"));
        let path = question.url.path();
        match self.exchange {
            "binance" if path.ends_with("aggTrades") => {
                let from = number("startTime").expect("a moment");
                Ok(list(told.iter().filter(|one| from <= one.ms()).take(limit), aggregate_row))
            }
            "binance" => {
                let newest = told.len().saturating_sub(limit);
                let rows: Vec<True> = match number("fromId") {
                    Some(from) => told.into_iter().filter(|one| from <= one.id.cast_signed()).take(limit).collect(),
                    None => told.split_off(newest),
                };
                Ok(list(rows.iter(), binance_row))
            }
            "kraken" => Ok(self.kraken(told, number("since"), limit)),
            "coinbase" => {
                let rows = self.before(&told, number("after"), limit)?;
                Ok(list(rows.iter(), coinbase_row))
            }
            "okx" if query["type"] == "2" => {
                let moment = number("after").expect("a moment");
                let rows = told.iter().rev().filter(|one| one.ms() < moment).take(limit);
                Ok(format!(r#"{{"code":"0","msg":"","data":{}}}"#, list(rows, okx_row)))
            }
            "okx" => {
                let rows = self.before(&told, number("after"), limit)?;
                Ok(format!(r#"{{"code":"0","msg":"","data":{}}}"#, list(rows.iter(), okx_row)))
            }
            "bybit" => {
                let rows = list(told.iter().rev().take(limit), bybit_row);
                Ok(format!(r#"{{"retCode":0,"retMsg":"OK","result":{{"category":"spot","list":{rows}}}}}"#))
            }
            _ => {
                let span = match query["time"].as_str() {
                    "minute" => 60_000,
                    "hour" => 3_600_000,
                    _ => 86_400_000,
                };
                Ok(list(told.iter().rev().filter(|one| now - span <= one.ms()), bitstamp_row))
            }
        }
    }

    /// Rows before an id, newest first.
    fn before(&self, told: &[True], after: Option<i64>, limit: usize) -> Result<Vec<True>, (u16, String)> {
        let newest = told.last().map_or(0, |one| one.id.cast_signed());
        let is_ahead = after.is_some_and(|after| newest + 1 < after);
        match self.manner {
            Manner::RefusesAhead if is_ahead => {
                Err((400, r#"{"message":"Invalid after","code":"51000","msg":"after"}"#.to_owned()))
            }
            Manner::EmptyAhead if is_ahead => Ok(Vec::new()),
            _ => {
                let is_before = |one: &&True| after.is_none_or(|after| one.id.cast_signed() < after);
                Ok(told.iter().rev().filter(is_before).take(limit).copied().collect())
            }
        }
    }

    /// Oldest first by time, from a nanosecond on.
    fn kraken(&self, mut told: Vec<True>, since: Option<i64>, count: usize) -> String {
        told.sort_by_key(|one| (one.ns, one.id));
        let newest = told.len().saturating_sub(count);
        let mut rows = match since {
            None => told.split_off(newest),
            Some(since) if self.manner == Manner::Inclusive => told.into_iter().filter(|one| since <= one.ns).collect(),
            Some(since) => told.into_iter().filter(|one| since < one.ns).collect::<Vec<_>>(),
        };
        let mut end = count.min(rows.len());
        while self.manner == Manner::NeverCut && 0 < end && end < rows.len() && rows[end].ns == rows[end - 1].ns {
            end += 1;
        }
        rows.truncate(end);
        let last = rows.last().map_or(since.unwrap_or(0), |one| one.ns);
        format!(r#"{{"error":[],"result":{{"XXBTZUSD":{},"last":"{last}"}}}}"#, list(rows.iter(), kraken_row))
    }
}

fn list<'a>(rows: impl Iterator<Item = &'a True>, print: impl Fn(&True) -> String) -> String {
    format!("[{}]", rows.map(print).collect::<Vec<_>>().join(","))
}

fn binance_row(one: &True) -> String {
    let (id, price, quantity, ms) = (one.id, one.price(), one.quantity(), one.ms());
    format!(r#"{{"id":{id},"price":"{price}","qty":"{quantity}","time":{ms},"isBuyerMaker":true}}"#)
}

fn aggregate_row(one: &True) -> String {
    format!(r#"{{"a":{0},"p":"1","q":"1","f":{0},"l":{0},"T":{1}}}"#, one.id, one.ms())
}

fn coinbase_row(one: &True) -> String {
    let (id, price, quantity) = (one.id, one.price(), one.quantity());
    let time = rfc3339(one.ns);
    format!(r#"{{"trade_id":{id},"side":"buy","size":"{quantity}","price":"{price}","time":"{time}"}}"#)
}

fn kraken_row(one: &True) -> String {
    let (id, price, quantity) = (one.id, one.price(), one.quantity());
    // Seven decimals, as it prints them.
    let (seconds, decimals) = (one.ns / 1_000_000_000, one.ns % 1_000_000_000 / 100);
    format!(r#"["{price}","{quantity}",{seconds}.{decimals:07},"b","l","",{id}]"#)
}

fn okx_row(one: &True) -> String {
    let (id, price, quantity, ms) = (one.id, one.price(), one.quantity(), one.ms());
    format!(r#"{{"instId":"BTC-USD","side":"buy","sz":"{quantity}","px":"{price}","tradeId":"{id}","ts":"{ms}"}}"#)
}

fn bybit_row(one: &True) -> String {
    let (id, price, quantity, ms) = (one.id, one.price(), one.quantity(), one.ms());
    format!(r#"{{"execId":"{id}","symbol":"BTCUSD","price":"{price}","size":"{quantity}","time":"{ms}"}}"#)
}

fn bitstamp_row(one: &True) -> String {
    let (id, price, quantity) = (one.id, one.price(), one.quantity());
    format!(r#"{{"date":"{}","tid":"{id}","price":"{price}","type":"0","amount":"{quantity}"}}"#, one.ms() / 1_000)
}

/// All that is simulated happens within a day of 2023-11-14T22:13:20Z.
fn rfc3339(ns: i64) -> String {
    let midnight = 1_699_920_000i64;
    let seconds = ns / 1_000_000_000 - midnight;
    let (day, of_day) = (14 + seconds / 86_400, seconds % 86_400);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("2023-11-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", ns % 1_000_000_000 / 1_000)
}

impl Ask for Sim {
    async fn ask(&self, _ticker: &Ticker, question: Question) -> Result<Told, PageError> {
        self.with(|state| state.asked.push(question.url.to_string()));
        let now = self.with(|state| state.now);
        let market_time = MarketTime { present: EpochMs::new(now), latest: EpochMs::new(now + 1_000) };
        match self.answer(&question) {
            Ok(body) => Ok(Told { body, market_time, url: question.url }),
            Err((_, words)) => Err(PageError::Declined { url: Box::new(question.url), words }),
        }
    }

    async fn wait_for_second_thoughts(&self) {
        self.with(|state| {
            state.now += 1_000;
            state.thoughts += 1;
        });
    }
}

/// Follows a simulated exchange as the worker does: what a page settles is
/// confirmed, and the watermark moves.
pub struct Follower {
    pub sim: Sim,
    pub reader: Reader<Sim>,
    pub watermark: Watermark,
    pub confirmed: BTreeMap<u64, Trade>,
    pub gaps: Vec<Gap>,
    pub rejected: usize,
    /// What the socket told of times, where REST tells only seconds.
    pub heard: BTreeMap<u64, Trade>,
}

impl Follower {
    pub fn new(sim: &Sim, page_limit: usize, from: i64, anchor: Option<Anchor>) -> Self {
        let base_url = rest_url("http://127.0.0.1:1").expect("a url");
        let asked = Asked { market: market(sim.exchange), base_url, page_limit, ticker: ticker("BTC/USD") };
        Self {
            sim: sim.clone(),
            reader: Reader::over(sim.clone(), asked, anchor),
            watermark: Watermark::Through(EpochMs::new(from - 1)),
            confirmed: BTreeMap::new(),
            gaps: Vec::new(),
            rejected: 0,
            heard: BTreeMap::new(),
        }
    }

    /// Asks until nothing more follows at once. Gives the errors on the way.
    pub async fn poll(&mut self) -> Vec<PageError> {
        for _ in 0..1_000 {
            match self.reader.page(&self.watermark).await {
                Err(error) => return vec![error],
                Ok(answer) => {
                    self.gaps.extend(answer.gaps);
                    self.rejected += answer.rejected.len();
                    if !self.settle(&answer.page) {
                        return Vec::new();
                    }
                }
            }
        }
        panic!("it never comes to an end");
    }

    fn settle(&mut self, page: &Page) -> bool {
        let patience = Patience {
            settle_delay_ms: SETTLE_DELAY,
            allowed_skew_ms: 1_000,
            longest_step_ms: i64::MAX / 4,
            listening_since: None,
        };
        let number = |trade: &Trade| trade.id.as_str().parse::<u64>().expect("a number");
        let known: Vec<Known> = page
            .trades
            .iter()
            .filter_map(|trade| {
                if let Some(held) = self.confirmed.get(&number(trade)) {
                    return Some(Known { trade: held.clone(), standing: Standing::Confirmed { was_heard: false } });
                }
                let received_at = EpochMs::new(START);
                let heard = self.heard.get(&number(trade))?.clone();
                Some(Known { trade: heard, standing: Standing::Heard { received_at, suspicion: None } })
            })
            .collect();
        let outcome = tape::reconcile(&self.watermark, page, &known, patience);
        for confirmation in outcome.confirmations {
            let trade = confirmation.trade;
            assert!(self.confirmed.insert(number(&trade), trade.clone()).is_none(), "twice: {trade:?}");
        }
        assert!(outcome.corrections.is_empty(), "{:?}", outcome.corrections);
        assert!(self.watermark.settled_until() <= outcome.watermark.settled_until());
        self.watermark = outcome.watermark;
        outcome.has_more
    }

    /// Polls every `step` ms from now until a moment.
    pub async fn follow_until(&mut self, until: i64, step: i64) {
        while self.sim.with(|state| state.now) < until {
            self.sim.with(|state| state.now += step);
            let errors = self.poll().await;
            assert!(errors.is_empty(), "{errors:?}");
        }
    }

    /// Checks that what is confirmed is the truth from a moment on, all of it and each once.
    pub fn check_from(&self, from: i64) {
        let truth = self.sim.with(|state| state.truth.clone());
        let wanted: BTreeMap<u64, Trade> =
            truth.iter().filter(|one| from <= one.ms()).map(|one| (one.id, self.as_told(one))).collect();
        let missing: Vec<&u64> = wanted.keys().filter(|id| !self.confirmed.contains_key(id)).collect();
        assert!(missing.is_empty(), "{} of {} are missing: {missing:?}", missing.len(), wanted.len());
        assert_eq!(self.confirmed, wanted);
    }

    pub fn as_told(&self, one: &True) -> Trade {
        let is_coarse = self.sim.exchange == "bitstamp";
        let ms = if is_coarse { one.ms() / 1_000 * 1_000 } else { one.ms() };
        as_trade(one, ms)
    }

    pub fn gap_details(&self) -> Vec<&str> {
        self.gaps.iter().map(|gap| gap.detail.as_str()).collect()
    }
}

pub fn as_trade(one: &True, ms: i64) -> Trade {
    Trade {
        ticker: ticker("BTC/USD"),
        id: TradeId::new(&one.id.to_string()).expect("an id"),
        traded_at: EpochMs::new(ms),
        price: Price::parse(&one.price()).expect("a price"),
        quantity: Quantity::parse(&one.quantity()).expect("a quantity"),
    }
}

/// Numbers that look random and are the same each time.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A lively market: bursts of up to 74 trades in one millisecond, quiet spells, times that fall
/// by up to `disorder` ms while ids rise, told up to `lag` ms after they were made.
pub fn lively(count: u64, disorder: u64, lag: u64, seed: u64) -> Vec<True> {
    let mut dice = Dice(seed);
    let mut truth = Vec::new();
    let (mut ms, mut left_in_burst) = (START, 0);
    for id in 1..=count {
        if left_in_burst == 0 {
            ms += match dice.below(40) {
                0 => 20_000 + dice.below(20_000).cast_signed(),
                1..10 => dice.below(2_000).cast_signed(),
                _ => dice.below(60).cast_signed(),
            };
            left_in_burst = if dice.below(30) == 0 { 74 } else { 1 + dice.below(3) };
        }
        left_in_burst -= 1;
        let made_at = ms - dice.below(disorder + 1).cast_signed();
        // A tenth of a microsecond is the finest any of them prints.
        let ns = made_at.max(START) * 1_000_000 + dice.below(3).cast_signed() * 100;
        let told_at = ms + dice.below(lag + 1).cast_signed();
        truth.push(True { id, ns, told_at });
    }
    truth
}
