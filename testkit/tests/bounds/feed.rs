//! A market in simulated time, heard and asked as a worker would: the practice
//! market's own frames and pages on one side, the tape's book on the other.
//! What comes out is what was said of each mark and, later, what it became.

use std::collections::HashMap;

use serde_json::Value;
use tape::{
    Arrival, Book, EpochMs, Known, Mark, Page, Patience, Price, Quantity, Standing, Ticker, Trade, TradeId, Unfinished,
    Volume, Vwap, Watermark, reconcile,
};
use venue::FaultRates;
use venue::listeners::Ear;
use venue::market::{Habits, Market};
use venue::source::Source;

/// How finely time passes.
const STEP_MS: i64 = 100;

/// A span without any REST answer.
#[derive(Debug, Clone, Copy)]
pub struct Outage {
    pub from: EpochMs,
    pub to: EpochMs,
}

/// What is played.
pub struct Play {
    pub ticker: Ticker,
    pub source: Source,
    pub seed: u64,
    pub from: EpochMs,
    pub until: EpochMs,
    /// The faults from the beginning on, and those from an instant on.
    pub faults: FaultRates,
    pub change: (EpochMs, FaultRates),
    pub outages: Vec<Outage>,
    /// How many seconds the window is long.
    pub seconds: i64,
}

/// Something that became known, in the order in which it did.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// A provisional figure.
    Said {
        mark: Mark,
        price: Option<Vwap>,
        tail_ms: i64,
        /// The volume that only the socket brought, and all of it.
        heard: Volume,
        volume: Volume,
    },
    /// A final one.
    Final { mark: Mark, price: Option<Vwap> },
}

struct Desk {
    ticker: Ticker,
    book: Book,
    /// Trades heard and not confirmed yet.
    heard: HashMap<TradeId, Known>,
    /// Trades that are confirmed.
    confirmed: HashMap<TradeId, Known>,
    patience: Patience,
}

/// Plays a market from its first to its last second.
pub fn play(play: Play) -> Vec<Event> {
    let Play { ticker, source, seed, from, until, faults, change, outages, seconds } = play;
    let habits = Habits {
        seed,
        faults,
        silence_ms: 5_000,
        lag_ms: 0,
        keep: 2_000_000,
        queue: 100_000,
        dialect: venue::Dialect::GENERIC,
        disorder_ms: 0,
    };
    let mut market = Market::new(habits, source, [ticker.clone()]);
    market.open(from);
    let mut ear = market.join();
    let patience = Patience {
        settle_delay_ms: 2_000,
        allowed_skew_ms: 5_000,
        longest_step_ms: 5_000_000,
        listening_since: Some(from),
    };
    let start = Mark::at_or_before(from);
    let book = Book::rebuild(Watermark::Through(from.minus_ms(1_000)), seconds, start, &[], Unfinished::default());
    let mut desk = Desk { ticker: ticker.clone(), book, heard: HashMap::new(), confirmed: HashMap::new(), patience };

    let mut events = Vec::new();
    let (mut now, mut poll_at, mut rejoin_at) = (start.at(), from, None);
    let mut has_changed = false;
    while now < until {
        now = now.plus_ms(STEP_MS);
        if !has_changed && change.0 <= now {
            has_changed = true;
            market.set_faults(change.1);
        }
        market.advance(now);
        desk.hear(&mut ear, now);
        if market.listeners() == 0 && rejoin_at.is_none() {
            rejoin_at = Some(now.plus_ms(1_000));
        }
        if rejoin_at.is_some_and(|at| at <= now) {
            rejoin_at = None;
            ear = market.join();
        }
        let mark = Mark::at_or_before(now);
        if mark.at() == now {
            events.extend(desk.say(mark));
        }
        let is_out = outages.iter().any(|outage| outage.from <= now && now < outage.to);
        if poll_at <= now && !is_out {
            while desk.ask(&mut market, now, &mut events) {}
            // Not in step with the marks, as in life.
            poll_at = now.plus_ms(1_000 + STEP_MS * (now.ms() / STEP_MS % 3));
        }
    }
    events
}

