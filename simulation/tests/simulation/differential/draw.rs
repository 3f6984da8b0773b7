//! Chance for arguments: few tickers, trades and marks, so that they meet each other.

use simulation::chance::Chance;
use store::{Appended, Chained, Channel, CountDelta, Figure, Incident, MarkSpan, Pieces, Refused, Restatement};
use tape::bound::{Class, Coverage, Deviation, ErrorBin, Hour, Lesson, Level, Outcomes, Statement, Unsaid};
use tape::{
    Confirmation, Digest, EpochMs, Fault, FaultKind, Finding, Head, Heard, Interval, Known, Mark, RejectionKind,
    Standing, Sums, Suspicion, Ticker, TimeToFinal, Trade, TradeId, Verdict,
};
use testkit::{at, id, ticker, trade};

/// The ticker that has no watermark.
pub const UNFOLLOWED: &str = "C";

/// What arguments are drawn from.
pub struct Draw(Chance);

impl Draw {
    /// The arguments of a seed.
    pub fn of(seed: u64) -> Self {
        Self(Chance::of(seed, "differential"))
    }

    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        self.0.between(least, most)
    }

    pub fn per_mille(&mut self, rate: i64) -> bool {
        self.0.per_mille(rate)
    }

    pub fn pick<'a, T>(&mut self, among: &'a [T]) -> &'a T {
        self.0.pick(among)
    }

    /// Some of something, perhaps none.
    pub fn some<R>(&mut self, mut each: impl FnMut(&mut Self) -> R) -> Vec<R> {
        (0..self.between(0, 5)).map(|_| each(self)).collect()
    }

    pub fn ticker(&mut self) -> Ticker {
        let names: [&str; 7] = ["A", "A", "A", "B", "B", "B", UNFOLLOWED];
        ticker(self.pick::<&str>(&names))
    }

    pub fn interval(&mut self) -> Interval {
        let minute = Interval::from_ms(60_000).expect("an interval");
        if self.per_mille(800) { Interval::DEFAULT } else { minute }
    }

    pub fn id(&mut self) -> TradeId {
        id(&format!("t{}", self.between(0, 9)))
    }

    pub fn name(&mut self) -> (Ticker, TradeId) {
        (self.ticker(), self.id())
    }

    pub fn instant(&mut self) -> EpochMs {
        at(self.between(500, 12_000))
    }

    pub fn mark(&mut self) -> Mark {
        Mark::at_or_before(at(1_000 * self.between(1, 8)))
    }

    pub fn trade(&mut self) -> Trade {
        let (of, named) = self.name();
        let price = *self.pick(&["1", "1.25", "1.250", "0.000000000000000007", "27000.12"]);
        let quantity = *self.pick(&["0.5", "1", "3.333333333333333333", "1200"]);
        trade(of.as_str(), named.as_str(), self.instant().ms(), price, quantity)
    }

    fn suspicion(&mut self) -> Option<Suspicion> {
        let kind = *self.pick(&Suspicion::ALL);
        self.per_mille(300).then_some(kind)
    }

    pub fn heard(&mut self) -> Heard {
        Heard { trade: self.trade(), received_at: self.instant(), suspicion: self.suspicion() }
    }

    pub fn confirmation(&mut self) -> Confirmation {
        let received_at = self.per_mille(400).then(|| self.instant());
        Confirmation { trade: self.trade(), verdict: Verdict::Missing, received_at, suspicion: self.suspicion() }
    }

    pub fn known(&mut self) -> Known {
        let standing = Standing::Heard { received_at: self.instant(), suspicion: self.suspicion() };
        Known { trade: self.trade(), standing }
    }

    pub fn fault(&mut self) -> Fault {
        let (kind, truth) = (*self.pick(&FaultKind::ALL), self.trade());
        let heard = self.per_mille(600).then(|| Trade { id: truth.id.clone(), ..self.trade() });
        let received_at = self.per_mille(700).then(|| self.instant());
        let truth = (heard.is_none() || self.per_mille(500)).then_some(truth);
        Fault::new(kind, heard, truth, received_at).expect("one side at least")
    }

    pub fn delta(&mut self) -> CountDelta {
        CountDelta {
            ticker: (*self.pick(&["A", "B", ""])).to_owned(),
            minute: at(60_000 * self.between(0, 1)),
            kind: (*self.pick(&["matched", "late"])).to_owned(),
            delta: self.between(-3, 4),
        }
    }

    pub fn refused(&mut self) -> Refused {
        let text = |this: &mut Self| {
            let long = "ä".repeat(usize::try_from(this.between(250, 2_100)).expect("positive"));
            (*this.pick(&["short", "with \0 inside", "", &long])).to_owned()
        };
        Refused {
            channel: *self.pick(&[Channel::Socket, Channel::Rest]),
            ticker: self.per_mille(500).then(|| self.ticker()),
            kind: *self.pick(&RejectionKind::ALL),
            reason: text(self),
            frame: text(self),
            received_at: self.instant(),
        }
    }

    pub fn incident(&mut self) -> Incident {
        let from = at(1_000 * self.between(1, 4));
        let to = from.plus_ms(if self.per_mille(20) { -1 } else { self.between(0, 5) });
        let (kind, detail) = ((*self.pick(&["gap", "other"])).to_owned(), self.between(0, 9).to_string());
        Incident { ticker: self.ticker(), kind, from, to, detail }
    }

    fn sums(&mut self) -> Sums {
        self.some(Self::trade).iter().map(|trade| Sums::of(trade.price, trade.quantity)).sum()
    }

    /// A figure as it is final.
    pub fn settled(&mut self) -> Figure {
        let (mark, sums) = (self.mark(), self.sums());
        let is_chained = self.per_mille(800);
        let final_watermark = if self.per_mille(20) { mark.at().minus_ms(1) } else { at(self.between(8_000, 9_000)) };
        let chained = is_chained.then(|| Chained { head: self.head(), final_watermark });
        let confirmed_trades = if self.per_mille(20) { sums.trades + 1 } else { sums.trades };
        Figure {
            ticker: self.ticker(),
            interval: self.interval(),
            mark,
            sums,
            confirmed_trades,
            quarantined_trades: u64::from(self.per_mille(20)),
            chained,
            bound: self.per_mille(100).then(|| self.statement(sums)),
        }
    }

    /// Final figures of some marks in a row, a few at a time.
    pub fn made(&mut self) -> (MarkSpan, Made) {
        let (ticker, interval, first) = (self.ticker(), self.interval(), self.mark());
        let marks = std::iter::successors(Some(first), |mark| Some(mark.next()));
        let marks: Vec<Mark> = marks.take(usize::try_from(self.between(1, 4)).expect("positive")).collect();
        let last = marks[marks.len() - 1];
        let figure = |mark: &Mark| Figure { ticker: ticker.clone(), interval, mark: *mark, ..self.settled() };
        let figures: Vec<Figure> = marks.iter().map(figure).collect();
        let (next, together) = (0, usize::try_from(self.between(1, 3)).expect("positive"));
        (MarkSpan { ticker, interval, first, last }, Made { figures, next, together })
    }

    /// A figure as it is provisional.
    pub fn provisional(&mut self) -> Figure {
        let settled = self.settled();
        let bound = self.per_mille(800).then(|| self.statement(settled.sums));
        let confirmed_trades = self.between(0, i64::try_from(settled.sums.trades).expect("few")).unsigned_abs();
        let quarantined_trades = self.between(0, 2).unsigned_abs();
        Figure { confirmed_trades, quarantined_trades, chained: None, bound, ..settled }
    }

    fn head(&mut self) -> Head {
        Head { entry: self.between(1, 99).unsigned_abs(), link: self.digest() }
    }

    fn digest(&mut self) -> Digest {
        Digest::of(&[u8::try_from(self.between(0, 2)).expect("small")])
    }

    fn outcomes(&mut self) -> Outcomes {
        let mut some = || self.between(0, 3).unsigned_abs();
        Outcomes { kept: some(), broken: some(), unsaid: some() }
    }

    fn class(&mut self) -> Class {
        Class::from_number(i16::try_from(self.between(0, 2)).expect("small")).expect("a class")
    }

    fn level(&mut self) -> Level {
        Level::from_billionths(self.between(-9_000_000, 9_000_000), Coverage::DEFAULT)
    }

    fn statement(&mut self, sums: Sums) -> Statement {
        let bound = Deviation::from_units(self.between(0, 3_000_000).unsigned_abs()).expect("small");
        let unsaid = [Unsaid::NoFiniteBound, Unsaid::NotEnoughEvidence { marks: 3, needed: 100 }];
        let bound = if self.per_mille(500) { Ok(bound) } else { Err(*self.pick(&unsaid)) };
        Statement {
            tail_ms: self.between(0, 9_000),
            class: self.class(),
            bound: if sums.is_empty() { Err(Unsaid::NoPrice) } else { bound },
            coverage: Coverage::DEFAULT,
            level: self.level(),
            day: self.outcomes(),
        }
    }

    pub fn lesson(&mut self) -> (Ticker, Lesson) {
        let error = ErrorBin::from_number(*self.pick(&[0, 1, 400, 752])).expect("a bin");
        let hour = Hour::from_number(self.between(0, 3));
        let (class, outcome, level) = (self.class(), self.outcomes(), self.level());
        (self.ticker(), Lesson { hour, class, error, outcome, level })
    }

    pub fn restatement(&mut self) -> Restatement {
        let figure = Figure { chained: None, bound: None, ..self.settled() };
        let appended = self.per_mille(700).then(|| Appended {
            previous_link: self.digest(),
            head: self.head(),
            old_second_digest: self.digest(),
            new_second_digest: self.digest(),
        });
        Restatement { figure, reason: format!("reason {}", self.between(0, 9)), appended }
    }

    pub fn finding(&mut self) -> Finding {
        let (was, now) = (self.trade(), self.trade());
        match self.between(0, 2) {
            0 => Finding::Altered { was: Trade { ticker: now.ticker.clone(), id: now.id.clone(), ..was }, now },
            1 => Finding::Added { now },
            _ => Finding::Withdrawn { was },
        }
    }

    pub fn time_to_final(&mut self) -> Option<TimeToFinal> {
        let p50_ms = self.between(0, 3_000);
        let p99_ms = p50_ms + if self.per_mille(20) { -1 } else { self.between(0, 99) };
        self.per_mille(500).then_some(TimeToFinal { p50_ms, p99_ms, marks: 300 })
    }
}

/// Figures that are handed on a few at a time.
pub struct Made {
    figures: Vec<Figure>,
    next: usize,
    together: usize,
}

impl Pieces for Made {
    fn next_piece(&mut self) -> Option<&[Figure]> {
        let piece = self.figures[self.next..].chunks(self.together).next()?;
        self.next += piece.len();
        Some(piece)
    }
}
