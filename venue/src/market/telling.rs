//! What the socket says about each true trade: the truth, a lie, or nothing.

use rand::{Rng, RngExt};
use tape::{EpochMs, RejectionKind, TradeId};

use super::Market;
use crate::book::{Delivery, Entry};
use crate::chance;
use crate::dialect::said::{Said, frame_of_many};
use crate::fault::FaultKind;
use crate::held::Held;
use crate::ledger::Injected;
use crate::lie::{Lie, Meaning};
use crate::true_trade::TrueTrade;

/// Trades of one ticker that will be told in one message.
#[derive(Debug)]
pub(super) struct Together {
    trades: Vec<TrueTrade>,
    heard_by: usize,
}

impl Market {
    /// A true trade happens, and is told at once: REST knows it from now on, and the socket says of
    /// it what chance decides. `false` when its id is taken.
    pub fn bring(&mut self, trade: TrueTrade, now: EpochMs) -> bool {
        let is_new = self.bring_with_others(trade, now);
        self.send_together(now);
        is_new
    }

    /// The same for many trades, of which some may be told in one message.
    pub fn bring_all(&mut self, trades: impl IntoIterator<Item = TrueTrade>, now: EpochMs) {
        for trade in trades {
            self.bring_with_others(trade, now);
        }
        self.send_together(now);
    }

    pub(super) fn bring_with_others(&mut self, trade: TrueTrade, now: EpochMs) -> bool {
        let is_known = self.books.get(&trade.ticker).is_some_and(|book| book.contains(&trade.id));
        if is_known {
            return false;
        }
        self.counters.note(&trade);
        let delivery = self.report(&trade, now);
        let entry = Entry::new(trade, delivery);
        if let Some(file) = &mut self.on_disk {
            file.told(&entry);
        }
        self.book_mut(&entry.trade.ticker.clone()).insert(entry)
    }

    /// Sends a text to everyone, whatever it is, and says how many hear it.
    pub fn say(&mut self, text: &str) -> usize {
        let heard_by = self.listeners.send(text);
        self.frames += u64::from(heard_by > 0);
        heard_by
    }

    /// Tells everyone who hears of its ticker what is said of a trade, and says how
    /// many hear it. What is `whole` may share a message with others.
    fn tell(&mut self, said: Said, is_whole: bool, now: EpochMs) -> usize {
        let dialect = self.habits.dialect;
        let most = dialect.rows_a_message();
        if most == 1 || !is_whole {
            self.send_together(now);
            let heard_by = self.listeners.tell(&said.trade.ticker, |channel| said.frame(dialect, channel, now));
            self.frames += u64::from(heard_by > 0);
            return heard_by;
        }
        let fits = |together: &Together| {
            together.trades.len() < most && together.trades.iter().all(|trade| trade.ticker == said.trade.ticker)
        };
        if !self.together.as_ref().is_some_and(fits) {
            self.send_together(now);
            // Whoever has room for it now has it when the message is sent: nothing is sent between.
            let heard_by = self.listeners.ready_for(&said.trade.ticker);
            self.together = Some(Together { trades: Vec::new(), heard_by });
        }
        let Some(together) = &mut self.together else { return 0 };
        together.trades.push(said.trade);
        together.heard_by
    }

    /// Sends what was to be told in one message.
    pub(super) fn send_together(&mut self, now: EpochMs) {
        let Some(together) = self.together.take() else { return };
        let Some(first) = together.trades.first() else { return };
        let dialect = self.habits.dialect;
        let words = |channel| frame_of_many(dialect, channel, &together.trades, now);
        let heard_by = self.listeners.tell(&first.ticker, words);
        self.frames += u64::from(heard_by > 0);
    }

    /// Ends every connection after what was already sent.
    pub fn cut(&mut self, now: EpochMs) {
        self.send_together(now);
        self.cuts += 1;
        self.listeners.cut();
    }

    /// Sends nothing until an instant.
    pub fn fall_silent_until(&mut self, until: EpochMs) {
        self.silences += 1;
        self.silent_until_ms = self.silent_until_ms.max(until.ms());
    }

    /// Whether the socket is in a silence.
    pub(super) fn is_silent(&self, now: EpochMs) -> bool {
        now.ms() < self.silent_until_ms
    }

