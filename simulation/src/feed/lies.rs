//! What the socket makes of the truth: every frame it sends, and the ledger of
//! what it did to them.

use std::collections::BTreeMap;

use tape::{EpochMs, Price, Quantity, Ticker, Trade, TradeId};

use super::truth::{Truth, decimal};
use crate::chance::Chance;
use crate::scenario::{BEGINS_AT, Part, Scenario};

/// One frame, and when it would come if the connection stands.
#[derive(Debug, Clone)]
pub struct Frame {
    /// When it comes.
    pub at: i64,
    /// What it says.
    pub text: String,
    /// Of which trade it is a copy.
    pub of: Option<(Ticker, TradeId)>,
}

/// How many faults of each kind were made.
pub type Injected = BTreeMap<&'static str, u64>;

/// All frames of a run, by time, and when no frame comes.
#[derive(Debug, Default)]
pub struct Lies {
    /// The frames.
    pub frames: Vec<Frame>,
    /// Spans in which the connection is cut.
    pub cuts: Vec<(i64, i64)>,
    /// What was done.
    pub injected: Injected,
}

/// How often each is done, in a thousand.
struct Rates<'a> {
    scenario: &'a Scenario,
    per_mille: i64,
}

impl Rates<'_> {
    /// Whether to do it. Draws in any case, so that the other choices stay.
    fn strikes(&self, chance: &mut Chance, part: Part) -> bool {
        let strikes = chance.per_mille(self.per_mille);
        strikes && !self.scenario.plan.without.contains(&part)
    }
}

impl Lies {
    /// Draws what is said of the truth.
    pub fn of(truth: &Truth, scenario: &Scenario) -> Self {
        let seed = scenario.plan.seed;
        let mut chance = Chance::of(seed, "lies");
        let rates = Rates { scenario, per_mille: *chance.pick(&[5, 30, 100, 250]) };
        let mut lies = Self::default();
        for (ticker, trades) in &truth.trades {
            let mut chance = Chance::of(seed, &format!("lies about {ticker}"));
            for (nth, it) in trades.iter().enumerate().filter(|(_, it)| BEGINS_AT <= it.trade.traded_at.ms()) {
                lies.tell(&it.trade, &rates, &mut chance);
                lies.invent(&it.trade, nth, &rates, &mut chance);
            }
        }
        let mut cut_chance = Chance::of(seed, "cuts");
        let cuts = *cut_chance.pick(&[0, 0, 1, 4]);
        for _ in 0..cuts {
            let from = BEGINS_AT + cut_chance.between(0, scenario.seconds * 1_000);
            let until = from + cut_chance.between(50, 30_000);
            if !scenario.plan.without.contains(&Part::Cut) {
                lies.cuts.push((from, until));
                lies.count("cut");
            }
        }
        // Stable: what comes at once comes as it was made.
        lies.frames.sort_by_key(|frame| frame.at);
        lies
    }

    /// When the last frame comes.
    pub fn last_at(&self) -> i64 {
        self.frames.last().map_or(BEGINS_AT, |frame| frame.at)
    }

    /// Whether the connection is cut at a moment.
    pub fn is_cut(&self, at: i64) -> bool {
        self.cuts.iter().any(|(from, until)| *from <= at && at < *until)
    }

    /// Tells a trade: once, never, or more often; on time or not; as it was or not.
    fn tell(&mut self, trade: &Trade, rates: &Rates<'_>, chance: &mut Chance) {
        let on_time = trade.traded_at.ms() + chance.between(5, 60);
        if rates.strikes(chance, Part::Drop) {
            self.count("drop");
            return;
        }
        let is_delayed = rates.strikes(chance, Part::Delay);
        let delay_ms = chance.between(100, 30_000);
        let at = if is_delayed { on_time + delay_ms } else { on_time };
        if is_delayed {
            self.count("delay");
        }
        self.copy(trade, at, rates, chance);
        let copies = chance.between(1, 3);
        if rates.strikes(chance, Part::Duplicate) {
            for _ in 0..copies {
                self.count("duplicate");
                let again_ms = *chance.pick(&[0, 3, 1_500, 25_000]);
                self.copy(trade, at + again_ms, rates, chance);
            }
        }
    }