impl Desk {
    fn hear(&mut self, ear: &mut Ear, now: EpochMs) {
        while let Ok(frame) = ear.frames.try_recv() {
            let Some(trade) = read(frame.as_str(), &self.ticker) else { continue };
            let is_future = now.plus_ms(self.patience.allowed_skew_ms) < trade.traded_at;
            let is_old = trade.traded_at <= now.minus_ms(30 * 86_400_000);
            if is_future || is_old {
                continue;
            }
            let known = self.confirmed.get(&trade.id).or_else(|| self.heard.get(&trade.id));
            let known_trade = |standing| Known { trade: trade.clone(), standing };
            match Arrival::of(&trade, known, self.book.watermark().settled_until()) {
                Arrival::New => {
                    self.book.hear(&trade, None);
                    self.heard
                        .insert(trade.id.clone(), known_trade(Standing::Heard { received_at: now, suspicion: None }));
                }
                Arrival::Unplaced => {
                    self.heard
                        .insert(trade.id.clone(), known_trade(Standing::Heard { received_at: now, suspicion: None }));
                }
                Arrival::Duplicate | Arrival::LateCopy | Arrival::LateAltered => {}
            }
        }
    }

    fn say(&mut self, mark: Mark) -> Option<Event> {
        let said = self.book.provisional_at(mark)?;
        let tail_ms = mark.at().ms_since(self.book.watermark().settled_until());
        let (heard, volume) = (self.book.heard_sums().volume, said.sums.volume);
        Some(Event::Said { mark, price: said.sums.vwap(), tail_ms, heard, volume })
    }

    /// Asks for one page, and says whether to ask at once for another.
    fn ask(&mut self, market: &mut Market, now: EpochMs, events: &mut Vec<Event>) -> bool {
        let watermark = self.book.watermark().clone();
        let page = market.page(&self.ticker, watermark.ask_from(), watermark.ask_after(), 100, now);
        let rows = page.expect("a known ticker").rows;
        let trades: Vec<Trade> = rows.iter().filter_map(|row| read(row, &self.ticker)).collect();
        assert_eq!(trades.len(), rows.len(), "REST tells the truth");
        let page = Page {
            latest_row_at: trades.last().map(|trade| trade.traded_at),
            is_full: trades.len() == 100,
            trades,
            ..Page::empty_at(now)
        };
        let reach = page.reach(&watermark, self.patience);
        let mut known: Vec<Known> =
            self.heard.values().filter(|known| known.trade.traded_at <= reach).cloned().collect();
        for trade in &page.trades {
            let heard_beyond = self.heard.get(&trade.id).filter(|known| reach < known.trade.traded_at);
            known.extend(heard_beyond.or_else(|| self.confirmed.get(&trade.id)).cloned());
        }
        let outcome = reconcile(&watermark, &page, &known, self.patience);
        for settled in self.book.settle(&outcome).expect("the book holds what it was given") {
            events.push(Event::Final { mark: settled.said.mark, price: settled.said.sums.vwap() });
        }
        for confirmation in &outcome.confirmations {
            self.heard.remove(&confirmation.trade.id);
            let standing = Standing::Confirmed { was_heard: confirmation.received_at.is_some() };
            let known = Known { trade: confirmation.trade.clone(), standing };
            self.confirmed.insert(confirmation.trade.id.clone(), known);
        }
        for phantom in &outcome.phantoms {
            self.heard.remove(&phantom.trade.id);
        }
        outcome.has_more
    }
}

/// A frame or a row as a trade; none when it is no trade of the ticker.
fn read(text: &str, ticker: &Ticker) -> Option<Trade> {
    let object: Value = serde_json::from_str(text).ok()?;
    let text = |name: &str| match object.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let of = Ticker::new(&text("ticker")?).ok()?;
    Some(Trade {
        ticker: (of == *ticker).then_some(of)?,
        id: TradeId::new(&text("tradeid")?).ok()?,
        traded_at: EpochMs::new(text("ts")?.parse().ok().filter(|ts| *ts > 0)?),
        price: Price::parse(&text("price")?).ok()?,
        quantity: Quantity::parse(&text("quantity")?).ok()?,
    })
}