    /// Says of a trade what chance decides.
    fn report(&mut self, trade: &TrueTrade, now: EpochMs) -> Delivery {
        if !self.listeners.hear_of(&trade.ticker) {
            return Delivery::Unheard;
        }
        if self.is_silent(now) {
            return Delivery::Silenced;
        }
        let Some(kind) = self.habits.faults.decide(self.habits.seed, trade) else {
            return self.say_truly(trade, now);
        };
        let name: [&[u8]; 3] = [b"lie", trade.ticker.as_str().as_bytes(), trade.id.as_str().as_bytes()];
        let mut rng = chance::stream(self.habits.seed, &name);
        match kind {
            FaultKind::Drop => {
                self.note(kind, trade, None, None);
                Delivery::Dropped
            }
            FaultKind::Duplicate => {
                let delivery = self.say_truly(trade, now);
                self.hold(trade, Held::Again, now.ms() + rng.random_range(20..=200));
                delivery
            }
            FaultKind::Reorder => {
                self.hold(trade, Held::Overtaken, now.ms() + rng.random_range(50..=200));
                Delivery::Held
            }
            FaultKind::Delay => {
                self.hold(trade, Held::Late, now.ms() + rng.random_range(2_000..=5_000));
                Delivery::Held
            }
            FaultKind::Silence => {
                self.note(kind, trade, None, None);
                self.fall_silent_until(now.plus_ms(self.habits.silence_ms));
                Delivery::Silenced
            }
            FaultKind::Cut => {
                self.note(kind, trade, None, None);
                self.cut(now);
                Delivery::Unheard
            }
            FaultKind::Phantom => {
                let delivery = self.say_truly(trade, now);
                self.lie(kind, trade, now, &mut rng);
                delivery
            }
            FaultKind::AlterPrice
            | FaultKind::AlterQuantity
            | FaultKind::AlterTime
            | FaultKind::Malformed
            | FaultKind::WrongType
            | FaultKind::Future => self.lie(kind, trade, now, &mut rng),
        }
    }

    fn say_truly(&mut self, trade: &TrueTrade, now: EpochMs) -> Delivery {
        if self.tell(Said::of(trade.clone()), true, now) > 0 { Delivery::Heard } else { Delivery::Unheard }
    }

    fn lie(&mut self, kind: FaultKind, trade: &TrueTrade, now: EpochMs, rng: &mut impl Rng) -> Delivery {
        let Some(lie) = Lie::about(trade, kind, now.ms(), self.habits.dialect, rng) else {
            return self.say_truly(trade, now);
        };
        let sent = lie.said.frame(self.habits.dialect, 0, now);
        let is_whole = !matches!(lie.meaning, Meaning::Rejected(_));
        if self.tell(lie.said, is_whole, now) == 0 {
            return Delivery::Unheard;
        }
        match lie.meaning {
            Meaning::Altered => {
                self.note(kind, trade, Some(sent), None);
                Delivery::Altered
            }
            Meaning::Phantom(id) => {
                self.note_under(kind, trade, id, Some(sent), None);
                Delivery::Heard
            }
            Meaning::Rejected(rejection) => {
                self.note(kind, trade, Some(sent), Some(rejection));
                Delivery::Rejected(rejection)
            }
        }
    }

    fn hold(&mut self, trade: &TrueTrade, why: Held, due_ms: i64) {
        self.held.hold(due_ms, why, trade.clone());
    }

    /// Sends what was held back until now. What falls due in a silence is
    /// swallowed by it like everything else.
    pub(super) fn release_held(&mut self, now: EpochMs) {
        while let Some(frame) = self.held.due(now.ms()) {
            let delivery = if self.is_silent(now) {
                Delivery::Silenced
            } else if self.tell(Said::of(frame.trade.clone()), true, now) > 0 {
                Delivery::Heard
            } else {
                Delivery::Unheard
            };
            let book = self.books.get_mut(&frame.trade.ticker);
            let Some(entry) = book.and_then(|book| book.entry_mut(&frame.trade.id)) else {
                continue;
            };
            let is_heard = delivery == Delivery::Heard;
            let kind = match frame.why {
                Held::Overtaken => FaultKind::Reorder,
                Held::Late => FaultKind::Delay,
                Held::Again => FaultKind::Duplicate,
            };
            match frame.why {
                Held::Overtaken => entry.delivery = delivery,
                Held::Late => {
                    entry.delivery = delivery;
                    entry.is_late = is_heard;
                }
                Held::Again => entry.copies += u32::from(is_heard),
            }
            if let Some(file) = &mut self.on_disk {
                file.told(entry);
            }
            if is_heard {
                let (trade, sent) = (entry.trade.clone(), Said::of(frame.trade).frame(self.habits.dialect, 0, now));
                self.note(kind, &trade, Some(sent), None);
            }
        }
    }

    fn note(&mut self, kind: FaultKind, trade: &TrueTrade, sent: Option<String>, rejection: Option<RejectionKind>) {
        self.note_under(kind, trade, trade.id.clone(), sent, rejection);
    }

    fn note_under(
        &mut self,
        kind: FaultKind,
        trade: &TrueTrade,
        id: TradeId,
        sent: Option<String>,
        rejection: Option<RejectionKind>,
    ) {
        let fault = Injected { kind, ticker: trade.ticker.clone(), id, at: trade.traded_at, sent, rejection };
        if let Some(file) = &mut self.on_disk {
            file.done(&fault);
        }
        self.ledger.add(fault);
    }
}