    fn copy(&mut self, trade: &Trade, at: i64, rates: &Rates<'_>, chance: &mut Chance) {
        let altered = altered(trade, chance);
        let (is_altered, is_future) = (rates.strikes(chance, Part::Alter), rates.strikes(chance, Part::Future));
        let impossible = [0, 1, at + 86_400_000, at + 400 * 86_400_000];
        let impossible_at = EpochMs::new(*chance.pick(&impossible));
        let is_impossible = is_future && chance.per_mille(300);
        let said = match (is_impossible, is_altered) {
            (true, _) => Trade { traded_at: impossible_at, ..trade.clone() },
            (false, true) => altered,
            (false, false) => trade.clone(),
        };
        if is_impossible {
            self.count("future");
        } else if is_altered {
            self.count("alter");
        }
        let of = Some((trade.ticker.clone(), trade.id.clone()));
        self.frames.push(Frame { at, text: json(&said, chance), of });
    }

    /// Tells what never was.
    fn invent(&mut self, near: &Trade, nth: usize, rates: &Rates<'_>, chance: &mut Chance) {
        let at = near.traded_at.ms() + chance.between(0, 3_000);
        let claimed = near.traded_at.plus_ms(*chance.pick(&[0, 1, 1_000, -1_000, -20_000, -500_000]));
        let id = TradeId::new(&format!("ghost-{nth}")).expect("an id");
        let phantom = altered(&Trade { id, traded_at: claimed, ..near.clone() }, chance);
        let text = json(&phantom, chance);
        let copies = if chance.per_mille(200) { 2 } else { 1 };
        if rates.strikes(chance, Part::Phantom) {
            for copy in 0..copies {
                self.count("phantom");
                self.frames.push(Frame { at: at + copy * 9_000, text: text.clone(), of: None });
            }
        }
        let broken = broken(&near.ticker, chance);
        if rates.strikes(chance, Part::Malformed) {
            self.count("malformed");
            self.frames.push(Frame { at, text: broken, of: None });
        }
    }

    fn count(&mut self, kind: &'static str) {
        *self.injected.entry(kind).or_default() += 1;
    }
}

/// The trade with another price, quantity or time.
fn altered(trade: &Trade, chance: &mut Chance) -> Trade {
    let price = Price::parse(&decimal(chance, 90_000, 3)).expect("a price");
    let quantity = Quantity::parse(&decimal(chance, 50, 5)).expect("a quantity");
    let traded_at = trade.traded_at.plus_ms(*chance.pick(&[1, -1, 900, -900, 2_500, -30_000, -400_000]));
    match chance.between(0, 3) {
        0 => Trade { price, ..trade.clone() },
        1 => Trade { quantity, ..trade.clone() },
        2 => Trade { traded_at, ..trade.clone() },
        _ => Trade { price, quantity, traded_at, ..trade.clone() },
    }
}

fn json(trade: &Trade, chance: &mut Chance) -> String {
    let Trade { ticker, id, traded_at, price, quantity } = trade;
    if chance.per_mille(500) {
        format!(
            r#"{{"ticker":"{ticker}","ts":{traded_at},"quantity":"{quantity}","price":"{price}","tradeid":"{id}"}}"#
        )
    } else {
        format!(r#"{{"tradeId":"{id}","price":{price},"quantity":{quantity},"ts":{traded_at},"ticker":"{ticker}"}}"#)
    }
}

fn broken(ticker: &Ticker, chance: &mut Chance) -> String {
    let frames = [
        String::new(),
        "{".to_owned(),
        "<html>".to_owned(),
        format!(r#"{{"ticker":"{ticker}","ts":"soon","quantity":1,"price":1,"tradeid":"x"}}"#),
        format!(r#"{{"ticker":"{ticker}","ts":1700000000000,"quantity":0,"price":1,"tradeid":"x"}}"#),
        format!(r#"{{"ticker":"{ticker}","ts":1700000000000,"quantity":1,"price":-1,"tradeid":"x"}}"#),
        format!(r#"{{"ticker":"{ticker}","ts":1700000000000,"quantity":1,"price":1}}"#),
        format!(r#"{{"ticker":"{ticker}","ts":1700000000000,"quantity":1e-40,"price":1,"tradeid":"x"}}"#),
        r#"{"ticker":"a b","ts":1700000000000,"quantity":1,"price":1,"tradeid":"x"}"#.to_owned(),
    ];
    chance.pick(&frames).clone()
}
